package payments_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// bench is a payhost in a world, in virtual time: the test does the jobs.
type bench struct {
	*rig.World
	*rig.Payhost
	t    *testing.T
	keys atomic.Int64
}

// stores are the stores that a test runs on.
func stores() []string { return []string{"sqlite", "postgres"} }

func openStoreOf(t testing.TB, kind string, w *rig.World) store.Store {
	t.Helper()
	config := store.Config{Now: w.Clock.Now}
	var s store.Store
	var err error
	if kind == "postgres" {
		s, err = store.OpenPostgres(t.Context(), pgtest.Copy(t, migrated), config)
	} else {
		s, err = store.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "payhost.db"), config)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// migrated makes the tables in a database.
func migrated(url string) error {
	s, err := store.OpenPostgres(context.Background(), url, store.Config{})
	if err != nil {
		return err
	}
	return s.Close()
}

func newBench(t *testing.T, kind string, o rig.Options) *bench {
	t.Helper()
	w := rig.NewWorld(t)
	return openBench(t, w, openStoreOf(t, kind, w), o)
}

func openBench(t *testing.T, w *rig.World, s store.Store, o rig.Options) *bench {
	t.Helper()
	if o.Logger == nil && testing.Verbose() {
		o.Logger = hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: t.Output()})
	}
	p, err := w.Open(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return &bench{World: w, Payhost: p, t: t}
}

// call is a caller with a key that was not used before.
func (b *bench) call() payments.Call {
	return payments.Call{Caller: "shop", Key: fmt.Sprintf("key-%d", b.keys.Add(1))}
}

func (b *bench) ctx() context.Context { return b.t.Context() }

// must returns the answer's book and fails on an error.
func (b *bench) must(a payments.Answer, err error) *ledger.Book {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("error %v [%s]", err, pay.ClassOf(err))
	}
	return a.Book
}

// reload reads a book again.
func (b *bench) reload(book *ledger.Book) *ledger.Book {
	b.t.Helper()
	id := book.PaymentID()
	fresh, err := b.Engine.Payment(b.ctx(), id, false)
	if err != nil {
		b.t.Fatal(err)
	}
	return fresh
}

// work does every job that is due now.
func (b *bench) work() {
	b.t.Helper()
	if _, err := b.Engine.Do(b.ctx(), store.Job{Kind: store.JobSweep}); err != nil {
		b.t.Fatal(err)
	}
}

// until moves the clock from one due time to the next until the book is as wanted.
func (b *bench) until(book *ledger.Book, most time.Duration, want func(*ledger.Book) bool) *ledger.Book {
	b.t.Helper()
	end := b.Clock.Now().Add(most)
	for range 1_000 {
		book = b.reload(book)
		if want(book) {
			return book
		}
		next, ok := b.nextDue()
		if !ok || next.After(end) {
			break
		}
		b.Advance(max(0, next.Sub(b.Clock.Now())) + time.Millisecond)
		b.work()
	}
	b.t.Fatalf("payment is %s after %s (in doubt: %+v)\n%s", book.Status, most, book.InDoubt(), b.timeline(book))
	return nil
}

func (b *bench) nextDue() (time.Time, bool) {
	b.t.Helper()
	due, err := b.Store.NextDue(b.ctx())
	if err != nil {
		b.t.Fatal(err)
	}
	var next time.Time
	for _, at := range due {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next, !next.IsZero()
}

// timeline is a book's entries for a failed test.
func (b *bench) timeline(book *ledger.Book) string {
	entries, err := b.Engine.Timeline(b.ctx(), book.PaymentID())
	if err != nil {
		return err.Error()
	}
	text := ""
	for _, e := range entries {
		text += fmt.Sprintf("%d %s %s %s %+v\n", e.Seq, e.At.Format("15:04:05.000"), e.Actor, e.Body.Kind(), e.Body)
	}
	return text
}

// folded holds the stored book against its entries.
func (b *bench) folded(book *ledger.Book) {
	b.t.Helper()
	entries, err := b.Store.Entries(b.ctx(), book.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	again, err := ledger.Fold(entries)
	if err != nil {
		b.t.Fatal(err)
	}
	stored, err := b.Store.Book(b.ctx(), book.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	if diff := diffBooks(again, stored); diff != "" {
		b.t.Errorf("the stored book is not what its entries fold to:\n%s", diff)
	}
}

func status(want pay.PaymentStatus) func(*ledger.Book) bool {
	return func(b *ledger.Book) bool { return b.Status == want }
}

func rahmetPayment(order string) payments.NewPayment {
	return payments.NewPayment{
		Connection: rig.Rahmet, OrderID: order, Amount: pay.New(250000, pay.KZT), Description: "Order",
		ReturnURL: "https://shop.example/thanks",
	}
}

func yenilPayment(order string) payments.NewPayment {
	return payments.NewPayment{
		Connection: rig.YenilToleg, OrderID: order, Amount: pay.New(3545, pay.TMT), Description: "Order",
		ReturnURL: "https://shop.example/thanks", Customer: pay.Customer{Name: "Test Person"},
	}
}

func tillPayment(order string) payments.NewPayment {
	return payments.NewPayment{Connection: rig.SmartPay, OrderID: order}
}
