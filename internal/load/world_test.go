package load_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/httpapi"
	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// TestMain runs the collector as payhost serve does.
func TestMain(m *testing.M) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	os.Exit(m.Run())
}

const created = `{"error_code":0,"status":"success","message":"Заказ создан","data":{"preorder_id":111,` +
	`"url":"https://rahmet.example/?id=3f1f7c2a9b","note":"a few bytes more, so that the answer is as long as real ones ` +
	`are in the field, about three hundred bytes in all, headers not counted"}}`

// provider answers as Rahmet does, at once, over TLS 1.3 with kept connections.
type provider struct {
	url, caFile string
	connections atomic.Int64 // that were opened
	creates     atomic.Int64 // that were asked for
}

func newProvider(b *testing.B) *provider {
	b.Helper()
	p := &provider{caFile: filepath.Join(b.TempDir(), "ca.pem")}
	mux := http.NewServeMux()
	answer := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, body)
		}
	}
	mux.HandleFunc("POST /auth/token", answer(`{"error_code":0,"status":"success","data":{"token":"bench-token-of-some-length","expire_in":10800}}`))
	mux.HandleFunc("POST /orders/v1/preorder/create", func(w http.ResponseWriter, r *http.Request) {
		p.creates.Add(1)
		answer(created)(w, r)
	})
	mux.HandleFunc("POST /orders/v1/preorder/status", answer(`{"error_code":0,"status":"success","data":[]}`))
	server := httptest.NewUnstartedServer(mux)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			p.connections.Add(1)
		}
	}
	server.StartTLS()
	b.Cleanup(server.Close)
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(p.caFile, block, 0o600); err != nil {
		b.Fatal(err)
	}
	settled := time.Now().Add(-time.Hour) // a file that just changed is read again for every call
	if err := os.Chtimes(p.caFile, settled, settled); err != nil {
		b.Fatal(err)
	}
	p.url = server.URL
	return p
}

// connect loads the plugin (built by make, or in-process) and connects it.
func connect(b *testing.B, native bool, p *provider) *host.Host {
	b.Helper()
	h, err := host.New(host.Config{Limits: host.Limits{Instances: 64}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.Close() })
	source := host.Source{Path: "../../build/plugins/rahmet.wasm"}
	if native {
		source = host.Source{Native: sdk.Native(rahmet.New())}
	} else if _, err := os.Stat(source.Path); err != nil {
		b.Skip("build/plugins/rahmet.wasm is not built: run make build first")
	}
	if _, err := h.Load(b.Context(), "rahmet", source); err != nil {
		b.Fatal(err)
	}
	_, err = h.Connect(b.Context(), host.ConnectionConfig{
		Name: "rahmet-main", Plugin: "rahmet", BaseURL: p.url, Egress: host.Grant{AllowPrivate: true},
		Settings: json.RawMessage(`{"branch_token":"bench-branch"}`),
		Secrets: map[string]vault.Secret{
			"client_id": vault.NewSecret("bench-client"), "client_secret": vault.NewSecret("bench-client-secret"),
		},
		TLS: map[string]vault.IdentityConfig{"client": {CAFile: p.caFile}},
	})
	if err != nil {
		b.Fatal(err)
	}
	return h
}

func openStore(b *testing.B, kind string) store.Store {
	b.Helper()
	var s store.Store
	var err error
	if kind == "postgres" {
		s, err = store.OpenPostgres(b.Context(), pgtest.Database(b), store.Config{})
	} else {
		s, err = store.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "payhost.db"), store.Config{})
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// serve serves payhost with its ledger, jobs and all.
func serve(b *testing.B, h *host.Host, s store.Store) string {
	b.Helper()
	engine, err := payments.New(payments.Config{Host: h, Store: s, PublicURL: "https://pay.example.com"})
	if err != nil {
		b.Fatal(err)
	}
	if err := engine.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_ = engine.Close(ctx)
	})
	api, err := httpapi.New(httpapi.Config{
		Engine: engine, Limits: httpapi.Limits{Rate: -1},
		Tokens: []httpapi.Token{{Name: "shop", Token: token, Scopes: []httpapi.Scope{httpapi.ScopePayments}}},
	})
	if err != nil {
		b.Fatal(err)
	}
	return listen(b, api)
}

// bare serves the same create with no ledger behind it: JSON in, plugin, JSON out.
func bare(b *testing.B, h *host.Host) string {
	b.Helper()
	conn, _ := h.Connection("rahmet-main")
	return listen(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			OrderID string `json:"order_id"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		result, err := conn.Create(r.Context(), pay.CreateRequest{
			Intent: pay.Intent{Key: body.OrderID}, OrderID: body.OrderID, Amount: pay.New(250000, pay.KZT),
			Description: "Order", ReturnURL: "https://shop.example.com/pay/return", NotificationURL: "https://pay.example.com/n/x",
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]string{"id": body.OrderID, "url": result.Next.URL})
	}))
}

func listen(b *testing.B, h http.Handler) string {
	b.Helper()
	server := httptest.NewServer(h)
	b.Cleanup(server.Close)
	return server.URL
}
