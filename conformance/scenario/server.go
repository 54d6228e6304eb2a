package scenario

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// server is a running simulator.
type server struct {
	*simkit.Kit
	*file
	courier *courier

	mu     sync.Mutex
	things []*thing
	byID   map[string]*thing
	byKey  map[string]*thing // by kind and key
}

func newServer(f *file) *server {
	s := &server{file: f}
	s.courier = newCourier()
	s.forget()
	s.Kit = simkit.New(simkit.Config{App: http.HandlerFunc(s.serve), Model: model{s}})
	return s
}

// model is what the Kit sees of the server: the Kit has methods of the same names.
type model struct{ s *server }

// Objects lists the objects.
func (m model) Objects() []simkit.Object {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	objects := make([]simkit.Object, len(m.s.things))
	for i, t := range m.s.things {
		objects[i] = t.object()
	}
	return objects
}

// Move brings an object to a state, whatever its state is.
func (m model) Move(id, outcome string) error {
	s, now := m.s, m.s.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.byID[id]
	if t == nil {
		return simkit.ErrNoObject
	}
	to := t.kind.state(outcome)
	if to == nil {
		return simkit.UnknownOutcome(outcome, t.kind.stateNames())
	}
	s.catchUp(t, now)
	s.move(t, to, nil, now)
	t.revive(now)
	return nil
}

// Reset forgets everything.
func (m model) Reset() {
	m.s.forget()
	m.s.courier.clear()
}

// Tick lets time do what it does.
func (m model) Tick() {
	now := m.s.Now()
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	for _, t := range m.s.things {
		m.s.catchUp(t, now)
	}
}

func (s *server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.things, s.byID, s.byKey = nil, map[string]*thing{}, map[string]*thing{}
}

// Close closes the Kit, and waits for the calls to the merchant that are under way.
func (s *server) Close() error {
	err := s.Kit.Close()
	s.courier.close()
	return err
}

// WaitDeliveries returns when no call to the merchant is under way.
func (s *server) WaitDeliveries() { s.courier.wait() }

// Deliveries are the finished calls to the merchant.
func (s *server) Deliveries() []simkit.Delivery { return s.courier.list() }

// env is what templates can name.
func (f *file) env(r *request) *env {
	return &env{file: f, request: r, objects: map[*objectKind]*thing{}}
}

// serve answers a request.
func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	got, err := receive(r)
	if err != nil {
		simkit.Cut()
	}
	e := s.env(got)
	e.now = s.Now()
	answer := s.handle(e)
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.status)
	// A client that has gone is not the simulator's trouble.
	_, _ = w.Write(answer.body)
}

func (s *server) handle(e *env) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.every {
		if r.when(e) {
			return r.give(e)
		}
	}
	for _, c := range s.calls {
		if c.fits(e) {
			return s.run(c, e)
		}
	}
	if s.noSuchCall != nil {
		return s.noSuchCall.write(e)
	}
	return reply{http.StatusNotFound, http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, []byte("no such call\n")}
}

// fits reports whether the request is this call.
func (c *call) fits(e *env) bool {
	if e.request.Method != c.method {
		return false
	}
	e.request.params = match(c.pattern, e.request.URL.EscapedPath())
	return e.request.params != nil && (c.when == nil || c.when(e))
}

// give answers with a refusal.
func (r *refusal) give(e *env) reply {
	if r.field != nil {
		e.field, e.message = r.field.eval(e).(string), r.message.eval(e).(string)
	}
	return r.answer.write(e)
}

// run does what a call does. It needs the lock.
func (s *server) run(c *call, e *env) reply {
	if bad := c.read(e.request); bad != nil {
		e.field, e.message = bad.field, bad.message
		return s.badRequest.write(e)
	}
	if c.find != nil {
		t := s.find(c.find, c.find.is.eval(e).(string))
		if t == nil {
			return c.find.missing.give(e)
		}
		e.objects[c.find.kind] = t
	}
	known, refused := s.known(c.create, e)
	if refused != nil {
		return refused.give(e)
	}
	if known == nil {
		if refused := s.act(c, e); refused != nil {
			return refused.give(e)
		}
	}
	return c.answer.write(e)
}

// read reads the fields of the path, the query and the body.
func (c *call) read(r *request) *wrong {
	for _, root := range [...]string{"path", "query", "request"} {
		if root == "request" && c.body {
			if bad := c.readable(r); bad != nil {
				return bad
			}
		}
		for _, fd := range c.fields[root] {
			if bad := fd.check(r.whole(root), root, r.fields); bad != nil {
				return bad
			}
		}
	}
	return nil
}

func (c *call) readable(r *request) *wrong {
	switch {
	case r.broken != "":
		return &wrong{"body", r.broken}
	case r.form != c.form:
		return &wrong{"Content-Type", "is not what the call takes"}
	}
	return nil
}

func (s *server) find(f *finding, value string) *thing {
	if f.by == "id" {
		if t := s.byID[value]; t != nil && t.kind == f.kind {
			return t
		}
		return nil
	}
	return s.with(f.kind, f.by, value)
}

// with is the newest object of a kind with this member.
func (s *server) with(k *objectKind, member, value string) *thing {
	for _, t := range slices.Backward(s.things) {
		if t.kind == k && asText(t.member(member), s.clock) == value {
			return t
		}
	}
	return nil
}

// known is the object that the request's key made before, or why it can't be that.
func (s *server) known(c *creation, e *env) (*thing, *refusal) {
	if c == nil || c.key == nil {
		return nil, nil
	}
	key, _ := c.key.eval(e).(string)
	t := s.byKey[c.kind.name+" "+key]
	switch {
	case key == "" || t == nil:
		return nil, nil
	case c.reused != nil && t.body != canonical(e.request.body):
		return nil, c.reused
	}
	e.objects[c.kind] = t
	return t, nil
}

// act does what is to be done, unless it is refused.
func (s *server) act(c *call, e *env) *refusal {
	for _, r := range c.refuse {
		if r.when(e) {
			return r
		}
	}
	if c.create != nil {
		if refused := s.create(c.create, e); refused != nil {
			return refused
		}
	}
	for _, m := range c.move {
		if m.when(e) {
			s.move(e.objects[m.kind], m.to, nil, e.now)
		}
	}
	return nil
}

func (s *server) create(c *creation, e *env) *refusal {
	k := c.kind
	t := &thing{
		kind: k, parent: e.objects[k.parent], id: k.id.eval(e).(string), ref: k.ref.eval(e).(string),
		amount: k.amount.eval(e).(int64), created: e.now, values: map[string]any{},
	}
	for _, field := range k.keep {
		t.values[field.name] = field.value.eval(e)
	}
	if c.unique != "" && s.with(k, c.unique, asText(t.member(c.unique), s.clock)) != nil {
		return c.taken
	}
	if c.key != nil {
		t.key, _ = c.key.eval(e).(string)
	}
	if t.key != "" {
		t.body = canonical(e.request.body)
		s.byKey[k.name+" "+t.key] = t
	}
	s.things, s.byID[t.id] = append(s.things, t), t
	e.objects[k] = t
	s.move(t, k.states[0], nil, e.now)
	return nil
}

// catchUp moves an object whose time has come. It needs the lock.
func (s *server) catchUp(t *thing, now time.Time) {
	// Each state is left once at most, or two rules could chase each other for ever.
	for range t.kind.states {
		rule, at := t.nextRule()
		if rule == nil || at.After(now) {
			return
		}
		s.move(t, rule.to, rule.set, at)
	}
}

// move brings an object to a state, books what it means, and tells the merchant.
// It needs the lock.
func (s *server) move(t *thing, to *state, set []keptField, now time.Time) {
	before := nothing
	if t.state != nil {
		before = t.state.money
	}
	if t.state == to {
		return
	}
	t.state = to
	e := s.env(nil)
	e.now, e.objects[t.kind] = now, t
	if t.parent != nil {
		e.objects[t.parent.kind] = t.parent
	}
	for _, field := range append(slices.Clip(to.set), set...) {
		t.values[field.name] = field.value.eval(e)
	}
	t.settle(before, s.Record)
	for _, n := range s.notifications {
		if n.kind != t.kind || !slices.Contains(n.states, to.name) {
			continue
		}
		if call, ok := n.write(e); ok {
			s.courier.send(call, s.Now)
		}
	}
}
