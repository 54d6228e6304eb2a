package yeniltoleg

import (
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// undoing is cancel or refund. The provider knows no key for either, so what
// became of a lost one is read from the payment's status.
type undoing struct {
	name   string
	path   string
	from   state // where the payment must be
	to     state // where it then is
	intent *pay.Intent
	ref    *pay.Ref
	done   func(*payment) []pay.Observation
}

// Cancel withdraws a payment that nobody has begun to pay (section "Запрос отмены
// платежа").
func (*Provider) Cancel(h *sdk.Host, r *pay.PaymentRequest) (*pay.Result, error) {
	u := undoing{
		name: "cancel", path: pathCancel, from: statePending, to: stateCanceled,
		intent: &r.Intent, ref: &r.Payment,
	}
	u.done = func(seen *payment) []pay.Observation {
		return []pay.Observation{seen.observation(&r.Payment)}
	}
	return u.run(h)
}

// Refund gives the whole amount back (section "Возврат средств"); the call has no
// amount.
func (*Provider) Refund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	paid := r.Paid
	if paid.IsZero() {
		paid = r.Payment.Amount
	}
	if r.Amount != paid {
		return nil, invalid("amount", "must be the whole amount that was paid: the provider has no partial refund")
	}
	u := undoing{
		name: "refund", path: pathRefund, from: stateSucceeded, to: stateRefunded,
		intent: &r.Intent, ref: &r.Payment,
	}
	u.done = func(seen *payment) []pay.Observation {
		back := pay.Observation{
			Subject: pay.SubjectRefund, Refund: pay.RefundSucceeded, ProviderState: seen.word, Amount: r.Amount,
		}
		return []pay.Observation{back, seen.observation(&r.Payment)}
	}
	return u.run(h)
}

func (u *undoing) run(h *sdk.Host) (*pay.Result, error) {
	switch {
	case u.ref.ProviderRef == "":
		return nil, noID()
	case !validID(u.ref.ProviderRef):
		return nil, invalid("provider_ref", "is no payment id of this provider")
	}
	if u.intent.Attempt > 1 || doubtful(u.intent) {
		// An earlier send may have arrived. The request has no key, so look first: a
		// look costs little, even where the host knows that nothing was sent.
		seen, problem := look(h, u.ref)
		switch {
		case problem != nil:
			return nil, problem
		case seen.state == u.to:
			return u.applied(seen), nil
		case seen.state == stateUnknown:
			return nil, protocol(u.name + ": status has a word that is not known, so nothing was sent")
		case seen.state != u.from:
			return nil, conflict(u.name, seen)
		}
	}
	a, err := send(h, sdk.PostJSON(u.path, paymentBody(u.ref.ProviderRef), sdk.Money))
	if err != nil {
		return nil, err
	}
	return u.read(h, a)
}

// read reads the answer to cancel or refund.
func (u *undoing) read(h *sdk.Host, a *answer) (*pay.Result, error) {
	result, told := a.result()
	switch {
	case a.status == 400:
		return u.refused(h, failure(a))
	case !a.success():
		return nil, failure(a)
	case !told:
		return nil, protocol(u.name + ": answer does not say whether it was done")
	}
	if id := a.text(fieldPaymentID); id != "" && !json.EqualFold(id, u.ref.ProviderRef) {
		return nil, integrity("provider_ref", u.name+": answer is about another payment")
	}
	if !result {
		return u.refused(h, declined(a))
	}
	return u.applied(&payment{state: u.to}), nil
}

// refused asks for the status to tell why the provider said no, since it has no
// codes: because it was done before, because of the payment's state, or for a
// reason of its own.
func (u *undoing) refused(h *sdk.Host, no *pay.Error) (*pay.Result, error) {
	seen, problem := look(h, u.ref)
	switch {
	case problem != nil || seen.state == stateUnknown || seen.state == u.from:
		return nil, no
	case seen.state == u.to:
		return u.applied(seen), nil
	}
	e := conflict(u.name, seen)
	e.ProviderMessage = no.ProviderMessage
	return nil, e
}

func (u *undoing) applied(seen *payment) *pay.Result {
	return &pay.Result{Outcome: pay.OutcomeApplied, ProviderRef: u.ref.ProviderRef, Observations: u.done(seen)}
}

// conflict says that a payment is not where the operation needs it.
func conflict(name string, seen *payment) *pay.Error {
	return &pay.Error{
		Class: pay.ClassStateConflict, ProviderCode: seen.word,
		Message: name + ": the provider has the payment as " + seen.word,
	}
}
