package aurora

import (
	"slices"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The states of an order, and the outcome that is none.
const (
	stateNew     = "new"
	statePaid    = "paid"
	stateFailed  = "failed"
	stateExpired = "expired"
	refunded     = "refunded"
)

// The states of a refund.
const (
	refundDone   = "done"
	refundFailed = "failed"
)

func orderOutcomes() []string {
	return []string{stateNew, statePaid, stateFailed, stateExpired, refunded}
}

func refundOutcomes() []string { return []string{refundDone, refundFailed} }

// order is guarded by its book.
type order struct {
	wanted
	id, state        string
	key, body        string // of the request that made it
	created, expires time.Time
	refunds          []*refund
}

// refund is a part of an order that was given back. It is guarded by its book.
type refund struct {
	order     *order
	id, state string
	key, body string // of the request that made it; empty if none did
	amount    int64
}

// paid is what the payer has paid, in cents, before refunds.
func (o *order) paid() int64 {
	if o.state != statePaid {
		return 0
	}
	return o.amount
}

// refunded is what was given back, in cents.
func (o *order) refunded() int64 {
	var sum int64
	for _, r := range o.refunds {
		if r.state == refundDone {
			sum += r.amount
		}
	}
	return sum
}

// left is what can still be given back, in cents.
func (o *order) left() int64 { return o.paid() - o.refunded() }

// details is what the control API tells of an order beyond the object itself.
type details struct {
	Key       string    `json:"idempotency_key"`
	Page      string    `json:"page_path"`
	Created   time.Time `json:"created"`
	Expires   time.Time `json:"expires"`
	Paid      int64     `json:"paid"`
	Refunded  int64     `json:"refunded"`
	ReturnURL string    `json:"return_url,omitempty"`
	NotifyURL string    `json:"notify_url,omitempty"`
}

func (o *order) object() simkit.Object {
	return simkit.Object{
		ID: o.id, Ref: o.number, Kind: "order", State: o.state, Amount: o.amount, Outcomes: orderOutcomes(),
		Details: details{
			Key: o.key, Page: pagePath + o.id, Created: o.created, Expires: o.expires,
			Paid: o.paid(), Refunded: o.refunded(), ReturnURL: o.returnURL, NotifyURL: o.notifyURL,
		},
	}
}

// refundDetails is what the control API tells of a refund beyond the object itself.
type refundDetails struct {
	Order string `json:"order"`
	Key   string `json:"idempotency_key,omitempty"`
}

func (r *refund) object() simkit.Object {
	return simkit.Object{
		ID: r.id, Kind: "refund", State: r.state, Amount: r.amount, Outcomes: refundOutcomes(),
		Details: refundDetails{r.order.id, r.key},
	}
}

// Move brings an order or a refund to an outcome, whatever its state is.
func (b *book) Move(id, outcome string) error {
	now := b.server.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := b.byID[id]; o != nil {
		if !slices.Contains(orderOutcomes(), outcome) {
			return simkit.UnknownOutcome(outcome, orderOutcomes())
		}
		b.force(o, outcome, now)
		return nil
	}
	i := slices.IndexFunc(b.refunds, func(r *refund) bool { return r.id == id })
	switch {
	case i < 0:
		return simkit.ErrNoObject
	case !slices.Contains(refundOutcomes(), outcome):
		return simkit.UnknownOutcome(outcome, refundOutcomes())
	}
	b.moveRefund(b.refunds[i], outcome)
	return nil
}

// force is a move that may go against the time. It needs the lock.
func (b *book) force(o *order, outcome string, now time.Time) {
	if outcome == refunded {
		b.move(o, statePaid)
		if left := o.left(); left > 0 {
			b.giveBack(o, left, asked{})
		}
		return
	}
	for _, r := range o.refunds { // paid means nothing given back, and an unpaid order has nothing to give
		b.moveRefund(r, refundFailed)
	}
	if outcome == stateNew && o.state != stateNew {
		if !now.Before(o.expires) { // or it would expire at once
			o.expires = now.Add(o.expires.Sub(o.created))
		}
		b.open = append(b.open, o)
	}
	b.move(o, outcome)
}

// move changes an order's state, books what that means for the money, and tells the merchant. It needs the
// lock.
func (b *book) move(o *order, state string) {
	if o.state == state {
		return
	}
	before := o.state
	o.state = state
	switch {
	case state == statePaid:
		b.record(o, simkit.Charge, o.amount, o.key)
	case before == statePaid:
		b.record(o, simkit.Reversal, o.amount, "")
	}
	if state != stateNew {
		b.notify(o, state)
	}
}

// giveBack makes a refund, which is done at once. It needs the lock.
func (b *book) giveBack(o *order, amount int64, a asked) *refund {
	r := &refund{order: o, id: "re_" + random(), key: a.key, body: a.body, amount: amount}
	b.refunds, o.refunds = append(b.refunds, r), append(o.refunds, r)
	b.moveRefund(r, refundDone)
	return r
}

// moveRefund changes a refund's state and books the money. Only an order that is paid can give back; a
// failed refund is not told, so that a test can see it found out. It needs the lock.
func (b *book) moveRefund(r *refund, state string) {
	if r.state == state || state == refundDone && r.amount > r.order.left() {
		return
	}
	r.state = state
	if state == refundFailed {
		b.record(r.order, simkit.RefundReturned, r.amount, r.key)
		return
	}
	b.record(r.order, simkit.Refund, r.amount, r.key)
	b.notify(r.order, refunded)
}

func (b *book) record(o *order, kind string, amount int64, key string) {
	b.server.Record(simkit.Effect{Kind: kind, Object: o.id, Ref: o.number, Amount: amount, Key: key})
}
