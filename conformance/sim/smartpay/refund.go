package smartpay

import (
	"github.com/payhost/payhost/conformance/sim/simkit"
)

// refund is one return of money. Its states are statePending, stateSuccess and stateFail.
type refund struct {
	id        string
	kassaID   string
	till      string
	purchase  *purchase
	state     string
	amount    int64 // kopecks
	plan      string
	pollsLeft int
	ripe      countdown // to when the plan is carried out without a status call
	confirmed bool
}

// refund takes a request. Any till may refund any purchase: goods go back to another desk than they came
// from.
func (s *service) refund(sess session, in refundRequest) (refundAnswer, error) {
	if !validID(in.KassaRefundID) {
		return refundAnswer{}, refuse(CodeBadRequest)
	}
	p, err := s.anyPurchase(in.PurchaseID)
	if err != nil {
		return refundAnswer{}, err
	}
	key := ownerKey{sess.till, in.KassaRefundID}
	if r, repeated := s.refunds.byKey[key]; repeated {
		if r.purchase != p || r.amount != in.Amount {
			return refundAnswer{}, refuse(CodeRefundIDReused)
		}
		return refundAnswer{r.id}, nil
	}
	switch {
	case in.Amount < 1 || in.Amount > MaxAmount:
		return refundAnswer{}, refuse(CodeAmount)
	case p.state != stateSuccess:
		return refundAnswer{}, refuse(CodeRefundTooEarly)
	case in.Amount > p.amount-p.reserved():
		return refundAnswer{}, refuse(CodeRefundTooMuch)
	}
	r := &refund{
		id: s.refunds.nextID(), kassaID: in.KassaRefundID, till: sess.till, purchase: p,
		state: statePending, amount: in.Amount,
		plan: s.kit.Setting("refund_outcome"), pollsLeft: s.count("refund_polls"),
	}
	switch {
	case r.amount == RefundDeclined:
		r.plan = stateFail
	case r.amount == RefundWaits, r.plan == wordWaits:
		r.plan = outcomeWait
	}
	r.ripen()
	s.refunds.add(r.id, key, r)
	p.refunds = append(p.refunds, r)
	return refundAnswer{r.id}, nil
}

// ripen says when a refund settles by itself: once it need not answer pending any more.
func (r *refund) ripen() {
	if r.ripe = off; r.pollsLeft == 0 && r.plan != outcomeWait {
		r.ripe = looksLeft
	}
}

// refundStatus counts a poll of a pending refund and carries out its plan when the polls are over.
func (s *service) refundStatus(sess session, in refundStatusRequest) (okAnswer, error) {
	r, err := s.findRefund(sess, in.RefundID)
	if err != nil {
		return okAnswer{}, err
	}
	switch {
	case r.state != statePending || r.plan == outcomeWait:
	case r.pollsLeft > 0:
		r.pollsLeft--
		r.ripen()
	default:
		s.settleRefund(r, r.plan)
	}
	return okAnswer{Status: r.state}, nil
}

// refundVerdict is the till's last word: success acknowledges the money, cancel stops waiting for it.
func (s *service) refundVerdict(sess session, in refundVerdict) (okAnswer, error) {
	r, err := s.findRefund(sess, in.RefundID)
	if err != nil {
		return okAnswer{}, err
	}
	switch {
	case in.Status == stateSuccess && r.state == stateSuccess:
		r.confirmed = true
	case in.Status == stateSuccess, in.Status == verdictCancel && r.confirmed:
		return okAnswer{}, refuse(CodeRefundState)
	case in.Status != verdictCancel:
		return okAnswer{}, refuse(CodeBadRequest)
	case r.state == statePending && s.kit.Setting("refund_cancel_race") == wordFinalSuccess:
		s.settleRefund(r, stateSuccess)
	case r.state == statePending:
		s.settleRefund(r, stateFail)
	}
	return ok(), nil
}

// settleRefund ends a refund and moves its money; it fails when the purchase was voided meanwhile. A
// success that turns into a failure brings the money back.
func (s *service) settleRefund(r *refund, end string) {
	if end == stateSuccess && !r.mayPayOut() {
		end = stateFail
	}
	effect := simkit.Effect{Object: r.purchase.id, Ref: r.purchase.kassaID, Amount: r.amount, Key: r.kassaID}
	switch {
	case end == stateSuccess && r.state != stateSuccess:
		effect.Kind = simkit.Refund
		s.kit.Record(effect)
	case end != stateSuccess && r.state == stateSuccess:
		effect.Kind = simkit.Charge
		s.kit.Record(effect)
	}
	r.state = end
}

// moveRefund is the control API's word.
func (s *service) moveRefund(r *refund, outcome string) error {
	switch {
	case outcome == outcomeWait && r.state == statePending:
		r.plan, r.ripe = outcomeWait, off
	case outcome == stateSuccess && !r.mayPayOut():
		return &simkit.FieldError{Field: "outcome", Message: "the purchase has not that much left"}
	case outcome == stateSuccess, outcome == stateFail:
		s.settleRefund(r, outcome)
	default:
		return simkit.UnknownOutcome(outcome, r.outcomes())
	}
	return nil
}

// mayPayOut reports whether the purchase still has the money for the refund. The refund's own reservation
// does not count against it.
func (r *refund) mayPayOut() bool {
	if r.state == stateSuccess {
		return true
	}
	others := r.purchase.reserved()
	if r.state == statePending {
		others -= r.amount
	}
	return r.purchase.paid && r.amount <= r.purchase.amount-others
}

// findRefund finds a refund that the session's till asked for.
func (s *service) findRefund(sess session, id string) (*refund, error) {
	r, found := s.refunds.byID[id]
	if !found || r.till != sess.till {
		return nil, refuse(CodeRefundNotFound)
	}
	return r, nil
}

func (r *refund) outcomes() []string {
	words := []string{stateSuccess, stateFail}
	if r.state == statePending {
		words = append(words, outcomeWait)
	}
	return words
}

func (r *refund) object() simkit.Object {
	return simkit.Object{
		ID: r.id, Ref: r.kassaID, Kind: "refund", State: r.state, Amount: r.amount, Outcomes: r.outcomes(),
		Details: map[string]any{
			"till": r.till, "purchase_id": r.purchase.id, "confirmed": r.confirmed, "plan": r.plan,
		},
	}
}
