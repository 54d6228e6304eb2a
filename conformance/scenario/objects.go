package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// objectKind is what the file says of one kind of object.
type objectKind struct {
	place
	name    string
	parent  *objectKind // of a refund: what it is a refund of
	states  []*state
	times   []timeRule
	created bool // a call was seen that creates it

	id, ref, amount *expr
	keep            []keptField
	members         map[string]shape // what is kept, and what states set
}

// keptField is something that an object holds from the request that made it.
type keptField struct {
	entry
	value *expr
}

// state is where an object can be.
type state struct {
	entry
	name  string
	money string
	set   []keptField
}

// The words for what a state means for the money.
const (
	nothing  = "nothing"
	reserved = "reserved"
	charged  = "charged"
	refunded = "refunded"
)

// timeRule moves an object when its time has come.
type timeRule struct {
	from  []string
	to    *state
	at    string        // a member that is a time, or
	after time.Duration // since the object was created
	set   []keptField
}

// builtIn are the members that every object has.
var builtIn = map[string]shape{
	"id": {}, "ref": {}, "key": {}, "state": {}, "amount": {kind: moneyKind}, "created": {kind: timeKind},
	"ends": {kind: timeKind, optional: true}, "paid": {kind: moneyKind}, "refunded": {kind: moneyKind},
	"left": {kind: moneyKind},
}

func (f *file) readObjects(p place) {
	f.kinds = map[string]*objectKind{}
	for _, e := range p.entries() {
		if !e.usable() {
			continue
		}
		k := &objectKind{place: e.place, name: e.name, members: map[string]shape{}}
		f.kinds[e.name], f.order = k, append(f.order, k)
	}
	for _, k := range f.order {
		k.read(f)
	}
	f.payment = f.only("charged", func(k *objectKind) bool { return k.parent == nil && k.has(charged) })
	f.refund = f.only("a refund", func(k *objectKind) bool { return k.parent != nil })
	switch {
	case f.payment == nil:
		p.bad("one object must have a state that means charged")
	case f.refund != nil && f.refund.parent != f.payment:
		f.refund.bad("must be of %s, which is what is paid", f.payment.name)
	}
}

// usable reports whether an object's name can stand in a template.
func (e entry) usable() bool {
	if slices.Contains([]string{"request", "header", "query", "path", "settings", "secrets", "bad"}, e.name) {
		e.bad("the name is taken by templates")
		return false
	}
	return e.place.name(e.name)
}

func (f *file) only(what string, is func(*objectKind) bool) *objectKind {
	var found *objectKind
	for _, k := range f.order {
		switch {
		case !is(k):
		case found != nil:
			k.bad("is %s as well as %s; there can be one", what, found.name)
		default:
			found = k
		}
	}
	return found
}

func (k *objectKind) has(money string) bool {
	return slices.ContainsFunc(k.states, func(s *state) bool { return s.money == money })
}

func (k *objectKind) state(name string) *state {
	i := slices.IndexFunc(k.states, func(s *state) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return k.states[i]
}

func (k *objectKind) stateNames() []string {
	names := make([]string, len(k.states))
	for i, s := range k.states {
		names[i] = s.name
	}
	return names
}

// wantState is a state that a place names.
func (k *objectKind) wantState(p place) *state {
	name := p.text()
	s := k.state(name)
	if s == nil && p.given() {
		p.bad("%s has no state %q; there are %s", k.name, name, strings.Join(k.stateNames(), ", "))
	}
	return s
}

// read reads everything but the templates, whose names are not known yet.
func (k *objectKind) read(f *file) {
	fields := k.fields("of", "id", "ref", "amount", "keep", "states", "times")
	if of := fields["of"]; of.given() {
		k.parent = f.kinds[of.text()]
		if k.parent == nil || k.parent == k {
			of.bad("there is no other object %q", of.node.Value)
			k.parent = nil
		}
	}
	words := []string{nothing, charged, refunded}
	if k.parent != nil {
		words = []string{nothing, reserved, refunded}
	}
	for _, e := range fields["states"].entries() {
		k.readState(e, words)
	}
	if keep := fields["keep"]; keep.given() {
		k.keep = k.readSet(keep)
	}
	if fields["states"].given() && len(k.states) == 0 {
		fields["states"].bad("there must be one at least")
	}
	if times := fields["times"]; times.given() {
		for _, one := range times.list() {
			k.readTime(one)
		}
	}
}

func (k *objectKind) readState(e entry, words []string) {
	s := &state{entry: e, name: e.name}
	money := e.place
	if !e.isScalar("!!str") {
		fields := e.fields("money", "set")
		money = fields["money"]
		if set := fields["set"]; set.given() {
			s.set = k.readSet(set)
		}
	}
	s.money = money.word(words...)
	k.states = append(k.states, s)
}

func (k *objectKind) readTime(p place) {
	fields := p.fields("from", "to", "at", "after", "set")
	rule := timeRule{to: k.wantState(fields["to"])}
	for _, one := range fields["from"].scalars() {
		if s := k.wantState(one); s != nil {
			rule.from = append(rule.from, s.name)
		}
	}
	at, after := fields["at"], fields["after"]
	switch {
	case at.given() == after.given():
		p.bad("needs one of at and after")
	case at.given():
		rule.at = at.text()
	default:
		rule.after = after.duration()
	}
	if rule.to != nil && slices.Contains(rule.from, rule.to.name) {
		fields["to"].bad("is one of from: it would never end")
	}
	if set := fields["set"]; set.given() {
		rule.set = k.readSet(set)
	}
	k.times = append(k.times, rule)
}

// readSet reads names and templates, which are compiled later.
func (k *objectKind) readSet(p place) []keptField {
	var all []keptField
	for _, e := range p.entries() {
		switch _, taken := builtIn[e.name]; {
		case taken:
			e.bad("every object has a member %s", e.name)
		case e.place.name(e.name):
			all = append(all, keptField{entry: e})
		}
	}
	return all
}

// scalars are the items of a list, or the one that stands in place of it.
func (p place) scalars() []place {
	if p.isScalar("!!str") {
		return []place{p}
	}
	return p.list()
}

// compileCreation compiles what a call that creates the object fills in.
func (k *objectKind) compileCreation(s *scope) {
	fields := k.fields("of", "id", "ref", "amount", "keep", "states", "times")
	first := !k.created
	k.created = true
	id := s.words(fields["id"])
	ref, amount := constant("", textKind), constant(int64(0), moneyKind)
	if fields["ref"].given() {
		ref = s.words(fields["ref"])
	}
	switch p := fields["amount"]; {
	case p.given():
		amount = s.text(p, p.text())
		if amount.kind != moneyKind || amount.optional {
			p.bad("must be an amount that is always there: a field of the type major or minor; this is %s", amount.kind)
		}
	case k.has(charged) || k.parent != nil:
		p.bad("is missing")
	}
	if first {
		k.id, k.ref, k.amount = id, ref, amount
	}
	for i := range k.keep {
		field := &k.keep[i]
		value := s.text(field.place, field.text())
		old, known := k.members[field.name]
		if known && old.kind != value.kind {
			field.bad("is %s in one call that creates %s, and %s in another", old.kind, k.name, value.kind)
		}
		value.optional = value.optional || old.optional
		k.members[field.name] = value.shape
		if first {
			field.value = value
		}
	}
}

// compileRest compiles what happens to the object later.
func (k *objectKind) compileRest(s *scope) {
	if !k.created {
		k.bad("no call creates it")
		return
	}
	for _, st := range k.states {
		k.compileSet(s, st.set)
	}
	for i := range k.times {
		rule := &k.times[i]
		k.compileSet(s, rule.set)
		if shape, ok := k.members[rule.at]; rule.at != "" && (!ok || shape.kind != timeKind) {
			k.bad("times: %q is nothing that %s keeps and that is a time", rule.at, k.name)
		}
	}
}

func (k *objectKind) compileSet(s *scope, set []keptField) {
	for i := range set {
		field := &set[i]
		field.value = s.text(field.place, field.text())
		old, known := k.members[field.name]
		if known && old.kind != field.value.kind {
			field.bad("is %s here, and %s elsewhere", field.value.kind, old.kind)
		}
		// It is missing until the object gets there.
		k.members[field.name] = shape{kind: field.value.kind, optional: !known || old.optional || field.value.optional}
	}
}

// member compiles kind.name.
func (k *objectKind) member(name string) (*expr, error) {
	if shape, ok := k.members[name]; ok {
		return &expr{shape, func(e *env) any { return e.objects[k].values[name] }}, nil
	}
	shape, ok := builtIn[name]
	if !ok {
		names := slices.Sorted(maps.Keys(k.members))
		names = append(names, slices.Sorted(maps.Keys(builtIn))...)
		return nil, fmt.Errorf("%s has no %q; there are %s", k.name, name, strings.Join(names, ", "))
	}
	if name == "state" {
		shape.words = k.stateNames()
	}
	return &expr{shape, func(e *env) any { return e.objects[k].builtIn(name) }}, nil
}
