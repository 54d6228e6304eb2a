package smartpay

import (
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// Refund asks for money back ("Возврат", steps 1 to 3). It is safe to repeat: the
// service knows the refund by our key. It is accepted, and refund_status says when
// it is done.
func (*Provider) Refund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	if problem := checkRefund(r); problem != nil {
		return nil, problem
	}
	body, err := newClient(h).ask(refundRequest(r.Payment.ProviderRef, r.ProviderKey, r.Amount))
	if err != nil {
		return nil, refundFailure(err, &r.Intent)
	}
	id, problem := readID(body, fieldRefundID)
	if problem != nil {
		return nil, problem
	}
	return &pay.Result{
		Outcome: pay.OutcomeAccepted, ProviderRef: id, Next: pay.NextAction{Type: pay.NextWait},
		Observations: []pay.Observation{{
			Subject: pay.SubjectRefund, Refund: pay.RefundPending, ProviderRef: id,
			ProviderKey: r.ProviderKey, Amount: r.Amount,
		}},
	}, nil
}

// checkRefund refuses what the service would ("Возврат", step 3) and what it can't
// carry.
func checkRefund(r *pay.RefundRequest) *pay.Error {
	if problem := needKey(&r.Intent); problem != nil {
		return problem
	}
	if problem := needPurchase(&r.Payment); problem != nil {
		return problem
	}
	if problem := checkAmount(r.Amount); problem != nil {
		return problem
	}
	if r.Paid.IsZero() {
		return nil // the host did not say; the service will
	}
	rest := r.Paid
	if !r.Refunded.IsZero() {
		var err error
		if rest, err = rest.Sub(r.Refunded); err != nil {
			return invalid("refunded", "can't be taken from what was paid")
		}
	}
	if over, err := r.Amount.Cmp(rest); err != nil || over > 0 {
		return invalid(fieldAmount, "is more than the "+rest.String()+" that can be given back")
	}
	return nil
}

// refundFailure doubts a refusal that our own earlier send may have caused. A
// service that looks at the sum or the state before it looks at the key would refuse
// the repeat of a refund that it has carried out.
func refundFailure(err error, intent *pay.Intent) error {
	e := pay.AsError(err)
	if !sentBefore(intent) || e.ProviderCode == "" {
		return err
	}
	switch e.Class {
	case pay.ClassInvalidRequest, pay.ClassStateConflict:
		doubt := *e
		doubt.Class, doubt.Advice = pay.ClassDuplicate, pay.AdviceOperator
		doubt.Message = "refused after an earlier send whose answer was lost: " + e.Message
		return &doubt
	}
	return err
}

// RefundStatus asks after each refund by the service's id ("Возврат", step 4).
func (*Provider) RefundStatus(h *sdk.Host, refunds []pay.Ref) ([]pay.StatusItem, error) {
	c := newClient(h)
	items := make([]pay.StatusItem, 0, len(refunds))
	for i := range refunds {
		ref := &refunds[i]
		if ref.ProviderRef == "" {
			continue
		}
		o, err := c.lookRefund(ref)
		switch {
		case err != nil:
			items = append(items, noAnswer(ref.ID, err))
		case o.Refund != pay.RefundUnknown:
			items = append(items, observed(ref.ID, o))
		}
	}
	return items, nil
}

func (c *client) lookRefund(ref *pay.Ref) (pay.Observation, error) {
	body, err := c.ask(refundStatusRequest(ref.ProviderRef))
	if err != nil {
		return pay.Observation{}, err
	}
	word, problem := readWord(body)
	if problem != nil {
		return pay.Observation{}, problem
	}
	o := pay.Observation{
		Subject: pay.SubjectRefund, Refund: refundStatus(word), ProviderRef: ref.ProviderRef,
		ProviderState: short(word, 40),
	}
	switch o.Refund {
	case pay.RefundUnknown:
		c.h.Log(sdk.Warn, "unknown refund status", "word", o.ProviderState, "refund", ref.ProviderRef)
	case pay.RefundFailed:
		o.Reason = pay.DeclinedOther
	}
	return o, nil
}

// ConfirmRefund tells the service that the till saw the refund done ("Возврат", step
// 5). It is safe to repeat.
func (*Provider) ConfirmRefund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	if err := refundVerdict(h, &r.Refund, wordSuccess); err != nil {
		return nil, err
	}
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: r.Refund.ProviderRef, Next: pay.NextAction{Type: pay.NextNone},
		Observations: []pay.Observation{{
			Subject: pay.SubjectRefund, Refund: pay.RefundSucceeded, ProviderRef: r.Refund.ProviderRef,
			ProviderState: wordSuccess, Detail: "confirmed by the till",
		}},
	}, nil
}

// CancelRefund tells the service that the till stops waiting ("Возврат", step 5).
// Whether the money still goes back the document does not say: refund_status does.
func (*Provider) CancelRefund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	if err := refundVerdict(h, &r.Refund, wordCancel); err != nil {
		return nil, err
	}
	return &pay.Result{
		Outcome: pay.OutcomeAccepted, ProviderRef: r.Refund.ProviderRef, Next: pay.NextAction{Type: pay.NextWait},
	}, nil
}

func refundVerdict(h *sdk.Host, refund *pay.Ref, word string) error {
	if refund.ProviderRef == "" {
		return &pay.Error{
			Class: pay.ClassStateConflict, Field: "refund.provider_ref", Advice: pay.AdviceFix,
			Message: "the provider has not answered to the refund yet: repeat it with the same key first",
		}
	}
	return newClient(h).acknowledged(refundVerdictRequest(refund.ProviderRef, word))
}
