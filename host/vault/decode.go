package vault

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// percentDecoded undoes %XX wherever it stands; everything else stays, a "+" too. Nil if there is nothing to
// undo.
func percentDecoded(text []byte) []byte {
	first := bytes.IndexByte(text, '%')
	if first < 0 {
		return nil
	}
	out := make([]byte, 0, len(text))
	out = append(out, text[:first]...)
	for i := first; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if value, ok := hexValue(text[i+1 : i+3]); ok {
				out = append(out, byte(value))
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	return out
}

// jsonDecoded undoes the escapes of JSON strings wherever they stand, without looking whether the text is
// JSON. Nil if there is nothing to undo.
func jsonDecoded(text []byte) []byte {
	first := bytes.IndexByte(text, '\\')
	if first < 0 {
		return nil
	}
	out := make([]byte, 0, len(text))
	out = append(out, text[:first]...)
	for i := first; i < len(text); {
		if text[i] != '\\' || i+1 == len(text) {
			out = append(out, text[i])
			i++
			continue
		}
		size, char := jsonEscape(text[i:])
		if size > 2 {
			out = utf8.AppendRune(out, char)
		} else {
			out = append(out, byte(char))
		}
		i += size
	}
	return out
}

// jsonEscape reads the escape at the start of text, which has at least two bytes: its size and its character.
func jsonEscape(text []byte) (int, rune) {
	switch text[1] {
	case 'b':
		return 2, '\b'
	case 'f':
		return 2, '\f'
	case 'n':
		return 2, '\n'
	case 'r':
		return 2, '\r'
	case 't':
		return 2, '\t'
	case 'u':
		first, ok := unicodeEscape(text)
		if !ok {
			return 2, 'u'
		}
		if utf16.IsSurrogate(first) {
			second, _ := unicodeEscape(text[6:])
			if char := utf16.DecodeRune(first, second); char != utf8.RuneError {
				return 12, char
			}
		}
		return 6, first
	}
	return 2, rune(text[1]) // a quote, a slash, a backslash, or nothing that JSON knows
}

// unicodeEscape reads \uXXXX.
func unicodeEscape(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	value, ok := hexValue(text[2:6])
	return rune(value), ok
}

func hexValue(digits []byte) (int, bool) {
	value := 0
	for _, digit := range digits {
		switch {
		case '0' <= digit && digit <= '9':
			value = value<<4 | int(digit-'0')
		case 'a' <= digit && digit <= 'f':
			value = value<<4 | int(digit-'a'+10)
		case 'A' <= digit && digit <= 'F':
			value = value<<4 | int(digit-'A'+10)
		default:
			return 0, false
		}
	}
	return value, true
}
