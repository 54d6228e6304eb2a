package payments

import (
	"slices"
	"time"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// lookGap is the least time between two lines about looks that told nothing.
const lookGap = time.Minute

// digest turns what was seen in one visit into entries: observations that tell
// something new, proofs of absence, and what is over by now.
func (e *Engine) digest(w *writing, h hints, s seen) {
	doubtful := len(w.book.Doubts(true)) > 0
	w.contradicted(s.payment)
	for _, o := range s.payment.Observations {
		w.news(ledger.Observed{Observation: ledger.ObservationOf(o), Source: "probe"})
	}
	known := tells(s.payment) && !contradicts(w.book, s.payment)
	told := known && slices.ContainsFunc(s.payment.Observations, unpaid)
	if !known && s.payment.Found == pay.FoundObserved {
		s.payment.Found = pay.FoundNothing // it proves nothing, neither that nothing happened nor that nobody has paid
	}
	for id, item := range s.refunds {
		w.contradicted(item)
		for _, o := range item.Observations {
			w.news(ledger.Observed{Observation: ledger.ObservationOf(o), Source: "probe", Refund: id})
		}
	}
	if !h.refundStatus {
		w.partlyReturned()
	}
	if doubtful && s.asked {
		e.weighAbsence(w, h, s)
	}
	e.giveUpRepeats(w)
	e.expire(w, h, s, told)
}

// tells reports whether an answer says how a payment is, in words that are known.
func tells(item pay.StatusItem) bool {
	return slices.ContainsFunc(item.Observations, func(o pay.Observation) bool {
		return o.Subject == pay.SubjectPayment && o.Payment != pay.PaymentUnknown
	})
}

// contradicts reports whether an answer about a payment could not be taken.
func contradicts(b *ledger.Book, item pay.StatusItem) bool {
	for _, o := range item.Observations {
		if b.Contradicts(ledger.ObservationOf(o)) != nil {
			return true
		}
	}
	return false
}

// unpaid reports whether the provider's word about a payment is that nobody has paid. A
// word that the plugin does not know is not that: it may stand for paid.
func unpaid(o pay.Observation) bool {
	return o.Subject == pay.SubjectPayment && (o.Payment == pay.PaymentCreated || o.Payment == pay.PaymentPending) &&
		o.AmountPaid.Minor == 0
}

// contradicted tells an operator of an answer that the plugin could not take for one
// about what was asked: another amount, another order. It moves nothing.
func (w *writing) contradicted(item pay.StatusItem) {
	if item.Err != nil && item.Err.Class == pay.ClassIntegrity {
		w.news(ledger.Alert{Error: ledger.ErrorOf(item.Err)})
	}
}

// partlyReturned tells an operator of a refund since which the provider's sum has risen
// by less than was asked for: it may have kept a commission, or somebody gave something
// else back at its own desk.
func (w *writing) partlyReturned() {
	for i := range w.book.Refunds {
		r := &w.book.Refunds[i]
		if r.Status != pay.RefundPending || !returnedMore(w.book, r) {
			continue
		}
		rise := pay.New(w.book.Returned.Minor-r.Base.Minor, r.Amount.Currency)
		w.news(ledger.Alert{Error: &ledger.Error{
			Class: pay.ClassIntegrity, Effect: pay.EffectMaybe, Advice: pay.AdviceOperator, Field: "refund.amount",
			Message: "provider has given back " + rise.String() + " since refund " + r.ID + " of " + r.Amount.String() + " was asked for",
		}})
	}
}

// returnedMore reports whether the provider's sum has risen since a refund was asked for.
func returnedMore(b *ledger.Book, r *ledger.Refund) bool { return b.Returned.Minor > r.Base.Minor }

// weighAbsence counts a visit in which an operation in doubt should have shown and
// did not. Two of them beyond the horizon prove that it had no effect.
func (e *Engine) weighAbsence(w *writing, h hints, s seen) {
	line := ledger.Probed{Found: s.payment.Found, Error: probeError(s)}
	for i := range w.book.Operations {
		o := &w.book.Operations[i]
		// Two looks must be apart: one answer read twice agrees with itself.
		if o.Outcome == pay.OutcomeInDoubt && s.at.Sub(o.LeftBy()) > horizonOf(o, h) && s.at.Sub(o.AbsentAt) >= h.poll &&
			absent(w.book, o, h, s) {
			line.Absent = append(line.Absent, o.ID)
		}
	}
	if len(line.Absent) > 0 {
		w.news(line)
	} else if (line.Error != nil || s.payment.Found != pay.FoundObserved) && w.now.Sub(w.book.LookedAt) >= lookGap {
		w.add(line) // a doubt is looked at rarely: its timeline may tell of almost every look
	}
	for _, id := range line.Absent {
		if o := w.book.Operation(id); o != nil && o.Outcome == pay.OutcomeInDoubt && o.Absent >= 2 {
			w.add(ledger.Resolved{
				Operation: id, Outcome: pay.OutcomeNotApplied,
				Evidence: "two status answers, both later than the provider's visibility horizon, show no effect of it",
			})
		}
	}
}

func probeError(s seen) *ledger.Error {
	if s.err != nil {
		return ledger.ErrorOf(s.err)
	}
	if s.payment.Err != nil {
		return ledger.ErrorOf(s.payment.Err)
	}
	return nil
}

// absent reports whether the visit shows that the operation had no effect, as far as
// one visit can. No information never does.
func absent(b *ledger.Book, o *ledger.Operation, h hints, s seen) bool {
	known, gone := s.payment.Found == pay.FoundObserved, s.payment.Found == pay.FoundNot
	switch o.Op {
	case pay.OpCreate, pay.OpBind:
		return gone
	case pay.OpRelease:
		return gone || known && b.Status == pay.PaymentPending
	case pay.OpConfirm:
		return known && b.Status == pay.PaymentAuthorized
	case pay.OpCancel:
		return known && !b.Status.Final()
	case pay.OpRefund:
		if h.refundStatus {
			item, asked := s.refunds[o.Refund]
			return asked && item.Found == pay.FoundNot
		}
		// Settling has looked at the sum already. One that rose by less proves nothing.
		r := b.Refund(o.Refund)
		return known && b.Status == pay.PaymentSucceeded && r != nil && !returnedMore(b, r)
	}
	return false
}

// giveUpRepeats ends operations without effect that nobody came back to repeat.
func (e *Engine) giveUpRepeats(w *writing) {
	for i := range w.book.Operations {
		o := &w.book.Operations[i]
		if o.Repeatable() && !w.now.Before(o.EndedAt.Add(repeatWindow)) && !(o.Actor == actorHost && e.owes(w.book)) {
			w.news(ledger.Abandoned{Operation: o.ID, Reason: "not repeated in time"})
		}
	}
}

// expire ends a payment that nobody paid in time. Where the provider was told of
// it, our clock alone is not enough: its last word, in this visit, must be that
// it is unpaid still, or unknown.
func (e *Engine) expire(w *writing, h hints, s seen, told bool) {
	b := w.book
	if b.Receipt || b.Status != pay.PaymentPending || runs(b) {
		return
	}
	ended, ok := endsWith(b, s, told)
	if !ok {
		return
	}
	if untold(b) {
		if !w.now.Before(expiry(b)) {
			w.news(ledger.Expired{Reason: "nobody showed a code in time, and the provider was never told of the payment"})
		}
		return
	}
	over := settledBy(b, h)
	if s.at.Before(over) || !told && s.payment.Found != pay.FoundNot {
		return
	}
	for _, r := range ended {
		w.add(r)
	}
	w.news(ledger.Expired{Reason: "not paid by " + expiry(b).Format(time.RFC3339) + ", and the provider's status says so after it"})
}

// endsWith returns how the creates in doubt end with a payment that nobody paid in time:
// those that another one has taken the place of, since their key led nowhere, and one
// that status shows to be there. Status is asked for the keys of all, so that the
// provider's word about the payment covers them. It reports false if there is any other
// doubt.
func endsWith(b *ledger.Book, s seen, told bool) (list []ledger.Resolved, ok bool) {
	last := b.Last(pay.OpCreate)
	for _, d := range b.Doubts(false) {
		o := b.Operation(d.Operation)
		r := ledger.Resolved{Operation: o.ID, Outcome: pay.OutcomeApplied}
		switch {
		case o.Op != pay.OpCreate:
			return nil, false
		case o.ID != last.ID && givenUp(o):
			r.Evidence = "a create under the next key took its place, and status, asked for both, shows the payment unpaid after its time"
		case told && isOf(b, o, s.payment):
			r.Evidence = "status shows that it was made, and the payment unpaid after its time"
		default:
			return nil, false
		}
		list = append(list, r)
	}
	return list, true
}

// isOf reports whether an answer about a payment is about what a create has made.
func isOf(b *ledger.Book, create *ledger.Operation, item pay.StatusItem) bool {
	return slices.ContainsFunc(item.Observations, func(o pay.Observation) bool {
		return o.Subject == pay.SubjectPayment && (o.ProviderKey == create.ProviderKey || o.ProviderKey == "" && len(b.Keys()) == 1)
	})
}

func runs(b *ledger.Book) bool {
	for i := range b.Operations {
		if b.Operations[i].Running() {
			return true
		}
	}
	return false
}
