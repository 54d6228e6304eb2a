package load_test

import (
	"fmt"
	"testing"

	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// BenchmarkNodes is creates on one PostgreSQL through one node and through two, each with a host, an engine, jobs, an API
// and connections of its own. They are in one process and share the machine, so two can do no more work than one; the
// row shows what they cost each other. Afterwards every payment is counted: in the ledger, and by the provider.
func BenchmarkNodes(b *testing.B) {
	for _, nodes := range []int{1, 2} {
		b.Run(fmt.Sprintf("ledger=postgres/nodes=%d", nodes), func(b *testing.B) {
			p, database := newProvider(b), pgtest.Database(b)
			var s store.Store
			urls := make([]string, nodes)
			for i := range urls {
				node, err := store.OpenPostgres(b.Context(), database, store.Config{})
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { _ = node.Close() })
				s, urls[i] = node, serve(b, connect(b, true, p), node)
			}
			create(b, p, urls...)
			count(b, s, p)
		})
	}
}

// count fails unless there is one payment for each that was taken, by its order, and the provider was asked once for it.
func count(b *testing.B, s store.Store, p *provider) {
	b.Helper()
	orders := make(map[string]bool)
	for q := (store.Query{Limit: 1000}); ; {
		page, err := s.Books(b.Context(), q)
		if err != nil {
			b.Fatal(err)
		}
		for _, book := range page {
			if orders[book.OrderID] {
				b.Errorf("order %s has two payments", book.OrderID)
			}
			orders[book.OrderID] = true
			checkBook(b, book)
			q.Before = book.ID
		}
		if len(page) < q.Limit {
			break
		}
	}
	if asked := p.creates.Load(); len(orders) != b.N || asked != int64(b.N) {
		b.Errorf("%d payments were taken, %d are in the ledger, and the provider was asked for %d", b.N, len(orders), asked)
	}
}

func checkBook(b *testing.B, book *ledger.Book) {
	b.Helper()
	if len(book.Operations) != 1 || book.Operations[0].Outcome != pay.OutcomeApplied || book.Operations[0].Attempt != 1 {
		b.Errorf("payment %s has operations %+v", book.ID, book.Operations)
	}
}
