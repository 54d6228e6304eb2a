package conformance

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/sdk/pay"
)

// pluginName is the name under which the plugin under test is loaded.
const pluginName = "plugin"

// callTimeout is how long a call of the plugin may take. Most of the suite's time is
// spent waiting for it, under the faults that answer too late.
const callTimeout = 2 * time.Second

// station is where lives are lived, one after another: a host with the plugin
// loaded, and a clock. Loading a plugin takes longer than a life.
type station struct {
	host     *host.Host
	manifest pay.Manifest
	digest   string
	clock    *clock
	log      *logBook
	wires    sync.Map // connection → *wire.Wire
	calls    callBook
	names    atomic.Int64
	number   int
	upgraded upgraded // what was found of the next revision
}

func newStation(ctx context.Context, number int, plugin host.Source, o Options) (*station, error) {
	s := &station{clock: &clock{}, log: newLogBook(), number: number}
	storage := kv.NewMemory(kv.Config{Now: s.clock.Now})
	var err error
	s.host, err = host.New(host.Config{
		CacheDir: o.CacheDir, Storage: storage, Now: s.clock.Now, Wire: s.wire, Record: s.calls.add,
		Limits: host.Limits{CallTimeout: callTimeout},
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: s.log, DisableTime: true}),
	})
	if err != nil {
		return nil, err
	}
	rev, err := s.host.Load(ctx, pluginName, plugin)
	if err != nil {
		_ = s.host.Close()
		return nil, err
	}
	s.manifest, s.digest = rev.Manifest(), rev.Digest()
	return s, nil
}

// wire is the host's, for each connection.
func (s *station) wire(connection string) egress.Wire {
	w, ok := s.wires.Load(connection)
	if !ok {
		return nil
	}
	return w.(*wire.Wire).Dial
}

// callBook keeps the recordings of the plugin's calls, by connection.
type callBook struct {
	mu   sync.Mutex
	kept map[string][]*host.Recording
}

func (b *callBook) add(r *host.Recording) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept == nil {
		b.kept = map[string][]*host.Recording{}
	}
	b.kept[r.Connection] = append(b.kept[r.Connection], r)
}

// of returns the recordings of a connection so far, oldest first.
func (b *callBook) of(connection string) []*host.Recording {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*host.Recording(nil), b.kept[connection]...)
}

func (b *callBook) forget(connection string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.kept, connection)
}

// nextName returns a name for a connection that none has had: storage is kept by it.
func (s *station) nextName() string { return fmt.Sprintf("life-%d-%05d", s.number, s.names.Add(1)) }

func (s *station) close() { _ = s.host.Close() }

// clock is the wall clock, moved forward by what it was advanced.
type clock struct{ offset atomic.Int64 }

// Now is the clock's time.
func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

func (c *clock) advance(d time.Duration) { c.offset.Add(int64(max(d, 0))) }
func (c *clock) reset()                  { c.offset.Store(0) }

// serveSimulator makes a simulator reachable, unless it sees to that itself.
func serveSimulator(s Simulator) (base string, stop func(), err error) {
	if l, ok := s.(Listening); ok {
		return l.URL(), func() {}, nil
	}
	return serve(s)
}

// serve serves a handler on loopback.
func serve(h http.Handler) (base string, stop func(), err error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: discard}
	go func() { _ = server.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = server.Close() }, nil
}
