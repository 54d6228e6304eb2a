package json

import (
	"unicode/utf8"
	"unsafe"
)

// The functions that check bytes return the index behind what they read, or bad.
// They are plain functions of an index, and values do not recurse: in Wasm a call
// or a store to memory costs as much as several bytes of text.
const bad = -1

func space(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// check steps over one value by RFC 8259, which begins at i or behind space.
func check(b []byte, i int) int {
	depth, objects := 0, uint64(0) // a bit for each open object or array, the innermost lowest
	for {
		if i < len(b) && b[i] <= ' ' {
			i = space(b, i)
		}
		if i >= len(b) {
			return bad
		}
		open := false
		switch c := b[i]; c {
		case '{', '[':
			i = space(b, i+1)
			if open = i < len(b) && b[i] != c+2; !open { // the end of either is its begin + 2
				i++
				break
			}
			if depth == maxDepth {
				return bad
			}
			depth++
			objects <<= 1
			if c == '{' {
				objects |= 1
			}
		case '"':
			i = checkText(b, i)
		default:
			i = checkWord(b, i)
		}
		for i != bad && !open { // behind a value: another one, or the end of what is open
			if depth == 0 {
				return i
			}
			if i < len(b) && b[i] <= ' ' {
				i = space(b, i)
			}
			if i >= len(b) {
				return bad
			}
			switch c := b[i]; {
			case c == ',':
				open = true
			case c == ']' && objects&1 == 0, c == '}' && objects&1 == 1:
				depth--
				objects >>= 1
			default:
				return bad
			}
			i++
		}
		if i != bad && objects&1 == 1 {
			i = checkName(b, i)
		}
		if i == bad {
			return bad
		}
	}
}

// checkName steps over a member's name and its colon.
func checkName(b []byte, i int) int {
	if i < len(b) && b[i] <= ' ' {
		i = space(b, i)
	}
	if i >= len(b) || b[i] != '"' {
		return bad
	}
	if i = checkText(b, i); i == bad {
		return bad
	}
	if i < len(b) && b[i] <= ' ' {
		i = space(b, i)
	}
	if i >= len(b) || b[i] != ':' {
		return bad
	}
	return i + 1
}

// checkText steps over a string that begins with the quote at i.
func checkText(b []byte, i int) int {
	start, ascii := i, true
	for i++; ; {
		if i = plain(b, i); i >= len(b) {
			return bad
		}
		switch c := b[i]; {
		case c == '"':
			i++
			if !ascii && !utf8.Valid(b[start:i]) {
				return bad
			}
			return i
		case c == '\\':
			if i = checkEscape(b, i+1); i == bad {
				return bad
			}
		case c < ' ':
			return bad
		default:
			ascii = false
			for i < len(b) && b[i] >= utf8.RuneSelf {
				i++
			}
		}
	}
}

// checkEscape steps over what follows a backslash.
func checkEscape(b []byte, i int) int {
	if i >= len(b) {
		return bad
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		if len(b)-i < 5 || unhex(b[i+1])|unhex(b[i+2])|unhex(b[i+3])|unhex(b[i+4]) == 0xff {
			return bad
		}
		return i + 5
	}
	return bad
}

// checkWord steps over a literal or a number.
func checkWord(b []byte, i int) int {
	var word string
	switch b[i] {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	case 'n':
		word = "null"
	default:
		return checkNumber(b, i)
	}
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return bad
	}
	return i + len(word)
}

func checkNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if i = digits(b, i); i == bad {
		return bad
	}
	if i < len(b) && b[i] == '.' {
		if i = digits(b, i+1); i == bad {
			return bad
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		i = digits(b, i)
	}
	return i
}

// digits steps over one or more digits.
func digits(b []byte, i int) int {
	start := i
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	if i == start {
		return bad
	}
	return i
}

// The functions below step over what was checked before.

// skip steps over the value at i.
func skip(b []byte, i int) int {
	switch b[i] {
	case '"':
		i, _ = skipText(b, i)
		return i
	case '{', '[':
		return skipOpen(b, i)
	}
	for i < len(b) && b[i] > ' ' && b[i] != ',' && b[i] != '}' && b[i] != ']' {
		i++
	}
	return i
}

// skipOpen steps over the object or array at i.
func skipOpen(b []byte, i int) int {
	for depth := 0; i < len(b); {
		switch b[i] {
		case '"':
			i, _ = skipText(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		i++
		if depth == 0 {
			break
		}
	}
	return i
}

// view returns bytes as text that changes with them.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
