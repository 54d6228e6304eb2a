package yeniltoleg

import (
	"errors"
	"strings"

	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// state is a payment's status at the provider (table Status).
type state uint8

const (
	stateUnknown state = iota // a word that the document does not have
	statePending
	stateInProgress
	stateSucceeded
	stateRefunded
	stateCanceled
	stateFailed
	stateExpired
)

// stateOf reads a status word. The document itself writes some of them in both
// cases.
func stateOf(word string) state {
	switch strings.ToLower(word) {
	case "pending":
		return statePending
	case "inprogress":
		return stateInProgress
	case "succeeded":
		return stateSucceeded
	case "refunded":
		return stateRefunded
	case "canceled":
		return stateCanceled
	case "failed":
		return stateFailed
	case "expired":
		return stateExpired
	}
	return stateUnknown
}

// payment returns what a state means for the payment. A refunded payment was paid:
// what went back is told by the sum.
func (s state) payment() pay.PaymentStatus {
	switch s {
	case statePending:
		return pay.PaymentPending
	case stateInProgress:
		return pay.PaymentProcessing
	case stateSucceeded, stateRefunded:
		return pay.PaymentSucceeded
	case stateCanceled:
		return pay.PaymentCanceled
	case stateFailed:
		return pay.PaymentFailed
	case stateExpired:
		return pay.PaymentExpired
	}
	return pay.PaymentUnknown
}

// payment is the answer of getPaymentStatus, as far as it matters.
type payment struct {
	word   string
	state  state
	amount pay.Money // zero if the answer has none
	detail string
}

// readPayment reads the answer and holds it against what we know of the payment.
func readPayment(body json.Value, ref *pay.Ref) (*payment, *pay.Error) {
	text := func(name string) string { return body.GetFold(name).Str() }
	word, ok := body.GetFold(fieldStatus).Text()
	if !ok || word == "" {
		return nil, protocol("status: answer has no status")
	}
	if id := text(fieldID); id != "" && !json.EqualFold(id, ref.ProviderRef) {
		return nil, integrity("provider_ref", "status: answer is about another payment")
	}
	if order := text(fieldOrderNumber); order != "" && ref.OrderID != "" && order != ref.OrderID {
		return nil, integrity("order_id", "status: answer is about another order")
	}
	amount, problem := readAmount(body.GetFold(fieldAmount), ref.Amount)
	if problem != nil {
		return nil, problem
	}
	seen := &payment{word: word, state: stateOf(word), amount: amount}
	switch seen.state {
	case stateFailed, stateCanceled, stateExpired:
		seen.detail = impersonal(text(fieldReason), text(fieldName), text(fieldEmail), text(fieldCard))
	}
	return seen, nil
}

// readAmount reads an amount exactly and compares it with the one that was asked
// for, if that is known.
func readAmount(v json.Value, asked pay.Money) (pay.Money, *pay.Error) {
	if !v.Exists() {
		return pay.Money{}, nil
	}
	text, ok := v.Decimal()
	if !ok {
		return pay.Money{}, protocol("status: amount is not a number")
	}
	amount, err := pay.ParseMoney(text, currency)
	switch {
	case errors.Is(err, pay.ErrPrecision):
		return pay.Money{}, integrity("amount", "status: amount has more than two decimals")
	case err != nil:
		return pay.Money{}, protocol("status: amount can't be read exactly")
	case !asked.IsZero() && amount != asked:
		message := "status: provider has " + amount.String() + ", asked was " + asked.String()
		return pay.Money{}, integrity("amount", message)
	}
	return amount, nil
}

// impersonal returns the provider's reason unless it repeats what it knows of the
// payer, since a timeline is no place for that.
func impersonal(reason string, personal ...string) string {
	lower := strings.ToLower(reason)
	for _, p := range personal {
		if p != "" && strings.Contains(lower, strings.ToLower(p)) {
			return ""
		}
	}
	return short(reason, 200)
}

// observation returns what was seen of a payment.
func (p *payment) observation(ref *pay.Ref) pay.Observation {
	amount := p.amount
	if amount.IsZero() {
		amount = ref.Amount // not told: then it is what was asked
	}
	o := pay.Observation{
		Subject: pay.SubjectPayment, Payment: p.state.payment(), ProviderRef: ref.ProviderRef,
		ProviderState: p.word, Amount: p.amount, Detail: p.detail,
	}
	switch p.state {
	case stateSucceeded:
		o.AmountPaid = amount
	case stateRefunded: // only the whole amount can go back
		o.AmountPaid, o.AmountRefunded = amount, amount
	case stateFailed:
		o.Reason = pay.DeclinedOther
	}
	return o
}
