// Package scan looks at text eight bytes at a time. In Wasm a step of a loop costs
// several times its native price, since every round counts towards the CPU bound.
package scan

import "math/bits"

// Ones and High have a one, and the highest bit, in every byte.
const (
	Ones = 0x0101010101010101
	High = 0x8080808080808080
)

// Word returns the eight bytes at i, the first of them lowest.
func Word(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// Equal marks the bytes of a word that are c by their highest bit. Bytes above the
// lowest marked one may be marked wrongly.
func Equal(word uint64, c byte) uint64 {
	word ^= Ones * uint64(c)
	return (word - Ones) & ^word & High
}

// Less marks the bytes of a word that are below c, at most 128, like [Equal].
func Less(word uint64, c byte) uint64 { return (word - Ones*uint64(c)) & ^word & High }

// First returns the index of the lowest marked byte.
func First(marks uint64) int { return bits.TrailingZeros64(marks) / 8 }

// Either returns the index of the first byte from i on that is a or b, or len(s).
func Either(s string, i int, a, b byte) int {
	for ; i+8 <= len(s); i += 8 {
		word := Word(s, i)
		if marks := Equal(word, a) | Equal(word, b); marks != 0 {
			return i + First(marks)
		}
	}
	for i < len(s) && s[i] != a && s[i] != b {
		i++
	}
	return i
}
