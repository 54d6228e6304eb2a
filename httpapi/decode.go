package httpapi

import (
	"cmp"
	stdjson "encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// The formats that the checker knows beside those of JSON Schema.
const (
	formatMinor    = "minor-units" // whole minor units, as text or integer
	formatCurrency = "iso-4217"
	formatDigest   = "sha-256"
)

// mostErrors is how many fields at fault are told at once.
const mostErrors = 20

// keyNames bounds the names of a map: JSON Schema's propertyNames, which
// huma.Schema has no field for.
type keyNames struct {
	MinLength int `json:"minLength"`
	MaxLength int `json:"maxLength"`
}

const (
	propertyNames = "propertyNames"
	maxBytes      = "x-max-bytes" // of a text, where characters are not what counts
)

// decode checks a body against its schema and reads it into a value. It is done
// here and not by huma, since there a name counts whatever its case, the last of
// two equal names wins, and numbers become floats on the way.
func decode(registry huma.Registry, schema *huma.Schema, body []byte, into any) *Problem {
	if len(body) == 0 { // the route allows that
		return nil
	}
	v, err := json.Parse(body)
	if err != nil {
		return invalid(http.StatusBadRequest, FieldError{"", "body is not JSON"})
	}
	c := checker{registry: registry}
	c.check(nil, schema, v)
	if len(c.errors) > 0 {
		return invalid(http.StatusUnprocessableEntity, c.errors...)
	}
	if err := stdjson.Unmarshal(v.Raw(), into); err != nil { // the schema and the type don't agree
		return invalid(http.StatusUnprocessableEntity, FieldError{"", "body does not fit: " + err.Error()})
	}
	return nil
}

// at is a place in a body: a name or, if that is empty, an index.
type at struct {
	up    *at
	name  string
	index int
}

// String writes the place as "lines[0].price".
func (p *at) String() string {
	if p == nil {
		return ""
	}
	up := p.up.String()
	switch {
	case p.name == "":
		return up + "[" + strconv.Itoa(p.index) + "]"
	case up == "":
		return strings.Clone(p.name)
	}
	return up + "." + p.name
}

// checker collects what is wrong with a body.
type checker struct {
	registry huma.Registry
	errors   []FieldError
}

func (c *checker) wrong(p *at, message string) {
	if len(c.errors) < mostErrors {
		c.errors = append(c.errors, FieldError{p.String(), message})
	}
}

func (c *checker) check(p *at, s *huma.Schema, v json.Value) {
	for s.Ref != "" || s.Format != formatMinor && s.AnyOf != nil {
		if s.Ref != "" {
			s = c.registry.SchemaFromRef(s.Ref)
			continue
		}
		if v.Kind() == json.Null {
			return // anyOf of something and null is the only one there is
		}
		s = s.AnyOf[0]
	}
	switch {
	case s.Format == formatMinor:
		c.minor(p, v)
	case s.Type == huma.TypeObject:
		c.object(p, s, v)
	case s.Type == huma.TypeArray:
		c.array(p, s, v)
	case s.Type == huma.TypeString:
		c.text(p, s, v)
	case s.Type == huma.TypeInteger:
		c.integer(p, s, v)
	case s.Type == huma.TypeBoolean:
		if _, ok := v.Bool(); !ok {
			c.wrong(p, "not true or false")
		}
	default:
		panic("httpapi: schema of a body has type " + s.Type)
	}
}

func (c *checker) object(p *at, s *huma.Schema, v json.Value) {
	if v.Kind() != json.Object {
		c.wrong(p, "not an object")
		return
	}
	var seen []string
	v.Each(func(name string, member json.Value) bool {
		here := &at{up: p, name: cmp.Or(name[:min(len(name), 64)], `""`)}
		switch {
		case len(c.errors) == mostErrors:
			return false
		case slices.Contains(seen, name):
			c.wrong(here, "stands twice")
			return true
		case len(seen) > 512:
			c.wrong(p, "too many members")
			return false
		}
		seen = append(seen, name)
		c.member(p, here, s, name, member)
		return true
	})
	for _, name := range s.Required {
		if !slices.Contains(seen, name) {
			c.wrong(&at{up: p, name: name}, "is missing")
		}
	}
	if s.MaxProperties != nil && len(seen) > *s.MaxProperties {
		c.wrong(p, "more than "+strconv.Itoa(*s.MaxProperties)+" members")
	}
}

func (c *checker) member(p, here *at, s *huma.Schema, name string, v json.Value) {
	if property := s.Properties[name]; property != nil {
		if v.Kind() == json.Null && (property.AnyOf == nil || property.Format == formatMinor) { // the same as absent
			if slices.Contains(s.Required, name) {
				c.wrong(here, "is missing")
			}
			return
		}
		c.check(here, property, v)
		return
	}
	free, ok := s.AdditionalProperties.(*huma.Schema)
	if !ok {
		c.wrong(here, "unknown field")
		return
	}
	if bound, ok := s.Extensions[propertyNames].(keyNames); ok {
		if n := utf8.RuneCountInString(name); n < bound.MinLength || n > bound.MaxLength || unprintable(name) {
			c.wrong(p, "a name is not "+span(bound.MinLength, bound.MaxLength)+" printable characters")
			return
		}
	}
	c.check(here, free, v)
}

func (c *checker) array(p *at, s *huma.Schema, v json.Value) {
	if v.Kind() != json.Array {
		c.wrong(p, "not an array")
		return
	}
	n := 0
	v.Each(func(_ string, element json.Value) bool {
		if s.MaxItems != nil && n == *s.MaxItems {
			c.wrong(p, "more than "+strconv.Itoa(n)+" elements")
			return false
		}
		c.check(&at{up: p, index: n}, s.Items, element)
		n++
		return len(c.errors) < mostErrors
	})
}

func (c *checker) text(p *at, s *huma.Schema, v json.Value) {
	text, ok := v.Text()
	n := utf8.RuneCountInString(text)
	switch {
	case !ok:
		c.wrong(p, "not a string")
	case s.MinLength != nil && n < *s.MinLength || s.MaxLength != nil && n > *s.MaxLength:
		c.wrong(p, "not "+span(orZero(s.MinLength), orZero(s.MaxLength))+" characters long")
	case len(text) > bytesOf(s):
		c.wrong(p, "more than "+strconv.Itoa(bytesOf(s))+" bytes")
	case unprintable(text):
		c.wrong(p, "has control characters, or ones that are damaged")
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, any(text)):
		c.wrong(p, "not one of "+list(s.Enum))
	default:
		if message := wrongFormat(s.Format, text); message != "" {
			c.wrong(p, message)
		}
	}
}

func (c *checker) integer(p *at, s *huma.Schema, v json.Value) {
	n, ok := v.Int()
	switch {
	case v.Kind() != json.Number:
		c.wrong(p, "not an integer")
	case !ok:
		c.wrong(p, "not an integer without fraction and exponent, or out of range")
	case s.Minimum != nil && float64(n) < *s.Minimum || s.Maximum != nil && float64(n) > *s.Maximum:
		c.wrong(p, "not from "+strconv.FormatFloat(*s.Minimum, 'f', -1, 64)+" to "+strconv.FormatFloat(*s.Maximum, 'f', -1, 64))
	}
}

// minor wants whole minor units above zero, as decimal text or as an integer.
func (c *checker) minor(p *at, v json.Value) {
	text, ok := v.Decimal()
	if !ok {
		c.wrong(p, "not a decimal string or an integer")
		return
	}
	digits := text != "" && strings.Trim(text, "0123456789") == ""
	switch _, err := strconv.ParseInt(text, 10, 64); {
	case !digits:
		c.wrong(p, "not whole minor units: digits only, no sign, point or exponent")
	case text[0] == '0':
		c.wrong(p, "zero, or begins with one")
	case err != nil:
		c.wrong(p, "more than 9223372036854775807")
	}
}

// wrongFormat says what is wrong with a text of a format, "" if nothing is.
func wrongFormat(format, text string) string {
	switch format {
	case formatCurrency:
		if _, ok := pay.Currency(text).Exponent(); !ok {
			return "not a currency of ISO 4217 in capital letters"
		}
	case formatDigest:
		if len(text) != 64 || strings.Trim(text, "0123456789abcdef") != "" {
			return "not a SHA-256 in lowercase hex"
		}
	case "date-time":
		if t, err := time.Parse(time.RFC3339, text); err != nil || t.Year() < 1970 {
			return "not an RFC 3339 time"
		}
	case "uri":
		if u, err := url.Parse(text); err != nil || u.Scheme == "" || u.Host == "" { // an app's own scheme is fine
			return "not an absolute URL"
		}
	}
	return ""
}

// unprintable reports control characters other than tab and line ends (NUL, for one,
// can't be stored by PostgreSQL), and the mark of what was no character: half a
// surrogate pair becomes it, and two ids that differ in that would be one.
func unprintable(text string) bool {
	return strings.ContainsFunc(text, func(c rune) bool {
		return c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f || c == utf8.RuneError
	})
}

func bytesOf(s *huma.Schema) int {
	if n, ok := s.Extensions[maxBytes].(int); ok {
		return n
	}
	return 1 << 20
}

func span(from, to int) string {
	if from == to {
		return strconv.Itoa(to)
	}
	return strconv.Itoa(from) + " to " + strconv.Itoa(to)
}

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

func list(words []any) string {
	var text []string
	for _, w := range words {
		text = append(text, w.(string))
	}
	return strings.Join(text, ", ")
}
