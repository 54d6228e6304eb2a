package host_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

func version(v string) host.Source {
	return host.Source{Native: sdk.Native(probe.Provider{Version: v, Reads: []int{1}, Writes: 1})}
}

func anyLoss(host.Losses) error { return nil }

// onCanary returns which of a thousand subjects come to a version.
func onCanary(t *testing.T, c *host.Connection, version string) map[string]bool {
	t.Helper()
	list := map[string]bool{}
	for i := range 1000 {
		subject := "pay_" + strconv.Itoa(i)
		m, err := c.Of(subject).Manifest()
		if err != nil {
			t.Fatal(err)
		}
		if m.Version == version {
			list[subject] = true
		}
	}
	return list
}

// TestCanaryShares gives a canary its share of the subjects, all of them again when it
// grows, and none when it has ended.
func TestCanaryShares(t *testing.T) {
	t.Parallel()
	r := newRig(t, version("1.0.0"))
	var before map[string]bool
	for _, percent := range []int{1, 20, 60, 99} {
		if _, err := r.host.StartCanary(t.Context(), "probe", version("2.0.0"), percent, anyLoss); err != nil {
			t.Fatal(err)
		}
		now := onCanary(t, r.conn, "2.0.0")
		if n := len(now); n < 10*percent-60 || n > 10*percent+60 || n == 0 {
			t.Errorf("%d of 1000 subjects for %d percent", n, percent)
		}
		for subject := range before {
			if !now[subject] {
				t.Fatalf("%s left the canary when its share grew to %d", subject, percent)
			}
		}
		before = now
	}
	if m, err := r.conn.Manifest(); err != nil || m.Version != "1.0.0" {
		t.Errorf("what is about nothing came to %s, %v", m.Version, err)
	}
	if rev, percent, ok := r.host.Canary("probe"); !ok || percent != 99 || rev.Manifest().Version != "2.0.0" {
		t.Errorf("canary %v %d", ok, percent)
	}
	if err := r.host.EndCanary("probe", anyLoss); err != nil {
		t.Fatal(err)
	}
	if n := len(onCanary(t, r.conn, "1.0.0")); n != 1000 {
		t.Errorf("%d of 1000 are back", n)
	}
	if err := r.host.EndCanary("probe", anyLoss); err != nil {
		t.Errorf("to end none: %v", err)
	}
}

// TestCanaryIsSwappedIn has the canary, and every connection made beside it, serve all.
func TestCanaryIsSwappedIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, version("1.0.0"))
	if _, err := r.host.StartCanary(t.Context(), "probe", version("2.0.0"), 50, anyLoss); err != nil {
		t.Fatal(err)
	}
	other := r.config
	other.Name = "other"
	conn, err := r.host.Connect(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	if n, m := len(onCanary(t, conn, "2.0.0")), len(onCanary(t, r.conn, "2.0.0")); n != m || n == 0 {
		t.Errorf("a connection made beside the canary has %d of 1000, the one before %d", n, m)
	}
	if !r.host.Disconnect("other") {
		t.Error("not disconnected")
	}
	if _, err := r.host.Swap(t.Context(), "probe", version("2.0.0")); err != nil {
		t.Fatal(err)
	}
	if n := len(onCanary(t, r.conn, "2.0.0")); n != 1000 {
		t.Errorf("%d of 1000 are on what was the canary", n)
	}
	if _, _, ok := r.host.Canary("probe"); ok {
		t.Error("the canary outlived the swap")
	}
}

// TestCanaryRefuses leaves all as it was.
func TestCanaryRefuses(t *testing.T) {
	t.Parallel()
	native := func(p probe.Provider) host.Source { return host.Source{Native: sdk.Native(p)} }
	no := errors.New("no")
	for name, tt := range map[string]struct {
		source  host.Source
		percent int
		agree   error
		want    string
	}{
		"nothing":            {version("2.0.0"), 0, nil, "canary_percent"},
		"all":                {version("2.0.0"), 100, nil, "canary_percent"},
		"not a module":       {host.Source{Bytes: []byte("hello")}, 10, nil, "no WebAssembly"},
		"no way back":        {native(probe.Provider{Version: "2.0.0", Reads: []int{1, 2}, Writes: 2}), 10, nil, "no way back"},
		"settings don't fit": {host.Source{Native: sdk.Native(strict{probe.New()})}, 10, nil, "connections.main.settings"},
		"not agreed to":      {version("2.0.0"), 10, no, "no"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, version("1.0.0"))
			_, err := r.host.StartCanary(t.Context(), "probe", tt.source, tt.percent, func(host.Losses) error { return tt.agree })
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if _, _, ok := r.host.Canary("probe"); ok || len(onCanary(t, r.conn, "1.0.0")) != 1000 {
				t.Error("something runs beside the revision in use")
			}
		})
	}
	r := newRig(t, version("1.0.0"))
	if _, err := r.host.StartCanary(t.Context(), "none", version("2.0.0"), 10, anyLoss); pay.ClassOf(err) != pay.ClassConfig {
		t.Errorf("beside nothing: %v", err)
	}
}

// TestCanaryHoldsConnections refuses a connection that the canary does not take, and says
// so; and a revision that can't read what the canary stores.
func TestCanaryHoldsConnections(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Native: sdk.Native(probe.Provider{Version: "1.0.0", Reads: []int{1, 2}, Writes: 1})})
	canary := host.Source{Native: sdk.Native(strict{probe.Provider{Version: "2.0.0", Reads: []int{1, 2}, Writes: 2}})}
	r.host.Disconnect("main")
	if _, err := r.host.StartCanary(t.Context(), "probe", canary, 10, anyLoss); err != nil {
		t.Fatal(err)
	}
	_, err := r.host.Connect(t.Context(), r.config)
	if err == nil || !strings.Contains(err.Error(), "connections.main.settings.branch") || !strings.Contains(err.Error(), "the canary native") {
		t.Errorf("error %v", err)
	}
	if _, err := r.host.Swap(t.Context(), "probe", version("3.0.0")); err == nil || !strings.Contains(err.Error(), "schema 2") {
		t.Errorf("swapped in what can't read the canary's state: %v", err)
	}
}

// TestCanaryLosses asks about what only the canary can do when it ends, or gives way.
func TestCanaryLosses(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Native: sdk.Native(lesser{probe.New()})})
	ask := func(into *string) func(host.Losses) error {
		return func(l host.Losses) error { *into = l.String(); return nil }
	}
	var started, swapped, grown, shrunk, ended string
	if _, err := r.host.StartCanary(t.Context(), "probe", version("2.0.0"), 10, ask(&started)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.host.StartCanary(t.Context(), "probe", host.Source{Native: sdk.Native(lesser{probe.New()})}, 10, ask(&swapped)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.host.StartCanary(t.Context(), "probe", version("2.0.0"), 10, anyLoss); err != nil {
		t.Fatal(err)
	}
	if _, err := r.host.StartCanary(t.Context(), "probe", version("2.0.0"), 20, ask(&grown)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.host.StartCanary(t.Context(), "probe", version("2.0.0"), 10, ask(&shrunk)); err != nil {
		t.Fatal(err)
	}
	no := errors.New("no")
	if err := r.host.EndCanary("probe", func(host.Losses) error { return no }); !errors.Is(err, no) {
		t.Errorf("ended without consent: %v", err)
	}
	if _, _, ok := r.host.Canary("probe"); !ok {
		t.Error("the canary is gone")
	}
	if err := r.host.EndCanary("probe", ask(&ended)); err != nil {
		t.Fatal(err)
	}
	const only = "notification, refund, flow redirect, currency KZT"
	const other = "flow qr, currency RUB"
	if started != other || swapped != only || ended != only {
		t.Errorf("lost %q when it started, %q when it gave way, %q when it ended", started, swapped, ended)
	}
	if grown != other || shrunk != "notification, refund, flow qr, flow redirect, currency RUB, currency KZT" {
		t.Errorf("lost %q when it grew, %q when it shrank", grown, shrunk)
	}
}

// TestCanaryUnderLoad starts, grows, ends and swaps canaries while calls go on, and wants
// not one call to fail, nor the host to wait for anything when it is closed.
func TestCanaryUnderLoad(t *testing.T) {
	t.Parallel()
	module := host.Source{Bytes: probeModule(t)}
	r := newRig(t, module)
	const callers = 4
	ctx, stop := context.WithCancel(t.Context())
	var calls atomic.Int64
	var served sync.Map
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for n := i; ctx.Err() == nil; n += callers {
				result, err := r.conn.Of("pay_"+strconv.Itoa(n)).Create(t.Context(), create(""))
				if err != nil {
					t.Errorf("call failed: %v", err)
					return
				}
				served.Store(result.Revision, true)
				calls.Add(1)
			}
		})
	}
	goOn := func() {
		seen := calls.Load()
		for calls.Load() < seen+4*callers && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
	}
	for range 3 {
		for _, percent := range []int{30, 70} {
			if _, err := r.host.StartCanary(t.Context(), "probe", version("2.0.0"), percent, anyLoss); err != nil {
				t.Error(err)
			}
			goOn()
		}
		if err := r.host.EndCanary("probe", anyLoss); err != nil {
			t.Error(err)
		}
		goOn()
		if _, err := r.host.StartCanary(t.Context(), "probe", version("2.0.0"), 50, anyLoss); err != nil {
			t.Error(err)
		}
		if _, err := r.host.Swap(t.Context(), "probe", module); err != nil {
			t.Error(err)
		}
		goOn()
	}
	stop()
	wg.Wait()
	revisions := 0
	served.Range(func(any, any) bool { revisions++; return true })
	if revisions != 2 {
		t.Errorf("calls came to %d revisions, want both", revisions)
	}
	if _, err := r.host.StartCanary(t.Context(), "probe", version("2.0.0"), 50, anyLoss); err != nil {
		t.Error(err) // and is left running for Close
	}
}
