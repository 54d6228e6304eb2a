package ledger_test

import (
	"encoding/json"
	"time"

	"pgregory.net/rapid"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// The generators make entries of a small world, so that they meet: one book, a few
// operations, refunds and receipts, a handful of amounts. Nothing keeps them from
// being nonsense.

const bookID = "01jd5x3v8c0000000000000000"

var epoch = time.Date(2026, time.January, 15, 10, 0, 0, 0, time.UTC)

func kzt(minor int64) ledger.Amount { return ledger.Of(pay.New(minor, pay.KZT)) }

// draw is a source of random values.
type draw struct{ *rapid.T }

func pick[T any](d draw, label string, from ...T) T { return rapid.SampledFrom(from).Draw(d.T, label) }

func (d draw) maybe(label string) bool { return rapid.Bool().Draw(d.T, label) }

func (d draw) at() time.Time {
	return epoch.Add(time.Duration(rapid.IntRange(0, 1000).Draw(d.T, "second")) * time.Second)
}

func (d draw) amount() ledger.Amount {
	return pick(d, "amount", ledger.Amount{}, kzt(0), kzt(100), kzt(250), kzt(1000), kzt(1001), kzt(-5),
		ledger.Of(pay.New(1000, pay.RUB)), ledger.Of(pay.New(100, pay.TMT)))
}

func (d draw) operation() string {
	return ledger.OperationID(bookID, rapid.IntRange(1, 5).Draw(d.T, "operation"))
}

func (d draw) refund() string {
	return pick(d, "refund", "", ledger.RefundID(bookID, 1), ledger.RefundID(bookID, 2))
}

func (d draw) receipt() string {
	return pick(d, "receipt", "", ledger.ReceiptID(bookID, 0), ledger.ReceiptID(bookID, 1))
}

func (d draw) op() pay.Operation { return rapid.SampledFrom(writing()).Draw(d.T, "op") }

// writing are the operations that may have an effect.
func writing() []pay.Operation {
	var ops []pay.Operation
	for _, op := range pay.Operations() {
		if op.Kind().Writes() {
			ops = append(ops, op)
		}
	}
	return ops
}

func (d draw) attempt() int { return rapid.IntRange(0, 3).Draw(d.T, "attempt") }

func (d draw) text() string { return pick(d, "text", "", "a", "some words") }

func (d draw) failure() *ledger.Error {
	if d.maybe("no error") {
		return nil
	}
	return &ledger.Error{
		Class:  pick(d, "class", pay.ClassDeclined, pay.ClassUnavailable, pay.ClassInDoubt, pay.ClassIntegrity, pay.ClassDuplicate),
		Effect: pick(d, "effect", 0, pay.EffectNone, pay.EffectMaybe, pay.EffectDone),
		Advice: pick(d, "advice", 0, pay.AdviceRetrySameKey, pay.AdviceNewAttempt, pay.AdviceProbe),
		Field:  d.text(), Message: d.text(), Reason: pick(d, "reason", 0, pay.DeclinedOther, pay.DeclinedRisk),
		ProviderCode: d.text(), RetryAfterMS: int64(rapid.IntRange(0, 5000).Draw(d.T, "retry")),
	}
}

func (d draw) evidence() ledger.Evidence {
	return ledger.Evidence{
		Wire:   pick(d, "wire", pay.WireNone, pay.WireAnswered, pay.WireNotSent, pay.WireUnknown),
		Status: pick(d, "http", 0, 200, 429, 502), Calls: rapid.IntRange(0, 3).Draw(d.T, "calls"),
		Reads: rapid.IntRange(0, 2).Draw(d.T, "reads"), BytesOut: int64(rapid.IntRange(0, 900).Draw(d.T, "bytes")),
		InDoubt: d.maybe("doubt before"),
	}
}

func (d draw) observation() ledger.Observation {
	return ledger.Observation{
		Subject:       pick(d, "subject", 0, pay.SubjectPayment, pay.SubjectPayment, pay.SubjectRefund, pay.SubjectReceipt),
		Payment:       pay.PaymentStatus(rapid.IntRange(0, 8).Draw(d.T, "payment status")),
		RefundStatus:  pay.RefundStatus(rapid.IntRange(0, 3).Draw(d.T, "refund status")),
		ReceiptStatus: pay.ReceiptStatus(rapid.IntRange(0, 3).Draw(d.T, "receipt status")),
		ProviderRef:   pick(d, "ref", "", "p-1", "p-2"), ProviderKey: pick(d, "key", "", "k-1", "k-2"),
		ProviderState: d.text(), Amount: d.amount(), AmountPaid: d.amount(), AmountRefunded: d.amount(),
		ProviderAt: d.at(), Detail: d.text(),
	}
}

func (d draw) outcome() ledger.Outcome {
	o := ledger.Outcome{
		Operation: d.operation(), Attempt: d.attempt(), Outcome: pay.Outcome(rapid.IntRange(0, 7).Draw(d.T, "outcome")),
		Evidence: d.evidence(), Error: d.failure(), ProviderRef: pick(d, "ref", "", "p-1", "p-2"), PayerHint: d.text(),
		Revision: d.text(), Recovered: d.maybe("recovered"),
	}
	if d.maybe("next") {
		o.Next = &ledger.Next{Type: pay.NextActionType(rapid.IntRange(0, 5).Draw(d.T, "next action")), URL: d.text(), ExpiresAt: d.at()}
	}
	if d.maybe("seen") {
		o.Seen = []ledger.Observation{d.observation()}
	}
	if d.maybe("expiry") {
		o.ExpiresAt = d.at()
	}
	if d.maybe("called") {
		o.Calls = []ledger.Call{{Method: "POST", URL: "http://p/x", Money: true, Evidence: "unknown", Attempts: 1, BytesOut: 9}}
	}
	return o
}

func (d draw) opened() ledger.Opened {
	o := ledger.Opened{
		Receipt: pick(d, "lone receipt", false, false, true), Connection: "c", Provider: "p", Caller: "shop", OrderID: d.text(),
		Amount: pick(d, "asked", ledger.Amount{}, kzt(1000), kzt(250)), Flow: d.text(), Nonce: d.text(),
	}
	if d.maybe("metadata") {
		o.Metadata = map[string]string{"k": "v"}
	}
	if d.maybe("expiry") {
		o.ExpiresAt = d.at()
	}
	return o
}

func (d draw) prepared() ledger.Prepared {
	return ledger.Prepared{
		Operation: d.operation(), Op: d.op(), Attempt: d.attempt(), Sequence: d.attempt(), ProviderKey: pick(d, "key", "", "k-1", "k-2"),
		Amount: d.amount(), Refund: d.refund(), Receipt: d.receipt(), Reason: d.text(), Register: d.text(), FiscalSign: d.text(),
		Idempotency: pay.IdempotencyNative, Revision: d.text(), Lease: d.at(),
	}
}

func (d draw) body() ledger.Body {
	switch rapid.IntRange(0, 16).Draw(d.T, "kind") {
	case 0:
		return d.opened()
	case 1, 2:
		return d.prepared()
	case 3:
		return ledger.Sending{Operation: d.operation(), Attempt: d.attempt(), Call: 1, Method: "POST", URL: d.text()}
	case 4, 5, 6:
		return d.outcome()
	case 7:
		return ledger.Resolved{
			Operation: d.operation(), Outcome: pay.Outcome(rapid.IntRange(0, 7).Draw(d.T, "resolved")), Evidence: "ticket",
		}
	case 8:
		return ledger.Abandoned{Operation: d.operation(), Reason: d.text()}
	case 9:
		return ledger.Probed{
			Found: pay.Found(rapid.IntRange(0, 2).Draw(d.T, "found")), Refund: d.refund(),
			Absent: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return draw{t}.operation() }), 0, 2).Draw(d.T, "absent"), Error: d.failure(),
		}
	case 10:
		return ledger.Notified{ID: "ntf_1", Authenticity: pay.AuthenticityWeak, State: d.text(), Detail: d.text()}
	case 11:
		return ledger.Expired{Reason: "not paid"}
	case 12:
		return ledger.Alert{Operation: d.operation(), Error: d.failure()}
	case 13:
		return ledger.Note{Text: d.text()}
	case 14:
		return ledger.Acknowledged{Evidence: d.text()}
	}
	return ledger.Observed{
		Observation: d.observation(), Source: pick(d, "source", "probe", "notification"), Refund: d.refund(), Ref: d.text(),
	}
}

func (d draw) entry() ledger.Entry {
	return ledger.Entry{Book: bookID, At: d.at(), Actor: "host", Body: d.body()}
}

// lifelike makes a run of an operation as the engine writes it, so that random books
// reach the later statuses, too.
func (d draw) lifelike(n int) []ledger.Entry {
	id := ledger.OperationID(bookID, n)
	op := d.op()
	p := ledger.Prepared{Operation: id, Op: op, Attempt: 1, ProviderKey: "k-1", Amount: kzt(1000), Lease: epoch}
	switch op {
	case pay.OpRefund, pay.OpConfirmRefund, pay.OpCancelRefund:
		p.Refund, p.Amount = ledger.RefundID(bookID, 1), kzt(250)
	case pay.OpReceipt:
		p.Receipt = ledger.ReceiptID(bookID, 1)
	}
	o := d.outcome()
	o.Operation, o.Attempt, o.Outcome = id, 1, pay.Outcome(rapid.IntRange(3, 7).Draw(d.T, "end"))
	at := d.at()
	list := []ledger.Entry{{Book: bookID, At: at, Body: p}}
	if d.maybe("sent") {
		list = append(list, ledger.Entry{Book: bookID, At: at, Body: ledger.Sending{Operation: id, Attempt: 1, Call: 1}})
	}
	return append(list, ledger.Entry{Book: bookID, At: at, Body: o})
}

// entries makes a whole book: it is opened, and then anything happens.
func (d draw) entries() []ledger.Entry {
	list := []ledger.Entry{{Book: bookID, At: epoch, Actor: "api:shop", Body: d.opened()}}
	for range rapid.IntRange(0, 30).Draw(d.T, "length") {
		if n := rapid.IntRange(1, 12).Draw(d.T, "lifelike"); n <= 5 {
			list = append(list, d.lifelike(n)...)
		} else {
			list = append(list, d.entry())
		}
	}
	return list
}

// failer is what a test and a property have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func asJSON(t failer, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%v\n%+v", err, v)
	}
	return string(b)
}
