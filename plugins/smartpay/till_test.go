package smartpay_test

import (
	"testing"

	"github.com/payhost/payhost/sdk/pay"
)

func TestBindRepeated(t *testing.T) {
	t.Parallel()
	p := openTill(t, "testdata/bind.txt#lost")
	request := pay.BindRequest{
		Intent: pay.Intent{ProviderKey: "1-1768471200-1"},
		Code:   `{"id_loyalty": "1", "encrypted": "a", "sign": "a"}`,
	}
	_, err := p.Bind(request)
	equal(t, "lost", failed(t, err), failure{Class: pay.ClassTimeout, Effect: pay.EffectMaybe})

	p.Transcript(claimed) // S3: the same key, so the same purchase
	request.Attempt, request.Earlier = 2, pay.Evidence{Wire: pay.WireUnknown}
	request.Payment.ProviderRef = "p-1"
	if _, err := p.Bind(request); err != nil {
		t.Error(err)
	}
	p.Transcript(claimed)
	request.Payment.ProviderRef = "p-2"
	_, err = p.Bind(request)
	equal(t, "another purchase", failed(t, err), failure{
		Class: pay.ClassIntegrity, Field: "provider_ref", Advice: pay.AdviceOperator,
	})
}

func TestRelease(t *testing.T) {
	t.Parallel()
	type outcome struct {
		Outcome pay.Outcome
		Status  pay.PaymentStatus
		Failure failure
	}
	unknown := pay.Evidence{Wire: pay.WireUnknown, Calls: 1}
	garbled := pay.Evidence{Wire: pay.WireAnswered, Status: 200, Calls: 1}
	broken := pay.Evidence{Wire: pay.WireAnswered, Status: 502, Calls: 1}
	applied := func(s pay.PaymentStatus) outcome { return outcome{Outcome: pay.OutcomeApplied, Status: s} }
	doubt := outcome{Outcome: pay.OutcomeInDoubt}
	tests := map[string]struct {
		section string
		earlier pay.Evidence
		want    outcome
	}{
		"first":                      {section: "sent", want: applied(pay.PaymentProcessing)},
		"earlier was not sent":       {section: "sent", earlier: pay.Evidence{Wire: pay.WireNotSent}, want: applied(pay.PaymentProcessing)},
		"lost":                       {section: "lost", want: outcome{Failure: failure{Class: pay.ClassTimeout, Effect: pay.EffectMaybe}}},
		"answers success":            {section: "already_success", want: applied(pay.PaymentAuthorized)},
		"answers fail":               {section: "already_failed", want: applied(pay.PaymentFailed)},
		"answers an odd word":        {section: "odd_word", want: outcome{Failure: failure{Class: pay.ClassProtocol}}},
		"answers committed":          {section: "still_committed", want: outcome{Failure: failure{Class: pay.ClassProtocol}}},
		"echoes another amount":      {section: "other_amount_echoed", want: outcome{Failure: failure{Class: pay.ClassIntegrity, Field: "amount", Advice: pay.AdviceOperator}}},
		"duplicate, adopted":         {section: "repeat_refused_adopted", want: applied(pay.PaymentProcessing)},
		"duplicate, status is down":  {section: "repeat_refused_unclear", want: outcome{Failure: failure{Class: pay.ClassDuplicate, Code: "3005"}}},
		"released at another amount": {section: "released_with_another_amount", want: outcome{Failure: failure{Class: pay.ClassIntegrity, Field: "amount", Advice: pay.AdviceOperator, Code: "3006"}}},

		// After a doubt status comes first, and nothing is sent on top of a doubt.
		"after a doubt: pending":           {section: "status_pending", earlier: unknown, want: applied(pay.PaymentProcessing)},
		"after a doubt: success":           {section: "status_success", earlier: unknown, want: applied(pay.PaymentAuthorized)},
		"after a doubt: fail":              {section: "status_fail", earlier: unknown, want: applied(pay.PaymentFailed)},
		"after a doubt: canceled after it": {section: "status_canceled_after_release", earlier: unknown, want: applied(pay.PaymentCanceled)},
		"after a doubt: canceled":          {section: "status_canceled_before_release", earlier: unknown, want: outcome{Outcome: pay.OutcomeNotApplied, Status: pay.PaymentCanceled}},
		"after a doubt: committed":         {section: "status_committed", earlier: unknown, want: outcome{Outcome: pay.OutcomeInDoubt, Status: pay.PaymentPending}},
		"after a doubt: odd word":          {section: "status_odd", earlier: unknown, want: doubt},
		"after a doubt: no answer":         {section: "status_down", earlier: unknown, want: doubt},
		"after a doubt: another amount":    {section: "status_other_amount", earlier: unknown, want: doubt},
		"after a bad gateway: committed":   {section: "status_committed", earlier: broken, want: outcome{Outcome: pay.OutcomeInDoubt, Status: pay.PaymentPending}},
		"after a bad gateway: no answer":   {section: "status_down", earlier: broken, want: doubt},
		// The service had answered, so its word that nothing happened is proof.
		"after an odd answer: committed": {section: "committed_then_sent", earlier: garbled, want: applied(pay.PaymentProcessing)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := openTill(t, "testdata/release.txt#"+tt.section)
			intent := pay.Intent{Earlier: tt.earlier}
			if tt.earlier.Wire != pay.WireNone {
				intent.Attempt = 2
			}
			result, err := p.Release(pay.PaymentRequest{Intent: intent, Payment: bound(), Amount: kopecks(25050)})
			got := outcome{Failure: failed(t, err)}
			if result != nil {
				got.Outcome = result.Outcome
				for _, o := range result.Observations {
					got.Status = o.Payment
				}
			}
			equal(t, "outcome", got, tt.want)
		})
	}
}

// TestNothingIsSentThatCannotBe has no transcript: a request would fail it.
func TestNothingIsSentThatCannotBe(t *testing.T) {
	t.Parallel()
	p := openTill(t, "")
	unbound := pay.Ref{ID: "pay_1"}
	doubtful := pay.Ref{ID: "pay_1", Keys: []string{"1-1768471200-1"}}
	conflict := failure{Class: pay.ClassStateConflict, Field: "provider_ref", Advice: pay.AdviceFix}
	inDoubt := failure{Class: pay.ClassInDoubt, Field: "provider_ref"}
	amount := failure{Class: pay.ClassInvalidRequest, Field: "amount"}
	type call func() (*pay.Result, error)
	release := func(ref pay.Ref, amount pay.Money) call {
		return func() (*pay.Result, error) { return p.Release(pay.PaymentRequest{Payment: ref, Amount: amount}) }
	}
	refund := func(ref pay.Ref, r pay.RefundRequest) call {
		return func() (*pay.Result, error) { r.Payment = ref; return p.Refund(r) }
	}
	tests := map[string]struct {
		call call
		want failure
	}{
		"release: no code bound":   {release(unbound, kopecks(1)), conflict},
		"release: bind in doubt":   {release(doubtful, kopecks(1)), inDoubt},
		"release: no amount":       {release(bound(), pay.Money{}), amount},
		"release: zero":            {release(bound(), kopecks(0)), amount},
		"release: negative":        {release(bound(), kopecks(-1)), amount},
		"release: tenge":           {release(bound(), pay.New(100, pay.KZT)), amount},
		"confirm: no code bound":   {func() (*pay.Result, error) { return p.Confirm(pay.PaymentRequest{Payment: unbound}) }, conflict},
		"cancel: no code bound":    {func() (*pay.Result, error) { return p.Cancel(pay.PaymentRequest{Payment: unbound}) }, conflict},
		"cancel: bind in doubt":    {func() (*pay.Result, error) { return p.Cancel(pay.PaymentRequest{Payment: doubtful}) }, inDoubt},
		"refund: no code bound":    {refund(unbound, pay.RefundRequest{Amount: kopecks(1)}), conflict},
		"refund: no amount":        {refund(bound(), pay.RefundRequest{}), amount},
		"refund: tenge":            {refund(bound(), pay.RefundRequest{Amount: pay.New(1, pay.KZT)}), amount},
		"refund: more than paid":   {refund(bound(), pay.RefundRequest{Amount: kopecks(101), Paid: kopecks(100)}), amount},
		"refund: more than left":   {refund(bound(), pay.RefundRequest{Amount: kopecks(51), Paid: kopecks(100), Refunded: kopecks(50)}), amount},
		"refund: paid in tenge":    {refund(bound(), pay.RefundRequest{Amount: kopecks(1), Paid: pay.New(100, pay.KZT)}), amount},
		"refund: refunded in euro": {refund(bound(), pay.RefundRequest{Amount: kopecks(1), Paid: kopecks(100), Refunded: pay.New(1, "EUR")}), failure{Class: pay.ClassInvalidRequest, Field: "refunded"}},
		"confirm_refund: no id":    {func() (*pay.Result, error) { return p.ConfirmRefund(pay.RefundRequest{Payment: bound()}) }, failure{Class: pay.ClassStateConflict, Field: "refund.provider_ref", Advice: pay.AdviceFix}},
		"cancel_refund: no id":     {func() (*pay.Result, error) { return p.CancelRefund(pay.RefundRequest{Payment: bound()}) }, failure{Class: pay.ClassStateConflict, Field: "refund.provider_ref", Advice: pay.AdviceFix}},
	}
	for name, tt := range tests {
		_, err := tt.call()
		equal(t, name, failed(t, err), tt.want)
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	for section, want := range map[string]failure{
		"confirmed_again":   {},
		"confirm_too_early": {Class: pay.ClassStateConflict, Code: "3007"},
		"confirm_lost":      {Class: pay.ClassTimeout, Effect: pay.EffectMaybe},
	} {
		p := openTill(t, "testdata/till.txt#"+section)
		result, err := p.Confirm(pay.PaymentRequest{
			Intent: pay.Intent{Attempt: 2, Earlier: pay.Evidence{Wire: pay.WireUnknown}}, Payment: bound(),
		})
		equal(t, section, failed(t, err), want)
		if err == nil && (result.Outcome != pay.OutcomeApplied || result.Observations[0].Payment != pay.PaymentSucceeded) {
			t.Errorf("%s: %+v", section, result)
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for section, want := range map[string]pay.PaymentStatus{
		"canceled": 0, "cancel_meets_success": pay.PaymentAuthorized, "cancel_voids": pay.PaymentCanceled,
	} {
		p := openTill(t, "testdata/till.txt#"+section)
		result, err := p.Cancel(pay.PaymentRequest{Payment: bound()})
		if err != nil {
			t.Fatalf("%s: %v", section, err)
		}
		// The service voids by itself, later: the answer is no news of the payment.
		if result.Outcome != pay.OutcomeAccepted || len(result.Observations) > 0 {
			t.Errorf("%s: %+v", section, result)
		}
		if want == 0 {
			continue
		}
		items, err := p.Status(bound())
		if err != nil {
			t.Fatalf("%s: %v", section, err)
		}
		equal(t, section, items[0].Observations[0].Payment, want)
	}
	_, err := openTill(t, "testdata/till.txt#cancel_after_confirm").Cancel(pay.PaymentRequest{Payment: bound()})
	equal(t, "after confirm", failed(t, err), failure{Class: pay.ClassStateConflict, Code: "3008"})
}
