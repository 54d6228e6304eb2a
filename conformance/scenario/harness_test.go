package scenario_test

import (
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/scenario"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk"
)

// clock is the wall clock, moved forward by what it was advanced.
type clock struct {
	mu     sync.Mutex
	offset time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

// bench is a simulator, and a connection of a plugin to it.
type bench struct {
	conformance.Simulator
	conn  *host.Connection
	url   string
	clock *clock
}

// pass moves the clocks of both sides.
func (b *bench) pass(d time.Duration) {
	b.clock.mu.Lock()
	b.clock.offset += d
	b.clock.mu.Unlock()
	b.Advance(d)
}

func load(t testing.TB, name string) conformance.Provider {
	t.Helper()
	p, err := scenario.Load("examples/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// serve starts a simulator on loopback.
func serve(t testing.TB, p conformance.Provider) (conformance.Simulator, string) {
	t.Helper()
	s, err := p.Start()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return s, server.URL
}

// start connects a plugin to a simulator of the provider.
func start(t *testing.T, p conformance.Provider, plugin sdk.Provider) *bench {
	t.Helper()
	b := &bench{clock: &clock{}}
	b.Simulator, b.url = serve(t, p)
	h, err := host.New(host.Config{Now: b.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	if _, err := h.Load(t.Context(), "plugin", native(plugin)); err != nil {
		t.Fatal(err)
	}
	c, err := p.Connect(b.Simulator, b.url, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c.Name, c.Plugin, c.Egress = "main", "plugin", host.Grant{AllowPrivate: true, AllowHTTP: true}
	if b.conn, err = h.Connect(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return b
}

func native(p sdk.Provider) host.Source { return host.Source{Native: sdk.Native(p)} }
