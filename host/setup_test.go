package host_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/internal/prebuilt"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// maker makes the modules.
func maker(tb testing.TB) *prebuilt.Maker {
	tb.Helper()
	m, err := prebuilt.Open(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// probeModule builds and packs the probe.
func probeModule(tb testing.TB) []byte {
	tb.Helper()
	module, err := maker(tb).Plugin(tb.Context(), "./testdata/probe/wasm")
	if err != nil {
		tb.Fatal(err)
	}
	return module
}

// sources are the two ways to run the probe. Every test of behavior runs both.
func sources(tb testing.TB) map[string]host.Source {
	tb.Helper()
	return map[string]host.Source{
		"wasm":   {Bytes: probeModule(tb)},
		"native": {Native: sdk.Native(probe.New())},
	}
}

const (
	apiToken = "tok-3c1f9a6de25b48"
	macKey   = "mac-51b0c7f2a94e6d"
)

// rig is a host with the probe, one connection, and a provider behind real TLS.
type rig struct {
	host   *host.Host
	conn   *host.Connection
	server *httptest.Server
	config host.ConnectionConfig

	mu    sync.Mutex
	seen  []string // requests the provider got: method, path, body
	reply http.HandlerFunc
}

type rigOption func(*host.Config, *host.ConnectionConfig)

func newRig(tb testing.TB, source host.Source, options ...rigOption) *rig {
	tb.Helper()
	r := &rig{}
	r.server = httptest.NewTLSServer(http.HandlerFunc(r.serve))
	tb.Cleanup(r.server.Close)
	config := host.Config{
		CacheDir: maker(tb).Cache(),
		Limits:   host.Limits{CallTimeout: 10 * time.Second, Instances: 8},
	}
	r.config = host.ConnectionConfig{
		Name: "main", Plugin: "probe", BaseURL: r.server.URL,
		Settings: json.RawMessage(`{"till_id":"t1"}`),
		Secrets:  map[string]vault.Secret{"api_token": vault.NewSecret(apiToken)},
		Keys: map[string]vault.KeyConfig{
			"mac": {Secret: vault.NewSecret(macKey), Algorithms: []vault.Algorithm{vault.HS256}},
		},
		TLS:    map[string]vault.IdentityConfig{"client": {CAFile: caFile(tb, r.server)}},
		Egress: host.Grant{AllowPrivate: true},
	}
	for _, o := range options {
		o(&config, &r.config)
	}
	var err error
	if r.host, err = host.New(config); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := r.host.Close(); err != nil {
			tb.Error(err)
		}
	})
	if _, err := r.host.Load(tb.Context(), "probe", source); err != nil {
		tb.Fatal(err)
	}
	if r.conn, err = r.host.Connect(tb.Context(), r.config); err != nil {
		tb.Fatal(err)
	}
	return r
}

func caFile(tb testing.TB, s *httptest.Server) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

func (r *rig) serve(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	r.seen = append(r.seen, req.Method+" "+req.URL.Path+" "+string(body))
	reply := r.reply
	r.mu.Unlock()
	if reply != nil {
		reply(w, req)
		return
	}
	fmt.Fprint(w, `{"id":"p1","url":"https://pay.example/p1"}`)
}

// answer sets what the provider answers from now on.
func (r *rig) answer(h http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reply = h
}

func (r *rig) requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.seen...)
}

// create is a good create request that asks the probe to do something.
func create(do string) pay.CreateRequest {
	return pay.CreateRequest{
		Intent: pay.Intent{Key: "op-1"}, PaymentID: "pay_1", OrderID: "100500", Amount: pay.New(250000, pay.KZT),
		Options: []pay.Option{{Name: "do", Value: do}},
	}
}

// status answers with a status and a body.
func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// hangUp reads the request and closes the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

// safeBuffer is a buffer that a logger may write to while a test reads it.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns what was written so far.
func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// slowly answers well, once it is told to.
func slowly(entered, leave chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		fmt.Fprint(w, `{"id":"p1"}`)
	}
}
