package daemon_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/cmd/payhost/internal/daemon"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/rig"
)

// TestPluginFileComes starts without a plugin's file, and then the file is there: it is
// loaded and connected with nobody asking for it.
func TestPluginFileComes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "yeniltoleg.wasm")
	c := edited(settings(t), func(n *config.Config) { n.Plugins["yeniltoleg"] = config.Plugin{Path: path} })
	d, err := daemon.New(t.Context(), daemon.Options{Config: c, CacheDir: rig.Cache(t), Logger: hclog.NewNullLogger()})
	if err != nil {
		t.Fatal(err)
	}
	p := run(t, d)
	d.Mend(t.Context())
	if problem := p.problems(t)["main"]; !strings.Contains(problem, "not loaded") {
		t.Fatalf("without the file: %q", problem)
	}
	if err := os.WriteFile(path, rig.Module(t, "../../../../plugins/yeniltoleg/wasm"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.Mend(t.Context())
	if problem := p.problems(t)["main"]; problem != "" {
		t.Errorf("with the file: %s", problem)
	}
	if _, err := p.create(t, "main", "order-1"); err != nil {
		t.Error(err)
	}
}

// TestSwapThatLosesWhatIsNeeded brings a plugin that can no longer cancel while a payment may be canceled: by a reload, by a
// start and by the API, which can be told to do it all the same.
func TestSwapThatLosesWhatIsNeeded(t *testing.T) {
	t.Parallel()
	lean := rig.Module(t, "./testdata/lean")
	path := filepath.Join(t.TempDir(), "yeniltoleg.wasm")
	bring := func(binary []byte) {
		t.Helper()
		if err := os.WriteFile(path, binary, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bring(rig.Module(t, "../../../../plugins/yeniltoleg/wasm"))
	c := edited(settings(t), func(n *config.Config) { n.Plugins["yeniltoleg"] = config.Plugin{Path: path} })
	begin := func() *process {
		t.Helper()
		d, err := daemon.New(t.Context(), daemon.Options{Config: c, CacheDir: rig.Cache(t), Logger: hclog.NewNullLogger()})
		if err != nil {
			t.Fatal(err)
		}
		return run(t, d)
	}
	p := begin()
	if _, err := p.create(t, "main", "order-1"); err != nil {
		t.Fatal(err)
	}
	bring(lean)
	const want = "lacks: cancel (1 of main)"
	if err := p.Reload(t.Context(), edited(c, func(*config.Config) {})); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("reload: %v", err)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	p = begin()
	var list client.Plugins
	if p.get(t, "/v1/plugins", &list); !strings.Contains(list.Plugins[0].Problem, want) {
		t.Errorf("start: %+v", list)
	}
	do := func(path string, body, into any) error {
		t.Helper()
		answer, err := p.client.Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/v1/plugins/yeniltoleg" + path, Body: body})
		if err == nil {
			err = answer.Into(into)
		}
		return err
	}
	var revision client.Revision
	var done client.Activation
	if err := do("/revisions", client.Raw(lean), &revision); err != nil {
		t.Fatal(err)
	}
	if err := do("/activate", map[string]any{"digest": revision.Digest}, &done); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("activation: %v", err)
	}
	if err := do("/activate", map[string]any{"digest": revision.Digest, "force": true}, &done); err != nil ||
		done.Digest != revision.Digest || !slices.Equal(done.Lost, []string{"cancel"}) {
		t.Errorf("by force: %+v, %v", done, err)
	}
	var history client.Revisions
	if p.get(t, "/v1/plugins/yeniltoleg/revisions", &history); len(history.Activations) != 2 || !history.Activations[0].Forced ||
		history.Activations[0].By != done.By || history.Activations[0].Needed != "cancel (1 of main)" || history.Activations[1].Forced {
		t.Errorf("who insisted is not told: %+v", history.Activations)
	}
	if err := do("/rollback", nil, &done); err != nil || done.Digest == revision.Digest {
		t.Errorf("back: %+v, %v", done, err)
	}
}

// TestCompiler has what is pushed while payhost serves compiled by the compiler that it was
// given, once, and what it starts with by itself.
func TestCompiler(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles for a minute under the race detector, which has nothing to find here; make test runs it")
	}
	path := filepath.Join(t.TempDir(), "yeniltoleg.wasm")
	if err := os.WriteFile(path, rig.Module(t, "../../../../plugins/yeniltoleg/wasm"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := edited(settings(t), func(n *config.Config) { n.Plugins["yeniltoleg"] = config.Plugin{Path: path} })
	var asked atomic.Int64
	d, err := daemon.New(t.Context(), daemon.Options{
		Config: c, Compiler: func(ctx context.Context, cacheDir string, module []byte) error {
			asked.Add(1)
			return host.Compile(ctx, cacheDir, module)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p := run(t, d)
	if n := asked.Load(); n != 0 {
		t.Errorf("asked %d times at the start", n)
	}
	next := rig.Module(t, "../../../../plugins/yeniltoleg/wasm", "-buildid=next")
	for _, want := range []string{"pushed", "pushed again"} {
		_, err := p.client.Do(t.Context(), client.Request{
			Method: http.MethodPost, Path: "/v1/plugins/yeniltoleg/revisions", Body: client.Raw(next),
		})
		if n := asked.Load(); err != nil || n != 1 {
			t.Errorf("%s: asked %d times, %v", want, n, err)
		}
	}
	if err := os.WriteFile(path, rig.Module(t, "../../../../plugins/yeniltoleg/wasm", "-buildid=third"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Reload(t.Context(), edited(c, func(*config.Config) {})); err != nil {
		t.Error(err)
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times after a reload", n)
	}
}
