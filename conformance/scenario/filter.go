package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// leftOut is the value of {… | omit} when there is none.
var leftOut any = new(struct{ byte })

const maxPlaces = 9

// filter compiles what stands after a pipe.
func (s *scope) filter(e *expr, words []string) (*expr, error) {
	name, args := words[0], words[1:]
	want := map[string]int{"major": 1, "text": 0, "or": 1, "omit": 0, "time": 1, "lower": 0, "upper": 0, "capital": 0}
	n, known := want[name]
	switch {
	case !known:
		return nil, fmt.Errorf("no such filter %q; there are major, text, or, omit, time, lower, upper, capital", name)
	case len(args) != n:
		return nil, fmt.Errorf("%s takes %d words after it", name, n)
	}
	switch name {
	case "major":
		return s.major(e, args[0])
	case "time":
		return s.timeAs(e, args[0])
	case "or":
		return e.or(args[0])
	case "omit":
		if !e.optional {
			return nil, errors.New("omit is of no use: this is never missing")
		}
		return e.then(e.kind, func(_ *env, v any) any { return v }, leftOut), nil
	case "text":
		if e.kind == anyKind {
			return nil, errors.New("text takes one value, not a structure")
		}
		return e.then(textKind, func(v *env, value any) any { return asText(value, v.clock) }, nil), nil
	}
	if e.kind != textKind {
		return nil, fmt.Errorf("%s takes a text, and this is %s", name, e.kind)
	}
	change := map[string]func(string) string{"lower": strings.ToLower, "upper": strings.ToUpper, "capital": capital}[name]
	return e.then(textKind, func(_ *env, v any) any { return change(v.(string)) }, nil), nil
}

// then is a value made of this one; missing is what becomes of none.
func (e *expr) then(k kind, change func(*env, any) any, missing any) *expr {
	return &expr{shape{kind: k, optional: e.optional}, func(v *env) any {
		value := e.eval(v)
		if value == nil || value == leftOut {
			return missing
		}
		return change(v, value)
	}}
}

// major writes minor units in major ones: 1230 with 2 places is 12.30.
func (s *scope) major(e *expr, arg string) (*expr, error) {
	places, err := strconv.Atoi(arg)
	switch {
	case e.kind != moneyKind:
		return nil, fmt.Errorf("major takes an amount, and this is %s", e.kind)
	case err != nil || places < 0 || places > maxPlaces:
		return nil, fmt.Errorf("major takes the number of decimal places, from 0 to %d, not %q", maxPlaces, arg)
	}
	if err := s.samePlaces(places); err != nil {
		return nil, err
	}
	return e.then(numberKind, func(_ *env, v any) any {
		return json.Number(simkit.FormatDecimal(v.(int64), places))
	}, nil), nil
}

// samePlaces refuses two different numbers of decimals: the minor unit is one, so an
// amount would come out ten times what it was.
func (f *file) samePlaces(n int) error {
	if f.places == nil {
		f.places = &n
	}
	if *f.places != n {
		return fmt.Errorf("major %d here and major %d elsewhere: there is one minor unit", n, *f.places)
	}
	return nil
}

func (s *scope) timeAs(e *expr, form string) (*expr, error) {
	if e.kind != timeKind {
		return nil, fmt.Errorf("time takes a time, and this is %s", e.kind)
	}
	layout, err := readForm(form)
	if err != nil {
		return nil, err
	}
	k := textKind
	if layout == unixForm || layout == unixMSForm {
		k = numberKind
	}
	c := clock{s.clock.zone, layout}
	return e.then(k, func(_ *env, v any) any { return c.write(v.(time.Time)) }, nil), nil
}

// or gives a text for what is missing.
func (e *expr) or(text string) (*expr, error) {
	switch {
	case !e.optional:
		return nil, errors.New("or is of no use: this is never missing")
	case e.kind == anyKind:
		return nil, errors.New("or takes one value, not a structure")
	}
	return &expr{shape{kind: textKind}, func(v *env) any {
		if value := e.eval(v); value != nil {
			return asText(value, v.clock)
		}
		return text
	}}, nil
}

// capital begins every part of a name with a capital: customer.name is Customer.Name.
func capital(name string) string {
	begin := true
	return strings.Map(func(r rune) rune {
		if begin {
			r = unicode.ToUpper(r)
		}
		begin = r == '.'
		return r
	}, name)
}
