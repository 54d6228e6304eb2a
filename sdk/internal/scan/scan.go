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

// ASCII reports whether s has no byte above 127. The last word overlaps the one
// before, which saves the steps for single bytes.
func ASCII(s string) bool {
	n := len(s)
	if n < 8 {
		return short(s)
	}
	i, all := 0, Word(s, n-8)
	for ; i+24 < n; i += 24 {
		all |= Word(s, i) | Word(s, i+8) | Word(s, i+16)
	}
	if i+8 < n {
		all |= Word(s, i)
		if i+16 < n {
			all |= Word(s, i+8)
		}
	}
	return all&High == 0
}

// short is ASCII for up to seven bytes, each looked at once or twice.
func short(s string) bool {
	n := len(s)
	if n >= 4 {
		return s[0]|s[1]|s[2]|s[3]|s[n-1]|s[n-2]|s[n-3]|s[n-4] < 0x80
	}
	return n == 0 || s[0]|s[n/2]|s[n-1] < 0x80
}
