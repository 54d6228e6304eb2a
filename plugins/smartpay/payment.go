package smartpay

import (
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// Create asks for the payer's code. The service hears of a payment only when a code
// is claimed, so nothing is sent; the amount may not be known yet.
func (*Provider) Create(_ *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	if !r.Amount.IsZero() {
		if problem := checkAmount(r.Amount); problem != nil {
			return nil, problem
		}
	}
	return &pay.Result{
		Outcome: pay.OutcomeApplied, Next: pay.NextAction{Type: pay.NextPresentCode},
		Observations: []pay.Observation{{Subject: pay.SubjectPayment, Payment: pay.PaymentPending}},
	}, nil
}

// Bind claims the code that the payer shows ("Оплата", step 2). It is safe to
// repeat: the service knows the purchase by our key and gives the same id again.
func (*Provider) Bind(h *sdk.Host, r *pay.BindRequest) (*pay.Result, error) {
	if problem := needKey(&r.Intent); problem != nil {
		return nil, problem
	}
	code, problem := parseCode(r.Code)
	if problem != nil {
		return nil, problem
	}
	if err := checkCode(h, code, &r.Intent, r.Payment.ID); err != nil {
		return nil, err
	}
	body, err := newClient(h).ask(commitRequest(r.ProviderKey, code))
	if err != nil {
		return nil, err
	}
	id, problem := readID(body, fieldPurchaseID)
	switch {
	case problem != nil:
		return nil, problem
	case r.Payment.ProviderRef != "" && r.Payment.ProviderRef != id:
		return nil, &pay.Error{
			Class: pay.ClassIntegrity, Field: "provider_ref", Advice: pay.AdviceOperator,
			Message: "provider has another purchase for the payment than before",
		}
	}
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: id, PayerHint: code.hint(),
		Next: pay.NextAction{Type: pay.NextNone},
		Observations: []pay.Observation{{
			Subject: pay.SubjectPayment, Payment: pay.PaymentPending, ProviderRef: id,
			ProviderKey: r.ProviderKey, ProviderState: wordCommitted,
		}},
	}, nil
}

// Release sends the amount ("Оплата", step 4). After a doubt status comes first.
func (*Provider) Release(h *sdk.Host, r *pay.PaymentRequest) (*pay.Result, error) {
	if problem := needPurchase(&r.Payment); problem != nil {
		return nil, problem
	}
	if problem := checkAmount(r.Amount); problem != nil {
		return nil, problem
	}
	c := newClient(h)
	if sentBefore(&r.Intent) {
		return c.releaseAgain(r)
	}
	return c.release(r)
}

func (c *client) release(r *pay.PaymentRequest) (*pay.Result, error) {
	id := r.Payment.ProviderRef
	body, err := c.ask(releaseRequest(id, r.Amount))
	if pay.ClassOf(err) == pay.ClassDuplicate {
		// The service has it already: what status shows is what came of it.
		if p, lookErr := c.look(id, r.Amount); lookErr == nil && p.released() {
			return released(p), nil
		}
	}
	if err != nil {
		return nil, err
	}
	p, problem := readPurchase(body, id, r.Amount)
	switch {
	case problem != nil:
		return nil, problem
	case !p.released():
		return nil, protocol("provider took the amount, and answers with a state that does not fit")
	}
	return released(p), nil
}

// releaseAgain goes on after a release that was sent. What status shows of it is
// adopted. A purchase that is still only claimed is proof that it had no effect only
// if the service had answered: a request whose answer was lost may still be on its
// way, so the doubt stays. The host ends it by handing on evidence that is not
// "unknown", as it does for the next operation once this one is resolved.
func (c *client) releaseAgain(r *pay.PaymentRequest) (*pay.Result, error) {
	p, err := c.look(r.Payment.ProviderRef, r.Amount)
	if err != nil {
		c.h.Log(sdk.Warn, "release is in doubt, status gives no answer", "class", pay.ClassOf(err).String())
		return inDoubt(), nil
	}
	answered := r.Earlier.Wire == pay.WireAnswered && r.Earlier.Status < 500
	switch {
	case p.released():
		return released(p), nil
	case p.status == pay.PaymentPending && answered:
		return c.release(r)
	case p.status == pay.PaymentUnknown:
		return inDoubt(), nil
	case p.status == pay.PaymentCanceled:
		return &pay.Result{Outcome: pay.OutcomeNotApplied, Observations: []pay.Observation{p.observation()}}, nil
	}
	return inDoubt(p.observation()), nil
}

// inDoubt is a result where an error would do, but for one thing: after an earlier
// answer that could not be understood, the host takes an error from an attempt that
// sent nothing as "no effect".
func inDoubt(seen ...pay.Observation) *pay.Result {
	return &pay.Result{Outcome: pay.OutcomeInDoubt, Observations: seen}
}

// released is the result of a release that reached the service. How the payment
// ends is the observation's to say, a refusal of the payer's bank included.
func released(p *purchase) *pay.Result {
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: p.id, Next: pay.NextAction{Type: pay.NextWait},
		Observations: []pay.Observation{p.observation()},
	}
}

// released reports whether a purchase's state can only come after a release. A
// canceled one tells by the sum.
func (p *purchase) released() bool {
	switch p.status {
	case pay.PaymentProcessing, pay.PaymentAuthorized, pay.PaymentFailed:
		return true
	}
	return p.status == pay.PaymentCanceled && !p.amount.IsZero()
}

// Confirm tells the service that the sale is done ("Оплата", step 6). It is safe to
// repeat.
func (*Provider) Confirm(h *sdk.Host, r *pay.PaymentRequest) (*pay.Result, error) {
	if err := verdict(h, &r.Payment, wordSuccess); err != nil {
		return nil, err
	}
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: r.Payment.ProviderRef, Next: pay.NextAction{Type: pay.NextNone},
		Observations: []pay.Observation{{
			Subject: pay.SubjectPayment, Payment: pay.PaymentSucceeded, ProviderRef: r.Payment.ProviderRef,
			ProviderState: wordSuccess, Detail: "confirmed by the till",
		}},
	}, nil
}

// Cancel tells the service that the till gives up ("Отмена оплаты"). The service
// then voids by itself: how it ended, status says, and a success that came first
// stands. It is safe to repeat.
func (*Provider) Cancel(h *sdk.Host, r *pay.PaymentRequest) (*pay.Result, error) {
	if err := verdict(h, &r.Payment, wordCancel); err != nil {
		return nil, err
	}
	return &pay.Result{
		Outcome: pay.OutcomeAccepted, ProviderRef: r.Payment.ProviderRef, Next: pay.NextAction{Type: pay.NextWait},
	}, nil
}

func verdict(h *sdk.Host, payment *pay.Ref, word string) error {
	if problem := needPurchase(payment); problem != nil {
		return problem
	}
	return newClient(h).acknowledged(verdictRequest(payment.ProviderRef, word))
}

// acknowledged sends a request whose answer says no more than ok.
func (c *client) acknowledged(r *sdk.Request) error {
	body, err := c.ask(r)
	if err != nil {
		return err
	}
	if problem := readOK(body); problem != nil {
		return problem
	}
	return nil
}

// needPurchase refuses an operation on a payment that the service has no purchase
// for. It knows our key only together with the code, so only bind can find it.
func needPurchase(payment *pay.Ref) *pay.Error {
	switch {
	case payment.ProviderRef != "":
		return nil
	case len(payment.Keys) > 0:
		return &pay.Error{
			Class: pay.ClassInDoubt, Field: "provider_ref",
			Message: "bind was sent and not answered: repeat it with the same key first",
		}
	}
	return &pay.Error{
		Class: pay.ClassStateConflict, Field: "provider_ref", Advice: pay.AdviceFix,
		Message: "no code is bound: the provider knows nothing of the payment",
	}
}

// needKey refuses an operation without the key that makes its repeat recognizable.
func needKey(i *pay.Intent) *pay.Error {
	if i.ProviderKey == "" {
		return invalid("provider_key", "is missing")
	}
	return nil
}

// checkAmount refuses what the service can't carry.
func checkAmount(amount pay.Money) *pay.Error {
	if amount.Currency != currency || amount.Minor < 1 {
		return invalid(fieldAmount, "must be more than zero "+string(currency))
	}
	return nil
}

// sentBefore reports whether an earlier attempt of an operation reached the service,
// or may have.
func sentBefore(i *pay.Intent) bool {
	return i.Earlier.Wire == pay.WireUnknown || i.Earlier.Wire == pay.WireAnswered
}
