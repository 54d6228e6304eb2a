package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/payhost/payhost/host/vault"
)

// transport is a pool of connections that all show the same certificate, from the same state of its files.
type transport struct {
	http    *http.Transport
	version uint64            // of the identity's material
	leaf    *x509.Certificate // what is shown; nil for nothing
	users   int               // calls that use it
	retired bool              // a newer one took its place
}

// outdated reports whether the certificate to show is known to be refused. A TLS 1.3 server may refuse it
// after the request has left, which would put the outcome in doubt.
func (t *transport) outdated(now time.Time) bool {
	return t.leaf != nil && (now.After(t.leaf.NotAfter) || now.Before(t.leaf.NotBefore))
}

// transports holds the current transport of every identity, and every open connection.
type transports struct {
	dialer dialer
	limits Limits
	conns  *registry

	mu      sync.Mutex
	current map[string]*transport // by identity; "" for none
}

func newTransports(base context.Context, config Config) *transports {
	guard := addressGuard{allowPrivate: config.AllowPrivate}
	conns := newRegistry()
	return &transports{
		dialer: dialer{
			base:    base,
			net:     net.Dialer{ControlContext: guard.control, Resolver: config.Resolver},
			timeout: config.Limits.ConnectTimeout,
			conns:   conns,
			wire:    config.Wire,
		},
		limits:  config.Limits,
		conns:   conns,
		current: make(map[string]*transport),
	}
}

// acquire returns the transport for the identity as its files are, see vault.Identity.Current. identity may be nil. The caller must
// release it when the answer was read.
func (ts *transports) acquire(identity *vault.Identity) *transport {
	name := ""
	ts.mu.Lock()
	defer ts.mu.Unlock()
	// Under the lock, so that a call that read an older state can't bring it back.
	var material vault.Material
	if identity != nil {
		name = identity.Name()
		material = identity.Current()
	}
	t := ts.current[name]
	if t == nil || t.version != material.Version {
		if t != nil {
			t.retired = true
			// Also sees to it that no connection in use is kept afterwards; see release.
			t.http.CloseIdleConnections()
		}
		t = &transport{http: ts.open(material), version: material.Version}
		if material.Certificate != nil {
			t.leaf = material.Certificate.Leaf
		}
		ts.current[name] = t
	}
	t.users++
	return t
}

// release gives a transport back. The last user of a retired one closes what a late call may have left idle.
func (ts *transports) release(t *transport) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t.users--
	if t.retired && t.users == 0 {
		t.http.CloseIdleConnections()
	}
}

// close ends every connection and dial. No call may be under way.
func (ts *transports) close() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, t := range ts.current {
		t.http.CloseIdleConnections()
	}
	ts.conns.close()
}

// open makes the transport for the material.
func (ts *transports) open(material vault.Material) *http.Transport {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		RootCAs:            material.Roots,
		NextProtos:         []string{"http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
	}
	if material.Certificate != nil {
		config.Certificates = []tls.Certificate{*material.Certificate}
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:          nil, // the environment's proxy would see, and choose, where money goes
		Protocols:      &protocols,
		DialContext:    ts.dialer.plain,
		DialTLSContext: ts.dialer.secure(config),
		// The concurrency limit bounds connections in use; as many may wait for their next request.
		MaxIdleConnsPerHost:    ts.limits.Concurrent,
		IdleConnTimeout:        ts.limits.IdleTimeout,
		MaxResponseHeaderBytes: int64(ts.limits.HeaderBytes),
		DisableCompression:     true, // answer.go does it, to tell a cut body from one that doesn't decode
	}
}

// dialer makes connections.
type dialer struct {
	base    context.Context // done when the Client closes
	net     net.Dialer
	timeout time.Duration // DNS, TCP and TLS together
	conns   *registry
	wire    Wire // nil for none
}

// plain is an http.Transport.DialContext.
func (d dialer) plain(ctx context.Context, network, address string) (net.Conn, error) {
	return d.dial(ctx, network, address, nil)
}

// secure returns an http.Transport.DialTLSContext.
func (d dialer) secure(config *tls.Config) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		config := config.Clone()
		config.ServerName = host
		return d.dial(ctx, network, address, config)
	}
}

// dial connects, with TLS if there is a config for it. net/http calls it on a goroutine of its own that
// outlives a canceled call, so it has its own limit of time and ends with the Client.
func (d dialer) dial(ctx context.Context, network, address string, config *tls.Config) (net.Conn, error) {
	if !d.conns.enter() {
		return nil, errClosed
	}
	defer d.conns.leave()
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	defer context.AfterFunc(d.base, cancel)()

	connect := func(ctx context.Context) (net.Conn, error) { return d.connect(ctx, network, address, config) }
	var inner net.Conn
	var err error
	if d.wire == nil {
		inner, err = connect(ctx)
	} else {
		inner, err = d.wire(ctx, address, connect)
		if known := new(failure); err != nil && !errors.As(err, &known) {
			err = dialError(err)
		}
	}
	if d.base.Err() != nil {
		err = errors.Join(errClosed, err)
	}
	if err != nil {
		if inner != nil {
			_ = inner.Close()
		}
		return nil, err
	}
	c := newConn(inner, d.conns.remove)
	if !d.conns.add(c) {
		_ = inner.Close()
		return nil, errClosed
	}
	return c, nil
}

// connect makes the bare connection.
func (d dialer) connect(ctx context.Context, network, address string, config *tls.Config) (net.Conn, error) {
	inner, err := d.net.DialContext(ctx, network, address)
	if err != nil {
		return nil, dialError(err)
	}
	if config == nil {
		return inner, nil
	}
	secured := tls.Client(inner, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = inner.Close()
		return nil, handshakeError(err)
	}
	return secured, nil
}

// registry knows every open connection and every dial, so that none is left when the Client is closed.
type registry struct {
	mu     sync.Mutex
	closed bool
	conns  map[*conn]struct{}
	dials  sync.WaitGroup
}

func newRegistry() *registry { return &registry{conns: make(map[*conn]struct{})} }

// enter notes the beginning of a dial; false if there must be none any more.
func (r *registry) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.dials.Add(1)
	return true
}

func (r *registry) leave() { r.dials.Done() }

func (r *registry) add(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.conns[c] = struct{}{}
	}
	return !r.closed
}

func (r *registry) remove(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

// close closes every connection and waits for the dials.
func (r *registry) close() {
	r.mu.Lock()
	r.closed = true
	open := make([]*conn, 0, len(r.conns))
	for c := range r.conns {
		open = append(open, c)
	}
	r.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
	r.dials.Wait()
}
