//go:build wasip1

package slab

// piece is the size of what is allocated at once; what is larger than large is
// allocated by itself.
const (
	piece = 16 << 10
	large = piece / 4
)

// left is what is left of the piece in use.
var left []byte

// Bytes returns an empty slice with room for n bytes.
func Bytes(n int) []byte {
	if n > len(left) {
		if n > large {
			return make([]byte, 0, n)
		}
		Renew()
	}
	p := left[:0:n]
	left = left[n:]
	return p
}

// Rest returns at least n bytes that are the caller's until the next call of this
// package; [Keep] makes the first of them its own for good.
func Rest(n int) []byte {
	if n > len(left) {
		left = make([]byte, max(n, piece))
	}
	return left
}

// Keep takes the first n bytes of what [Rest] returned.
func Keep(n int) { left = left[n:] }

// Renew begins a new piece.
func Renew() { left = make([]byte, piece) }

// Pool gives out values of one type. The zero value is ready.
type Pool[T any] struct {
	n    int
	list [16]T
}

// Take returns n values.
func (p *Pool[T]) Take(n int) []T {
	first := p.n
	if n > len(p.list)-first {
		return make([]T, n)
	}
	p.n += n
	return p.list[first:p.n:p.n]
}

// Single gives out one value of a type, and new ones when it is taken. The zero
// value is ready.
type Single[T any] struct {
	taken bool
	value T
}

// Take returns a value.
func (s *Single[T]) Take() *T {
	if s.taken {
		return new(T)
	}
	s.taken = true
	return &s.value
}
