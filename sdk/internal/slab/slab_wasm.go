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
