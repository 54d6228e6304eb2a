package payments

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"strings"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

const (
	maxMetadata      = 50
	maxMetadataKey   = 64
	maxMetadataValue = 500
)

// Create starts a payment.
func (e *Engine) Create(ctx context.Context, call Call, p NewPayment) (Answer, error) {
	p.Metadata = maps.Clone(p.Metadata)
	in := &intent{
		op: pay.OpCreate, call: call, actor: "api:" + call.Caller, fields: p, request: request{Create: &p},
		scope: store.Scope{
			Caller: call.Caller, Connection: p.Connection, Operation: pay.OpCreate.String(), Key: call.Key,
		},
		answer: func(*Answer, *ledger.Operation) {},
	}
	sequence := 1
	in.decide = func(ctx context.Context, _ *ledger.Book) (*attempt, bool, error) {
		id := ledger.NewID()
		conn, err := in.begin(e, p.Connection, id)
		if err != nil {
			return nil, false, err
		}
		if err := checkMetadata(p.Metadata); err != nil {
			return nil, false, err
		}
		a, err := e.newPayment(ctx, in, conn, id, p, sequence)
		if err != nil {
			return nil, false, err
		}
		a.resequence = func(n int) { sequence = n }
		a.blocked = func(book string) { in.blocking = book }
		return a, false, nil
	}
	return e.operate(ctx, in)
}

// newPayment is the first attempt of the create of a payment that is new.
func (e *Engine) newPayment(
	ctx context.Context, in *intent, conn *host.Connection, id string, p NewPayment, sequence int,
) (*attempt, error) {
	manifest, err := conn.Manifest()
	if err != nil {
		return nil, err
	}
	a := &attempt{
		engine: e, conn: conn, call: in.call, actor: in.actor, request: in.request, order: true,
		opened: &ledger.Opened{
			Connection: p.Connection, Provider: manifest.ID, Caller: in.call.Caller, OrderID: p.OrderID,
			Amount: ledger.Of(p.Amount), Nonce: newNonce(), Revision: conn.Revision(), Flow: flowOf(&manifest),
			ExpiresAt: p.ExpiresAt, Metadata: p.Metadata,
		},
	}
	a.book = preview(id, in.actor, e, *a.opened)
	if err := conn.CheckCreate(e.createRequest(a.book, &p, pay.Intent{})); err != nil {
		return nil, err
	}
	return a, e.firstOperation(ctx, a, in, ledger.Operation{Op: pay.OpCreate, Amount: ledger.Of(p.Amount), Sequence: sequence})
}

// firstOperation gives an attempt its operation: the id, the provider's key, and the line
// that begins it.
func (e *Engine) firstOperation(ctx context.Context, a *attempt, in *intent, op ledger.Operation) error {
	manifest, err := a.conn.Manifest()
	if err != nil {
		return err
	}
	spec, ok := manifest.Operation(op.Op)
	if !ok && !a.local {
		return unsupported(op.Op)
	}
	op.ID = ledger.OperationID(a.book.ID, len(a.book.Operations)+1)
	op.Attempt, op.Idempotency, op.BeganAt = 1, spec.Idempotency, e.now()
	if spec.KeyForm != pay.KeyOrder {
		op.Sequence = 0
	}
	if !a.local {
		if err := e.chooseKey(ctx, a, in, &op); err != nil {
			return err
		}
	}
	a.op = op
	a.begin = ledger.Prepared{
		Operation: op.ID, Op: op.Op, Attempt: 1, Sequence: op.Sequence, ProviderKey: op.ProviderKey, Amount: op.Amount,
		Refund: op.Refund, Receipt: op.Receipt, Idempotency: op.Idempotency, Revision: a.conn.Revision(),
		RequestID: in.call.RequestID, Summary: in.request.summary(),
	}
	promised(&a.begin, hintsOf(&manifest))
	if r := in.request.Receipt; r != nil {
		a.begin.Register, a.begin.FiscalSign = r.RegisterNumber, r.FiscalSign
	}
	return nil
}

// chooseKey gives an operation its provider key. One that is made of the order id may be
// taken: order A's second is what order A-2 would begin with. Whether it is shows when it
// is claimed; what is decided on again then takes the next that is free.
func (e *Engine) chooseKey(ctx context.Context, a *attempt, in *intent, op *ledger.Operation) error {
	for {
		key, err := a.conn.ProviderKey(ctx, op.Op, host.KeySource{Key: op.ID, OrderID: a.book.OrderID, Sequence: op.Sequence})
		if err != nil {
			return err
		}
		op.ProviderKey = key
		if op.Sequence == 0 || !in.again {
			return nil
		}
		if _, err := e.store.BookByKey(ctx, a.book.Connection, key); errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return storeError(err)
		}
		op.Sequence++
	}
}

// preview is a book that is not stored yet.
func preview(id, actor string, e *Engine, o ledger.Opened) *ledger.Book {
	b := &ledger.Book{}
	b.Apply(ledger.Entry{Book: id, At: e.now(), Actor: actor, Body: o})
	b.Version = 0
	return b
}

func flowOf(m *pay.Manifest) string {
	if len(m.Flows) == 0 {
		return ""
	}
	return m.Flows[0].String()
}

func newNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// notificationURL is where the provider may call about a payment; "" if it can't
// reach payhost. The payment is found by it, and nobody else knows it.
func (e *Engine) notificationURL(b *ledger.Book) string {
	if e.config.PublicURL == "" {
		return ""
	}
	return strings.TrimRight(e.config.PublicURL, "/") + "/n/" + b.Connection + "/" + b.ID + "-" + b.Nonce
}

func checkMetadata(m map[string]string) error {
	if len(m) > maxMetadata {
		return invalid("metadata", "has more than 50 entries")
	}
	for key, value := range m {
		if key == "" || len(key) > maxMetadataKey {
			return invalid("metadata", "a key must be 1 to 64 bytes")
		}
		if len(value) > maxMetadataValue {
			return invalid("metadata."+key, "is longer than 500 bytes")
		}
	}
	return nil
}
