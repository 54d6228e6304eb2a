package host

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/payhost/payhost/sdk/pay"
)

// The part of masking that finds what is to be masked.

// collect finds what is to be masked.
func (m *masker) collect(r *Recording) {
	m.request(&r.Input)
	for i := range r.Calls {
		if c := r.Calls[i].Crypto; c != nil {
			m.crypto(r.Calls[i].Import, c)
		}
	}
	for _, s := range r.Sends() {
		m.headers(s.Request.Header)
		m.named(s.Body)
		if s.Answer != nil {
			m.headers(s.Answer.Header)
			m.named(s.Answer.Body)
		}
	}
	if r.Reply != nil && r.Reply.Result != nil {
		m.name("hint", r.Reply.Result.PayerHint)
	}
	if r.Verdict.Result != nil {
		m.name("hint", r.Verdict.Result.PayerHint)
	}
	eachText(reflect.ValueOf(r).Elem(), func(text string) string {
		m.patterns(text)
		return text
	})
}

func (m *masker) request(in *RecordedInput) {
	if c := in.Create; c != nil {
		m.person(&c.Customer)
		m.lines(c.Lines)
		m.name("text", c.Description)
		m.nonce(c.NotificationURL)
	}
	if in.Bind != nil {
		m.code(in.Bind.Code)
	}
	if in.Refund != nil {
		m.name("text", in.Refund.Reason)
	}
	if c := in.Receipt; c != nil {
		m.code(c.Code)
		m.lines(c.Lines)
	}
	if c := in.Notification; c != nil {
		m.nonce(c.Path)
		m.headers(c.Header)
		m.named(c.Body)
	}
}

// Names of fields whose values are masked, whoever says them: what opens something
// to whoever has it, and what tells who a person is.
var (
	bearing = regexp.MustCompile(`authorization|api-?key|^x-.*(?:token|secret)`)
	opening = regexp.MustCompile(`(?i)(?:access|refresh|id|auth|session|bearer)[_-]?token|password|secret|^cv[vc]2?$|^pin$`)
	persons = regexp.MustCompile(`(?i)phone|msisdn|e-?mail|(?:first|last|full|middle|payer|customer|holder)[_-]?name|` +
		`card_?holder|^pan$|passport|birth`)
)

// headers masks what opens something, and leaves the form around it, which a plugin
// may read.
func (m *masker) headers(list []pay.Field) {
	for _, f := range list {
		switch name := strings.ToLower(f.Name); {
		case name == "set-cookie":
			cookie, _, _ := strings.Cut(f.Value, ";")
			m.cookie(cookie)
		case name == "cookie":
			for cookie := range strings.SplitSeq(f.Value, ";") {
				m.cookie(cookie)
			}
		case bearing.MatchString(name):
			m.name("secret", f.Value[strings.LastIndexByte(f.Value, ' ')+1:]) // behind "Bearer", if that is there
		}
	}
}

func (m *masker) cookie(text string) {
	name, value, ok := strings.Cut(strings.TrimSpace(text), "=")
	if !ok {
		value = name
	}
	m.name("secret", value)
}

// named masks the values of a body whose names say what they are.
func (m *masker) named(body []byte) {
	value := func(name, text string) {
		switch {
		case opening.MatchString(name):
			m.name("secret", text)
		case !persons.MatchString(name):
		case strings.Contains(text, "@"):
			m.name("email", text)
		case strings.Trim(text, "+0123456789 ()-") == "":
			m.name("phone", text)
		default:
			m.name("person", text)
		}
	}
	if tree, ok := parsed(body); ok {
		eachMember(tree, value)
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !utf8.Valid(body) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, text := range form[name] {
			value(name, text)
		}
	}
}

// eachMember visits the texts of objects, by their names in order, so
// that placeholders are counted the same each time.
func eachMember(tree any, visit func(name, text string)) {
	switch x := tree.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(x)) {
			switch member := x[name].(type) {
			case string:
				visit(name, member)
			default:
				eachMember(member, visit)
			}
		}
	case []any:
		for _, member := range x {
			eachMember(member, visit)
		}
	}
}

func (m *masker) person(c *pay.Customer) {
	m.name("name", c.Name)
	for part := range strings.FieldsSeq(c.Name) { // a plugin may send first and last name apart
		if part != c.Name && len(part) >= leastValue {
			m.name("name", part)
		}
	}
	m.name("email", c.Email)
	m.name("phone", c.Phone)
	if digits := strings.Map(onlyDigits, c.Phone); digits != c.Phone && len(digits) >= 7 {
		m.holders[digits] = strings.Map(onlyDigits, m.holders[c.Phone])
		m.values = append(m.values, digits)
	}
}

func onlyDigits(c rune) rune {
	if c < '0' || c > '9' {
		return -1
	}
	return c
}

func (m *masker) lines(list []pay.Line) {
	for _, l := range list {
		m.name("item", l.Name)
	}
}

// code masks what a scanner read: the texts in it, if it is JSON, so that its form
// stays.
func (m *masker) code(code string) {
	tree, ok := parsed([]byte(code))
	if !ok {
		m.name("code", code)
		return
	}
	eachLeaf(tree, func(text string) {
		if len(text) < leastValue {
			return
		}
		m.name("code", text)
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(raw) >= 16 {
			m.name("code", string(raw)) // as a key is used on it
		}
	})
}

// nonce masks the last part of a path if it is long enough to open something.
func (m *masker) nonce(path string) {
	path, _, _ = strings.Cut(path, "?")
	if last := path[strings.LastIndexByte(path, '/')+1:]; len(last) >= 16 {
		m.name("nonce", last)
	}
}

// crypto takes out what was decrypted, and what was to be encrypted, and masks
// the parts of it that a plugin may have sent on.
func (m *masker) crypto(name string, c *RecordedCrypto) {
	secret := &c.Result
	switch name {
	case "decrypt":
	case "encrypt":
		secret = &c.Data
	default:
		return
	}
	if len(*secret) == 0 {
		return
	}
	text := string(*secret)
	c.Length = len(text)
	if utf8.ValidString(text) {
		m.parts(text)
	}
	*secret = []byte(m.name("plaintext", text))
}

// parts masks what may be found of a plaintext elsewhere: its texts if it is JSON,
// else its words that have a digit.
func (m *masker) parts(text string) {
	if tree, ok := parsed([]byte(text)); ok {
		eachLeaf(tree, m.part)
		return
	}
	for _, word := range wordsOf.FindAllString(text, -1) {
		m.part(word)
	}
}

// part masks a part that tells somebody apart; what is short or a plain word would
// be found where it means something else.
func (m *masker) part(text string) {
	if len(text) >= 12 || len(text) >= 6 && strings.ContainsAny(text, "0123456789") {
		m.name("plaintext", text)
	}
}

var wordsOf = regexp.MustCompile(`[\pL\pN_-]+`)

func eachLeaf(tree any, visit func(string)) {
	switch x := tree.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(x)) {
			eachLeaf(x[name], visit)
		}
	case []any:
		for _, member := range x {
			eachLeaf(member, visit)
		}
	case string:
		visit(x)
	case fmt.Stringer: // a number
		visit(x.String())
	}
}

var (
	mails = regexp.MustCompile(`[\pL\pN._+-]+@[\pL\pN-]+(?:\.[\pL\pN-]+)+`)
	cards = regexp.MustCompile(`\d(?:[ -]?\d){12,}`)
)

// patterns finds e-mail addresses and card numbers in a text.
func (m *masker) patterns(text string) {
	// In an escaped text "to%3Da@b.example" would give the address "3Da@b.example".
	for _, mail := range mails.FindAllString(unescaped(text), -1) {
		m.name("email", mail)
	}
	for _, run := range cards.FindAllString(text, -1) {
		digits := strings.Map(onlyDigits, run)
		if len(digits) <= 19 && luhn(digits) {
			m.name("card", digits)
			if run != digits { // as it is written, too
				m.name("card", run)
			}
		}
	}
}

// unescaped decodes what is percent-encoded, and leaves what is not as it is.
func unescaped(text string) string {
	text = strings.ReplaceAll(text, `\u0040`, "@")
	if !strings.Contains(text, "%") {
		return text
	}
	return escapes.ReplaceAllStringFunc(text, func(e string) string {
		c, _ := strconv.ParseUint(e[1:], 16, 8)
		return string([]byte{byte(c)})
	})
}

var escapes = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
