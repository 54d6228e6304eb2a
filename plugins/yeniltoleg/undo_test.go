package yeniltoleg_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk/pay"
)

func provider() *yeniltoleg.Provider { return yeniltoleg.New() }

func quote(s string) string { return strconv.Quote(s) }

// undoTests has what cancel and refund answer to the sections of their files,
// which differ in two words only.
func undoTests(op pay.Operation, done func(word string, amount pay.Money) *pay.Result) map[string]outcome {
	refused := func(e pay.Error) outcome {
		e.Operation = op
		return outcome{err: &e}
	}
	protocol := func(message string) outcome {
		return refused(pay.Error{Class: pay.ClassProtocol, Message: message})
	}
	conflict := func(word, said string) outcome {
		return refused(pay.Error{
			Class: pay.ClassStateConflict, ProviderCode: word, ProviderMessage: said,
			Message: op.String() + ": the provider has the payment as " + word,
		})
	}
	declined := func(said string) outcome {
		return refused(pay.Error{
			Class: pay.ClassDeclined, Reason: pay.DeclinedOther, Message: "provider declined", ProviderMessage: said,
		})
	}
	there := map[pay.Operation]string{pay.OpCancel: "Canceled", pay.OpRefund: "Refunded"}[op]
	return map[string]outcome{
		"done":                  {result: done("", pay.Money{})},
		"as printed for cancel": protocol(op.String() + ": answer does not say whether it was done"),
		"no result":             protocol(op.String() + ": answer does not say whether it was done"),
		"another payment": refused(pay.Error{
			Class: pay.ClassIntegrity, Field: "provider_ref",
			Message: op.String() + ": answer is about another payment",
		}),
		"result false, state fits":         declined("Нельзя"),
		"result false, done before":        {result: done(there, pay.Money{})},
		"result false, state does not fit": conflict("InProgress", "Нельзя"),
		"result false, no status":          declined(""),
		"400, state does not fit":          conflict("Expired", "PaymentId: Нельзя"),
		"400, state fits": refused(pay.Error{
			Class: pay.ClassInvalidRequest, Field: "provider_ref", Message: "provider refused the request",
			ProviderCode: "400", ProviderMessage: "PaymentId: Нельзя",
		}),
		"401": refused(pay.Error{
			Class: pay.ClassAuth, ProviderCode: "401",
			Message: "provider refused the access token: it has expired or was revoked",
		}),
		"404": refused(pay.Error{
			Class: pay.ClassNotFound, ProviderCode: "404", Message: "provider does not know the payment",
		}),
		"404 of something else": refused(pay.Error{
			Class: pay.ClassProtocol, ProviderCode: "404",
			Message: "provider answered with an HTTP status that means nothing here",
		}),
		"500": refused(pay.Error{
			Class: pay.ClassProtocol, ProviderCode: "500", Message: "provider can't say what became of the request",
		}),
		"lost": refused(pay.Error{
			Class: pay.ClassTimeout, Effect: pay.EffectMaybe, Message: "no answer in time",
		}),
		"again, not done yet":       {result: done("", pay.Money{})},
		"again, done before":        {result: done(there, asked)},
		"again, state does not fit": conflict("Failed", ""),
		"again, unknown word": protocol(
			op.String() + ": status has a word that is not known, so nothing was sent",
		),
		"again, no status": refused(pay.Error{Class: pay.ClassUnavailable, Message: "connection refused"}),
	}
}

func intentOf(section string) pay.Intent {
	if strings.HasPrefix(section, "again") {
		return earlier()
	}
	return pay.Intent{}
}

// TestUndoLooksFirst shows what makes cancel and refund ask before they send.
func TestUndoLooksFirst(t *testing.T) {
	t.Parallel()
	for _, intent := range []pay.Intent{
		{Attempt: 2},
		{Attempt: 2, Earlier: pay.Evidence{Wire: pay.WireNotSent}},
		{Earlier: pay.Evidence{Wire: pay.WireUnknown}},
		{Earlier: pay.Evidence{InDoubt: true}},
		{Earlier: pay.Evidence{Wire: pay.WireAnswered, Status: 502}},
	} {
		p := plugin(t)
		p.Transcript("testdata/cancel.txt#again, done before")
		p.Transcript("testdata/refund.txt#again, done before")
		if _, err := p.Cancel(pay.PaymentRequest{Intent: intent, Payment: ref()}); err != nil {
			t.Errorf("cancel, %+v: %v", intent, err)
		}
		refund := pay.RefundRequest{Intent: intent, Payment: ref(), Amount: asked, Paid: asked}
		if _, err := p.Refund(refund); err != nil {
			t.Errorf("refund, %+v: %v", intent, err)
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	tests := undoTests(pay.OpCancel, func(word string, amount pay.Money) *pay.Result {
		return &pay.Result{Outcome: pay.OutcomeApplied, ProviderRef: "p-1", Observations: []pay.Observation{{
			Subject: pay.SubjectPayment, Payment: pay.PaymentCanceled, ProviderRef: "p-1",
			ProviderState: word, Amount: amount,
		}}}
	})
	complete(t, "testdata/cancel.txt", tests)
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plugin(t)
			p.Transcript("testdata/cancel.txt#" + name)
			result, err := p.Cancel(pay.PaymentRequest{Intent: intentOf(name), Payment: ref()})
			want.check(t, result, err)
		})
	}
}

func TestRefund(t *testing.T) {
	t.Parallel()
	tests := undoTests(pay.OpRefund, func(word string, amount pay.Money) *pay.Result {
		return &pay.Result{Outcome: pay.OutcomeApplied, ProviderRef: "p-1", Observations: []pay.Observation{
			{Subject: pay.SubjectRefund, Refund: pay.RefundSucceeded, ProviderState: word, Amount: asked},
			{
				Subject: pay.SubjectPayment, Payment: pay.PaymentSucceeded, ProviderRef: "p-1",
				ProviderState: word, Amount: amount, AmountPaid: asked, AmountRefunded: asked,
			},
		}}
	})
	complete(t, "testdata/refund.txt", tests)
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plugin(t)
			p.Transcript("testdata/refund.txt#" + name)
			result, err := p.Refund(pay.RefundRequest{
				Intent: intentOf(name), Payment: ref(), Amount: asked, Paid: asked,
			})
			want.check(t, result, err)
		})
	}
}

// TestUndoRefusesBeforeSending covers what can't be asked of the provider.
func TestUndoRefusesBeforeSending(t *testing.T) {
	t.Parallel()
	nameless, strange := ref(), ref()
	nameless.ProviderRef, strange.ProviderRef = "", "p/1"
	p := plugin(t) // without a transcript: a request would fail the test
	field := func(class pay.Class, field string, err error) {
		t.Helper()
		e := pay.AsError(err)
		if e == nil {
			t.Error("no error")
			return
		}
		if diff := cmp.Diff([]string{class.String(), field}, []string{e.Class.String(), e.Field}); diff != "" {
			t.Errorf("class and field (-want +got):\n%s", diff)
		}
	}
	_, err := p.Cancel(pay.PaymentRequest{Payment: nameless})
	field(pay.ClassUnsupported, "provider_ref", err)
	_, err = p.Cancel(pay.PaymentRequest{Payment: strange})
	field(pay.ClassInvalidRequest, "provider_ref", err)
	_, err = p.Refund(pay.RefundRequest{Payment: nameless, Amount: asked, Paid: asked})
	field(pay.ClassUnsupported, "provider_ref", err)
	others := []pay.Money{{}, pay.New(3544, pay.TMT), pay.New(3546, pay.TMT), pay.New(3545, pay.KZT)}
	for _, amount := range others {
		_, err = p.Refund(pay.RefundRequest{Payment: ref(), Amount: amount, Paid: asked})
		field(pay.ClassInvalidRequest, "amount", err)
		_, err = p.Refund(pay.RefundRequest{Payment: ref(), Amount: amount})
		field(pay.ClassInvalidRequest, "amount", err)
	}
}
