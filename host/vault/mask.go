package vault

import "strings"

// Mask makes a text fit to be written down. Secrets, in every form that Contains knows, become "[secret]";
// card numbers keep their first six and last four digits; e-mail addresses keep their domain. A card number
// is a run of 13 to 19 digits, maybe with single spaces or dashes in between, that passes the Luhn check: one
// in ten other numbers of that length does too. If a secret stands in the text in a way that cannot be cut
// out, all of it becomes "[secret]".
func (s *Scrubber) Mask(text string) string {
	out := s.maskSecrets([]byte(text))
	if _, found := s.Contains(out); found {
		return masked
	}
	maskCards(out)
	return maskMails(string(out))
}

// maskSecrets returns text, copied, with every secret replaced; secrets that overlap are replaced as one.
func (s *Scrubber) maskSecrets(text []byte) []byte {
	m := s.matcher.Load()
	var out []byte
	kept := 0 // text[:kept] is in out
	hit, ok := m.next(text, 0)
	for ok {
		start, end := hit.start, hit.end
		for {
			hit, ok = m.next(text, hit.start+1)
			if !ok || hit.start > end {
				break
			}
			end = max(end, hit.end)
		}
		out = append(append(out, text[kept:start]...), masked...)
		kept = end
	}
	return append(out, text[kept:]...)
}

// Digits of a card number: how many there may be, and how many of them stay.
const (
	minCardDigits = 13
	maxCardDigits = 19
	keptFirst     = 6
	keptLast      = 4
)

// maskCards masks card numbers in place. A number begins and ends where digits begin and end, so that a
// longer run of digits is not cut to a card number; but a date or another number one space away does not hide
// it.
func maskCards(text []byte) {
	for i := 0; i < len(text); {
		if !isDigit(text[i]) {
			i++
			continue
		}
		end := groupEnd(text, i)
		if card := cardEnd(text, i); card > 0 {
			maskDigits(text[i:card])
			end = card
		}
		i = end
	}
}

// cardEnd returns where the longest card number that begins at start ends; 0 if none does.
func cardEnd(text []byte, start int) int {
	best, count := 0, 0
	for i := start; ; {
		end := groupEnd(text, i)
		if count += end - i; count > maxCardDigits {
			return best
		}
		if count >= minCardDigits && luhn(text[start:end]) {
			best = end
		}
		if end+1 >= len(text) || (text[end] != ' ' && text[end] != '-') || !isDigit(text[end+1]) {
			return best
		}
		i = end + 1
	}
}

// groupEnd returns the end of the digits that begin at start.
func groupEnd(text []byte, start int) int {
	for start < len(text) && isDigit(text[start]) {
		start++
	}
	return start
}

// luhn checks the digits of number, passing over what is between them.
func luhn(number []byte) bool {
	sum, double := 0, false
	for i := len(number) - 1; i >= 0; i-- {
		if !isDigit(number[i]) {
			continue
		}
		digit := int(number[i] - '0')
		if double {
			if digit *= 2; digit > 9 {
				digit -= 9
			}
		}
		sum += digit
		double = !double
	}
	return sum%10 == 0
}

func maskDigits(number []byte) {
	total := 0
	for _, char := range number {
		if isDigit(char) {
			total++
		}
	}
	seen := 0
	for i, char := range number {
		if !isDigit(char) {
			continue
		}
		if seen++; seen > keptFirst && seen <= total-keptLast {
			number[i] = '*'
		}
	}
}

func isDigit(char byte) bool { return '0' <= char && char <= '9' }

// maskMails replaces what stands before the @ of an e-mail address, also one that is percent-encoded.
func maskMails(text string) string {
	var out strings.Builder
	kept := 0  // text[:kept] is in out
	floor := 0 // how far back a local part may reach: to the @ before it
	for i := 0; i < len(text); i++ {
		size := atSign(text[i:])
		if size == 0 {
			continue
		}
		start := i
		for start > floor && isMailChar(text[start-1]) {
			start--
		}
		floor = i + size
		if start < i && isDomain(text[i+size:]) {
			out.WriteString(text[kept:start])
			out.WriteString("***")
			kept = i
		}
		i += size - 1
	}
	if kept == 0 {
		return text
	}
	out.WriteString(text[kept:])
	return out.String()
}

// atSign returns the size of the @ that text begins with; 0 if it does not.
func atSign(text string) int {
	switch {
	case text[0] == '@':
		return len("@")
	case strings.HasPrefix(text, "%40"):
		return len("%40")
	}
	return 0
}

// isDomain reports whether text begins with a domain name of two labels at least.
func isDomain(text string) bool {
	end := 0
	for end < len(text) && isDomainChar(text[end]) {
		end++
	}
	dot := strings.IndexByte(text[:end], '.')
	return dot > 0 && dot+1 < end && text[dot+1] != '.'
}

// isMailChar and isDomainChar count all bytes of characters beyond ASCII in: addresses may be in any script.
// What may stand in an address but more often ends a field, as "=" and "/" do, is not counted: the field's
// name should stay.
func isMailChar(char byte) bool {
	return isDomainChar(char) || char == '_' || char == '+' || char == '%'
}

func isDomainChar(char byte) bool {
	return isDigit(char) || 'a' <= char && char <= 'z' || 'A' <= char && char <= 'Z' ||
		char == '-' || char == '.' || char >= 0x80
}
