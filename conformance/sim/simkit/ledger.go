package simkit

import (
	"slices"
	"sync"
	"time"
)

// Effect is one movement of money, as the provider would have made it.
type Effect struct {
	// Seq counts from 1 since the last reset.
	Seq int `json:"seq"`
	// Kind is charge, refund, reversal or refund_returned.
	Kind string `json:"kind"`
	// Object is the provider's id of the order or payment; Ref is the merchant's id of it.
	Object string `json:"object"`
	Ref    string `json:"ref"`
	// Amount is in minor units and is never negative: Kind tells the direction.
	Amount int64 `json:"amount"`
	// Key is the idempotency key under which it was asked for; empty when there was none.
	Key string    `json:"key"`
	At  time.Time `json:"at"`
}

// The kinds of [Effect]. A reversal takes a charge back without a refund; a returned refund is one that
// bounced.
const (
	Charge         = "charge"
	Refund         = "refund"
	Reversal       = "reversal"
	RefundReturned = "refund_returned"
)

// ledger is append-only between resets.
type ledger struct {
	mu      sync.Mutex
	effects []Effect
}

func (l *ledger) add(e Effect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Seq = len(l.effects) + 1
	l.effects = append(l.effects, e)
}

func (l *ledger) list() []Effect {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.effects)
}

func (l *ledger) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.effects = nil
}
