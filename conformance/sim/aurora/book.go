package aurora

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// book holds the orders and refunds. It is the simulator's Model.
type book struct {
	server *Server

	mu      sync.Mutex
	orders  []*order
	byID    map[string]*order
	refunds []*refund
	// open are the orders that were new when they were last looked at.
	open []*order
	// What an Idempotency-Key has made; a key of one path is none of the other's.
	orderByKey  map[string]*order
	refundByKey map[string]*refund
	happened    map[string]bool
	outbox      []letter
}

// letter is a notification that waits for its time.
type letter struct {
	due  time.Time
	call simkit.Delivery
}

func newBook(s *Server) *book {
	b := &book{server: s}
	b.Reset()
	return b
}

// Objects lists the orders, then the refunds.
func (b *book) Objects() []simkit.Object {
	b.mu.Lock()
	defer b.mu.Unlock()
	objects := make([]simkit.Object, 0, len(b.orders)+len(b.refunds))
	for _, o := range b.orders {
		objects = append(objects, o.object())
	}
	for _, r := range b.refunds {
		objects = append(objects, r.object())
	}
	return objects
}

// Reset forgets everything.
func (b *book) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.orders, b.refunds, b.open, b.outbox = nil, nil, nil, nil
	b.byID = map[string]*order{}
	b.orderByKey, b.refundByKey = map[string]*order{}, map[string]*refund{}
	b.happened = map[string]bool{}
}

// Tick ends the orders whose time is over and sends the notifications that are due.
func (b *book) Tick() {
	now := b.server.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := b.open[:0]
	for _, o := range b.open {
		switch {
		case o.state != stateNew:
		case now.Before(o.expires):
			kept = append(kept, o)
		default:
			b.move(o, stateExpired)
		}
	}
	b.open = kept
	b.post(now)
}

// find is the order with this id, or nil.
func (b *book) find(id string) *order {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.byID[id]
}

// addOrder makes an order, or finds the one that the key made before.
func (b *book) addOrder(a asked, w wanted) (*order, *refusal) {
	now, life := b.server.Now(), b.server.DurationSetting(lifetimeSetting)
	magic := w.amount % 100
	b.mu.Lock()
	defer b.mu.Unlock()
	switch old := b.orderByKey[a.key]; {
	case old != nil && old.body != a.body:
		return nil, keyReused()
	case old != nil:
		return old, nil
	case magic == magicDeclined:
		return nil, declined()
	case magic == magicBreakBefore && b.once("order "+a.key):
		return nil, broken()
	}
	o := &order{
		wanted: w, id: "ord_" + random(), key: a.key, body: a.body,
		created: now, expires: now.Add(life), state: stateNew,
	}
	b.orders, b.open = append(b.orders, o), append(b.open, o)
	b.byID[o.id], b.orderByKey[a.key] = o, o
	switch magic {
	case magicPaid:
		b.move(o, statePaid)
	case magicBreakAfter:
		return nil, broken() // the key finds the order next time
	}
	return o, nil
}

// addRefund gives a part of an order back, or finds the refund that the key made before.
func (b *book) addRefund(a asked, id string, amount int64) (*refund, *refusal) {
	magic := amount % 100
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.byID[id]
	switch old := b.refundByKey[a.key]; {
	case old != nil && old.body != a.body:
		return nil, keyReused()
	case old != nil:
		return old, nil
	case o == nil:
		return nil, badField("order_id", "no such order")
	case o.state != statePaid:
		return nil, badField("order_id", "the order is not paid")
	case amount > o.left():
		return nil, badField("amount", "more than is left of the order")
	case magic == magicRefundDeclined:
		return nil, declined()
	case magic == magicRefundNoEffect && b.once("refund "+a.key):
		return nil, broken()
	}
	r := b.giveBack(o, amount, a)
	b.refundByKey[a.key] = r
	if magic == magicRefundBreak {
		return nil, broken() // the key finds the refund next time
	}
	return r, nil
}

// once is true the first time that it is asked about something. It needs the lock.
func (b *book) once(what string) bool {
	before := b.happened[what]
	b.happened[what] = true
	return !before
}

// random is the part of an id that can't be guessed.
func random() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails
	return hex.EncodeToString(b[:])
}
