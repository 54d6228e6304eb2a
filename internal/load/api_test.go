package load_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/internal/witness"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

const (
	token   = "bench-token-for-the-api"
	clients = 64
)

var million = flag.Bool("million", false, "measure with a million payments stored, too; takes some minutes and gigabytes")

// BenchmarkCreate is payments a second and the latency of one, through the API, with
// 64 clients.
func BenchmarkCreate(b *testing.B) {
	for _, native := range []bool{true, false} {
		name := "wasm"
		if native {
			name = "native"
		}
		b.Run("ledger=none/plugin="+name, func(b *testing.B) {
			p := newProvider(b)
			create(b, p, bare(b, connect(b, native, p)))
		})
		for _, kind := range []string{"sqlite", "postgres"} {
			b.Run("ledger="+kind+"/plugin="+name, func(b *testing.B) {
				p := newProvider(b)
				create(b, p, serve(b, connect(b, native, p), openStore(b, kind)))
			})
		}
	}
}

// BenchmarkStored is the same, and a page of the list, with payments stored already.
func BenchmarkStored(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		for _, n := range []int{0, 10_000, 100_000, 1_000_000} {
			if n == 1_000_000 && !*million {
				continue
			}
			b.Run(fmt.Sprintf("ledger=%s/stored=%d", kind, n), func(b *testing.B) {
				s := openStore(b, kind)
				fill(b, s, n)
				p := newProvider(b)
				url := serve(b, connect(b, true, p), s)
				b.Run("create", func(b *testing.B) { create(b, p, url) })
				b.Run("list", func(b *testing.B) { list(b, url, n) })
			})
		}
	}
}

// create takes b.N payments with 64 clients, each of which goes from node to node, and reports how often the provider
// was connected to.
func create(b *testing.B, p *provider, nodes ...string) {
	b.Helper()
	before := p.connections.Load()
	defer func() { b.ReportMetric(float64(p.connections.Load()-before), "handshakes") }()
	var orders atomic.Int64
	run := time.Now().UnixNano()
	measure(b, func(client *http.Client) error {
		n := orders.Add(1)
		order := strconv.FormatInt(run, 36) + "-" + strconv.FormatInt(n, 10)
		body := `{"connection":"rahmet-main","order_id":"` + order + `","amount":{"value":"250000","currency":"KZT"},` +
			`"description":"Order","return_url":"https://shop.example.com/pay/return","customer":{"name":"Ada Lovelace"},` +
			`"metadata":{"cart":"417"}}`
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, nodes[int(n)%len(nodes)]+"/v1/payments", bytes.NewReader([]byte(body)))
		if err != nil {
			return err
		}
		r.Header.Set("Idempotency-Key", order)
		return do(client, r, http.StatusCreated)
	})
}

// list reads b.N pages, somewhere in the list.
func list(b *testing.B, url string, stored int) {
	b.Helper()
	paths := []string{"?limit=50", "?limit=50&status=succeeded", "?limit=50&connection=rahmet-main"}
	if stored > 0 {
		paths = append(paths, "?order_id=stored-"+strconv.Itoa(stored/2))
	}
	var n atomic.Int64
	measure(b, func(client *http.Client) error {
		path := paths[int(n.Add(1))%len(paths)]
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url+"/v1/payments"+path, nil)
		if err != nil {
			return err
		}
		return do(client, r, http.StatusOK)
	})
}

func do(client *http.Client, r *http.Request, want int) error {
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != want {
		err = fmt.Errorf("%s answers %d: %.300s", r.URL.Path, response.StatusCode, body)
	}
	return err
}

// measure makes b.N requests with 64 clients and reports how many a second there
// were, and the middle and the 99th latency of a hundred.
func measure(b *testing.B, request func(*http.Client) error) {
	b.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	var left atomic.Int64
	left.Store(int64(b.N))
	took := make([][]witness.Span, clients)
	machine := witness.Start()
	defer machine.Stop()
	var wg sync.WaitGroup
	b.ResetTimer()
	for c := range clients {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				began := time.Now()
				if err := request(client); err != nil {
					b.Error(err)
					return
				}
				took[c] = append(took[c], witness.Span{Began: began, Ended: time.Now()})
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	if len(all) == 0 {
		return
	}
	b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "payments/s")
	machine.Latency(b, all, "")
}

// fill stores payments that are over, as years of business leave them.
func fill(b *testing.B, s store.Store, n int) {
	b.Helper()
	const batch = 500
	began := time.Now().Add(-time.Hour).UTC().Truncate(time.Microsecond)
	for from := 0; from < n; from += batch {
		err := s.Update(b.Context(), func(tx store.Tx) error {
			for i := from; i < min(from+batch, n); i++ {
				book := &ledger.Book{}
				entries := past(ledger.NewID(), fmt.Sprintf("stored-%d", i), began)
				for _, e := range entries {
					book.Apply(e)
				}
				if err := tx.Append(book, time.Time{}, entries); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// past is the life of a payment that was paid.
func past(id, order string, at time.Time) []ledger.Entry {
	amount := ledger.Of(pay.New(250000, pay.KZT))
	op := ledger.OperationID(id, 1)
	bodies := []ledger.Body{
		ledger.Opened{Connection: "rahmet-main", Provider: "rahmet", Caller: "shop", OrderID: order, Amount: amount, Flow: "redirect"},
		ledger.Prepared{Operation: op, Op: pay.OpCreate, Attempt: 1, ProviderKey: order, Amount: amount, Idempotency: pay.IdempotencyLookup},
		ledger.Sending{Operation: op, Attempt: 1, Call: 1, Method: "POST", URL: "https://gateway.example.kz/orders/v1/preorder/create"},
		ledger.Outcome{
			Operation: op, Attempt: 1, Outcome: pay.OutcomeApplied, ProviderRef: "111",
			Evidence: ledger.Evidence{Wire: pay.WireAnswered, Status: 200, Calls: 1, BytesOut: 512},
			Next:     &ledger.Next{Type: pay.NextRedirect, URL: "https://rahmet.example/?id=3f1f7c2a9b"},
		},
		ledger.Observed{Source: "probe", Observation: ledger.Observation{
			Subject: pay.SubjectPayment, Payment: pay.PaymentSucceeded, ProviderRef: "111", AmountPaid: amount,
		}},
	}
	entries := make([]ledger.Entry, 0, len(bodies))
	for _, body := range bodies {
		entries = append(entries, ledger.Entry{Book: id, At: at, Actor: "api:shop", Body: body})
	}
	return entries
}
