package simkit

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxExponent bounds a JSON number's exponent, so that a short text can't ask for a long loop.
const maxExponent = 40

// ParseDecimal reads plain decimal text, such as 35.45, into minor units with this many decimal places (0
// to 9). Zeros beyond the last place are exact and pass. It refuses a sign, an exponent, space, a digit
// that would be lost and what does not fit an int64.
func ParseDecimal(text string, places int) (int64, error) {
	whole, fraction, dot := strings.Cut(text, ".")
	if !allDigits(whole) || dot && !allDigits(fraction) {
		return 0, fmt.Errorf("%q is not a plain decimal", text)
	}
	return toMinor(text, whole, fraction, 0, places)
}

// ParseNumber reads the text of a JSON number, which may have an exponent, into minor units with this many
// decimal places. It refuses a negative number and otherwise what [ParseDecimal] refuses. No float is
// involved.
func ParseNumber(text json.Number, places int) (int64, error) {
	s := string(text)
	if s == "" || s[0] < '0' || s[0] > '9' || !json.Valid([]byte(s)) {
		return 0, fmt.Errorf("%q is not a number of zero or more", s)
	}
	mantissa, exponentText, hasExponent := strings.Cut(strings.ToLower(s), "e")
	exponent := 0
	if hasExponent {
		var err error
		exponent, err = strconv.Atoi(exponentText)
		if err != nil || exponent > maxExponent || exponent < -maxExponent {
			return 0, fmt.Errorf("%q has an exponent out of range", s)
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	return toMinor(s, whole, fraction, exponent, places)
}

// toMinor reads whole.fraction × 10^exponent. Only digits come here.
func toMinor(text, whole, fraction string, exponent, places int) (int64, error) {
	digits := whole + fraction
	keep := len(whole) + exponent + places
	if keep < 0 {
		digits, keep = strings.Repeat("0", -keep)+digits, 0
	}
	if keep > len(digits) {
		digits += strings.Repeat("0", keep-len(digits))
	}
	if strings.Trim(digits[keep:], "0") != "" {
		return 0, fmt.Errorf("%q has more than %d decimal places", text, places)
	}
	var minor int64
	for _, d := range digits[:keep] {
		digit := int64(d - '0')
		if minor > (math.MaxInt64-digit)/10 {
			return 0, fmt.Errorf("%q is too large", text)
		}
		minor = minor*10 + digit
	}
	return minor, nil
}

// FormatDecimal writes minor units with every decimal place: 3500 with 2 places is 35.00.
func FormatDecimal(minor int64, places int) string {
	sign, digits := "", strconv.FormatInt(minor, 10)
	if minor < 0 {
		sign, digits = "-", digits[1:]
	}
	if places <= 0 {
		return sign + digits
	}
	if len(digits) <= places {
		digits = strings.Repeat("0", places+1-len(digits)) + digits
	}
	return sign + digits[:len(digits)-places] + "." + digits[len(digits)-places:]
}

// FormatShort writes minor units without zeros at the end: 3500 with 2 places is 35.
func FormatShort(minor int64, places int) string {
	text := FormatDecimal(minor, places)
	if !strings.Contains(text, ".") {
		return text
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
