package scenario

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// kind is what a value can be.
type kind uint8

const (
	textKind    kind = iota // string
	moneyKind               // int64, in minor units
	integerKind             // int64
	numberKind              // json.Number: an amount in major units, or a count of seconds
	boolKind                // bool
	timeKind                // time.Time
	anyKind                 // whatever JSON has
)

func (k kind) String() string {
	return [...]string{"a text", "an amount", "a whole number", "a number", "a yes or no", "a time", "any JSON"}[k]
}

// shape is what is known of a value before there is one.
type shape struct {
	kind     kind
	optional bool     // it may be missing; then it is nil
	words    []string // what the text can be, if that is known
}

// clock is how the provider writes times.
type clock struct {
	zone *time.Location
	form string // a layout of Go's, or one of the two words below
}

const (
	unixForm   = "unix"
	unixMSForm = "unix_ms"
)

// write is a time as text or as a number.
func (c clock) write(at time.Time) any {
	switch c.form {
	case unixForm:
		return json.Number(strconv.FormatInt(at.Unix(), 10))
	case unixMSForm:
		return json.Number(strconv.FormatInt(at.UnixMilli(), 10))
	}
	return at.In(c.zone).Format(c.form)
}

// read is the time of a JSON value.
func (c clock) read(value any) (time.Time, bool) {
	if c.form != unixForm && c.form != unixMSForm {
		text, _ := value.(string)
		at, err := time.ParseInLocation(c.form, text, c.zone)
		return at, err == nil
	}
	text, ok := value.(string) // in a form or a query
	if number, isNumber := value.(json.Number); isNumber {
		text, ok = number.String(), true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if c.form == unixForm {
		return time.Unix(n, 0), ok && err == nil
	}
	return time.UnixMilli(n), ok && err == nil
}

// asText writes a scalar into a text; what is missing is "".
func asText(value any, c clock) string {
	switch v := value.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return asText(c.write(v), c)
	}
	return ""
}

// appendJSON writes a value as JSON, letters and <, >, & as they are.
func appendJSON(out []byte, value any, c clock) []byte {
	switch v := value.(type) {
	case nil:
		return append(out, "null"...)
	case int64:
		return strconv.AppendInt(out, v, 10)
	case json.Number:
		return append(out, v...)
	case time.Time:
		return appendJSON(out, c.write(v), c)
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // it was read from JSON or YAML
	return append(out, bytes.TrimRight(text.Bytes(), "\n")...)
}

// canonical writes a body in one order, so that two spellings of it are equal.
func canonical(body any) string {
	text, _ := json.Marshal(body) // it was read from JSON or a form
	return string(text)
}
