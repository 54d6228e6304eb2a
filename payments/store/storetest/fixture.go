package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// Start is when the stories of the suite begin.
func Start() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 123_456_000, time.UTC) }

// Book returns a new book with an operation under way, and the entries that begin it.
func Book(connection, order string) (*ledger.Book, []ledger.Entry) {
	id, at := ledger.NewID(), Start()
	b := &ledger.Book{
		ID: id, Version: 3, Caller: "shop", Connection: connection, Provider: "rahmet", OrderID: order,
		Status: pay.PaymentCreated, Amount: ledger.Of(pay.New(250000, "KZT")), CreatedAt: at, UpdatedAt: at,
		Metadata: map[string]string{"basket": "17", "till": "3"},
		Operations: []ledger.Operation{{
			ID: ledger.OperationID(id, 1), Op: pay.OpCreate, Attempt: 1, ProviderKey: "key-" + id,
			Outcome: pay.OutcomeSending, BeganAt: at, Lease: at.Add(time.Minute), Revision: "5f2a",
		}},
	}
	op := b.Operations[0]
	return b, []ledger.Entry{
		entry(b, ledger.Opened{Connection: connection, Provider: "rahmet", Caller: "shop", OrderID: order, Amount: b.Amount}),
		entry(b, ledger.Prepared{
			Operation: op.ID, Op: op.Op, Attempt: 1, ProviderKey: op.ProviderKey, Amount: b.Amount, Lease: op.Lease,
			Summary: map[string]string{"order_id": order, "amount": "250000", "description": "a book and a cup of tea"},
		}),
		entry(b, ledger.Sending{Operation: op.ID, Attempt: 1, Call: 1, Method: "POST", URL: "https://api.example/v1/orders"}),
	}
}

// Answered moves a book on as an answer of the provider does, and returns the entries of it.
func Answered(b *ledger.Book) []ledger.Entry {
	op := &b.Operations[0]
	op.Outcome, op.EndedAt = pay.OutcomeApplied, Start().Add(time.Second)
	b.Status, b.ProviderRef = pay.PaymentPending, "ref-"+b.ID
	b.Next = &ledger.Next{Type: pay.NextRedirect, URL: "https://pay.example/" + b.ID}
	b.UpdatedAt = op.EndedAt
	b.Version += 2
	return []ledger.Entry{
		entry(b, ledger.Outcome{
			Operation: op.ID, Attempt: 1, Outcome: op.Outcome, ProviderRef: b.ProviderRef, Next: b.Next, TookUS: 81_000,
			Calls: []ledger.Call{{Method: "POST", URL: "https://api.example/v1/orders", Money: true, Evidence: "answered", Status: 200}},
		}),
		Note(b, "the payer has been sent on"),
	}
}

// Note returns an entry that changes nothing.
func Note(b *ledger.Book, text string) ledger.Entry { return entry(b, ledger.Note{Text: text}) }

func entry(b *ledger.Book, body ledger.Body) ledger.Entry {
	return ledger.Entry{Book: b.ID, At: b.UpdatedAt, Actor: "api:shop", Body: body}
}

// Event returns an event of a book.
func Event(b *ledger.Book, n int, endpoints ...string) store.Event {
	return store.Event{
		ID: fmt.Sprintf("evt_%s_%d", b.ID, n), Book: b.ID, Type: "payment.pending", At: b.UpdatedAt,
		Body: []byte(`{"type":"payment.pending","data":{"id":"pay_` + b.ID + `"}}`), Endpoints: endpoints,
	}
}

// Pay writes what a payment writes that is created and answered: two updates.
func Pay(ctx context.Context, s store.Store) error {
	b, entries := Book("shop-1", "order-"+ledger.NewID())
	op := b.Operations[0]
	scope := store.Scope{Caller: b.Caller, Connection: b.Connection, Operation: "create", Key: "key-" + b.ID}
	err := s.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Key(scope); !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("key: %w", err)
		}
		if _, err := tx.Order(b.Connection, b.OrderID); err != nil {
			return err
		}
		claim := store.Claim{Scope: scope, Fingerprint: []byte(b.ID), Book: b.ID, Op: op.ID, At: b.CreatedAt}
		return errors.Join(
			tx.PutKey(claim),
			tx.ClaimProviderKey(b.Connection, op.ProviderKey, op.ID),
			tx.Append(b, op.Lease, entries),
			tx.PutRequest(op.ID, make([]byte, 600)),
			tx.Enqueue(store.Job{Kind: store.JobProbe, Key: b.Connection, At: time.Now().Add(time.Minute)}),
		)
	})
	if err != nil {
		return err
	}
	return s.Update(ctx, func(tx store.Tx) error {
		b, err := tx.Lock(b.ID)
		if err != nil {
			return err
		}
		entries := Answered(b)
		return errors.Join(
			tx.Append(b, b.UpdatedAt.Add(time.Minute), entries),
			tx.Emit([]store.Event{Event(b, 1, "main")}),
			tx.DropRequest(b.Operations[0].ID),
			tx.Enqueue(store.Job{Kind: store.JobDeliver, Key: "main"},
				store.Job{Kind: store.JobProbe, Key: b.Connection, At: time.Now().Add(time.Minute)}),
		)
	})
}
