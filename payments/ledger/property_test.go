package ledger_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// TestFoldIsDeterministic folds the same entries twice, at once and one by one.
func TestFoldIsDeterministic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		entries := draw{t}.entries()
		one, err := ledger.Fold(entries)
		if err != nil {
			t.Fatal(err)
		}
		cut := rapid.IntRange(1, len(entries)).Draw(t, "cut")
		two, err := ledger.Fold(entries[:cut])
		if err != nil {
			t.Fatal(err)
		}
		two = stored(t, two) // as a store would give it back
		for _, e := range entries[cut:] {
			two.Apply(e)
		}
		if diff := cmp.Diff(asJSON(t, one), asJSON(t, two)); diff != "" {
			t.Errorf("folded at once and with a stored copy between:\n%s", diff)
		}
		if one.Version != int64(len(entries)) {
			t.Errorf("version %d after %d entries", one.Version, len(entries))
		}
	})
}

func TestFoldNeedsItsBeginning(t *testing.T) {
	t.Parallel()
	for name, entries := range map[string][]ledger.Entry{
		"nothing": nil, "no opening": {{Book: bookID, Body: ledger.Note{Text: "hello"}}},
	} {
		if b, err := ledger.Fold(entries); err == nil {
			t.Errorf("%s: folded to %+v", name, b)
		}
	}
}

// stored sends a book through its JSON.
func stored(t *rapid.T, b *ledger.Book) *ledger.Book {
	text := asJSON(t, b)
	var again ledger.Book
	if err := json.Unmarshal([]byte(text), &again); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(text, asJSON(t, &again)); diff != "" {
		t.Fatalf("book changes in its JSON:\n%s", diff)
	}
	return &again
}

// TestApply folds anything and holds every step against the rules.
func TestApply(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := &ledger.Book{}
		for _, e := range (draw{t}).entries() {
			before, text := b, asJSON(t, b)
			b = before.Clone()
			changed := b.Apply(e)
			if asJSON(t, before) != text {
				t.Fatalf("%s: applying to a clone changed the original", e.Body.Kind())
			}
			checkStep(t, before, b, e)
			if !changed && !same(t, before, b) {
				t.Fatalf("%s tells nothing new, and changes the book:\n%s", e.Body.Kind(), cmp.Diff(text, asJSON(t, b)))
			}
			stored(t, b)
			twice := b.Clone()
			twice.Apply(e)
			if _, counts := e.Body.(ledger.Probed); !counts && !same(t, b, twice) {
				// A probe's line is the one that counts: two of them are two looks at the provider.
				t.Fatalf("%s applied twice changes the book:\n%s", e.Body.Kind(), cmp.Diff(asJSON(t, b), asJSON(t, twice)))
			}
		}
	})
}

// same compares books but for the count of their entries and when somebody looked.
func same(t *rapid.T, a, b *ledger.Book) bool {
	one, two := a.Clone(), b.Clone()
	one.Version, two.Version, one.LastSeq, two.LastSeq = 0, 0, 0, 0
	one.LookedAt, two.LookedAt = time.Time{}, time.Time{}
	return asJSON(t, one) == asJSON(t, two)
}

// checkStep holds what one entry did to a book against the rules that need no
// knowledge of what came before.
func checkStep(t *rapid.T, was, is *ledger.Book, e ledger.Entry) {
	what := e.Body.Kind()
	if is.Version != was.Version+1 {
		t.Fatalf("%s: version %d after %d", what, is.Version, was.Version)
	}
	_, opens := e.Body.(ledger.Opened)
	if !opens {
		step(t, what, pay.PaymentTransitions(), uint8(was.Status), uint8(is.Status))
	}
	for i := range is.Refunds {
		if r := &is.Refunds[i]; i < len(was.Refunds) {
			step(t, what, pay.RefundTransitions(), uint8(was.Refunds[i].Status), uint8(r.Status))
		}
	}
	for i := range is.Receipts {
		if r := &is.Receipts[i]; i < len(was.Receipts) {
			step(t, what, pay.ReceiptTransitions(), uint8(was.Receipts[i].Status), uint8(r.Status))
		}
	}
	checkAmounts(t, what, is)
	for i := range was.Operations {
		checkProof(t, &was.Operations[i], is, e)
	}
	if d := is.InDoubt(); d != nil && is.Operation(d.Operation).DoubtSince.IsZero() {
		t.Fatalf("%s: doubt of an operation that is in none", what)
	}
	if is.Status.Final() && is.Next != nil {
		t.Fatalf("%s: payment is %s, and something has to happen next: %+v", what, is.Status, is.Next)
	}
	is.RefundPending()
	is.Refunded()
	is.Ref()
	is.Doubts(true)
}

func step(t *rapid.T, what ledger.Kind, table *pay.Table, from, to uint8) {
	if move := table.Move(from, to); from != to && !move.Changes() {
		t.Fatalf("%s moves a %s from %s to %s, which is %s", what, table.Object, table.Name(from), table.Name(to), move)
	}
}

// checkAmounts: once it is known what was asked for, never more is paid than that, nor
// returned, nor in another currency.
func checkAmounts(t *rapid.T, what ledger.Kind, b *ledger.Book) {
	for _, a := range []ledger.Amount{b.Paid, b.Returned} {
		switch {
		case a.IsZero():
		case a.Minor < 0, !b.Paid.IsZero() && !b.Returned.IsZero() && b.Paid.Currency != b.Returned.Currency:
			t.Fatalf("%s: paid %s, returned %s", what, b.Paid, b.Returned)
		case !b.Amount.IsZero() && (a.Currency != b.Amount.Currency || a.Minor > b.Amount.Minor):
			t.Fatalf("%s: %s of %s", what, a, b.Amount)
		}
	}
}

// checkProof: a doubt ends by what tells of it, and nothing proven is undone, save
// that what was taken for not done turns out to be.
func checkProof(t *rapid.T, was *ledger.Operation, b *ledger.Book, e ledger.Entry) {
	is := b.Operation(was.ID)
	if is == nil || is.Op != was.Op || is.ProviderKey != was.ProviderKey {
		t.Fatalf("%s: operation %s is gone or another", e.Body.Kind(), was.ID)
	}
	if is.Outcome == was.Outcome {
		return
	}
	switch body := e.Body.(type) {
	case ledger.Prepared:
		if body.Operation != was.ID || was.Outcome == pay.OutcomeApplied || was.Outcome == pay.OutcomeAccepted || was.Outcome == pay.OutcomeDeclined {
			t.Fatalf("attempt %d begins after %s", body.Attempt, was.Outcome)
		}
	case ledger.Sending:
		if body.Operation != was.ID || was.Outcome != pay.OutcomePrepared {
			t.Fatalf("sending after %s", was.Outcome)
		}
	case ledger.Outcome, ledger.Observed, ledger.Resolved:
		if was.Outcome.Settled() && is.Outcome != pay.OutcomeApplied && is.Outcome != pay.OutcomeAccepted {
			t.Fatalf("%s: %s was proven, and is %s", e.Body.Kind(), was.Outcome, is.Outcome)
		}
	default:
		t.Fatalf("%s brings operation %s from %s to %s", e.Body.Kind(), was.Op, was.Outcome, is.Outcome)
	}
}

// TestAbsenceEndsNoDoubt gives a book every kind of news that is none: no outcome
// may change.
func TestAbsenceEndsNoDoubt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b, err := ledger.Fold(draw{t}.entries())
		if err != nil {
			t.Fatal(err)
		}
		nothing := ledger.Observed{Observation: ledger.Observation{Subject: pay.SubjectPayment}, Source: "probe"}
		b.Apply(ledger.Entry{Book: bookID, At: epoch, Body: nothing}) // what was shown before is settled
		outcomes, doubts := outcomesOf(b), len(b.Doubts(true))
		for _, body := range []ledger.Body{
			nothing,
			ledger.Probed{Found: pay.FoundNot},
			ledger.Probed{Found: pay.FoundNothing},
			ledger.Probed{Found: pay.FoundNot, Absent: ids(b)},
			ledger.Probed{Found: pay.FoundNot, Absent: ids(b)},
			ledger.Probed{Found: pay.FoundNot, Absent: ids(b)},
			ledger.Notified{ID: "ntf_1"},
			ledger.Note{Text: "hello"},
			nothing,
		} {
			b.Apply(ledger.Entry{Book: bookID, At: epoch, Body: body})
		}
		if diff := cmp.Diff(outcomes, outcomesOf(b)); diff != "" || len(b.Doubts(true)) != doubts {
			t.Errorf("absence ended something, %d doubts were, %d are:\n%s", doubts, len(b.Doubts(true)), diff)
		}
	})
}

func ids(b *ledger.Book) []string {
	var list []string
	for i := range b.Operations {
		list = append(list, b.Operations[i].ID)
	}
	return list
}

func outcomesOf(b *ledger.Book) []string {
	var list []string
	for i := range b.Operations {
		list = append(list, b.Operations[i].ID+" "+b.Operations[i].Outcome.String())
	}
	return list
}

// TestOrderOfObservations sees the same things in any order: the payment comes out
// the same, unless the provider told of two ends that are not success. Then the
// first stands.
func TestOrderOfObservations(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := draw{t}
		news := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ledger.Entry { return truthful(draw{t}) }), 0, 8).Draw(t, "news")
		mixed := rapid.Permutation(news).Draw(t, "mixed")
		prefix := begun(d.maybe("refund asked for"))
		one, two := foldAll(t, prefix, news), foldAll(t, prefix, mixed)
		if one.Alerts != 0 || two.Alerts != 0 {
			t.Fatalf("alerts about consistent news: %+v, %+v", one.Alert, two.Alert)
		}
		if one.Paid != two.Paid || one.Returned != two.Returned || one.ProviderRef != two.ProviderRef {
			t.Errorf("paid %s and %s, returned %s and %s", one.Paid, two.Paid, one.Returned, two.Returned)
		}
		if ends := endsIn(news); ends < 2 && one.Status != two.Status {
			t.Errorf("status %s and %s", one.Status, two.Status)
		}
		for _, b := range []*ledger.Book{one, two} {
			if (b.Status == pay.PaymentSucceeded) != tellsSuccess(news) {
				t.Errorf("status %s, success told: %t", b.Status, tellsSuccess(news))
			}
		}
		for i := range one.Refunds {
			if one.Refunds[i].Status != two.Refunds[i].Status {
				t.Errorf("refund %s and %s", one.Refunds[i].Status, two.Refunds[i].Status)
			}
		}
	})
}

// truthful is an observation that agrees with a payment of 1000.
func truthful(d draw) ledger.Entry {
	o := ledger.Observation{
		Subject: pay.SubjectPayment, Payment: pay.PaymentStatus(rapid.IntRange(0, 8).Draw(d.T, "status")),
		ProviderRef: pick(d, "ref", "", "p-1"), Amount: pick(d, "amount", ledger.Amount{}, kzt(1000)),
		AmountRefunded: pick(d, "returned", ledger.Amount{}, kzt(0), kzt(250), kzt(1000)),
	}
	if o.Payment == pay.PaymentSucceeded {
		o.AmountPaid = pick(d, "paid", ledger.Amount{}, kzt(1000))
	} else {
		o.AmountPaid = pick(d, "paid", ledger.Amount{}, kzt(0), kzt(400), kzt(1000))
	}
	return ledger.Entry{Book: bookID, At: d.at(), Body: ledger.Observed{Observation: o, Source: "probe"}}
}

// begun is a payment that the provider knows, and perhaps a refund of it.
func begun(refund bool) []ledger.Entry {
	bodies := []ledger.Body{
		ledger.Opened{Connection: "c", Provider: "p", Caller: "shop", OrderID: "1", Amount: kzt(1000)},
		ledger.Prepared{Operation: ledger.OperationID(bookID, 1), Op: pay.OpCreate, Attempt: 1, Amount: kzt(1000), ProviderKey: "k-1"},
		ledger.Sending{Operation: ledger.OperationID(bookID, 1), Attempt: 1, Call: 1},
		ledger.Outcome{Operation: ledger.OperationID(bookID, 1), Attempt: 1, Outcome: pay.OutcomeApplied},
	}
	if refund {
		bodies = append(bodies,
			ledger.Prepared{
				Operation: ledger.OperationID(bookID, 2), Op: pay.OpRefund, Attempt: 1, Amount: kzt(250), Refund: ledger.RefundID(bookID, 1),
			},
			ledger.Sending{Operation: ledger.OperationID(bookID, 2), Attempt: 1, Call: 1},
			ledger.Outcome{Operation: ledger.OperationID(bookID, 2), Attempt: 1, Outcome: pay.OutcomeInDoubt},
		)
	}
	var list []ledger.Entry
	for _, body := range bodies {
		list = append(list, ledger.Entry{Book: bookID, At: epoch, Body: body})
	}
	return list
}

func foldAll(t *rapid.T, lists ...[]ledger.Entry) *ledger.Book {
	var all []ledger.Entry
	for _, list := range lists {
		all = append(all, list...)
	}
	b, err := ledger.Fold(all)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// endsIn counts the different ends without success, if there is no success that
// overrules them all.
func endsIn(news []ledger.Entry) int {
	seen := map[pay.PaymentStatus]bool{}
	for _, e := range news {
		if s := e.Body.(ledger.Observed).Payment; s.Final() {
			seen[s] = true
		}
	}
	if seen[pay.PaymentSucceeded] {
		return 0
	}
	return len(seen)
}

func tellsSuccess(news []ledger.Entry) bool {
	for _, e := range news {
		if e.Body.(ledger.Observed).Payment == pay.PaymentSucceeded {
			return true
		}
	}
	return false
}

// TestBodies sends every body through its JSON and back.
func TestBodies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := draw{t}.body()
		text := asJSON(t, body)
		again, err := ledger.DecodeBody(body.Kind(), []byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if reflect.TypeOf(again) != reflect.TypeOf(body) || asJSON(t, again) != text {
			t.Errorf("%T %s\nbecomes %T %s", body, text, again, asJSON(t, again))
		}
	})
}

func TestDecodeBodyRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ kind, text string }{
		{"", `{}`},
		{"operation.undone", `{}`},
		{"note", `{`},
		{"observation", `{"subject":"wallet"}`},
		{"operation.outcome", `{"outcome":"perhaps"}`},
		{"opened", `{"amount":{"value":12,"currency":"KZT"}}`},
		{"opened", `{"amount":{"value":"1.5","currency":"KZT"}}`},
	} {
		if body, err := ledger.DecodeBody(ledger.Kind(test.kind), []byte(test.text)); err == nil {
			t.Errorf("%s %s: decoded to %+v", test.kind, test.text, body)
		}
	}
}
