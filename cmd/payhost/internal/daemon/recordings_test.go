package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/cmd/payhost/internal/daemon"
	"github.com/payhost/payhost/conformance/replay"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
	"github.com/payhost/payhost/host"
	plugin "github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
)

// TestRecords keeps the last recordings, for the owner alone and masked, and each of
// them replays as the same.
func TestRecords(t *testing.T) {
	t.Parallel()
	c := settings(t)
	dir := filepath.Join(t.TempDir(), "recordings")
	c.Record = config.Record{Dir: dir, Connections: []string{"main"}, Operations: []string{"create"}, Keep: 2}
	p := start(t, c)
	for _, order := range []string{"order-1", "order-2", "order-3"} {
		if made, err := p.create(t, "main", order); err != nil || made.Status != "pending" {
			t.Fatalf("%+v, %v", made, err)
		}
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	cases, err := replay.Load(dir)
	if err != nil || len(cases) != 2 {
		t.Fatalf("%d recordings, %v", len(cases), err)
	}
	for i, recorded := range cases {
		text, err := os.ReadFile(recorded.Path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), yeniltoleg.AccessToken) || !strings.Contains(string(text), []string{"order-2", "order-3"}[i]) ||
			!recorded.Recording.Masked || !strings.Contains(string(text), "masked-name-1") {
			t.Errorf("%s:\n%s", recorded.Path, text)
		}
		if info, err := os.Stat(recorded.Path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		diff, err := recorded.Run(t.Context(), host.Source{Native: sdk.Native(plugin.New())})
		if err != nil || len(diff) > 0 {
			t.Errorf("%v\n%s\n%s", err, strings.Join(diff, "\n"), text)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestRecordsAreNoPartOfPayments: with no folder to write to, and with none any more,
// payments go on, and the log says it once.
func TestRecordsAreNoPartOfPayments(t *testing.T) {
	t.Parallel()
	c := settings(t)
	taken := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Record = config.Record{Dir: filepath.Join(taken, "recordings")}
	log := new(lines)
	d, err := daemon.New(t.Context(), daemon.Options{
		Config: c, Sources: map[string]host.Source{"yeniltoleg": {Native: sdk.Native(plugin.New())}},
		Logger: hclog.New(&hclog.LoggerOptions{Output: log}),
	})
	if err != nil {
		t.Fatal(err)
	}
	p := run(t, d)
	for _, order := range []string{"order-1", "order-2", "order-3"} {
		if made, err := p.create(t, "main", order); err != nil || made.Status != "pending" {
			t.Fatalf("%+v, %v", made, err)
		}
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "recording can't be written"); n != 1 {
		t.Errorf("the log says so %d times:\n%s", n, log)
	}
}

// lines is a log that a test reads while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write appends.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns what was written.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
