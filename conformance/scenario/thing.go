package scenario

import (
	"slices"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// thing is one object at the provider. It is guarded by its book.
type thing struct {
	kind    *objectKind
	parent  *thing // of a refund
	id, ref string
	key     string // the idempotency key that made it
	body    string // what came with the key
	state   *state
	amount  int64
	created time.Time
	revived time.Time // when it was last moved back from an end: times before that are over
	values  map[string]any

	// What the payer has paid, what has gone back of it, what is about to, and what
	// went back by the object's own state.
	charged, refunded, reserved, own int64
}

// left is what can still be given back.
func (t *thing) left() int64 { return t.charged - t.refunded - t.reserved }

// member is something that the object has.
func (t *thing) member(name string) any {
	if _, ok := builtIn[name]; ok {
		return t.builtIn(name)
	}
	return t.values[name]
}

func (t *thing) builtIn(name string) any {
	switch name {
	case "id":
		return t.id
	case "ref":
		return t.ref
	case "key":
		return t.key
	case "state":
		return t.state.name
	case "amount":
		return t.amount
	case "created":
		return t.created
	case "paid":
		return t.charged
	case "refunded":
		return t.refunded
	case "left":
		return t.left()
	}
	if _, at := t.nextRule(); !at.IsZero() {
		return at
	}
	return nil
}

// nextRule is the rule that comes first from the state that the object is in; of
// two at the same time, the one that stands first.
func (t *thing) nextRule() (next *timeRule, at time.Time) {
	for i := range t.kind.times {
		rule := &t.kind.times[i]
		due := rule.due(t)
		if slices.Contains(rule.from, t.state.name) && !due.IsZero() && (next == nil || due.Before(at)) {
			next, at = rule, due
		}
	}
	return next, at
}

// due is when a rule's time comes; zero for never.
func (r *timeRule) due(t *thing) time.Time {
	if r.at == "" {
		begin := t.created
		if t.revived.After(begin) {
			begin = t.revived
		}
		return begin.Add(r.after)
	}
	at, _ := t.values[r.at].(time.Time)
	if !at.After(t.revived) {
		return time.Time{}
	}
	return at
}

// revive keeps an object that was moved by hand where it is, though its time is
// over.
func (t *thing) revive(now time.Time) {
	if _, at := t.nextRule(); !at.IsZero() && !at.After(now) {
		t.revived = now
	}
}

// settle books what a state means for the money.
func (t *thing) settle(before string, record func(simkit.Effect)) {
	if t.parent != nil {
		t.settleRefund(before, record)
		return
	}
	effect := func(kind string, amount int64) {
		if amount > 0 {
			record(simkit.Effect{Kind: kind, Object: t.id, Ref: t.ref, Amount: amount, Key: t.key})
		}
	}
	if t.state.money == nothing {
		effect(simkit.Reversal, t.charged-t.refunded)
		t.charged, t.refunded, t.own = 0, 0, 0
		return
	}
	if t.charged == 0 {
		t.charged = t.amount
		effect(simkit.Charge, t.amount)
	}
	switch t.state.money {
	case charged:
		effect(simkit.RefundReturned, t.own)
		t.refunded, t.own = t.refunded-t.own, 0
	case refunded:
		back := t.charged - t.refunded
		effect(simkit.Refund, back)
		t.refunded, t.own = t.refunded+back, t.own+back
	}
}

// settleRefund books what became of a refund, with the payment that it is of.
func (t *thing) settleRefund(before string, record func(simkit.Effect)) {
	p, now := t.parent, t.state.money
	if before == now {
		return
	}
	switch before {
	case reserved:
		p.reserved -= t.amount
	case refunded:
		p.refunded = max(p.refunded-t.amount, 0) // a reversal may have come between
	}
	switch now {
	case reserved:
		p.reserved += t.amount
	case refunded:
		p.refunded += t.amount
	}
	kind := simkit.Refund
	if now != refunded {
		kind = simkit.RefundReturned
	}
	if now == refunded || before == refunded {
		record(simkit.Effect{Kind: kind, Object: p.id, Ref: p.ref, Amount: t.amount, Key: t.key})
	}
}

// object is how the control API shows it.
func (t *thing) object() simkit.Object {
	details := map[string]any{"created": t.created}
	if t.key != "" {
		details["key"] = t.key
	}
	for name, value := range t.values {
		if value != nil {
			details[name] = value
		}
	}
	return simkit.Object{
		ID: t.id, Ref: t.ref, Kind: t.kind.name, State: t.state.name, Amount: t.amount,
		Outcomes: t.kind.stateNames(), Details: details,
	}
}
