package egress_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/host/vault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pki is an authority made for one test, with its files.
type pki struct {
	t      testing.TB
	dir    string
	serial int64
	ca     *x509.Certificate
	key    *ecdsa.PrivateKey
}

func newPKI(t testing.TB) *pki {
	t.Helper()
	p := &pki{t: t, dir: t.TempDir()}
	p.key, p.ca = p.issue("test authority", func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	p.write("ca.pem", "CERTIFICATE", p.ca.Raw)
	return p
}

func (p *pki) issue(name string, edit func(*x509.Certificate)) (*ecdsa.PrivateKey, *x509.Certificate) {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(p.t, err)
	p.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(p.serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	edit(template)
	parent, signer := p.ca, p.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	must(p.t, err)
	cert, err := x509.ParseCertificate(der)
	must(p.t, err)
	return key, cert
}

func (p *pki) write(name, block string, der []byte) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	must(p.t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: block, Bytes: der}), 0o600))
	return path
}

// server returns a server's configuration for 127.0.0.1 and the names.
func (p *pki) server(names ...string) *tls.Config {
	p.t.Helper()
	key, cert := p.issue("server", func(c *x509.Certificate) {
		c.IPAddresses, c.DNSNames = []net.IP{net.IPv4(127, 0, 0, 1)}, names
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}}
}

// mutual returns a server's configuration that asks for a certificate of this authority.
func (p *pki) mutual() *tls.Config {
	config := p.server()
	config.ClientCAs = x509.NewCertPool()
	config.ClientCAs.AddCert(p.ca)
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config
}

// client writes the files of a client's identity in place of those that were there.
func (p *pki) client(name string, edit func(*x509.Certificate)) vault.IdentityConfig {
	p.t.Helper()
	key, cert := p.issue(name, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		if edit != nil {
			edit(c)
		}
	})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(p.t, err)
	return vault.IdentityConfig{
		CertFile: p.write("client.pem", "CERTIFICATE", cert.Raw),
		KeyFile:  p.write("client.key", "PRIVATE KEY", der),
		CAFile:   filepath.Join(p.dir, "ca.pem"),
	}
}

// trust is an identity that trusts the authority and shows nothing.
func (p *pki) trust() vault.IdentityConfig {
	return vault.IdentityConfig{CAFile: filepath.Join(p.dir, "ca.pem")}
}

// seen is one request as the server read it.
type seen struct {
	conn, onConn int // number of the connection, and of the request on it; from 0
	method, path string
	header       http.Header
	body         string
}

// wire is a server that speaks HTTP by hand, so that it can break off wherever it likes.
type wire struct {
	URL     string
	handle  func(c net.Conn, s seen) (keep bool)
	onConn  func(number int) // before TLS; may block until stopped
	stopped chan struct{}
	secured *tls.Config

	mu       sync.Mutex
	requests []seen
	conns    []net.Conn
	wg       sync.WaitGroup
	once     sync.Once
	listener net.Listener
}

// serve starts a wire; secured is nil for plain HTTP.
func serve(t testing.TB, secured *tls.Config, handle func(net.Conn, seen) bool) *wire {
	t.Helper()
	w := &wire{handle: handle, secured: secured}
	w.start(t)
	return w
}

func (w *wire) start(t testing.TB) {
	t.Helper()
	w.stopped = make(chan struct{})
	var err error
	w.listener, err = net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	w.URL = "http://" + w.listener.Addr().String()
	if w.secured != nil {
		w.URL = "https://" + w.listener.Addr().String()
	}
	w.wg.Go(w.accept)
	t.Cleanup(w.stop)
}

func (w *wire) accept() {
	for number := 0; ; number++ {
		c, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		w.conns = append(w.conns, c)
		w.mu.Unlock()
		w.wg.Go(func() { w.converse(c, number) })
	}
}

func (w *wire) converse(raw net.Conn, number int) {
	defer raw.Close()
	if w.onConn != nil {
		w.onConn(number)
	}
	c := raw
	if w.secured != nil {
		c = tls.Server(raw, w.secured)
		defer c.Close()
	}
	br := bufio.NewReader(c)
	for n := 0; ; n++ {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s := seen{number, n, r.Method, r.URL.RequestURI(), r.Header, string(body)}
		w.mu.Lock()
		w.requests = append(w.requests, s)
		w.mu.Unlock()
		if !w.handle(c, s) {
			return
		}
	}
}

func (w *wire) stop() {
	w.once.Do(func() { close(w.stopped) })
	_ = w.listener.Close()
	w.mu.Lock()
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.mu.Unlock()
	w.wg.Wait()
}

// all returns what came for the path so far; every path if empty.
func (w *wire) all(path string) []seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []seen
	for _, s := range w.requests {
		if path == "" || s.path == path {
			out = append(out, s)
		}
	}
	return out
}

func (w *wire) connections() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.conns)
}

// say writes a raw answer and keeps the connection.
func say(text string) func(net.Conn, seen) bool {
	return func(c net.Conn, _ seen) bool {
		_, err := io.WriteString(c, text)
		return err == nil
	}
}

// sayAndClose writes a raw answer and closes the connection.
func sayAndClose(text string) func(net.Conn, seen) bool {
	return func(c net.Conn, _ seen) bool {
		_, _ = io.WriteString(c, text)
		return false
	}
}

// ok is a whole answer with the body.
func ok(body string) string { return answer(200, body) }

func answer(status int, body string, header ...string) string {
	text := fmt.Sprintf("HTTP/1.1 %d Whatever\r\nContent-Length: %d\r\n", status, len(body))
	for _, h := range header {
		text += h + "\r\n"
	}
	return text + "\r\n" + body
}

// reset makes the connection end with RST when it is closed.
func reset(c net.Conn) {
	if secured, ok := c.(*tls.Conn); ok {
		c = secured.NetConn()
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// configure is a configuration for one base URL with short waits.
func configure(t testing.TB, base string) egress.Config {
	t.Helper()
	return egress.Config{
		Allow:        []egress.Rule{origin(t, base)},
		AllowPrivate: true,
		Limits:       egress.Limits{CallTimeout: 5 * time.Second},
		Retry:        egress.Retrying{MinWait: time.Millisecond, MaxWait: 2 * time.Millisecond},
	}
}

func origin(t testing.TB, base string) egress.Rule {
	t.Helper()
	u, err := url.Parse(base)
	must(t, err)
	port, _ := strconv.ParseUint(u.Port(), 10, 16)
	return egress.Rule{Scheme: u.Scheme, Host: u.Hostname(), Port: uint16(port)}
}

// open makes a client for the base URL that is closed with the test.
func open(t testing.TB, base string, edits ...func(*egress.Config)) *egress.Client {
	t.Helper()
	config := configure(t, base)
	for _, edit := range edits {
		edit(&config)
	}
	c, err := egress.New(config)
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

// holding gives a configuration a vault, with everything granted for its first rule.
func holding(t testing.TB, contents vault.Config) func(*egress.Config) {
	t.Helper()
	v, err := vault.New(contents)
	must(t, err)
	return func(c *egress.Config) {
		c.Vault, c.Scrubber = v, vault.NewScrubber(v)
		c.SecretBindings = map[string]egress.SecretBinding{}
		for _, name := range v.SecretNames() {
			c.SecretBindings[name] = egress.SecretBinding{
				Slots: []string{"basic", "bearer", "header", "form", "oauth2"}, Rules: c.Allow[:1],
			}
		}
		c.IdentityBindings = map[string][]egress.Rule{}
		for _, name := range v.IdentityNames() {
			c.IdentityBindings[name] = c.Allow[:1]
		}
	}
}

// trusting is holding an identity "trust" for the authority.
func trusting(t testing.TB, p *pki) func(*egress.Config) {
	t.Helper()
	return holding(t, vault.Config{Identities: map[string]vault.IdentityConfig{"trust": p.trust()}})
}

func get(base, path string) *egress.Request {
	return &egress.Request{Method: "GET", URL: base + path, Effect: egress.Read}
}

// pay is a request that moves money.
func pay(base, path string) *egress.Request {
	return &egress.Request{Method: "POST", URL: base + path, Body: []byte(`{"amount":1}`)}
}

// mustDo sends a request that must be answered.
func mustDo(t testing.TB, c *egress.Client, r *egress.Request) *egress.Response {
	t.Helper()
	resp, x, err := c.Do(t.Context(), r)
	if err != nil {
		t.Fatalf("Do: %v (%v)", err, x)
	}
	if x.Evidence != egress.Answered || x.Status != resp.Status {
		t.Fatalf("exchange of an answer: %v", x)
	}
	return resp
}

// mustFail sends a request that must fail in this way.
func mustFail(
	t testing.TB, c *egress.Client, r *egress.Request, kind egress.Kind, evidence egress.Evidence,
) (*egress.Error, *egress.Exchange) {
	t.Helper()
	return mustFailIn(t, t.Context(), c, r, kind, evidence)
}

func mustFailIn(
	t testing.TB, ctx context.Context, c *egress.Client, r *egress.Request,
	kind egress.Kind, evidence egress.Evidence,
) (*egress.Error, *egress.Exchange) {
	t.Helper()
	resp, x, err := c.Do(ctx, r)
	var e *egress.Error
	if !errors.As(err, &e) {
		t.Fatalf("Do: got %v, %v; want an error of kind %s", resp, err, kind)
	}
	if resp != nil {
		t.Errorf("Do returned an answer beside the error: %+v", resp)
	}
	if e.Kind != kind || e.Evidence != evidence || x.Evidence != evidence {
		t.Fatalf("Do: %v, evidence %s, journal %s %+v; want %s, %s",
			e, e.Evidence, x.Evidence, x.Attempts, kind, evidence)
	}
	return e, x
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a condition that other goroutines bring about.
func eventually(t testing.TB, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !condition(); {
		if time.Now().After(deadline) {
			t.Fatal("the condition did not come about within 5 s")
		}
		time.Sleep(time.Millisecond)
	}
}
