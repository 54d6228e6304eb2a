package smartpay

import (
	"crypto/rsa"
	"fmt"
	"strings"
	"sync"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// service is the payment service behind the wire: what it remembers, and the simkit.Model that the control
// API works on. One mutex guards all of it; the methods that answer a call run with it held.
type service struct {
	kit        *simkit.Kit // set once, before the first request
	privateKey *rsa.PrivateKey
	appKey     *rsa.PublicKey

	mu        sync.Mutex
	sessions  map[string]session // by the cookie's value
	purchases index[*purchase]
	refunds   index[*refund]
	receipts  index[*receipt]
	codes     map[string]*purchase // by one-time password
}

var _ interface {
	simkit.Model
	simkit.Ticker
} = (*service)(nil)

func newService(privateKey *rsa.PrivateKey, appKey *rsa.PublicKey) *service {
	s := &service{privateKey: privateKey, appKey: appKey}
	s.Reset()
	return s
}

// Objects lists purchases, refunds and receipts, each oldest first.
func (s *service) Objects() []simkit.Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	objects := make([]simkit.Object, 0, len(s.purchases.all)+len(s.refunds.all)+len(s.receipts.all))
	for _, p := range s.purchases.all {
		objects = append(objects, p.object())
	}
	for _, r := range s.refunds.all {
		objects = append(objects, r.object())
	}
	for _, r := range s.receipts.all {
		objects = append(objects, r.object())
	}
	return objects
}

// Move brings a purchase or refund to an outcome.
func (s *service) Move(id, outcome string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, found := s.purchases.byID[id]; found {
		return s.movePurchase(p, outcome)
	}
	if r, found := s.refunds.byID[id]; found {
		return s.moveRefund(r, outcome)
	}
	if _, found := s.receipts.byID[id]; found {
		return &simkit.FieldError{Field: "outcome", Message: "a receipt cannot be moved"}
	}
	return simkit.ErrNoObject
}

// Reset forgets everything.
func (s *service) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions = map[string]session{}
	s.purchases, s.refunds = newIndex[*purchase]("purchase"), newIndex[*refund]("refund")
	s.receipts = newIndex[*receipt]("receipt")
	s.codes = map[string]*purchase{}
}

// countdown lets the payer's bank decide between two requests: a status call must not be what moves money, since
// tills may repeat it as they like. Whoever counts the effects of a request looks at them once when it was
// answered, so what is ripe moves at the second look, which comes before the next request or when time passes.
// Where nobody looks, the next status call decides.
type countdown int

// The steps of a countdown; it is off at first.
const (
	looksLeft countdown = 2
	off       countdown = 0
)

// over counts a look, and reports whether it was the last.
func (c *countdown) over() bool {
	if *c == off {
		return false
	}
	*c--
	return *c == off
}

// Tick carries out what is decided by now, and voids the successes that no till has confirmed in time, by the
// setting confirm_within.
func (s *service) Tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.purchases.all {
		if p.state == statePending && p.ripe.over() {
			s.settle(p, p.plan)
		}
	}
	for _, r := range s.refunds.all {
		if r.state == statePending && r.ripe.over() {
			s.settleRefund(r, r.plan)
		}
	}
	limit := s.kit.DurationSetting("confirm_within")
	if limit == 0 {
		return
	}
	now := s.kit.Now()
	for _, p := range s.purchases.all {
		if p.state == stateSuccess && !p.confirmed && !now.Before(p.settled.Add(limit)) {
			s.settle(p, stateCanceled)
		}
	}
}

// ownerKey is an id that is unique at its owner only: a till's purchase, a register's receipt.
type ownerKey struct{ owner, id string }

// index keeps objects in order, and finds them by the service's id and by the owner's.
type index[T any] struct {
	kind  string
	all   []T
	byID  map[string]T
	byKey map[ownerKey]T
}

func newIndex[T any](kind string) index[T] {
	return index[T]{kind: kind, byID: map[string]T{}, byKey: map[ownerKey]T{}}
}

// nextID makes ids that are unique until the next reset and easy to read aloud.
func (x *index[T]) nextID() string { return fmt.Sprintf("%s-%06d", x.kind, len(x.all)+1) }

func (x *index[T]) add(id string, key ownerKey, object T) {
	x.all = append(x.all, object)
	x.byID[id], x.byKey[key] = object, object
}

// validID takes what a till may choose as an id: 1 to 64 visible ASCII characters.
func validID(id string) bool {
	invisible := func(c rune) bool { return c <= ' ' || c > '~' }
	return id != "" && len(id) <= 64 && !strings.ContainsFunc(id, invisible)
}
