package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/httpapi"
	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/internal/witness"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/store"
)

const token = "bench-token-for-the-api"

// BenchmarkNodes is payments a second through whole nodes with one PostgreSQL: API,
// ledger, plugin, provider. The nodes are in this process and share the processors.
// Every payment is read again, by the node that did not take it.
func BenchmarkNodes(b *testing.B) {
	for _, n := range []int{1, 2} {
		b.Run("nodes="+strconv.Itoa(n), func(b *testing.B) {
			provider, database := provider(b), pgtest.Database(b)
			urls := make([]string, n)
			for i := range urls {
				urls[i] = node(b, provider, database)
			}
			takePayments(b, urls)
		})
	}
}

// node starts a payhost on the database and returns where its API is.
func node(b *testing.B, provider *httptest.Server, database string) string {
	b.Helper()
	s, err := store.OpenPostgres(b.Context(), database, store.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	h := newHost(b, host.Config{}, packed())
	connect(b, h, provider)
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
	server := httptest.NewServer(api)
	b.Cleanup(server.Close)
	return server.URL
}

// takePayments takes b.N payments by 64 clients, each at the nodes in turn.
func takePayments(b *testing.B, urls []string) {
	b.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	took := make([][]witness.Span, clients)
	machine := witness.Start()
	defer machine.Stop()
	ids := make([]string, b.N)
	each := func(do func(n, client int) error) {
		var next atomic.Int64
		var wg sync.WaitGroup
		for c := range clients {
			wg.Go(func() {
				for n := int(next.Add(1)) - 1; n < b.N; n = int(next.Add(1)) - 1 {
					if err := do(n, c); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	b.ResetTimer()
	each(func(n, c int) (err error) {
		began := time.Now()
		ids[n], err = create(client, urls[n%len(urls)], "order-"+strconv.Itoa(n))
		took[c] = append(took[c], witness.Span{Began: began, Ended: time.Now()})
		return err
	})
	b.StopTimer()
	each(func(n, _ int) error {
		_, err := ask(client, http.MethodGet, urls[(n+1)%len(urls)]+"/v1/payments/"+ids[n], "", nil, http.StatusOK)
		return err
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "payments/s")
	machine.Latency(b, slices.Concat(took...), "")
}

// create takes a payment and returns its id.
func create(client *http.Client, url, order string) (string, error) {
	body := `{"connection":"bench","order_id":"` + order + `","amount":{"value":"129900","currency":"EUR"},` +
		`"description":"Order","return_url":"https://shop.example.com/pay/return","customer":{"name":"Ada Lovelace"}}`
	answer, err := ask(client, http.MethodPost, url+"/v1/payments", order, []byte(body), http.StatusCreated)
	if err != nil {
		return "", err
	}
	var payment struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(answer, &payment); err != nil || payment.ID == "" {
		return "", fmt.Errorf("no payment: %s", answer)
	}
	return payment.ID, nil
}

// ask asks a node; key is the key of what may be repeated, or nothing.
func ask(client *http.Client, method, url, key string, body []byte, want int) ([]byte, error) {
	r, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	return do(client, r, want)
}
