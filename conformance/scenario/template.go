package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// expr gives a value. What it needs was seen to be there when the file was read.
type expr struct {
	shape
	eval func(*env) any
}

// render appends a value as JSON. It is false for one that is to be left out.
type render func(out []byte, e *env) ([]byte, bool)

func constant(value any, k kind) *expr {
	return &expr{shape{kind: k}, func(*env) any { return value }}
}

// text compiles a text in which {…} stands for values. One that is nothing but
// {…} keeps the value's kind.
func (s *scope) text(p place, source string) *expr {
	parts, err := split(source)
	if err != nil {
		p.bad("%s", err)
		return constant("", textKind)
	}
	if len(parts) == 1 && parts[0].inside {
		return s.expression(p, parts[0].text)
	}
	var compiled []*expr
	for _, part := range parts {
		if !part.inside {
			compiled = append(compiled, constant(part.text, textKind))
			continue
		}
		e := s.expression(p, part.text)
		switch {
		case e.optional:
			p.bad("{%s} may be missing, which can't stand within a text; write {%s | or \"…\"}", part.text, part.text)
		case e.kind == anyKind:
			p.bad("{%s} is %s, which can't stand within a text", part.text, e.kind)
		}
		compiled = append(compiled, e)
	}
	if len(compiled) == 1 {
		return compiled[0]
	}
	return &expr{shape{kind: textKind}, func(e *env) any {
		var out strings.Builder
		for _, part := range compiled {
			out.WriteString(asText(part.eval(e), e.clock))
		}
		return out.String()
	}}
}

// words compiles a text that must give a text.
func (s *scope) words(p place) *expr {
	e := s.text(p, p.text())
	if e.kind == anyKind || e.optional {
		p.bad("must be a text; this is %s that may be missing or a structure", e.kind)
	}
	return &expr{shape{kind: textKind}, func(v *env) any { return asText(e.eval(v), v.clock) }}
}

// tree compiles JSON whose texts, and names of members, are templates.
func (s *scope) tree(p place) render {
	if p.node == nil {
		p.bad("is missing")
		return nil
	}
	switch {
	case p.node.Kind == yaml.MappingNode:
		return s.object(p)
	case p.node.Kind == yaml.SequenceNode:
		return s.array(p)
	case p.isScalar("!!str") && p.is(yaml.ScalarNode, "a value"):
		e := s.text(p, p.node.Value)
		return func(out []byte, v *env) ([]byte, bool) {
			value := e.eval(v)
			if value == leftOut {
				return out, false
			}
			return appendJSON(out, value, v.clock), true
		}
	}
	value := p.scalar()
	return func(out []byte, v *env) ([]byte, bool) { return appendJSON(out, value, v.clock), true }
}

func (s *scope) object(p place) render {
	type member struct {
		name  *expr
		value render
	}
	var members []member
	for _, e := range p.entries() {
		members = append(members, member{s.text(e.place, e.name), s.tree(e.place)})
	}
	return func(out []byte, v *env) ([]byte, bool) {
		out = append(out, '{')
		first := true
		for _, m := range members {
			before := len(out)
			if !first {
				out = append(out, ',')
			}
			out = appendJSON(out, asText(m.name.eval(v), v.clock), v.clock)
			var kept bool
			if out, kept = m.value(append(out, ':'), v); !kept {
				out = out[:before]
				continue
			}
			first = false
		}
		return append(out, '}'), true
	}
}

func (s *scope) array(p place) render {
	var items []render
	for _, one := range p.list() {
		items = append(items, s.tree(one))
	}
	return func(out []byte, v *env) ([]byte, bool) {
		out = append(out, '[')
		first := true
		for _, item := range items {
			before := len(out)
			if !first {
				out = append(out, ',')
			}
			var kept bool
			if out, kept = item(out, v); !kept {
				out = out[:before]
				continue
			}
			first = false
		}
		return append(out, ']'), true
	}
}

// part is a piece of a template.
type part struct {
	text   string
	inside bool // it stood in braces
}

// split takes a template apart. {{ and }} are braces that are meant.
func split(source string) ([]part, error) {
	var parts []part
	var plain strings.Builder
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case (c == '{' || c == '}') && i+1 < len(source) && source[i+1] == c:
			plain.WriteByte(c)
			i++
		case c == '}':
			return nil, fmt.Errorf("template %q has a } without its {; write }} for a brace", source)
		case c == '{':
			length := strings.IndexAny(source[i+1:], "{}")
			if length < 0 || source[i+1+length] != '}' {
				return nil, fmt.Errorf("template %q has a { without its }; write {{ for a brace", source)
			}
			if plain.Len() > 0 {
				parts = append(parts, part{plain.String(), false})
				plain.Reset()
			}
			parts = append(parts, part{source[i+1 : i+1+length], true})
			i += 1 + length
		default:
			plain.WriteByte(c)
		}
	}
	if plain.Len() > 0 || len(parts) == 0 {
		parts = append(parts, part{plain.String(), false})
	}
	return parts, nil
}

// expression compiles what stands in braces: a value, then filters.
func (s *scope) expression(p place, source string) *expr {
	pipes, err := tokens(source)
	if err != nil {
		p.bad("{%s}: %s", source, err)
		return constant("", textKind)
	}
	e, err := s.value(pipes[0])
	for _, filter := range pipes[1:] {
		if err != nil {
			break
		}
		e, err = s.filter(e, filter)
	}
	if err != nil {
		p.bad("{%s}: %s", source, err)
		return constant("", textKind)
	}
	return e
}

// tokens splits an expression at its pipes, and each piece into words. A word may
// be quoted.
func tokens(source string) ([][]string, error) {
	pipes := [][]string{nil}
	for rest := strings.TrimSpace(source); rest != ""; rest = strings.TrimLeft(rest, " ") {
		last := len(pipes) - 1
		var word string
		switch {
		case rest[0] == '|':
			pipes, rest = append(pipes, nil), rest[1:]
			continue
		case rest[0] == '"':
			var closed bool
			if word, rest, closed = strings.Cut(rest[1:], `"`); !closed {
				return nil, errors.New("a quote is not closed")
			}
		default:
			end := strings.IndexAny(rest, ` |"`)
			if end < 0 {
				end = len(rest)
			}
			word, rest = rest[:end], rest[end:]
		}
		pipes[last] = append(pipes[last], word)
	}
	if slices.ContainsFunc(pipes, func(words []string) bool { return len(words) == 0 }) {
		return nil, errors.New("a value or a filter is missing")
	}
	return pipes, nil
}
