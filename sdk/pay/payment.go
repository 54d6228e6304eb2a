package pay

import "time"

// Doubt says that an operation may or may not have happened.
type Doubt struct {
	Since     time.Time
	Operation Operation
	Reason    string
}

// Payment is what the merchant sees. It is folded from observations and
// operation outcomes by [Payment.Observe]; nothing else changes its status.
type Payment struct {
	ID                  string
	Connection          string
	Provider            string
	OrderID             string
	ProviderRef         string
	Status              PaymentStatus
	Next                NextAction
	Amount              Money
	AmountPaid          Money
	AmountRefunded      Money
	AmountRefundPending Money
	InDoubt             *Doubt
	LastError           *Error
	Revision            string // digest of the plugin revision that began it
	ExpiresAt           time.Time
	CreatedAt           time.Time
	UpdatedAt           time.Time
}

// Observe folds one observation into the payment and says what it did to the
// status. It is tolerant of order and idempotent. An observation that
// contradicts what was asked for changes nothing and returns an [Error] of class
// integrity: another amount or currency, a success of another sum, more paid than
// asked, more returned than paid, a negative sum.
func (p *Payment) Observe(o Observation) (Move, error) {
	if o.Subject != SubjectPayment {
		return MoveNone, nil
	}
	if err := p.consistent(o); err != nil {
		return MoveNone, err
	}
	if p.ProviderRef == "" {
		p.ProviderRef = o.ProviderRef
	}
	move := PaymentTransitions().Move(uint8(p.Status), uint8(o.Payment))
	if move.Changes() {
		p.Status = o.Payment
	}
	p.AmountPaid = larger(p.AmountPaid, o.AmountPaid)
	if p.Status == PaymentSucceeded {
		// A success is the whole amount, also when a part was seen before or after.
		p.AmountPaid = larger(p.AmountPaid, p.Amount)
	}
	p.AmountRefunded = larger(p.AmountRefunded, o.AmountRefunded)
	return move, nil
}

func (p *Payment) consistent(o Observation) error {
	if err := p.oneCurrency(o); err != nil {
		return err
	}
	asked := p.Amount
	if asked.IsZero() {
		asked = o.Amount
	}
	paid, refunded := larger(p.AmountPaid, o.AmountPaid), larger(p.AmountRefunded, o.AmountRefunded)
	limit := asked
	if limit.IsZero() {
		limit = paid
	}
	switch {
	case !o.Amount.IsZero() && o.Amount != asked:
		return contradiction("amount", o.Amount, asked)
	case asked.IsZero():
	case paid.Minor > asked.Minor:
		return contradiction("amount_paid", paid, asked)
	case o.Payment == PaymentSucceeded && !o.AmountPaid.IsZero() && o.AmountPaid != asked:
		return contradiction("amount_paid", o.AmountPaid, asked)
	}
	if !limit.IsZero() && refunded.Minor > limit.Minor {
		return contradiction("amount_refunded", refunded, limit)
	}
	return nil
}

// oneCurrency refuses negative sums and a second currency, so that the rules on
// sums can compare minor units alone.
func (p *Payment) oneCurrency(o Observation) error {
	held := larger(p.Amount, larger(p.AmountPaid, p.AmountRefunded))
	for _, seen := range []struct {
		field string
		Money
	}{{"amount", o.Amount}, {"amount_paid", o.AmountPaid}, {"amount_refunded", o.AmountRefunded}} {
		switch {
		case seen.IsZero():
		case seen.Minor < 0, !held.IsZero() && seen.Currency != held.Currency:
			return contradiction(seen.field, seen.Money, held)
		case held.IsZero():
			held = seen.Money
		}
	}
	return nil
}

// contradiction is the integrity error of a sum that the provider reports.
func contradiction(field string, seen, held Money) error {
	return (&Error{
		Class: ClassIntegrity, Field: field,
		Message: "provider reports " + seen.String() + ", payhost has " + held.String(),
	}).Fill()
}

// Refund is one refund of a payment, as the merchant sees it.
type Refund struct {
	ID          string
	PaymentID   string
	Status      RefundStatus
	Amount      Money
	Reason      string
	ProviderRef string
	Bounced     bool // the provider took back a success; the status stays
	InDoubt     *Doubt
	LastError   *Error
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Observe folds one observation of a refund, with the rules of
// [Payment.Observe]. A failure after a success is recorded as Bounced.
func (r *Refund) Observe(o Observation) (Move, error) {
	if o.Subject != SubjectRefund {
		return MoveNone, nil
	}
	if !o.Amount.IsZero() && !r.Amount.IsZero() && o.Amount != r.Amount {
		return MoveNone, contradiction("amount", o.Amount, r.Amount)
	}
	if r.ProviderRef == "" {
		r.ProviderRef = o.ProviderRef
	}
	move := RefundTransitions().Move(uint8(r.Status), uint8(o.Refund))
	if move.Changes() {
		r.Status = o.Refund
	}
	if move == MoveReversal {
		r.Bounced = true
	}
	return move, nil
}

// Receipt is one fiscal receipt, as the merchant sees it.
type Receipt struct {
	ID             string
	PaymentID      string // "" when it stands alone
	Status         ReceiptStatus
	RegisterNumber string
	FiscalSign     string
	LastError      *Error
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Observe folds one observation of a receipt.
func (r *Receipt) Observe(o Observation) Move {
	if o.Subject != SubjectReceipt {
		return MoveNone
	}
	move := ReceiptTransitions().Move(uint8(r.Status), uint8(o.Receipt))
	if move.Changes() {
		r.Status = o.Receipt
	}
	return move
}

// larger returns the larger of two amounts of one currency; an absent one loses.
func larger(a, b Money) Money {
	switch {
	case a.IsZero():
		return b
	case b.IsZero() || a.Currency != b.Currency || a.Minor >= b.Minor:
		return a
	}
	return b
}
