package host

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/payhost/payhost/host/vault"
)

// Mask returns a copy that may leave the process, and be committed beside a plugin.
//
//   - Personal data of the request (the customer, lines' names, descriptions, payers'
//     codes, the nonce of a notification's URL, hints at the payer), and every e-mail
//     address and card number, wherever it stands, become placeholders. One value has
//     one placeholder in the whole recording, in whatever encoding it stands, so that
//     a replay still fits.
//   - What was decrypted is never kept, nor what was to be encrypted: only its length.
//   - Secrets and access tokens that the connection's Scrubber knows become "[secret]".
//     A recording that was read from a file knows none: it has been masked before.
//
// A text that holds personal data in a way that can't be cut out, such as base64, is
// replaced as a whole.
func (r *Recording) Mask() *Recording {
	out, err := DecodeRecording(r.Encode())
	if err != nil {
		// Not even masked may it leave: what is left says what it was of.
		return &Recording{Format: RecordingFormat, Masked: true, Cut: true, Operation: r.Operation, Connection: r.Connection}
	}
	if r.Masked {
		return out
	}
	m := &masker{scrub: r.scrub, holders: map[string]string{}, counts: map[string]int{}}
	if m.scrub == nil {
		m.scrub = vault.NewScrubber(nil)
	}
	m.collect(out)
	m.prepare(out)
	m.digests(out)
	eachText(reflect.ValueOf(out).Elem(), m.mask)
	out.Masked = true
	return out
}

// masker replaces values by placeholders.
type masker struct {
	scrub   *vault.Scrubber
	holders map[string]string // placeholder by value
	values  []string          // in the order in which they were found
	counts  map[string]int    // of placeholders, by kind

	replace func(string) string
	net     *vault.Scrubber // sees the values in encodings that can't be replaced
	opaque  map[string]string
}

// leastValue is the shortest value that is looked for inside of other texts.
const leastValue = 4

// name gives a value its placeholder. A placeholder is of letters, digits and "-",
// which no encoding changes, but for e-mail addresses, whose form plugins check.
func (m *masker) name(kind, value string) string {
	if value == "" {
		return ""
	}
	if holder, ok := m.holders[value]; ok {
		return holder
	}
	m.counts[kind]++
	n := m.counts[kind]
	holder := fmt.Sprintf("masked-%s-%d", kind, n)
	switch kind {
	case "email":
		holder += maskedDomain
	case "card":
		holder = maskedCard(len(value), n)
	case "phone":
		holder = maskedPhone(value, n)
	}
	m.holders[value] = holder
	m.values = append(m.values, value)
	return holder
}

const maskedDomain = "@masked.invalid"

// maskedCard is digits that are no card number, as long as the one that they stand
// for, so that they can stand where a number stands.
func maskedCard(length, n int) string {
	for i := n * 10; ; i++ {
		digits := "9" + strings.Repeat("0", length-5) + fmt.Sprintf("%04d", i%10_000)
		if !luhn(digits) {
			return digits
		}
	}
}

// maskedPhone has the digits and signs of a phone number, all zeros but the last.
func maskedPhone(value string, n int) string {
	digits := fmt.Sprint(n)
	out := []byte(value)
	for i, c := range slices.Backward(out) {
		switch {
		case c < '0' || c > '9':
		case digits != "":
			out[i], digits = digits[len(digits)-1], digits[:len(digits)-1]
		default:
			out[i] = '0'
		}
	}
	return string(out)
}

func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// eachText visits every text of a recording but those that name the plugin and the
// import, and puts in its place what visit returns.
func eachText(v reflect.Value, visit func(string) string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachText(v.Elem(), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && !untouched[f.Name] && f.Type.Kind() != reflect.Interface {
				eachText(v.Field(i), visit)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if v.Len() > 0 {
				v.SetBytes([]byte(visit(string(v.Bytes()))))
			}
			return
		}
		for i := range v.Len() {
			eachText(v.Index(i), visit)
		}
	case reflect.String:
		v.SetString(visit(v.String()))
	}
}

// untouched are fields whose texts are names and numbers of payhost's and the
// plugin's own.
var untouched = map[string]bool{
	"Import": true, "Digest": true, "Version": true, "Level": true, "Currency": true, "Evidence": true,
	"Algorithm": true, "Random": true,
}
