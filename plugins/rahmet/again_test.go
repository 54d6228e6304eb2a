package rahmet_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk/pay"
)

func TestCreateAfterADoubt(t *testing.T) {
	t.Parallel()
	linked := redirect("111", "https://rahmetapp.kz/?id=HASH")
	linked.Observations = []pay.Observation{{
		Subject: pay.SubjectPayment, Payment: pay.PaymentPending, ProviderRef: "111", ProviderKey: "100500",
		Detail: "link asked for again: an earlier create had no usable answer, so its link was never handed out",
	}}
	seen := func(o pay.Observation) *pay.Result {
		o.Subject, o.ProviderRef, o.ProviderKey = pay.SubjectPayment, "9001", "100500"
		return &pay.Result{
			Outcome: pay.OutcomeApplied, ProviderRef: "9001", Next: pay.NextAction{Type: pay.NextNone},
			Observations: []pay.Observation{o},
		}
	}
	type answer struct {
		want *pay.Result
		err  *pay.Error
	}
	tests := map[string]answer{
		"paid": {want: seen(pay.Observation{
			Payment: pay.PaymentSucceeded, ProviderState: "is_paid=true", AmountPaid: tenge(2500_00),
		})},
		"paid_back": {want: seen(pay.Observation{
			Payment: pay.PaymentPending, ProviderState: "is_paid=false", AmountRefunded: tenge(2500_00),
		})},
		"unpaid": {want: linked}, "bare_false": {want: linked}, "omitted": {want: linked},
		"empty_list": {want: linked}, "status_refuses": {want: linked},
		"repeat_refused": {err: &pay.Error{
			Class: pay.ClassDuplicate, Advice: pay.AdviceNewAttempt, Effect: pay.EffectMaybe, ProviderCode: "77",
		}},
		"repeat_denied": {err: &pay.Error{
			Class: pay.ClassProtocol, Effect: pay.EffectMaybe, ProviderCode: "9",
		}},
		"repeat_5xx":  {err: &pay.Error{Class: pay.ClassProtocol, Effect: pay.EffectMaybe}},
		"repeat_lost": {err: &pay.Error{Class: pay.ClassTimeout, Effect: pay.EffectMaybe}},
		"status_html": {err: &pay.Error{Class: pay.ClassProtocol, Effect: pay.EffectMaybe}},
		"status_lost": {err: &pay.Error{Class: pay.ClassTimeout, Effect: pay.EffectMaybe}},
		"unreadable":  {err: &pay.Error{Class: pay.ClassProtocol, Effect: pay.EffectMaybe}},
	}
	everySection(t, "testdata/create_again.txt", tests, func(t *testing.T, source string, test answer) {
		p := newPlugin(t, plain)
		p.Transcript(source)
		r := order()
		r.Attempt, r.Earlier = 2, pay.Evidence{Wire: pay.WireUnknown}
		got, err := p.Create(r)
		sameError(t, test.err, err)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
	})
}

// A doubt is kept only where there is one: attempts that sent nothing, or were told
// to wait, did nothing.
func TestCreateKeepsADoubt(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		attempt int
		earlier pay.Evidence
		want    pay.Effect
	}{
		"unknown at the first": {1, pay.Evidence{Wire: pay.WireUnknown}, pay.EffectMaybe},
		"unknown":              {2, pay.Evidence{Wire: pay.WireUnknown}, pay.EffectMaybe},
		"not understood":       {2, pay.Evidence{Wire: pay.WireAnswered, Status: 200}, pay.EffectMaybe},
		"server error":         {3, pay.Evidence{Wire: pay.WireAnswered, Status: 502}, pay.EffectMaybe},
		"no evidence":          {2, pay.Evidence{}, pay.EffectMaybe},
		"told to wait":         {2, pay.Evidence{Wire: pay.WireAnswered, Status: 429}, 0},
		"not sent":             {2, pay.Evidence{Wire: pay.WireNotSent}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlugin(t, plain)
			p.Transcript("testdata/create_again.txt#status_html")
			r := order()
			r.Attempt, r.Earlier = test.attempt, test.earlier
			_, err := p.Create(r)
			sameError(t, &pay.Error{Class: pay.ClassProtocol, Effect: test.want}, err)
		})
	}
}

// An order that was in doubt may be past its time: a paid one is found all the same, an
// unpaid one is there and needs no link, and one that status does not mention is placed
// for a second that nobody can use.
func TestCreateAfterADoubtAndTooLate(t *testing.T) {
	t.Parallel()
	const placed = "\n> POST /orders/v1/preorder/create money\n>\n> merchant_order_id=100500&amount=2500&token=branch-7&timeout=1\n" +
		"< 200\n<\n< {\"error_code\": 0, \"data\": {\"preorder_id\": 111, \"url\": \"https://rahmetapp.kz/?id=HASH\"}}"
	for name, test := range map[string]struct {
		data, then string
		want       pay.PaymentStatus
	}{
		"paid":          {`{"100500": true}`, "", pay.PaymentSucceeded},
		"unpaid":        {`{"100500": false}`, "", pay.PaymentPending},
		"not mentioned": {`[]`, placed, pay.PaymentPending},
	} {
		p := newPlugin(t, plain)
		r := order()
		r.Attempt, r.Earlier, r.ExpiresAt = 2, pay.Evidence{Wire: pay.WireUnknown}, now.Add(-time.Hour)
		p.Transcript("> POST /orders/v1/preorder/status read\n>\n> merchant_order_ids%5B%5D=100500\n" +
			"< 200\n<\n< {\"error_code\": 0, \"data\": " + test.data + "}" + test.then)
		got, err := p.Create(r)
		if err != nil || got.Outcome != pay.OutcomeApplied || got.Observations[0].Payment != test.want || got.Next.Type != pay.NextNone {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// A server's error leaves a doubt, also if its body complains about the token: the order
// is not sent once more in the same call.
func TestCreateIsNotSentAgainAfterAServerError(t *testing.T) {
	t.Parallel()
	p := newPlugin(t, plain)
	p.Transcript("> POST /orders/v1/preorder/create money\n>\n> merchant_order_id=100500&amount=2500&token=branch-7\n" +
		"< 500\n<\n< {\"error_code\": 4, \"status\": \"error\", \"message\": \"no\", \"data\": null}")
	_, err := p.Create(order())
	sameError(t, &pay.Error{Class: pay.ClassAuth, ProviderCode: "4"}, err)
}
