package scenario

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scope is what the templates at a place can name.
type scope struct {
	*file
	call      *call                  // nil outside of calls
	objects   map[string]*objectKind // by their name: those that are at hand
	refusing  bool                   // {bad.field} and {bad.message}
	body      bool                   // {body}
	signature bool                   // {signature}
}

// env is what they name, when the time has come.
type env struct {
	*file
	now       time.Time
	request   *request
	objects   map[*objectKind]*thing
	field     string // what is wrong, of a refusal
	message   string
	body      []byte
	signature string
}

const maxRandom = 64

// value compiles the first piece of an expression.
func (s *scope) value(words []string) (*expr, error) {
	root, name, dotted := strings.Cut(words[0], ".")
	if !dotted {
		return s.plain(words)
	}
	if len(words) > 1 {
		return nil, errors.New("a filter stands after a |")
	}
	switch root {
	case "request", "header", "query", "path":
		return s.ofRequest(root, name)
	case "settings":
		value, ok := s.settings[name]
		if !ok {
			return nil, fmt.Errorf("the connection has no setting %q that is a text or a number", name)
		}
		return constant(value, textKind), nil
	case "secrets":
		value, ok := s.secrets[name]
		if !ok {
			return nil, fmt.Errorf("the connection has no secret %q", name)
		}
		return constant(value, textKind), nil
	case "bad":
		return s.ofRefusal(name)
	}
	if k := s.objects[root]; k != nil {
		return k.member(name)
	}
	return nil, fmt.Errorf("nothing is called %q here; there are %s", root, strings.Join(s.roots(), ", "))
}

// roots are the names that a value may begin with.
func (s *scope) roots() []string {
	roots := []string{"settings", "secrets", "now", "uuid", "random", "digits"}
	if s.call != nil {
		roots = append(roots, "request", "header", "query", "path", "base")
	}
	for name, is := range map[string]bool{"bad": s.refusing, "body": s.body, "signature": s.signature} {
		if is {
			roots = append(roots, name)
		}
	}
	slices.Sort(roots)
	return append(slices.Sorted(maps.Keys(s.objects)), roots...)
}

// plain compiles a value without a dot.
func (s *scope) plain(words []string) (*expr, error) {
	text := func(f func(*env) any) (*expr, error) { return &expr{shape{kind: textKind}, f}, nil }
	switch {
	case len(words) == 2 && (words[0] == "random" || words[0] == "digits"):
		n, err := strconv.Atoi(words[1])
		if err != nil || n < 1 || n > maxRandom {
			return nil, fmt.Errorf("%s takes a length from 1 to %d", words[0], maxRandom)
		}
		if words[0] == "digits" {
			return text(func(*env) any { return randomDigits(n) })
		}
		return text(func(*env) any { return randomHex(n) })
	case len(words) > 1:
		return nil, errors.New("a filter stands after a |")
	}
	switch word := words[0]; {
	case word == "now":
		return &expr{shape{kind: timeKind}, func(e *env) any { return e.now }}, nil
	case word == "uuid":
		return text(func(*env) any { return newUUID() })
	case word == "base" && s.call != nil:
		return text(func(e *env) any { return e.request.base() })
	case word == "body" && s.body:
		return text(func(e *env) any { return string(e.body) })
	case word == "signature" && s.signature:
		return text(func(e *env) any { return e.signature })
	}
	return nil, fmt.Errorf("nothing is called %q here; there are %s", words[0], strings.Join(s.roots(), ", "))
}

// ofRequest compiles request.x, header.x, query.x and path.x.
func (s *scope) ofRequest(root, name string) (*expr, error) {
	if s.call == nil {
		return nil, fmt.Errorf("%s: there is no request here", root)
	}
	if s.call.untyped {
		return s.asItCame(root, name)
	}
	for _, f := range s.call.fields[root] {
		if f.name == name {
			return &expr{f.shape, func(e *env) any { return e.request.fields[root+"."+name] }}, nil
		}
	}
	if root == "request" {
		return nil, fmt.Errorf("the call's request has no field %q", name)
	}
	return s.asItCame(root, name)
}

// asItCame compiles a field that nobody has said anything about.
func (s *scope) asItCame(root, name string) (*expr, error) {
	get := map[string]func(*request) func(string) any{
		"header":  func(r *request) func(string) any { return r.header },
		"query":   func(r *request) func(string) any { return r.query },
		"request": func(r *request) func(string) any { return r.raw },
	}[root]
	if get != nil {
		return &expr{shape{optional: true}, func(e *env) any { return get(e.request)(name) }}, nil
	}
	if !slices.Contains(s.call.params, name) {
		return nil, fmt.Errorf("the path has no {%s}", name)
	}
	return &expr{shape{}, func(e *env) any { return e.request.params[name] }}, nil
}

func (s *scope) ofRefusal(name string) (*expr, error) {
	switch {
	case !s.refusing:
		return nil, errors.New("nothing is wrong here: a refusal's field and message have no place")
	case name == "field":
		return &expr{shape{}, func(e *env) any { return e.field }}, nil
	case name == "message":
		return &expr{shape{}, func(e *env) any { return e.message }}, nil
	}
	return nil, fmt.Errorf("a refusal has a field and a message, not %q", name)
}

func randomHex(digits int) string {
	b := make([]byte, (digits+1)/2)
	_, _ = rand.Read(b) // crypto/rand never fails
	return hex.EncodeToString(b)[:digits]
}

// randomDigits begins with a digit other than 0, so that it may also be a number.
func randomDigits(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand never fails
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	if b[0] == '0' {
		b[0] = '1'
	}
	return string(b)
}

func newUUID() string {
	text := []byte(randomHex(32))
	text[12], text[16] = '4', "89ab"[text[16]%4]
	return strings.Join([]string{
		string(text[:8]), string(text[8:12]), string(text[12:16]), string(text[16:20]), string(text[20:]),
	}, "-")
}
