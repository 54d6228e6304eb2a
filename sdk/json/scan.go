package json

import "unicode/utf8"

// scanner steps over one value by RFC 8259 and notes the first mistake.
type scanner struct {
	b       []byte
	i       int
	bad     bool
	checked bool // the bytes were checked before
}

func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) space() {
	i := s.i
	for i < len(s.b) && s.b[i] <= ' ' && (s.b[i] == ' ' || s.b[i] == '\n' || s.b[i] == '\t' || s.b[i] == '\r') {
		i++
	}
	s.i = i
}

func (s *scanner) value(depth int) {
	if depth > maxDepth {
		s.bad = true
		return
	}
	switch c := s.peek(); {
	case c == '"':
		s.text()
	case c == '{':
		s.members(depth, '}', true)
	case c == '[':
		s.members(depth, ']', false)
	case c == 't':
		s.word("true")
	case c == 'f':
		s.word("false")
	case c == 'n':
		s.word("null")
	default:
		s.number()
	}
}

func (s *scanner) members(depth int, end byte, named bool) {
	s.i++
	s.space()
	if s.peek() == end {
		s.i++
		return
	}
	for !s.bad {
		if named {
			s.space()
			s.text()
			s.space()
			s.expect(':')
		}
		s.space()
		s.value(depth + 1)
		s.space()
		if s.peek() == ',' {
			s.i++
			continue
		}
		s.expect(end)
		return
	}
}

func (s *scanner) expect(c byte) {
	if s.peek() != c {
		s.bad = true
		return
	}
	s.i++
}

func (s *scanner) word(w string) {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		s.bad = true
		return
	}
	s.i += len(w)
}

// text steps over a string and returns it with its quotes. The index is kept in a
// local variable: in Wasm a field would be stored to memory at every byte.
func (s *scanner) text() []byte {
	b, start := s.b, s.i
	if s.peek() != '"' {
		s.bad = true
		return empty
	}
	ascii := true
	for i := start + 1; i < len(b); i++ {
		c := b[i]
		if c >= ' ' && c != '"' && c != '\\' {
			ascii = ascii && c < utf8.RuneSelf
			continue
		}
		s.i = i
		switch c {
		case '"':
			s.i++
			if !ascii && !s.checked && !utf8.Valid(b[start:s.i]) {
				s.bad = true
			}
			return b[start:s.i]
		case '\\':
			s.escape()
			i = s.i
		default:
			s.bad = true
			return empty
		}
	}
	s.i = len(b)
	s.bad = true
	return empty
}

// empty stands in for a string that is none.
var empty = []byte(`""`)

// escape checks the character after a backslash and stops on its last byte.
func (s *scanner) escape() {
	s.i++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
	case 'u':
		for range 4 {
			s.i++
			if unhex(s.peek()) == 0xff {
				s.bad = true
			}
		}
	default:
		s.bad = true
	}
}

func (s *scanner) number() {
	if s.peek() == '-' {
		s.i++
	}
	if s.peek() == '0' {
		s.i++
	} else {
		s.digits()
	}
	if s.peek() == '.' {
		s.i++
		s.digits()
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		s.digits()
	}
}

func (s *scanner) digits() {
	start := s.i
	for c := s.peek(); '0' <= c && c <= '9'; c = s.peek() {
		s.i++
	}
	if s.i == start {
		s.bad = true
	}
}
