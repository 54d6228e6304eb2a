package host

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // what a plugin asked for
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/abi"
)

// The part of masking that knows in which forms a value stands in a text.

// prepare makes the replacer of all values in all forms, the longest first, and the
// net for what it can't see.
func (m *masker) prepare(r *Recording) {
	keys := keysOf(r)
	var pairs, folded []pair
	for _, value := range m.values {
		holder := m.holders[value]
		whole := len(value) < leastValue || keys[value]
		if !utf8.ValidString(value) {
			pairs = append(pairs, pair{value, holder})
			continue
		}
		for _, form := range forms {
			if was, is := form(value), form(holder); was != "" {
				pairs = append(pairs, within(was, is, whole)...)
			}
		}
		if !whole {
			for _, other := range []string{strings.ToUpper(value), strings.ToLower(value)} {
				folded = append(folded, pair{other, holder}, pair{url.QueryEscape(other), url.QueryEscape(holder)})
			}
		}
	}
	pairs = append(pairs, folded...) // behind, since "test" may be a value beside "Test"
	slices.SortStableFunc(pairs, func(a, b pair) int { return len(b.was) - len(a.was) })
	list := make([]string, 0, 2*len(pairs))
	seen := map[string]bool{}
	for _, p := range pairs {
		if !seen[p.was] {
			seen[p.was] = true
			list = append(list, p.was, p.is)
		}
	}
	m.replace = strings.NewReplacer(list...).Replace
	m.opaque = map[string]string{}
	m.cast(keys)
}

// cast makes the net: a Scrubber of the values, which sees them in base64 and hex
// too.
func (m *masker) cast(keys map[string]bool) {
	const most = 256 // of values; a recording of more has lines that are as good as public
	secrets := map[string]vault.Secret{}
	for i, value := range m.values {
		if len(value) >= vault.MinSecretLen && !keys[value] && len(secrets) < most {
			secrets[strconv.Itoa(i)] = vault.NewSecret(value[:min(len(value), vault.MaxSecretLen)])
		}
	}
	v, err := vault.New(vault.Config{Secrets: secrets})
	if err != nil { // nothing in it that a vault refuses
		panic("host: recording: " + err.Error())
	}
	m.net = vault.NewScrubber(v)
}

type pair struct{ was, is string }

// within returns what to replace for a form of a value. One that is short, or that
// is also the name of a field, is replaced only where it is a whole JSON or form
// value: elsewhere it would be a part of something else.
func within(was, is string, whole bool) []pair {
	if !whole {
		return []pair{{was, is}}
	}
	return []pair{
		{`:"` + was + `"`, `:"` + is + `"`},
		{`: "` + was + `"`, `: "` + is + `"`},
		{"=" + was + "&", "=" + is + "&"},
	}
}

// forms are the ways in which plugins and providers write a text.
var forms = []func(string) string{
	func(s string) string { return s },
	url.QueryEscape,
	func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") },
	url.PathEscape,
	func(s string) string { return smallHex(url.QueryEscape(s)) },
	inString,
	func(s string) string { return strings.ReplaceAll(inString(s), "/", `\/`) },
	asciiString,
	func(s string) string { return strings.ReplaceAll(asciiString(s), "/", `\/`) },
	func(s string) string { return url.QueryEscape(inString(s)) },
	func(s string) string { return url.QueryEscape(asciiString(s)) },
}

// smallHex turns %2F into %2f.
func smallHex(escaped string) string {
	out := []byte(escaped)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:i+3], bytes.ToLower(out[i+1:i+3]))
		}
	}
	return string(out)
}

// inString is a text as it stands in a JSON string.
func inString(s string) string {
	var b bytes.Buffer
	writeText(&b, s)
	return b.String()[1 : b.Len()-1]
}

// asciiString is inString with everything beyond ASCII escaped, as PHP does.
func asciiString(s string) string {
	var b strings.Builder
	for _, c := range inString(s) {
		switch {
		case c < 0x80:
			b.WriteRune(c)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.String()
}

// keysOf returns the values that are also names of fields, or parts of paths, in
// what a plugin and its provider said.
func keysOf(r *Recording) map[string]bool {
	keys := map[string]bool{}
	var walk func(tree any)
	walk = func(tree any) {
		switch x := tree.(type) {
		case map[string]any:
			for name, member := range x {
				keys[name] = true
				walk(member)
			}
		case []any:
			for _, member := range x {
				walk(member)
			}
		}
	}
	body := func(p []byte) {
		if tree, ok := parsed(p); ok {
			walk(tree)
			return
		}
		if form, err := url.ParseQuery(string(p)); err == nil {
			for name := range form {
				keys[name] = true
			}
		}
	}
	for _, s := range r.Sends() {
		body(s.Body)
		if s.Answer != nil {
			body(s.Answer.Body)
		}
		if u, err := url.Parse(s.Request.URL); err == nil && len(u.Path) < 1<<12 {
			for part := range strings.SplitSeq(u.Path, "/") {
				if len(part) < 16 {
					keys[part] = true
				}
			}
		}
	}
	return keys
}

// mask is one text, masked.
func (m *masker) mask(text string) string {
	if holder, ok := m.holders[text]; ok {
		return holder
	}
	out := m.replace(text)
	if strings.HasSuffix(out, "=") || !strings.Contains(out, "=") {
		return m.rest(out)
	}
	// A short value at the end of a form has no "&" behind it.
	if i := strings.LastIndexByte(out, '='); i >= 0 {
		if value, err := url.QueryUnescape(out[i+1:]); err == nil && m.holders[value] != "" {
			out = out[:i+1] + url.QueryEscape(m.holders[value])
		}
	}
	return m.rest(out)
}

// rest takes out what the replacer could not: secrets, and values in encodings of
// encodings.
func (m *masker) rest(text string) string {
	if _, found := m.net.Contains([]byte(text)); found {
		if m.opaque[text] == "" {
			m.opaque[text] = fmt.Sprintf("masked-opaque-%d", len(m.opaque)+1)
		}
		return m.opaque[text]
	}
	if !utf8.ValidString(text) { // addresses and numbers in there are chance
		if _, found := m.scrub.Contains([]byte(text)); found {
			return "masked-secret"
		}
		return text
	}
	// The Scrubber must not mask the placeholders once more.
	const shield = "\x01masked\x02"
	hidden := strings.NewReplacer("@masked.invalid", shield, "%40masked.invalid", shield+"%").Replace(text)
	return strings.NewReplacer(shield+"%", "%40masked.invalid", shield, "@masked.invalid", "[secret]", "masked-secret").
		Replace(m.scrub.Mask(hidden))
}

// digests replaces the hash of a text that was masked by the hash of what stands in
// its place, since a short text can be found by its hash. A replay computes the same.
func (m *masker) digests(r *Recording) {
	hashed := map[string][]byte{}
	for i := range r.Calls {
		c := r.Calls[i].Crypto
		if r.Calls[i].Import != "digest" || c == nil || len(c.Result) == 0 {
			continue
		}
		if data := m.mask(string(c.Data)); data != string(c.Data) {
			if sum := digestOf(c.Algorithm, []byte(data)); len(sum) == len(c.Result) {
				hashed[string(c.Result)] = sum
			}
		}
	}
	if len(hashed) == 0 {
		return
	}
	var list []string
	for was, is := range hashed {
		for _, f := range []func([]byte) string{
			func(p []byte) string { return string(p) },
			hex.EncodeToString,
			func(p []byte) string { return strings.ToUpper(hex.EncodeToString(p)) },
			base64.StdEncoding.EncodeToString,
			base64.RawURLEncoding.EncodeToString,
			func(p []byte) string { return url.QueryEscape(base64.StdEncoding.EncodeToString(p)) },
		} {
			list = append(list, f([]byte(was)), f(is))
		}
	}
	first, second := m.replace, strings.NewReplacer(list...)
	m.replace = func(text string) string { return second.Replace(first(text)) }
}

func digestOf(algorithm string, data []byte) []byte {
	switch algorithm {
	case digestNames[abi.SHA256]:
		s := sha256.Sum256(data)
		return s[:]
	case digestNames[abi.SHA384]:
		s := sha512.Sum384(data)
		return s[:]
	case digestNames[abi.SHA512]:
		s := sha512.Sum512(data)
		return s[:]
	case digestNames[abi.SHA1]:
		s := sha1.Sum(data) //nolint:gosec // see above
		return s[:]
	case digestNames[abi.MD5]:
		s := md5.Sum(data) //nolint:gosec // see above
		return s[:]
	}
	return nil
}
