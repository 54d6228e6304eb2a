package pay

import "errors"

// The words of this file are how the contract's numbers are written in JSON, in
// the ledger and in the API. A zero that has no word of its own is written as an
// empty text and read back from one; every other unknown word is an error.

var subjectNames = names{SubjectPayment: "payment", SubjectRefund: "refund", SubjectReceipt: "receipt"}

// String returns the subject's name.
func (s Subject) String() string { return subjectNames.of(uint8(s)) }

func (n names) text(i uint8) []byte {
	if int(i) < len(n) {
		return []byte(n[i])
	}
	return nil
}

func (n names) parse(what string, text []byte) (uint8, error) {
	if len(text) == 0 {
		return 0, nil
	}
	if i, ok := n.find(string(text)); ok {
		return i, nil
	}
	return 0, errors.New("no such " + what + ": " + string(text[:min(len(text), 40)]))
}

// MarshalText writes the word.
func (s PaymentStatus) MarshalText() ([]byte, error) { return paymentNames.text(uint8(s)), nil }

// UnmarshalText reads the word.
func (s *PaymentStatus) UnmarshalText(text []byte) error {
	i, err := paymentNames.parse("payment status", text)
	*s = PaymentStatus(i)
	return err
}

// MarshalText writes the word.
func (s RefundStatus) MarshalText() ([]byte, error) { return refundNames.text(uint8(s)), nil }

// UnmarshalText reads the word.
func (s *RefundStatus) UnmarshalText(text []byte) error {
	i, err := refundNames.parse("refund status", text)
	*s = RefundStatus(i)
	return err
}

// MarshalText writes the word.
func (s ReceiptStatus) MarshalText() ([]byte, error) { return receiptNames.text(uint8(s)), nil }

// UnmarshalText reads the word.
func (s *ReceiptStatus) UnmarshalText(text []byte) error {
	i, err := receiptNames.parse("receipt status", text)
	*s = ReceiptStatus(i)
	return err
}

// MarshalText writes the word.
func (o Operation) MarshalText() ([]byte, error) { return operationNames.text(uint8(o)), nil }

// UnmarshalText reads the word.
func (o *Operation) UnmarshalText(text []byte) error {
	i, err := operationNames.parse("operation", text)
	*o = Operation(i)
	return err
}

// MarshalText writes the word.
func (o Outcome) MarshalText() ([]byte, error) { return outcomeNames.text(uint8(o)), nil }

// UnmarshalText reads the word.
func (o *Outcome) UnmarshalText(text []byte) error {
	i, err := outcomeNames.parse("outcome", text)
	*o = Outcome(i)
	return err
}

// MarshalText writes the word.
func (c Class) MarshalText() ([]byte, error) { return classNames.text(uint8(c)), nil }

// UnmarshalText reads the word.
func (c *Class) UnmarshalText(text []byte) error {
	i, err := classNames.parse("class", text)
	*c = Class(i)
	return err
}

// MarshalText writes the word.
func (e Effect) MarshalText() ([]byte, error) { return effectNames.text(uint8(e)), nil }

// UnmarshalText reads the word.
func (e *Effect) UnmarshalText(text []byte) error {
	i, err := effectNames.parse("effect", text)
	*e = Effect(i)
	return err
}

// MarshalText writes the word.
func (a Advice) MarshalText() ([]byte, error) { return adviceNames.text(uint8(a)), nil }

// UnmarshalText reads the word.
func (a *Advice) UnmarshalText(text []byte) error {
	i, err := adviceNames.parse("advice", text)
	*a = Advice(i)
	return err
}

// MarshalText writes the word.
func (r DeclinedReason) MarshalText() ([]byte, error) { return reasonNames.text(uint8(r)), nil }

// UnmarshalText reads the word.
func (r *DeclinedReason) UnmarshalText(text []byte) error {
	i, err := reasonNames.parse("declined reason", text)
	*r = DeclinedReason(i)
	return err
}

// MarshalText writes the word.
func (n NextActionType) MarshalText() ([]byte, error) { return nextNames.text(uint8(n)), nil }

// UnmarshalText reads the word.
func (n *NextActionType) UnmarshalText(text []byte) error {
	i, err := nextNames.parse("next action", text)
	*n = NextActionType(i)
	return err
}

// MarshalText writes the word.
func (s Subject) MarshalText() ([]byte, error) { return subjectNames.text(uint8(s)), nil }

// UnmarshalText reads the word.
func (s *Subject) UnmarshalText(text []byte) error {
	i, err := subjectNames.parse("subject", text)
	*s = Subject(i)
	return err
}

// MarshalText writes the word.
func (w Wire) MarshalText() ([]byte, error) { return names(wireNames).text(uint8(w)), nil }

// UnmarshalText reads the word.
func (w *Wire) UnmarshalText(text []byte) error {
	i, err := names(wireNames).parse("wire", text)
	*w = Wire(i)
	return err
}

// MarshalText writes the word.
func (f Found) MarshalText() ([]byte, error) { return names(foundNames).text(uint8(f)), nil }

// UnmarshalText reads the word.
func (f *Found) UnmarshalText(text []byte) error {
	i, err := names(foundNames).parse("found", text)
	*f = Found(i)
	return err
}

// MarshalText writes the word.
func (a Authenticity) MarshalText() ([]byte, error) {
	return names(authenticityNames).text(uint8(a)), nil
}

// UnmarshalText reads the word.
func (a *Authenticity) UnmarshalText(text []byte) error {
	i, err := names(authenticityNames).parse("authenticity", text)
	*a = Authenticity(i)
	return err
}

// MarshalText writes the word.
func (i Idempotency) MarshalText() ([]byte, error) { return idempotencyNames.text(uint8(i)), nil }

// UnmarshalText reads the word.
func (i *Idempotency) UnmarshalText(text []byte) error {
	n, err := idempotencyNames.parse("idempotency", text)
	*i = Idempotency(n)
	return err
}
