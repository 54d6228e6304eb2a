package host_test

import (
	"context"
	"errors"
	"net/http"
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

// TestSwapUnderLoad puts revisions in and out while calls go on, Wasm and native
// in turn, and wants not one call to fail.
func TestSwapUnderLoad(t *testing.T) {
	t.Parallel()
	module := host.Source{Bytes: probeModule(t)}
	r := newRig(t, module)
	const callers, swaps = 4, 6
	ctx, stop := context.WithCancel(t.Context())
	var calls atomic.Int64
	var revisions sync.Map
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for ctx.Err() == nil {
				result, err := r.conn.Create(t.Context(), create(""))
				if err != nil {
					t.Errorf("call failed: %v", err)
					return
				}
				revisions.Store(result.Revision, true)
				calls.Add(1)
			}
		})
	}
	next := []host.Source{{Native: sdk.Native(probe.Provider{Version: "2.0.0", Reads: []int{1}, Writes: 1})}, module}
	for i := range swaps {
		if _, err := r.host.Swap(t.Context(), "probe", next[i%2]); err != nil {
			t.Errorf("swap %d: %v", i, err)
		}
		seen := calls.Load()
		for calls.Load() < seen+2*callers && ctx.Err() == nil && !t.Failed() {
			time.Sleep(time.Millisecond) // until the new revision has served a round
		}
	}
	stop()
	wg.Wait()
	served := 0
	revisions.Range(func(any, any) bool { served++; return true })
	if served != 2 || calls.Load() < swaps*callers {
		t.Errorf("%d calls on %d revisions", calls.Load(), served)
	}
}

// TestSwapIsWarm has as many instances behind a swap as there were in front of it,
// before anybody calls.
func TestSwapIsWarm(t *testing.T) {
	t.Parallel()
	module := host.Source{Bytes: probeModule(t)}
	r := newRig(t, module)
	const callers = 5
	arrived, leave := make(chan bool, callers), make(chan bool)
	r.answer(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- true
		<-leave
		status(200, `{"id":"ord_1"}`)(w, nil)
	})
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() { _, _ = r.conn.Create(t.Context(), create("")) })
	}
	for range callers {
		<-arrived
	}
	before := r.host.Stats()[0]
	if _, err := r.host.Swap(t.Context(), "probe", module); err != nil {
		t.Error(err)
	}
	s := r.host.Stats()
	for ; s[0].Out > 0; s = r.host.Stats() { // the one that was asked about itself and the settings
		time.Sleep(time.Millisecond)
	}
	if want := before.Idle + before.Out; s[0].Idle != want || want < callers {
		t.Errorf("%d instances are idle behind the swap, and there were %d in front of it", s[0].Idle, want)
	}
	close(leave)
	wg.Wait()
}

// TestSwapRefuses leaves everything as it was when the next revision does not fit.
func TestSwapRefuses(t *testing.T) {
	t.Parallel()
	native := func(p probe.Provider) host.Source { return host.Source{Native: sdk.Native(p)} }
	tests := map[string]struct {
		source host.Source
		want   string
	}{
		"not a module":       {host.Source{Bytes: []byte("hello")}, "no WebAssembly"},
		"a bad version":      {native(probe.Provider{Version: "two", Reads: []int{1}, Writes: 1}), "version"},
		"can't read state":   {native(probe.Provider{Version: "2.0.0", Reads: []int{2}, Writes: 2}), "can't read the stored state"},
		"no way back":        {native(probe.Provider{Version: "2.0.0", Reads: []int{1, 2}, Writes: 2}), "no way back"},
		"another plugin":     {host.Source{Native: sdk.Native(other{probe.New()})}, `is of plugin "other"`},
		"settings don't fit": {host.Source{Native: sdk.Native(strict{probe.New()})}, "connections.main.settings"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, native(probe.New()))
			before, _ := r.host.Revision("probe")
			_, err := r.host.Swap(t.Context(), "probe", tt.source)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if after, _ := r.host.Revision("probe"); after != before {
				t.Error("the revision changed")
			}
			if _, err := r.conn.Create(t.Context(), create("")); err != nil {
				t.Errorf("call after: %v", err)
			}
		})
	}
}

// other is the probe under another id.
type other struct{ probe.Provider }

func (o other) Manifest() pay.Manifest {
	m := o.Provider.Manifest()
	m.ID = "other"
	return m
}

// strict is the probe with a setting that must be there.
type strict struct{ probe.Provider }

func (s strict) Manifest() pay.Manifest {
	m := s.Provider.Manifest()
	m.SettingsSchema = `{"type":"object","required":["branch"]}`
	return m
}

// TestCloseWaits lets a call run into Close: it ends well, and later ones fail
// cleanly.
func TestCloseWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Bytes: probeModule(t)})
	entered, leave := make(chan struct{}), make(chan struct{})
	r.answer(slowly(entered, leave))
	result := make(chan error, 1)
	go func() {
		_, err := r.conn.Create(t.Context(), create(""))
		result <- err
	}()
	<-entered
	closed := make(chan error, 1)
	go func() { closed <- r.host.Close() }()
	select {
	case <-closed:
		t.Fatal("closed while a call was running")
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	if err := errors.Join(<-result, <-closed); err != nil {
		t.Error(err)
	}
	if _, err := r.conn.Create(t.Context(), create("")); pay.ClassOf(err) != pay.ClassHostFault {
		t.Errorf("call after close: %v", err)
	}
	if _, err := r.host.Connect(t.Context(), r.config); err == nil {
		t.Error("connected after close")
	}
}

// TestDisconnect takes a connection away while a call runs, and gives its name to
// another.
func TestDisconnect(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Native: sdk.Native(probe.New())})
	entered, leave := make(chan struct{}), make(chan struct{})
	r.answer(slowly(entered, leave))
	result := make(chan error, 1)
	go func() {
		_, err := r.conn.Create(t.Context(), create(""))
		result <- err
	}()
	<-entered
	if !r.host.Disconnect("main") || r.host.Disconnect("main") {
		t.Error("disconnect tells wrongly whether there was one")
	}
	close(leave)
	if err := <-result; err != nil {
		t.Errorf("the call that ran: %v", err)
	}
	if _, err := r.conn.Create(t.Context(), create("")); pay.ClassOf(err) != pay.ClassHostFault {
		t.Errorf("a later call: %v", err)
	}
	if _, err := r.host.Connect(t.Context(), r.config); err != nil {
		t.Errorf("the name again: %v", err)
	}
}
