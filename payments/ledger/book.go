package ledger

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

// Book is a payment with all that belongs to it, or a receipt that stands alone,
// as folded from its entries. Its JSON is the stored copy.
type Book struct {
	ID       string `json:"id"`
	Version  int64  `json:"version"`            // entries folded so far
	LastSeq  int64  `json:"last_seq,omitempty"` // of the last of them
	Receipt  bool   `json:"receipt,omitempty"`  // the book is of a receipt that stands alone
	Caller   string `json:"caller"`
	Nonce    string `json:"nonce,omitempty"`
	Revision string `json:"revision,omitempty"`
	Flow     string `json:"flow,omitempty"`

	Connection  string            `json:"connection"`
	Provider    string            `json:"provider"`
	OrderID     string            `json:"order_id,omitempty"`
	ProviderRef string            `json:"provider_ref,omitempty"`
	Status      pay.PaymentStatus `json:"status,omitempty"`
	Next        *Next             `json:"next,omitempty"`
	PayerHint   string            `json:"payer_hint,omitempty"`
	Amount      Amount            `json:"amount,omitzero"`
	Paid        Amount            `json:"paid,omitzero"`
	Returned    Amount            `json:"returned,omitzero"` // what went back by the provider's own sum
	LastError   *Error            `json:"last_error,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Reversed    bool              `json:"reversed,omitempty"` // the provider took back a success
	Reopened    bool              `json:"reopened,omitempty"` // a success came after an end
	Alerts      int               `json:"alerts,omitempty"`   // contradictions that a person must look at
	Alert       *Error            `json:"alert,omitempty"`    // the latest of them

	ExpiresAt time.Time `json:"expires_at,omitzero"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`  // when the payment reached an end
	HintedAt  time.Time `json:"hinted_at,omitzero"` // when the provider last called about it
	LookedAt  time.Time `json:"looked_at,omitzero"` // when a look at a doubt that told nothing was last written down

	Operations []Operation `json:"operations,omitempty"` // in the order they began
	Refunds    []Refund    `json:"refunds,omitempty"`
	Receipts   []Receipt   `json:"receipts,omitempty"`

	encoded []byte // the book as JSON, until the next entry
}

// Operation is one intent to affect the provider, over all its attempts.
type Operation struct {
	ID          string          `json:"id"`
	Op          pay.Operation   `json:"op"`
	Attempt     int             `json:"attempt"`
	Sequence    int             `json:"sequence,omitempty"`
	ProviderKey string          `json:"provider_key,omitempty"`
	Idempotency pay.Idempotency `json:"idempotency,omitempty"`
	Amount      Amount          `json:"amount,omitzero"`
	Refund      string          `json:"refund,omitempty"`
	Receipt     string          `json:"receipt,omitempty"`
	Outcome     pay.Outcome     `json:"outcome"`
	Evidence    Evidence        `json:"evidence,omitzero"` // the worst over all attempts
	Error       *Error          `json:"error,omitempty"`
	Revision    string          `json:"revision,omitempty"`
	Base        Amount          `json:"base,omitzero"` // a refund: what had gone back before
	Actor       string          `json:"actor,omitempty"`

	HorizonMS     int64 `json:"horizon_ms,omitempty"`      // the longest that a revision declared that sent it
	KeyLifetimeMS int64 `json:"key_lifetime_ms,omitempty"` // the shortest; 0 if none did

	BeganAt    time.Time `json:"began_at"`
	SentAt     time.Time `json:"sent_at,omitzero"`     // when a writing call was last about to leave
	FirstSent  time.Time `json:"first_sent,omitzero"`  // when the first one did
	DoubtSince time.Time `json:"doubt_since,omitzero"` // zero unless in doubt; kept while it is sent again
	EndedAt    time.Time `json:"ended_at,omitzero"`    // of the last attempt
	Lease      time.Time `json:"lease,omitzero"`       // a running attempt: until when it belongs to its process
	AbsentAt   time.Time `json:"absent_at,omitzero"`   // the last of them
	Absent     int       `json:"absent,omitempty"`     // probes beyond the horizon that saw no effect of it
}

// Refund is one refund of the payment.
type Refund struct {
	ID          string           `json:"id"`
	Operation   string           `json:"operation"`
	Status      pay.RefundStatus `json:"status"`
	Amount      Amount           `json:"amount"`
	Base        Amount           `json:"base,omitzero"` // what had gone back before it was asked for
	Reason      string           `json:"reason,omitempty"`
	ProviderRef string           `json:"provider_ref,omitempty"`
	Bounced     bool             `json:"bounced,omitempty"`
	LastError   *Error           `json:"last_error,omitempty"`
	CreatedAt   time.Time        `json:"created_at"`
	UpdatedAt   time.Time        `json:"updated_at"`
}

// Receipt is one fiscal receipt of the payment, or the one that stands alone.
type Receipt struct {
	ID         string            `json:"id"`
	Operation  string            `json:"operation"`
	Status     pay.ReceiptStatus `json:"status"`
	Register   string            `json:"register_number"`
	FiscalSign string            `json:"fiscal_sign"`
	Total      Amount            `json:"total,omitzero"`
	LastError  *Error            `json:"last_error,omitempty"`
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
}

// Doubt is an operation that may or may not have happened.
type Doubt struct {
	Operation string
	Op        pay.Operation
	Since     time.Time
	Reason    string
	Amount    pay.Money // what is at stake; zero if the operation moves none
}

// PaymentID returns the id of the book's payment.
func (b *Book) PaymentID() string { return PaymentID(b.ID) }

// Operation returns an operation by id, nil if there is none.
func (b *Book) Operation(id string) *Operation {
	for i := range b.Operations {
		if b.Operations[i].ID == id {
			return &b.Operations[i]
		}
	}
	return nil
}

// Refund returns a refund by id, nil if there is none.
func (b *Book) Refund(id string) *Refund {
	for i := range b.Refunds {
		if b.Refunds[i].ID == id {
			return &b.Refunds[i]
		}
	}
	return nil
}

// ReceiptOf returns a receipt by id, nil if there is none.
func (b *Book) ReceiptOf(id string) *Receipt {
	for i := range b.Receipts {
		if b.Receipts[i].ID == id {
			return &b.Receipts[i]
		}
	}
	return nil
}

// Last returns the latest operation of a kind, nil if there is none.
func (b *Book) Last(op pay.Operation) *Operation {
	for i := len(b.Operations) - 1; i >= 0; i-- {
		if b.Operations[i].Op == op {
			return &b.Operations[i]
		}
	}
	return nil
}

// LeftBy is when the last byte of a writing call had left, at the latest: SentAt is
// written before the first one leaves.
func (o *Operation) LeftBy() time.Time {
	if o.EndedAt.After(o.SentAt) {
		return o.EndedAt
	}
	return o.SentAt
}

// Running reports whether an attempt is under way.
func (o *Operation) Running() bool {
	return o.Outcome == pay.OutcomePrepared || o.Outcome == pay.OutcomeSending
}

// Money reports whether the operation can move money.
func (o *Operation) Money() bool { return o.Op.Kind() == pay.KindMoney }

// Repeatable reports whether the operation had no effect and may be sent again
// under its own key.
func (o *Operation) Repeatable() bool {
	return o.Outcome == pay.OutcomeNotApplied && o.Error != nil && o.Error.Advice == pay.AdviceRetrySameKey
}

// Doubts returns the operations in doubt, oldest first. Receipts are left out
// unless all is asked for: they never touch the payment.
func (b *Book) Doubts(all bool) []Doubt {
	var list []Doubt
	for i := range b.Operations {
		o := &b.Operations[i]
		if o.DoubtSince.IsZero() || !all && !o.Money() {
			continue
		}
		d := Doubt{Operation: o.ID, Op: o.Op, Since: o.DoubtSince, Amount: o.Amount.Money}
		if d.Amount.IsZero() && o.Op != pay.OpBind {
			d.Amount = b.Amount.Money
		}
		if o.Error != nil {
			d.Reason = o.Error.Message
		}
		if d.Reason == "" {
			d.Reason = "no whole answer came"
		}
		list = append(list, d)
	}
	return list
}

// InDoubt returns the oldest doubt that holds up the payment, nil if there is none.
func (b *Book) InDoubt() *Doubt {
	if list := b.Doubts(false); len(list) > 0 {
		return &list[0]
	}
	return nil
}

// RefundPending returns the sum of the refunds that are asked for and not done.
func (b *Book) RefundPending() Amount {
	var sum int64
	for i := range b.Refunds {
		if b.Refunds[i].Status == pay.RefundPending {
			sum += b.Refunds[i].Amount.Minor
		}
	}
	if b.currency() == "" {
		return Amount{}
	}
	return Of(pay.New(sum, b.currency()))
}

func (b *Book) currency() pay.Currency {
	switch {
	case !b.Amount.IsZero():
		return b.Amount.Currency
	case !b.Paid.IsZero():
		return b.Paid.Currency
	}
	return b.Returned.Currency
}

// Refunded returns what went back: the provider's sum or that of the refunds that
// succeeded, whichever is more.
func (b *Book) Refunded() Amount {
	var sum int64
	for i := range b.Refunds {
		if b.Refunds[i].Status == pay.RefundSucceeded {
			sum += b.Refunds[i].Amount.Minor
		}
	}
	if sum < b.Returned.Minor {
		sum = b.Returned.Minor
	}
	if b.currency() == "" {
		return Amount{}
	}
	return Of(pay.New(sum, b.currency()))
}

// Keys returns every provider key ever sent for the payment itself, oldest first.
func (b *Book) Keys() []string {
	var keys []string
	for i := range b.Operations {
		o := &b.Operations[i]
		if o.ProviderKey != "" && (o.Op == pay.OpCreate || o.Op == pay.OpBind) {
			keys = append(keys, o.ProviderKey)
		}
	}
	return keys
}

// Ref names the payment to a plugin.
func (b *Book) Ref() pay.Ref {
	return pay.Ref{
		ID: b.PaymentID(), OrderID: b.OrderID, ProviderRef: b.ProviderRef, Keys: b.Keys(), Amount: b.Amount.Money,
		CreatedAt: b.CreatedAt,
	}
}

// RefundRef names a refund to a plugin.
func (b *Book) RefundRef(r *Refund) pay.Ref {
	ref := pay.Ref{
		ID: r.ID, OrderID: b.OrderID, ProviderRef: r.ProviderRef, Amount: r.Amount.Money, CreatedAt: r.CreatedAt,
	}
	if o := b.Operation(r.Operation); o != nil && o.ProviderKey != "" {
		ref.Keys = []string{o.ProviderKey}
	}
	return ref
}

// Encode returns the book as JSON, as it is stored. It is made once for each entry.
func (b *Book) Encode() ([]byte, error) {
	var err error
	if b.encoded == nil {
		b.encoded, err = json.Marshal(b)
	}
	return b.encoded, err
}

// Clone returns a copy that shares nothing that Apply changes.
func (b *Book) Clone() *Book {
	c := *b
	c.Operations = slices.Clone(b.Operations)
	c.Refunds = slices.Clone(b.Refunds)
	c.Receipts = slices.Clone(b.Receipts)
	return &c
}
