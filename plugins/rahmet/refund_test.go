package rahmet_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk/pay"
)

// refundKey is the UUID that sdktest gives a refund.
const refundKey = "00000000-0000-4000-8000-000000000020"

func refund(keys ...string) pay.RefundRequest {
	return pay.RefundRequest{
		Payment: pay.Ref{ID: "pay_1", OrderID: "100500", Keys: keys, Amount: tenge(2500_00)},
		Refund:  pay.Ref{ID: "ref_1"},
		Amount:  tenge(500_00), Paid: tenge(2500_00),
	}
}

func acceptedAs(id string, requested pay.Money, detail string) *pay.Result {
	return &pay.Result{
		Outcome: pay.OutcomeAccepted, ProviderRef: id,
		Observations: []pay.Observation{{
			Subject: pay.SubjectRefund, Refund: pay.RefundPending, ProviderRef: id, ProviderKey: refundKey,
			Amount: requested, Detail: detail,
		}},
	}
}

func TestRefund(t *testing.T) {
	t.Parallel()
	type refundTest struct {
		settings string
		two      bool // the payment has two orders
		amount   pay.Money
		want     *pay.Result
		err      *pay.Error
	}
	bare, asked := acceptedAs("", pay.Money{}, ""), tenge(500_00)
	conflict := &pay.Error{Class: pay.ClassStateConflict}
	unclear := &pay.Error{Class: pay.ClassProtocol}
	tests := map[string]refundTest{
		"empty_object": {want: bare}, "empty_list": {want: bare}, "null": {want: bare}, "renewed": {want: bare},
		"seven_fields":      {want: acceptedAs("345", asked, "")},
		"seven_fields_text": {want: acceptedAs("345", asked, "")},
		"refund_request":    {want: acceptedAs("345", asked, "")},
		"amounts_differ": {
			want: acceptedAs("345", asked, "provider names 475.00 KZT of the requested 500.00 KZT"),
		},
		"no_id":               {want: bare},
		"requested_differs":   {err: &pay.Error{Class: pay.ClassIntegrity, Field: "requested_amount"}},
		"key_differs":         {err: &pay.Error{Class: pay.ClassIntegrity, Field: "idempotency_key"}},
		"bad_amount":          {err: unclear},
		"tiyn":                {settings: tiyn, amount: tenge(500_25), want: bare},
		"unknown_code":        {err: &pay.Error{Class: pay.ClassProtocol, ProviderCode: "12"}},
		"unknown_code_4xx":    {err: &pay.Error{Class: pay.ClassProtocol, ProviderCode: "12"}},
		"html_500":            {err: unclear},
		"too_many":            {err: &pay.Error{Class: pay.ClassRateLimited}},
		"lost":                {err: &pay.Error{Class: pay.ClassTimeout, Effect: pay.EffectMaybe}},
		"not_sent":            {err: &pay.Error{Class: pay.ClassUnavailable}},
		"refused_twice":       {err: &pay.Error{Class: pay.ClassAuth, ProviderCode: "4"}},
		"second_order":        {two: true, want: bare},
		"first_order_unknown": {two: true, want: bare},
		"both_paid": {
			two: true, err: &pay.Error{Class: pay.ClassStateConflict, Advice: pay.AdviceOperator},
		},
		"none_paid":          {two: true, err: conflict},
		"one_unreadable":     {two: true, err: unclear},
		"status_down":        {two: true, err: unclear},
		"status_refuses_one": {two: true, err: &pay.Error{Class: pay.ClassProtocol, ProviderCode: "404"}},
	}
	everySection(t, "testdata/refund.txt", tests, func(t *testing.T, source string, test refundTest) {
		settings, r := plain, refund("100500")
		if test.settings != "" {
			settings, r.Amount = test.settings, test.amount
		}
		if test.two {
			r.Payment.Keys = []string{"100500", "100500-2"}
		}
		p := newPlugin(t, settings)
		p.Transcript(source)
		got, err := p.Refund(r)
		sameError(t, test.err, err)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
	})
}

// Nothing is sent in any of these: there is no transcript.
func TestRefundRefusesWhatCanNotBeCarried(t *testing.T) {
	t.Parallel()
	fraction := refund("100500")
	fraction.Amount = tenge(500_25)
	rubles := refund("100500")
	rubles.Amount = pay.New(500_00, pay.RUB)
	tests := map[string]struct {
		request pay.RefundRequest
		want    *pay.Error
	}{
		"fraction of a tenge": {fraction, &pay.Error{Class: pay.ClassInvalidRequest, Field: "amount.value"}},
		"another currency":    {rubles, &pay.Error{Class: pay.ClassInvalidRequest, Field: "amount.currency"}},
		"never sent":          {refund(), &pay.Error{Class: pay.ClassStateConflict}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newPlugin(t, plain).Refund(test.request)
			sameError(t, test.want, err)
		})
	}
}

// R11: an accepted refund shows in status later, first in part.
func TestRefundSettlesByStatus(t *testing.T) {
	t.Parallel()
	p := newPlugin(t, plain)
	p.Transcript("testdata/refund.txt#empty_object")
	if _, err := p.Refund(refund("100500")); err != nil {
		t.Fatal(err)
	}
	payment := pay.Payment{Status: pay.PaymentSucceeded, Amount: tenge(2500_00), AmountPaid: tenge(2500_00)}
	for _, step := range []struct {
		refund string
		want   pay.Money
	}{
		{``, pay.Money{}},
		{`, "refund": {"refunded_amount": 300, "refunded_cashback": 0}`, tenge(300_00)},
		{`, "refund": {"refunded_amount": 500, "refunded_cashback": 25}`, tenge(500_00)},
	} {
		p.Transcript("> POST /orders/v1/preorder/status read\n>\n> merchant_order_ids%5B%5D=100500\n< 200\n<\n" +
			`< {"error_code": 0, "data": {"100500": {"is_paid": true, "amount": 2500` + step.refund + `}}}`)
		items, err := p.Status(pay.Ref{ID: "pay_1", Keys: []string{"100500"}, Amount: payment.Amount})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := payment.Observe(items[0].Observations[0]); err != nil || payment.AmountRefunded != step.want {
			t.Errorf("refunded %s, %v; want %s", payment.AmountRefunded, err, step.want)
		}
	}
}
