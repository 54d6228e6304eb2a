package vault

import (
	"slices"
	"sync"
	"sync/atomic"
)

// MinSecretLen is the length in bytes from which a secret is searched for: a shorter one stands in innocent
// texts by chance.
const MinSecretLen = 8

// MaxAdded is how many values a Scrubber keeps of those added at run time; the oldest make room for new ones.
const MaxAdded = 64

// AddedName is the name that Contains gives to a value added at run time.
const AddedName = "(added at run time)"

// Scrubber finds the secrets of a Vault, shared keys included, in data, and masks them in texts. It knows a
// secret plain, in base64 (standard and URL alphabet, wherever it begins in a group of three bytes, padded or
// not), percent-encoded, in hex, and each as it stands within a JSON string. It does not see through base64
// that is broken into lines, encodings of encodings, compression or encryption. It may be used from many
// goroutines.
type Scrubber struct {
	fixed      []*pattern
	unsearched []string

	mu      sync.Mutex // held to change what follows
	added   []addition // oldest first
	matcher atomic.Pointer[matcher]
}

// addition is a value added at run time, cut to what is searched.
type addition struct {
	value    string
	patterns []*pattern
}

// NewScrubber makes a Scrubber of the vault's secrets and shared keys. A nil vault has none.
func NewScrubber(v *Vault) *Scrubber {
	s := &Scrubber{}
	if v != nil {
		for _, name := range v.SecretNames() {
			s.fix(name, v.secrets[name].Reveal())
		}
		for _, name := range v.KeyNames() {
			if m, _ := v.keys[name].material.current(); m.secret.Len() > 0 {
				s.fix(name, m.secret.Reveal())
			}
		}
	}
	slices.Sort(s.unsearched)
	s.matcher.Store(newMatcher(s.fixed))
	return s
}

func (s *Scrubber) fix(name, value string) {
	if len(value) < MinSecretLen {
		s.unsearched = append(s.unsearched, name)
		return
	}
	s.fixed = append(s.fixed, patternsOf(name, value)...)
}

// Add has the value searched for as well, such as a token that a provider just issued. Only the last MaxAdded
// different values are kept. A value under MinSecretLen bytes is ignored; of one above MaxSecretLen bytes the
// beginning is searched for. Adding a known value is cheap.
func (s *Scrubber) Add(value string) {
	if len(value) < MinSecretLen {
		return
	}
	value = value[:min(len(value), MaxSecretLen)]

	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.added, func(a addition) bool { return a.value == value }); i >= 0 {
		again := s.added[i]
		s.added = append(slices.Delete(s.added, i, i+1), again)
		return
	}
	if len(s.added) == MaxAdded {
		s.added = slices.Delete(s.added, 0, 1)
	}
	s.added = append(s.added, addition{value, patternsOf(AddedName, value)})
	patterns := slices.Clone(s.fixed)
	for _, a := range s.added {
		patterns = append(patterns, a.patterns...)
	}
	s.matcher.Store(newMatcher(patterns))
}

// Unsearched returns the names, sorted, of the secrets that are too short to be searched for.
func (s *Scrubber) Unsearched() []string { return slices.Clone(s.unsearched) }

// Contains reports whether a secret stands in data, and the name of the first one found.
func (s *Scrubber) Contains(data []byte) (name string, found bool) {
	m := s.matcher.Load()
	// The forms with escapes that are common are patterns of their own; decoding finds the rest, such as %61
	// for "a".
	unquoted := jsonDecoded(data)
	for _, view := range [][]byte{data, unquoted, percentDecoded(data), percentDecoded(unquoted)} {
		if hit, ok := m.next(view, 0); ok {
			return hit.name, true
		}
	}
	return "", false
}

func patternsOf(name, value string) []*pattern {
	var patterns []*pattern
	for _, form := range forms(value) {
		patterns = append(patterns, &pattern{bytes: form, name: name})
	}
	return patterns
}
