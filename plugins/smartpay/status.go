package smartpay

import (
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// purchase is what the service says of a purchase.
type purchase struct {
	id     string
	word   string            // its own word
	status pay.PaymentStatus // PaymentUnknown if the word is none of ours
	amount pay.Money         // zero if not told
}

// paymentStatus returns what a state means for the payment. The service's "success"
// is not the end: the till has to confirm, and may still cancel, so the payment is
// authorized; the answer to confirm makes it succeeded. Status can't tell the two
// apart, and a payment that succeeded takes no step back.
func paymentStatus(word string) pay.PaymentStatus {
	switch word {
	case wordCommitted:
		return pay.PaymentPending
	case wordPending:
		return pay.PaymentProcessing
	case wordSuccess:
		return pay.PaymentAuthorized
	case wordFail:
		return pay.PaymentFailed
	case wordCanceled:
		return pay.PaymentCanceled
	}
	return pay.PaymentUnknown
}

// refundStatus returns what a state means for the refund.
func refundStatus(word string) pay.RefundStatus {
	switch word {
	case wordPending:
		return pay.RefundPending
	case wordSuccess:
		return pay.RefundSucceeded
	case wordFail:
		return pay.RefundFailed
	}
	return pay.RefundUnknown
}

// look asks after one purchase ("Оплата", step 5) and holds the answer against what
// was asked for.
func (c *client) look(id string, asked pay.Money) (*purchase, error) {
	body, err := c.ask(statusRequest(id))
	if err != nil {
		return nil, err
	}
	p, problem := readPurchase(body, id, asked)
	if problem != nil {
		return nil, problem
	}
	if p.status == pay.PaymentUnknown {
		c.h.Log(sdk.Warn, "unknown purchase status", "word", short(p.word, 40), "purchase", id)
	}
	return p, nil
}

func readPurchase(body json.Value, id string, asked pay.Money) (*purchase, *pay.Error) {
	word, problem := readWord(body)
	if problem != nil {
		return nil, problem
	}
	amount, told, problem := readAmount(body)
	if problem != nil {
		return nil, problem
	}
	p := &purchase{id: id, word: word, status: paymentStatus(word)}
	// A purchase that was never released has the sum 0, which says nothing. On one
	// that was, a 0 is as wrong as any other sum.
	released := word == wordPending || word == wordSuccess
	if !told || amount.Minor == 0 && !released {
		return p, nil
	}
	p.amount = amount
	if !asked.IsZero() && amount != asked {
		return nil, &pay.Error{
			Class: pay.ClassIntegrity, Field: fieldAmount, Advice: pay.AdviceOperator,
			Message: "provider has " + amount.String() + ", asked was " + asked.String(),
		}
	}
	return p, nil
}

// observation is what was seen of the payment. What was paid is not told: before
// the till confirms, the service may still take it back.
func (p *purchase) observation() pay.Observation {
	o := pay.Observation{
		Subject: pay.SubjectPayment, Payment: p.status, ProviderRef: p.id,
		ProviderState: short(p.word, 40), Amount: p.amount,
	}
	if p.status == pay.PaymentFailed {
		o.Reason = pay.DeclinedOther // the service gives no reasons
	}
	return o
}

// Status asks after each payment by the service's id; there is no other way.
func (*Provider) Status(h *sdk.Host, payments []pay.Ref) ([]pay.StatusItem, error) {
	c := newClient(h)
	items := make([]pay.StatusItem, 0, len(payments))
	for i := range payments {
		ref := &payments[i]
		if ref.ProviderRef == "" {
			continue // no code is claimed that the service could be asked about
		}
		p, err := c.look(ref.ProviderRef, ref.Amount)
		switch {
		case err != nil:
			items = append(items, noAnswer(ref.ID, err))
		case p.status != pay.PaymentUnknown:
			items = append(items, observed(ref.ID, p.observation()))
		}
	}
	return items, nil
}

// observed is the item of a reference that the service told something of.
func observed(id string, o pay.Observation) pay.StatusItem {
	return pay.StatusItem{ID: id, Found: pay.FoundObserved, Observations: []pay.Observation{o}}
}

// noAnswer is the item of a reference that there is no state of: the service does
// not know it, by its own code, or something kept us from asking.
func noAnswer(id string, err error) pay.StatusItem {
	e := pay.AsError(err)
	if e.Class == pay.ClassNotFound && e.ProviderCode != "" { // storage has a not_found of its own
		return pay.StatusItem{ID: id, Found: pay.FoundNot}
	}
	return pay.StatusItem{ID: id, Err: e}
}
