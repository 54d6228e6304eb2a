package scenario

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// field is one field of a request's body: what it must be, and how it is read.
type field struct {
	shape
	name    string   // "customer.name"; "lines[].price" is looked at and not kept
	steps   []string // the name in pieces
	word    string   // the type's word
	places  int      // of an amount
	quoted  bool     // an amount in a JSON string
	oneOf   []string
	min     int64
	max     int64 // 0 for none
	message string
	initial any // in place of a missing one
	clock   clock
}

// types are the words for what a field can be.
var types = map[string]kind{
	"text": textKind, "url": textKind, "uuid": textKind, "email": textKind, "major": moneyKind, "minor": moneyKind,
	"integer": integerKind, "boolean": boolKind, "time": timeKind, "any": anyKind,
}

var (
	uuidForm  = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	emailForm = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
)

// readField reads "text", "optional text", "major 2", or an object with more.
func (f *file) readField(e entry) *field {
	fd := &field{name: e.name, clock: f.clock}
	for step := range strings.SplitSeq(e.name, ".") {
		list := strings.HasSuffix(step, "[]")
		if !e.place.name(strings.TrimSuffix(step, "[]")) {
			return fd
		}
		fd.steps = append(fd.steps, strings.TrimSuffix(step, "[]"))
		if list {
			fd.steps = append(fd.steps, "[]")
		}
	}
	if e.isScalar("!!str") {
		fd.readType(f, e.place)
		fd.defaults()
		return fd
	}
	fields := e.fields("type", "one_of", "min", "max", "default", "quoted", "format", "message")
	fd.readType(f, fields["type"])
	fd.defaults()
	fd.readMore(fields)
	return fd
}

func (fd *field) readType(f *file, p place) {
	text, optional := strings.CutPrefix(p.text(), "optional ")
	word, places, has := strings.Cut(text, " ")
	k, ok := types[word]
	if !ok && p.given() {
		p.bad("%q is no type; there are text, url, uuid, email, major N, minor, integer, boolean, time, any", text)
	}
	fd.word, fd.kind, fd.optional = word, k, optional
	n, err := strconv.Atoi(places)
	switch {
	case word == "major" && (err != nil || n < 0 || n > maxPlaces):
		p.bad("major needs the number of decimal places: major 2")
	case word != "major" && has:
		p.bad("%s has nothing after it", word)
	}
	fd.places = n
	if word == "major" {
		if err := f.samePlaces(n); err != nil {
			p.bad("%s", err)
		}
	}
}

func (fd *field) defaults() {
	if fd.kind == moneyKind || fd.kind == textKind {
		fd.min = 1
	}
}

func (fd *field) readMore(fields map[string]place) {
	plain := fd.kind == textKind || fd.kind == moneyKind || fd.kind == integerKind
	for _, name := range []string{"min", "max"} {
		if p := fields[name]; p.given() {
			n := p.integer()
			if !plain {
				p.bad("is for texts, amounts and whole numbers")
			}
			if name == "min" {
				fd.min = n
			} else {
				fd.max = n
			}
		}
	}
	if p := fields["one_of"]; p.given() {
		fd.oneOf = p.texts()
		fd.words = fd.oneOf
		if fd.kind != textKind && fd.kind != integerKind {
			p.bad("is for texts and whole numbers")
		}
	}
	if p := fields["quoted"]; p.given() {
		fd.quoted = p.boolean()
		if fd.kind != moneyKind {
			p.bad("is for amounts")
		}
	}
	if p := fields["format"]; p.given() {
		layout, err := readForm(p.text())
		if err != nil || fd.kind != timeKind {
			p.bad("must be the form of a time, and the field a time: %v", err)
		}
		fd.clock.form = layout
	}
	if p := fields["message"]; p.given() {
		fd.message = p.text()
	}
	if p := fields["default"]; p.given() {
		fd.optional = false
		if fd.kind == moneyKind || fd.kind == timeKind || fd.kind == anyKind {
			p.bad("is for texts, whole numbers and booleans")
		}
		value, problem := fd.convert(p.value())
		if problem != "" {
			p.bad("%s", problem)
			return
		}
		fd.initial = value
	}
}

// wrong is a field that is not as it must be.
type wrong struct{ field, message string }

// check walks to the field and reads it. Fields of lists are checked one by one.
func (fd *field) check(whole any, root string, into map[string]any) *wrong {
	return fd.walk(whole, fd.steps, "", func(value any) { into[root+"."+fd.name] = value })
}

func (fd *field) walk(value any, steps []string, path string, keep func(any)) *wrong {
	if len(steps) == 0 {
		return fd.read(value, path, keep)
	}
	if steps[0] == "[]" {
		list, ok := value.([]any)
		if value != nil && !ok {
			return &wrong{path, "is no list"}
		}
		for i, one := range list {
			if w := fd.walk(one, steps[1:], path+"["+strconv.Itoa(i)+"]", keep); w != nil {
				return w
			}
		}
		return nil
	}
	object, ok := value.(map[string]any)
	if value != nil && !ok {
		return &wrong{path, "is no object"}
	}
	return fd.walk(object[steps[0]], steps[1:], strings.TrimPrefix(path+"."+steps[0], "."), keep)
}

func (fd *field) read(value any, path string, keep func(any)) *wrong {
	var read any
	problem := ""
	switch text, isText := value.(string); {
	case value == nil || isText && strings.TrimSpace(text) == "" && fd.min > 0:
		read = fd.initial
		if read == nil && !fd.optional {
			problem = "is required"
		}
	default:
		read, problem = fd.convert(value)
	}
	if problem == "" {
		keep(read)
		return nil
	}
	if fd.message != "" {
		problem = fd.message
	}
	return &wrong{path, problem}
}

// convert reads a value that is there. The problem is "" when it is good.
func (fd *field) convert(value any) (read any, problem string) {
	switch fd.kind {
	case textKind:
		return fd.convertText(value)
	case moneyKind:
		return fd.convertMoney(value)
	case integerKind:
		return fd.convertInteger(value)
	case boolKind:
		text := asText(rawScalar(value), fd.clock)
		if _, isBool := value.(bool); !isBool && !fd.quoted || text != "true" && text != "false" {
			return nil, "is neither true nor false"
		}
		return text == "true", ""
	case timeKind:
		at, ok := fd.clock.read(value)
		if !ok {
			return nil, "is no time"
		}
		return at, ""
	}
	return value, ""
}

func (fd *field) convertInteger(value any) (any, string) {
	_, isNumber := value.(json.Number)
	n, err := strconv.ParseInt(asText(rawScalar(value), fd.clock), 10, 64)
	switch {
	case err != nil || !isNumber && !fd.quoted:
		return nil, "is no whole number"
	case n < fd.min || fd.max > 0 && n > fd.max:
		return nil, "is too small or too large"
	case fd.oneOf != nil && !slices.Contains(fd.oneOf, strconv.FormatInt(n, 10)):
		return nil, "is not one of " + strings.Join(fd.oneOf, ", ")
	}
	return n, ""
}

func (fd *field) convertText(value any) (any, string) {
	text, ok := value.(string)
	length := int64(utf8.RuneCountInString(text))
	u, err := url.Parse(text)
	switch {
	case !ok:
		return nil, "is no text"
	case length < fd.min || fd.max > 0 && length > fd.max:
		return nil, "is too short or too long"
	case fd.oneOf != nil && !slices.Contains(fd.oneOf, text):
		return nil, "is not one of " + strings.Join(fd.oneOf, ", ")
	case fd.word == "uuid" && !uuidForm.MatchString(text):
		return nil, "is no UUID"
	case fd.word == "email" && !emailForm.MatchString(text):
		return nil, "is no e-mail address"
	case fd.word == "url" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https"):
		return nil, "is no address of a page"
	}
	return text, ""
}

// convertMoney reads an amount from its text, exactly.
func (fd *field) convertMoney(value any) (any, string) {
	var minor int64
	var err error
	switch v := value.(type) {
	case json.Number:
		if fd.quoted {
			return nil, "is a number and must be a text"
		}
		minor, err = simkit.ParseNumber(v, fd.places)
	case string:
		if !fd.quoted {
			return nil, "is a text and must be a number"
		}
		minor, err = simkit.ParseDecimal(v, fd.places)
	default:
		return nil, "is no amount"
	}
	switch {
	case err != nil:
		return nil, "is no amount: " + err.Error()
	case minor < fd.min || fd.max > 0 && minor > fd.max:
		return nil, "is too small or too large"
	}
	return minor, ""
}
