package scenario

import (
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// call is one thing that the provider can be asked. What it does is always in this
// order: the body is read; the object is found; a known key ends it; what is
// refused is refused; an object is created; one is moved; the answer is written.
type call struct {
	place
	method  string
	path    string
	pattern []segment
	params  []string
	form    bool
	body    bool                // it has one
	fields  map[string][]*field // by where they are: request, path, query
	untyped bool                // while when is compiled: the fields are as they came

	when   condition
	find   *finding
	refuse []*refusal
	create *creation
	move   []movement
	answer *answer
}

// finding looks for the object that a call is about.
type finding struct {
	kind    *objectKind
	by      string
	is      *expr
	missing *refusal
}

// creation makes an object, once for a key.
type creation struct {
	kind   *objectKind
	key    *expr
	reused *refusal // the key is known, with another body
	unique string   // a member that no other object may have
	taken  *refusal
}

// movement brings an object to a state.
type movement struct {
	kind *objectKind
	to   *state
	when condition
}

// refusal is an answer, and what is wrong.
type refusal struct {
	when           condition
	answer         *answer
	field, message *expr
}

var callFields = [...]string{"call", "when", "path", "query", "request", "form", "find", "refuse", "create", "move", "answer"}

func (p place) callFields() map[string]place { return p.fields(callFields[:]...) }

// readCalls reads as much of every call as has no templates.
func (f *file) readCalls(p place) {
	for _, one := range p.list() {
		c := &call{place: one}
		fields := one.callFields()
		c.readLine(fields["call"])
		c.readBody(f, fields)
		f.calls = append(f.calls, c)
	}
	if p.given() && len(f.calls) == 0 {
		p.bad("there must be one at least")
	}
}

// readLine reads "POST /v1/orders/{id}".
func (c *call) readLine(p place) {
	method, path, ok := strings.Cut(p.text(), " ")
	if !p.given() {
		return
	}
	known := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead}
	if !ok || !slices.Contains(known, method) || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "? #") {
		p.bad("must be a method and a path such as POST /v1/orders/{id}")
		return
	}
	if strings.HasPrefix(path, "/_sim/") {
		p.bad("paths below /_sim/ are the simulator's own")
	}
	c.method, c.path = method, path
	for step := range strings.SplitSeq(path[1:], "/") {
		inner, open := strings.CutPrefix(step, "{")
		name, closed := strings.CutSuffix(inner, "}")
		if open && closed && p.name(name) {
			c.params = append(c.params, name)
			c.pattern = append(c.pattern, segment{name, true})
			continue
		}
		if strings.ContainsAny(step, "{}") {
			p.bad("%q: a name in braces stands alone between slashes", step)
		}
		c.pattern = append(c.pattern, segment{step, false})
	}
}

// readBody reads what the fields must be: of the body, the path and the query.
func (c *call) readBody(f *file, fields map[string]place) {
	c.fields = map[string][]*field{}
	body := fields["request"]
	if form := fields["form"]; form.given() {
		if body.given() {
			form.bad("a call has either a request, which is JSON, or a form")
		}
		body, c.form = form, true
	}
	c.body = body.given()
	c.readFields(f, "request", body)
	c.readFields(f, "path", fields["path"])
	c.readFields(f, "query", fields["query"])
	for _, fd := range c.fields["path"] {
		if !slices.Contains(c.params, fd.name) {
			fields["path"].bad("the path has no {%s}", fd.name)
		}
	}
}

func (c *call) readFields(f *file, root string, p place) {
	if !p.given() {
		return
	}
	for _, e := range p.entries() {
		fd := f.readField(e)
		// Everything but JSON is text.
		fd.quoted = fd.quoted || c.form || root != "request"
		c.fields[root] = append(c.fields[root], fd)
	}
}

// kindOf is the kind of object that a place names.
func (f *file) kindOf(p place) *objectKind {
	name := p.text()
	k := f.kinds[name]
	if k == nil && p.given() {
		p.bad("there is no object %q", name)
	}
	return k
}

// readFind reads "payment: "{path.id}"" with its else and by.
func (f *file) readFind(c *call, p place) {
	if !p.given() {
		return
	}
	fields := p.fields("object", "by", "is", "else")
	kind := f.kindOf(fields["object"])
	if kind == nil {
		return
	}
	c.find = &finding{kind: kind, by: "id"}
	if by := fields["by"]; by.given() {
		c.find.by = by.text()
	}
}

// readCreate is what must be known before templates are compiled.
func (f *file) readCreate(c *call, p place) {
	if !p.given() {
		return
	}
	kind := f.kindOf(p.fields("object", "key", "key_reused", "unique", "taken")["object"])
	if kind == nil {
		return
	}
	c.create = &creation{kind: kind}
	if kind.parent != nil && (c.find == nil || c.find.kind != kind.parent) {
		p.bad("%s is of a %s, so the call must find one", kind.name, kind.parent.name)
	}
}

// scope is what the call's templates can name: what it finds, and what it creates
// from then on.
func (c *call) scope(f *file, created bool) *scope {
	s := &scope{file: f, call: c, objects: map[string]*objectKind{}}
	if c.find != nil {
		s.objects[c.find.kind.name] = c.find.kind
	}
	if created && c.create != nil {
		s.objects[c.create.kind.name] = c.create.kind
	}
	return s
}

// compileCall compiles the rest, when all is known that templates can name.
func (f *file) compileCall(c *call) {
	fields := c.callFields()
	before, after := c.scope(f, false), c.scope(f, true)
	bare := &scope{file: f, call: &call{params: c.params, untyped: true}}
	if when := fields["when"]; when.given() {
		c.when = bare.conditions(when)
	}
	if c.find != nil {
		f.compileFind(c, fields["find"])
	}
	if refuse := fields["refuse"]; refuse.given() {
		for _, one := range refuse.list() {
			c.refuse = append(c.refuse, before.refusal(one, true))
		}
	}
	if c.create != nil {
		f.compileCreate(c, fields["create"])
	}
	if move := fields["move"]; move.given() {
		for _, one := range move.orList() {
			c.move = append(c.move, after.movement(one))
		}
	}
	c.answer = after.answer(fields["answer"])
}

func (f *file) compileFind(c *call, p place) {
	fields := p.fields("object", "by", "is", "else")
	s := &scope{file: f, call: c}
	c.find.is = s.words(fields["is"])
	c.find.missing = s.refusal(fields["else"], false)
	if _, err := c.find.kind.member(c.find.by); err != nil {
		fields["by"].bad("%s", err)
	}
}

func (f *file) compileCreate(c *call, p place) {
	fields := p.fields("object", "key", "key_reused", "unique", "taken")
	s := c.scope(f, false)
	key, reused, unique, taken := fields["key"], fields["key_reused"], fields["unique"], fields["taken"]
	if reused.given() && !key.given() {
		reused.bad("needs a key")
	}
	if key.given() {
		c.create.key = s.text(key, key.text())
		if c.create.key.kind != textKind {
			key.bad("must be a text; this is %s", c.create.key.kind)
		}
	}
	if reused.given() {
		c.create.reused = s.refusal(reused, false)
	}
	if unique.given() != taken.given() {
		p.bad("unique and taken go together")
	}
	if unique.given() {
		c.create.unique = unique.text()
		c.create.taken = s.refusal(taken, false)
		if _, err := c.create.kind.member(c.create.unique); err != nil {
			unique.bad("%s", err)
		}
	}
}

// movement compiles "order: paid", with its when.
func (s *scope) movement(p place) movement {
	fields := p.fields("object", "to", "when")
	m := movement{kind: s.kindOf(fields["object"]), when: func(*env) bool { return true }}
	if m.kind == nil {
		return m
	}
	if s.objects[m.kind.name] == nil {
		fields["object"].bad("the call neither finds nor creates a %s", m.kind.name)
	}
	m.to = m.kind.wantState(fields["to"])
	if when := fields["when"]; when.given() {
		m.when = s.conditions(when)
	}
	return m
}

// orList is the items of a list, or the one object that stands in place of it.
func (p place) orList() []place {
	if p.node != nil && p.node.Kind == yaml.MappingNode {
		return []place{p}
	}
	return p.list()
}

// refusal compiles an answer, or an object with an answer and what is wrong.
func (s *scope) refusal(p place, conditional bool) *refusal {
	r := &refusal{}
	inner := *s
	if !conditional && !p.has("answer") {
		r.answer = inner.answer(p)
		return r
	}
	known := []string{"answer", "field", "message"}
	if conditional {
		known = append([]string{"when"}, known...)
	}
	fields := p.fields(known...)
	if conditional {
		r.when = s.conditions(fields["when"])
	}
	field, message := fields["field"], fields["message"]
	inner.refusing = field.given() || message.given()
	r.field, r.message = constant("", textKind), constant("", textKind)
	if field.given() {
		r.field = s.words(field)
	}
	if message.given() {
		r.message = s.words(message)
	}
	r.answer = inner.answer(fields["answer"])
	return r
}
