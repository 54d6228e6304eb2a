package vault

import "bytes"

// matcher finds any of many patterns in one pass (Wu and Manber's algorithm with blocks of two bytes). Every
// pattern has at least minPattern bytes. The last two bytes of a window of minPattern bytes tell how far the
// window may move: where they end no pattern's beginning, by minPattern-1 bytes. So most of a text is never
// looked at, and the number of patterns hardly counts.
type matcher struct {
	shift [1 << 16]uint8        // by the last two bytes of the window
	heads map[uint16][]*pattern // patterns whose first minPattern bytes end with these two
}

// minPattern is the length of the window, in bytes: no pattern may be shorter.
const minPattern = MinSecretLen

// pattern is one form in which a secret may stand in a text.
type pattern struct {
	bytes []byte
	name  string // of the secret
}

// match is an occurrence, text[start:end].
type match struct {
	start, end int
	name       string
}

func newMatcher(patterns []*pattern) *matcher {
	m := &matcher{heads: make(map[uint16][]*pattern)}
	for i := range m.shift {
		m.shift[i] = minPattern - 1
	}
	for _, p := range patterns {
		for i := range minPattern - 1 {
			block := blockAt(p.bytes, i)
			m.shift[block] = min(m.shift[block], uint8(minPattern-2-i))
		}
		head := blockAt(p.bytes, minPattern-2)
		m.heads[head] = append(m.heads[head], p)
	}
	return m
}

// next returns the first match that starts at from or later; of several that start there, the longest.
func (m *matcher) next(text []byte, from int) (match, bool) {
	if len(m.heads) == 0 {
		return match{}, false
	}
	for start := from; start+minPattern <= len(text); {
		block := blockAt(text, start+minPattern-2)
		if shift := m.shift[block]; shift > 0 {
			start += int(shift)
			continue
		}
		if found, ok := m.at(text, start, m.heads[block]); ok {
			return found, true
		}
		start++
	}
	return match{}, false
}

func (m *matcher) at(text []byte, start int, candidates []*pattern) (match, bool) {
	best := match{start: start, end: start}
	for _, p := range candidates {
		if end := start + len(p.bytes); end > best.end && bytes.HasPrefix(text[start:], p.bytes) {
			best.end, best.name = end, p.name
		}
	}
	return best, best.end > start
}

func blockAt(text []byte, i int) uint16 {
	return uint16(text[i])<<8 | uint16(text[i+1])
}
