package smartpay

import (
	"slices"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The states of a purchase on the wire; a refund has the middle three.
const (
	stateCommitted = "committed"
	statePending   = "pending"
	stateSuccess   = "success"
	stateFail      = "fail"
	stateCanceled  = "canceled"

	verdictCancel = "cancel"
	outcomeWait   = "wait"
)

// purchase is one claimed code and the payment that may follow.
type purchase struct {
	id      string
	kassaID string
	till    string
	user    string
	loyalty string
	otp     string

	state     string
	amount    int64     // kopecks; 0 until release
	plan      string    // what pending becomes: stateSuccess, stateFail, stateCanceled or outcomeWait; "" undecided
	pollsLeft int       // status calls that still answer pending before the plan is carried out
	polls     int       // status calls made while pending
	ripe      countdown // to when the plan is carried out without a status call
	race      string    // overrides the setting cancel_race
	canceling bool      // a cancel was heard while pending
	paid      bool      // the money is with the merchant
	settled   time.Time
	confirmed bool
	receipt   *fiscalRequest
	refunds   []*refund
}

// commit claims a code. A repeat with the same id and code, however old the code is by then, finds the
// same purchase: the first answer may have been lost.
func (s *service) commit(sess session, in commitRequest) (commitAnswer, error) {
	if !validID(in.KassaPurchaseID) {
		return commitAnswer{}, refuse(CodeBadRequest)
	}
	text, err := s.openCode(in.qrFields)
	if err != nil {
		return commitAnswer{}, err
	}
	key := ownerKey{sess.till, in.KassaPurchaseID}
	if p, repeated := s.purchases.byKey[key]; repeated {
		if p.otp != text.otp {
			return commitAnswer{}, refuse(CodePurchaseIDReused)
		}
		return commitAnswer{p.id}, nil
	}
	if err := s.checkFresh(text); err != nil {
		return commitAnswer{}, err
	}
	if s.codes[text.otp] != nil {
		return commitAnswer{}, refuse(CodeQRUsed)
	}
	p := &purchase{
		id: s.purchases.nextID(), kassaID: in.KassaPurchaseID, till: sess.till,
		user: text.user, loyalty: in.Loyalty, otp: text.otp, state: stateCommitted,
	}
	s.purchases.add(p.id, key, p)
	s.codes[p.otp] = p
	return commitAnswer{p.id}, nil
}

// release starts the payment of a claimed code.
func (s *service) release(sess session, in releaseRequest) (okAnswer, error) {
	p, err := s.purchase(sess, in.PurchaseID)
	if err != nil {
		return okAnswer{}, err
	}
	if in.Amount < 1 || in.Amount > MaxAmount {
		return okAnswer{}, refuse(CodeAmount)
	}
	switch {
	case p.amount != 0 && p.amount != in.Amount:
		return okAnswer{}, refuse(CodeReleasedOtherwise)
	case p.amount != 0 && s.kit.Setting("release_repeat") == wordError:
		return okAnswer{}, refuse(CodeReleased)
	case p.amount != 0:
		return okAnswer{Status: p.state}, nil
	case p.state != stateCommitted:
		return okAnswer{}, refuse(CodePurchaseState)
	case in.Amount == AmountUnlisted:
		return okAnswer{}, refuse(CodeUnlisted)
	}
	p.amount, p.state = in.Amount, statePending
	s.planPurchase(p)
	p.ripen()
	return okAnswer{Status: p.state}, nil
}

// planPurchase decides what becomes of a released purchase: the control API's word goes before the amount's,
// and that before the setting's.
func (s *service) planPurchase(p *purchase) {
	p.pollsLeft = s.count("pending_polls")
	switch {
	case p.plan != "":
		p.pollsLeft = 0
		return
	case p.amount == AmountDeclined:
		p.plan = stateFail
	case p.amount == AmountAtOnce:
		p.plan, p.pollsLeft = stateSuccess, 0
	case p.amount == AmountWaits:
		p.plan = outcomeWait
	case p.amount == AmountRaceVoid:
		p.plan, p.race = outcomeWait, wordVoid
	case p.amount == AmountRaceSuccess:
		p.plan, p.race = outcomeWait, wordFinalSuccess
	default:
		p.plan = map[string]string{
			wordApproves: stateSuccess, wordDeclines: stateFail, wordWaits: outcomeWait,
		}[s.kit.Setting("payer")]
	}
}

// ripen says when a purchase settles by itself: once it need not answer pending any more.
func (p *purchase) ripen() {
	if p.ripe = off; p.pollsLeft == 0 && p.plan != outcomeWait {
		p.ripe = looksLeft
	}
}

// status counts a poll of a pending purchase and carries out its plan when the polls are over.
func (s *service) status(sess session, in purchaseRequest) (purchaseAnswer, error) {
	p, err := s.purchase(sess, in.PurchaseID)
	if err != nil {
		return purchaseAnswer{}, err
	}
	if p.state == statePending {
		p.polls++
		if budget := s.count("poll_budget"); budget > 0 && p.polls > budget {
			return purchaseAnswer{}, refuse(CodePollBudget)
		}
		switch {
		case p.plan == outcomeWait:
		case p.pollsLeft > 0:
			p.pollsLeft--
			p.ripen()
		default:
			s.settle(p, p.plan)
		}
	}
	return purchaseAnswer{Status: p.state, Amount: p.amount}, nil
}

// verdict is the till's last word: success confirms, cancel gives up.
func (s *service) verdict(sess session, in purchaseVerdict) (okAnswer, error) {
	p, err := s.purchase(sess, in.PurchaseID)
	if err != nil {
		return okAnswer{}, err
	}
	switch in.Status {
	case stateSuccess:
		if p.state != stateSuccess {
			return okAnswer{}, refuse(CodePurchaseState)
		}
		p.confirmed = true
		return ok(), nil
	case verdictCancel:
		return s.cancel(p)
	default:
		return okAnswer{}, refuse(CodeBadRequest)
	}
}

// cancel withdraws a purchase that is not confirmed. The answer says only that the till was heard; status
// says how it ended.
func (s *service) cancel(p *purchase) (okAnswer, error) {
	race := s.kit.Setting("cancel_race")
	if p.race != "" {
		race = p.race
	}
	switch {
	case p.confirmed:
		return okAnswer{}, refuse(CodeConfirmed)
	case p.state == stateFail, p.reserved() > 0:
		return okAnswer{}, refuse(CodePurchaseState)
	case p.state == stateCommitted:
		s.settle(p, stateCanceled)
	case p.state == statePending && !p.canceling:
		s.cancelPending(p, race)
	case p.state == stateSuccess && race != wordFinalSuccess:
		s.settle(p, stateCanceled)
	}
	return ok(), nil
}

// cancelPending meets the payment on its way. Money moves now; the state follows after cancel_polls.
func (s *service) cancelPending(p *purchase, race string) {
	end := stateCanceled
	switch race {
	case wordVoid:
		s.setPaid(p, true)
		s.setPaid(p, false)
	case wordFinalSuccess:
		s.setPaid(p, true)
		end = stateSuccess
	}
	p.canceling, p.plan, p.pollsLeft = true, end, s.count("cancel_polls")
	p.ripen()
	if p.pollsLeft == 0 {
		s.settle(p, end)
	}
}

// settle ends a purchase, and moves its money to where that end wants it.
func (s *service) settle(p *purchase, end string) {
	s.setPaid(p, end == stateSuccess)
	p.state, p.settled = end, s.kit.Now()
}

// setPaid records a charge or a reversal if the money is not there yet. What was refunded before does not
// move a second time.
func (s *service) setPaid(p *purchase, paid bool) {
	if p.paid == paid {
		return
	}
	p.paid = paid
	kind := simkit.Reversal
	if paid {
		kind = simkit.Charge
	}
	s.kit.Record(simkit.Effect{
		Kind: kind, Object: p.id, Ref: p.kassaID, Amount: p.amount - p.refunded(), Key: p.kassaID,
	})
}

// purchase finds a purchase of the session's till.
func (s *service) purchase(sess session, id string) (*purchase, error) {
	p, err := s.anyPurchase(id)
	if err == nil && p.till != sess.till {
		return nil, refuse(CodePurchaseElsewhere)
	}
	return p, err
}

func (s *service) anyPurchase(id string) (*purchase, error) {
	p, found := s.purchases.byID[id]
	if !found {
		return nil, refuse(CodePurchaseNotFound)
	}
	return p, nil
}

// reserved is the sum of the refunds that succeeded or still may, in kopecks.
func (p *purchase) reserved() int64 { return p.refundSum(statePending, stateSuccess) }

// refunded is the sum that was paid back, in kopecks.
func (p *purchase) refunded() int64 { return p.refundSum(stateSuccess) }

func (p *purchase) refundSum(states ...string) int64 {
	var sum int64
	for _, r := range p.refunds {
		if slices.Contains(states, r.state) {
			sum += r.amount
		}
	}
	return sum
}

// movePurchase is the control API's word. Before release it is kept for later, except an end without
// money.
func (s *service) movePurchase(p *purchase, outcome string) error {
	open := p.state == stateCommitted || p.state == statePending
	switch {
	case outcome == outcomeWait && open, outcome == stateSuccess && p.state == stateCommitted:
		p.plan, p.ripe = outcome, off
	case outcome == stateSuccess && p.amount == 0:
		return &simkit.FieldError{Field: "outcome", Message: "the purchase ended before an amount was known"}
	case outcome == stateSuccess, outcome == stateFail, outcome == stateCanceled:
		s.settle(p, outcome)
	default:
		return simkit.UnknownOutcome(outcome, p.outcomes())
	}
	return nil
}

func (p *purchase) outcomes() []string {
	words := []string{stateSuccess, stateFail, stateCanceled}
	if p.state == stateCommitted || p.state == statePending {
		words = append(words, outcomeWait)
	}
	return words
}

func (p *purchase) object() simkit.Object {
	return simkit.Object{
		ID: p.id, Ref: p.kassaID, Kind: "purchase", State: p.state, Amount: p.amount, Outcomes: p.outcomes(),
		Details: map[string]any{
			"till": p.till, "user": p.user, "id_loyalty": p.loyalty, "confirmed": p.confirmed,
			"plan": p.plan, "polls": p.polls, "receipt": p.receipt,
		},
	}
}
