package scenario

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// condition is something that may hold.
type condition func(*env) bool

// operators, those first that begin with another.
var operators = [...]string{"is missing", "is given", "is not", "is", "not in", "in", ">=", "<=", ">", "<"}

// conditions compiles one condition, or a list of those that must hold together.
func (s *scope) conditions(p place) condition {
	var all []condition
	for _, one := range p.scalars() {
		all = append(all, s.condition(one))
	}
	return func(e *env) bool {
		return !slices.ContainsFunc(all, func(c condition) bool { return !c(e) })
	}
}

// condition compiles "value operator text": order.state not in [new, paid].
func (s *scope) condition(p place) condition {
	never := func(*env) bool { return false }
	source := p.text()
	name, rest, _ := strings.Cut(source, " ")
	words, err := tokens(name)
	var left *expr
	if err == nil {
		left, err = s.value(words[0])
	}
	if err != nil {
		p.bad("%q: %s", source, err)
		return never
	}
	operator, right := "", ""
	for _, o := range operators {
		if after, ok := strings.CutPrefix(strings.TrimLeft(rest, " "), o); ok && (after == "" || after[0] == ' ') {
			operator, right = o, strings.TrimSpace(after)
			break
		}
	}
	switch operator {
	case "":
		p.bad("%q has none of the operators %s", source, strings.Join(operators[:], ", "))
		return never
	case "is missing", "is given":
		return s.presence(p, left, operator, right)
	}
	switch {
	case right == "":
		p.bad("%q has nothing to compare with", source)
		return never
	case left.kind == anyKind:
		p.bad("%q: this is %s and can only be missing or given", source, left.kind)
		return never
	case operator == "in" || operator == "not in":
		return s.oneOf(p, left, operator, right)
	case operator == "is" || operator == "is not":
		return s.equal(p, left, operator, right)
	}
	return s.compare(p, left, operator, right)
}

func (s *scope) presence(p place, left *expr, operator, right string) condition {
	if right != "" {
		p.bad("%q has nothing after it", operator)
	}
	if !left.optional {
		p.bad("this is never missing")
	}
	return func(e *env) bool { return (left.eval(e) == nil) == (operator == "is missing") }
}

func (s *scope) equal(p place, left *expr, operator, right string) condition {
	quoted := len(right) > 1 && right[0] == '"' && right[len(right)-1] == '"'
	if quoted {
		right = right[1 : len(right)-1]
	}
	want := s.text(p, right)
	if want.optional {
		p.bad("%q may be missing", right)
	}
	if !strings.Contains(right, "{") {
		left.knows(p, right)
	}
	return func(e *env) bool {
		value := left.eval(e)
		same := value != nil && asText(value, e.clock) == asText(want.eval(e), e.clock)
		return same == (operator == "is")
	}
}

func (s *scope) oneOf(p place, left *expr, operator, right string) condition {
	inner, open := strings.CutPrefix(right, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !open || !closed {
		p.bad("%s takes a list such as [new, paid], not %q", operator, right)
	}
	var list []string
	for word := range strings.SplitSeq(inner, ",") {
		word = strings.Trim(strings.TrimSpace(word), `"`)
		left.knows(p, word)
		list = append(list, word)
	}
	return func(e *env) bool {
		value := left.eval(e)
		return (value != nil && slices.Contains(list, asText(value, e.clock))) == (operator == "in")
	}
}

// knows refuses a word that the value can't be.
func (e *expr) knows(p place, word string) {
	if e.words != nil && !slices.Contains(e.words, word) {
		p.bad("%q is not one of %s", word, strings.Join(e.words, ", "))
	}
}

// compare compiles a comparison of two amounts, or two whole numbers.
func (s *scope) compare(p place, left *expr, operator, right string) condition {
	want := s.text(p, right)
	if n, err := strconv.ParseInt(right, 10, 64); err == nil {
		want = constant(n, left.kind)
	}
	if left.kind != want.kind || left.kind != moneyKind && left.kind != integerKind || left.optional || want.optional {
		p.bad("%s compares two amounts or two whole numbers that are always there; left is %s, right is %s", operator, left.kind, want.kind)
		return func(*env) bool { return false }
	}
	return func(e *env) bool {
		a, b := left.eval(e).(int64), want.eval(e).(int64)
		switch operator {
		case ">":
			return a > b
		case "<":
			return a < b
		case ">=":
			return a >= b
		}
		return a <= b
	}
}

// rawScalar is a field as it came, if it is one value.
func rawScalar(value any) any {
	switch value.(type) {
	case string, json.Number, bool:
		return value
	}
	return nil
}
