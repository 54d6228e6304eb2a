package host

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk"
)

// BenchmarkSwitch is what of a swap lies between two revisions: the stores by which the
// connections of a plugin get the bindings that were made before, while a caller takes
// them and gives them back without a pause. The rest of a swap (to read, compile and
// check the revision, and to close the old one) goes on beside the calls.
func BenchmarkSwitch(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("connections=%d", n), func(b *testing.B) { benchSwitch(b, n) })
	}
}

func benchSwitch(b *testing.B, connections int) {
	b.Helper()
	h, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	revisions := [2]*Revision{}
	source := Source{Native: sdk.Native(probe.New())}
	if revisions[0], err = h.Load(b.Context(), "probe", source); err != nil {
		b.Fatal(err)
	}
	list := make([]*Connection, connections)
	for i := range list {
		if list[i], err = h.Connect(b.Context(), switchConnection(i)); err != nil {
			b.Fatal(err)
		}
	}
	p := h.plugins["probe"]
	if revisions[1], err = h.prepare(b.Context(), source, h.isolation("probe")); err != nil {
		b.Fatal(err)
	}
	there, err := h.rebind(b.Context(), "probe", revisions[1])
	if err != nil {
		b.Fatal(err)
	}
	back := make([]rebinding, len(there))
	for i, r := range there {
		back[i] = rebinding{connection: r.connection, next: r.connection.serving.Load().stable}
	}
	stop := callAll(b, list)
	ways := [2][]rebinding{back, there}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		if _, _, ok := h.exchange(p, revisions[n%2], whole, ways[n%2]); !ok {
			b.Fatal("host is closed")
		}
	}
	b.StopTimer()
	stop()
	for _, r := range ways[(n+1)%2] { // those in use are the host's to close
		r.next.release()
	}
	revisions[(n+1)%2].release()
}

func switchConnection(i int) ConnectionConfig {
	return ConnectionConfig{
		Name: fmt.Sprintf("c%d", i), Plugin: "probe", BaseURL: "https://provider.example",
		Settings: json.RawMessage(`{"till_id":"t1"}`),
		Secrets:  map[string]vault.Secret{"api_token": vault.NewSecret("tok-3c1f9a6de25b48")},
		Keys:     map[string]vault.KeyConfig{"mac": {Secret: vault.NewSecret("mac-51b0c7f2a94e6d"), Algorithms: []vault.Algorithm{vault.HS256}}},
	}
}

// callAll takes and gives back every connection in turn until it is told to stop.
func callAll(b *testing.B, list []*Connection) (stop func()) {
	b.Helper()
	var stopped atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; !stopped.Load(); i++ {
			binding, err := list[i%len(list)].acquire()
			if err != nil {
				b.Error("a caller found no revision: ", err)
				return
			}
			binding.release()
		}
	}()
	return func() { stopped.Store(true); <-done }
}
