package rahmet

import (
	"strconv"
	"sync"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The first ids; far apart, so that an order's can't be taken for a refund's.
const (
	firstOrderID  = 7_000_001
	firstRefundID = 310_001
)

// book holds the orders and refunds. It is the simulator's Model.
type book struct {
	server *Server

	mu       sync.Mutex
	orders   []*order
	byRef    map[string][]*order
	byHash   map[string]*order
	byKey    map[string]*refund
	refunds  []*refund
	waiting  []*refund
	happened map[string]bool
}

func newBook(s *Server) *book {
	b := &book{server: s}
	b.forget()
	return b
}

// Objects lists the orders, then the refunds.
func (b *book) Objects() []simkit.Object {
	now := b.server.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	objects := make([]simkit.Object, 0, len(b.orders)+len(b.refunds))
	for _, o := range b.orders {
		objects = append(objects, o.object(now))
	}
	for _, r := range b.refunds {
		objects = append(objects, r.object())
	}
	return objects
}

// Reset forgets everything, tokens too.
func (b *book) Reset() {
	b.server.tokens.reset()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget()
}

func (b *book) forget() {
	b.orders, b.refunds, b.waiting = nil, nil, nil
	b.byRef = map[string][]*order{}
	b.byHash = map[string]*order{}
	b.byKey = map[string]*refund{}
	b.happened = map[string]bool{}
}

// Tick settles the refunds whose time has come.
func (b *book) Tick() {
	now := b.server.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := b.waiting[:0]
	for _, r := range b.waiting {
		switch {
		case r.state != refundPending:
		case now.Before(r.due):
			kept = append(kept, r)
		default:
			b.moveRefund(r, refundSettled)
		}
	}
	b.waiting = kept
}

// add opens an order, or deals with a merchant_order_id that is known already as the setting wants.
func (b *book) add(merchantID string, amount int64, l links, life time.Duration) (*order, *failure) {
	now := b.server.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if old := b.find(merchantID); old != nil {
		switch b.server.Setting(repeatCreateSetting) {
		case "error":
			return nil, &failure{code: 409, message: "Заказ с таким merchant_order_id уже существует"}
		case "same_order":
			if old.paid {
				return nil, &failure{code: 409, message: "Заказ уже оплачен"}
			}
			return old, nil
		}
	}
	o := &order{
		id: firstOrderID + int64(len(b.orders)), merchantID: merchantID, hash: newHash(),
		amount: amount, links: l, created: now, expires: now.Add(life),
	}
	b.orders = append(b.orders, o)
	b.byRef[merchantID] = append(b.byRef[merchantID], o)
	b.byHash[o.hash] = o
	return o, nil
}

// find is the order that a merchant_order_id means: one that is paid, or else the newest. It needs the
// lock.
func (b *book) find(merchantID string) *order {
	same := b.byRef[merchantID]
	for _, o := range same {
		if o.paid {
			return o
		}
	}
	if len(same) == 0 {
		return nil
	}
	return same[len(same)-1]
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

// byPage finds the order of a payment page.
func (b *book) byPage(hash string) (*order, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ok := b.byHash[hash]
	return o, ok
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }
