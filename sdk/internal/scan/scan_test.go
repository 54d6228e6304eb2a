package scan_test

import (
	"strings"
	"testing"

	"github.com/payhost/payhost/sdk/internal/scan"
)

// TestEither tries every place of a byte in texts around the length of a word,
// among bytes that differ from it by one bit or by one.
func TestEither(t *testing.T) {
	t.Parallel()
	for n := range 28 {
		for at := range n + 1 {
			for from := range n + 1 {
				for _, fill := range []string{"\x00", "\x21", "\x23", "\xa2", "\x5b", "\x5d", "\xdc", "\xff"} {
					s := []byte(strings.Repeat(fill, n))
					want := n
					if at < n {
						s[at] = '"'
						s[n-1] = '\\'
						if from <= at {
							want = at
						} else if from < n {
							want = n - 1
						}
						if at == n-1 && from <= at {
							want = at
						}
					}
					if got := scan.Either(string(s), from, '"', '\\'); got != want {
						t.Fatalf("%q from %d: %d, want %d", s, from, got, want)
					}
				}
			}
		}
	}
}

func TestLess(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		word := scan.Ones*0x7e&^0xff00 | uint64(c)<<8
		if got, want := scan.Less(word, ' ') != 0, c < ' '; got != want {
			t.Errorf("%#x below a space: %v", c, got)
		}
		if got, want := scan.First(scan.Less(word, ' ')), 1; c < ' ' && got != want {
			t.Errorf("%#x is byte %d, want %d", c, got, want)
		}
	}
}

func TestASCII(t *testing.T) {
	t.Parallel()
	for n := range 28 {
		s := []byte(strings.Repeat("\x7f", n))
		if !scan.ASCII(string(s)) {
			t.Errorf("%q is none", s)
		}
		for at := range n {
			s[at] = 0x80
			if scan.ASCII(string(s)) {
				t.Errorf("%q is one", s)
			}
			s[at] = 0x7f
		}
	}
}
