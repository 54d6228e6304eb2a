package yeniltoleg

import (
	"fmt"
	"sync"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// book holds the payments. It is the simulator's Model.
type book struct {
	server *Server

	mu       sync.Mutex
	payments []*payment
	byID     map[string]*payment
	byKey    map[string]*payment
	byNumber map[string]*payment
	byPage   map[string]*payment
	happened map[string]bool
	rrn      int
}

func newBook(s *Server) *book {
	b := &book{server: s}
	b.Reset()
	return b
}

// Objects lists the payments.
func (b *book) Objects() []simkit.Object {
	now := b.server.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	objects := make([]simkit.Object, 0, len(b.payments))
	for _, p := range b.payments {
		p.catchUp(now)
		objects = append(objects, p.object())
	}
	return objects
}

// Reset forgets everything.
func (b *book) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.payments, b.rrn = nil, 0
	b.byID, b.byKey = map[string]*payment{}, map[string]*payment{}
	b.byNumber, b.byPage = map[string]*payment{}, map[string]*payment{}
	b.happened = map[string]bool{}
}

// add registers a payment, or finds the one that the key made before.
func (b *book) add(o order) (*payment, *problem) {
	now, session := b.server.Now(), b.server.DurationSetting(sessionSetting)
	b.mu.Lock()
	defer b.mu.Unlock()
	if old := b.byKey[o.key]; old != nil {
		if old.body != o.body && b.server.Setting(sameKeySetting) == "error" {
			return nil, invalid("IdempotencyKey", messageKey)
		}
		return old, nil
	}
	if b.byNumber[o.number] != nil && b.server.Setting(duplicateOrderSetting) == "error" {
		return nil, invalid("OrderNumber", "Заказ с таким 'Order Number' уже зарегистрирован.")
	}
	p := &payment{
		order: o, id: newUUID(), page: newUUID(),
		state: pending, created: now, sessionEnd: now.Add(session),
	}
	b.payments = append(b.payments, p)
	b.byID[p.id], b.byKey[o.key], b.byNumber[o.number], b.byPage[p.page] = p, p, p, p
	b.work(p)
	return p, nil
}

// work does what a magic amount asks for. It needs the lock.
func (b *book) work(p *payment) {
	switch p.amount % 100 {
	case magicSucceed:
		b.move(p, succeeded)
	case magicFail:
		b.move(p, failed)
	case magicBegin:
		b.move(p, inProgress)
	}
}

// once is true the first time that it is asked about something.
func (b *book) once(what string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.happened[what] {
		return false
	}
	b.happened[what] = true
	return true
}

// amountOf is the amount of a payment; 0 when there is none.
func (b *book) amountOf(id string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.byID[id]; p != nil {
		return p.amount
	}
	return 0
}

// nextRRN is a bank's reference: twelve digits. It needs the lock.
func (b *book) nextRRN() string {
	b.rrn++
	return fmt.Sprintf("%012d", 240_000_000_000+b.rrn)
}
