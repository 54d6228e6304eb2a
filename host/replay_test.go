package host_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// TestReplay records each thing that the probe can do,
// natively and in Wasm, and replays it in the same way and in the other: all must be
// the same, without a provider.
func TestReplay(t *testing.T) {
	t.Parallel()
	for name, source := range sources(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p tape
			r := newRig(t, source, p.option)
			for i, do := range []string{
				"", "path /elsewhere", "url https://elsewhere.example/x", "claim", "claim-after-loss", "lie-read", "trap-after-send",
				"trap", "many", "lost-after-answer", "denied-after-answer", "reads", "log hello", "flood", "basic", "counter",
				"nil", "plain", "odd",
			} {
				request := create(do)
				request.Key = fmt.Sprint("op-", i)
				_, _ = r.conn.Create(t.Context(), request)
			}
			for i, answer := range []http.HandlerFunc{hangUp, status(500, "no"), status(429, "later"), status(200, "<html>")} {
				r.answer(answer)
				request := create("")
				request.Key = fmt.Sprint("bad-", i)
				_, _ = r.conn.Create(t.Context(), request)
			}
			_, _ = r.conn.Status(t.Context(), pay.Ref{ID: "a"}, pay.Ref{ID: "b"})
			_, _ = r.conn.Notification(t.Context(), pay.NotificationRequest{Method: "POST", Path: "/x", Body: []byte("hello")})
			_ = r.conn.Ping(t.Context())
			r.server.Close()
			for other, source := range sources(t) {
				replayAll(t, &p, name+" as "+other, source)
			}
		})
	}
}

func replayAll(t *testing.T, p *tape, name string, source host.Source) {
	t.Helper()
	player, err := host.NewReplayer(t.Context(), source, host.ReplayConfig{CacheDir: maker(t).Cache()})
	if err != nil {
		t.Fatal(err)
	}
	defer player.Close()
	n := 0
	for _, recorded := range p.list {
		if recorded.Operation == pay.OpDescribe {
			continue
		}
		back, err := host.DecodeRecording(recorded.Encode())
		if err != nil {
			t.Fatal(err)
		}
		got, err := player.Replay(t.Context(), back)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if !got.Same() {
			t.Errorf("%s, recording %d (%s):\n%s\n%s", name, n, recorded.Operation, strings.Join(got.Differences, "\n"), recorded.Encode())
		}
	}
	if n < 10 {
		t.Errorf("%d recordings", n)
	}
}

// refusing is a journal that lets nothing be sent.
type refusing struct{}

func (refusing) Before(context.Context, host.Outbound) error {
	return &pay.Error{Class: pay.ClassLimit, Message: "no room"}
}

func (refusing) After(context.Context, host.Outbound, *egress.Exchange) {}

// TestReplayOfWhatCouldNotBeWrittenDown: the journal's refusal is part of a
// recording.
func TestReplayOfWhatCouldNotBeWrittenDown(t *testing.T) {
	t.Parallel()
	source := host.Source{Native: sdk.Native(probe.New())}
	var p tape
	r := newRig(t, source, p.option)
	if _, err := r.conn.Create(t.Context(), create(""), host.WithJournal(refusing{})); pay.ClassOf(err) != pay.ClassLimit {
		t.Fatal(err)
	}
	got, err := host.Replay(t.Context(), source, p.last(t, pay.OpCreate))
	if err != nil || !got.Same() {
		t.Errorf("%v, %q", err, got.Differences)
	}
}

// TestReplayEnds: whatever the module does instead, the replay ends, and its list of
// differences is of a length that can be read.
func TestReplayEnds(t *testing.T) {
	t.Parallel()
	var p tape
	r := newRig(t, host.Source{Native: sdk.Native(probe.New())}, p.option)
	if _, err := r.conn.Create(t.Context(), create("")); err != nil {
		t.Fatal(err)
	}
	recorded := p.last(t, pay.OpCreate)
	tests := map[string]struct {
		guest abi.Guest
		want  string
	}{
		"sends without end": {func(i abi.Imports, _, _ int32) int32 {
			head := abi.AppendHTTPRequest(nil, &abi.HTTPRequest{Method: "POST", URL: "https://elsewhere.example/x"})
			for range 10_000 {
				i.HTTPSend(head, 0)
			}
			return 0
		}, "request added (POST /x)"},
		"garbage without end": {func(i abi.Imports, _, _ int32) int32 {
			for range 10_000 {
				i.HTTPSend([]byte{0xff}, 99)
			}
			return 0
		}, "and more"},
		"nothing":  {func(abi.Imports, int32, int32) int32 { return 0 }, "plugin gave no reply"},
		"a panic":  {func(abi.Imports, int32, int32) int32 { panic("x") }, "plugin trapped"},
		"no shame": {answer([]byte{0xff}), "malformed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := host.Replay(t.Context(), rogue(tt.guest), recorded)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Join(got.Differences, "\n")
			if got.Same() || !strings.Contains(text, tt.want) || len(got.Differences) > 250 {
				t.Errorf("differences:\n%s", text)
			}
		})
	}
}

// TestReplayRefuses recordings that it can't run.
func TestReplayRefuses(t *testing.T) {
	t.Parallel()
	for _, r := range []*host.Recording{
		{}, {Operation: pay.OpCreate}, {Operation: pay.OpDescribe}, {Operation: 99}, {Operation: pay.OpPing, Cut: true},
	} {
		if _, err := host.Replay(t.Context(), host.Source{Native: sdk.Native(probe.New())}, r); err == nil {
			t.Errorf("%s was replayed", r.Operation)
		}
	}
}
