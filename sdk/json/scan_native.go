//go:build !wasm

package json

import "github.com/payhost/payhost/sdk/internal/scan"

// The functions here are assembly in Wasm.

// plain returns the index of the first byte from i on that needs a look in a text: a
// quote, a backslash, one below a space, or one above ASCII; len(b) if there is none.
func plain(b []byte, i int) int {
	s := view(b)
	for ; i+8 <= len(s); i += 8 {
		word := scan.Word(s, i)
		if marks := scan.Equal(word, '"') | scan.Equal(word, '\\') | scan.Less(word, ' ') | word&scan.High; marks != 0 {
			return i + scan.First(marks)
		}
	}
	for i < len(s) && s[i] >= ' ' && s[i] < 0x80 && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

// member is for Wasm: here search is as fast.
func member([]byte, string) int { return -1 }

// skipText steps over the string at i and tells whether it has an escape.
func skipText(b []byte, i int) (end int, escaped bool) {
	s := view(b)
	for i++; i+8 <= len(s); {
		word := scan.Word(s, i)
		marks := scan.Equal(word, '"') | scan.Equal(word, '\\')
		if marks == 0 {
			i += 8
			continue
		}
		if i += scan.First(marks); s[i] == '"' {
			return i + 1, escaped
		}
		i += 2
		escaped = true
	}
	for s[i] != '"' {
		if s[i] == '\\' {
			i++
			escaped = true
		}
		i++
	}
	return i + 1, escaped
}
