package wire

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// change changes an answer, and reports whether it did. What is no JSON is only
// changed by the kinds that don't care.
func change(kind Kind, body []byte, words []string) ([]byte, bool) {
	switch kind {
	case Half:
		return body[:len(body)/2], len(body) > 0
	case BOM:
		return append([]byte("\xef\xbb\xbf"), body...), true
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return body, false
	}
	c := changer{kind: kind, words: words}
	value = c.walk(value)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(value) != nil || !c.changed {
		return body, false
	}
	return bytes.TrimRight(out.Bytes(), "\n"), true
}

// changer walks a JSON value and changes its leaves.
type changer struct {
	kind    Kind
	words   []string
	changed bool
}

func (c *changer) walk(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return c.object(v)
	case []any:
		for i := range v {
			v[i] = c.walk(v[i])
		}
		return v
	}
	out, changed := c.leaf(value)
	c.changed = c.changed || changed
	return out
}

func (c *changer) object(v map[string]any) any {
	out := make(map[string]any, len(v)+2)
	for name, member := range v {
		if c.kind == OtherSubject && slices.Contains(c.words, name) { // an object keyed by references
			c.changed = true
			name = other(name)
		}
		out[name] = c.walk(member)
	}
	if c.kind == MoreFields {
		c.changed = true
		out["x_unknown"] = map[string]any{"new": []any{json.Number("1"), "two", nil}}
		out["x_note"] = "a field that did not exist when the plugin was written"
	}
	return out
}

// leaf returns what stands in a leaf's place.
func (c *changer) leaf(value any) (any, bool) {
	text, isText := value.(string)
	number, isNumber := value.(json.Number)
	switch c.kind {
	case WrongTypes:
		switch {
		case isText:
			return json.Number(strconv.Itoa(len(text))), true
		case isNumber:
			return map[string]any{"value": number}, true
		case value == nil:
			return []any{}, true
		}
		return "yes", true // a boolean
	case NumbersText:
		switch {
		case isNumber:
			return number.String(), true
		case isText && plainNumber(text):
			return json.Number(text), true
		}
	case Nulls:
		if isText || isNumber {
			return nil, true
		}
	case UnknownWord, OtherSubject:
		if isText && slices.Contains(c.words, text) {
			return other(text), true
		}
		if isNumber && c.kind == OtherSubject && slices.Contains(c.words, number.String()) {
			return json.Number(other(number.String())), true
		}
	case OtherAmount:
		if isText && slices.Contains(c.words, text) {
			return more(text), true
		}
		if isNumber && slices.Contains(c.words, number.String()) {
			return json.Number(more(number.String())), true
		}
	}
	return value, false
}

// other returns another text of the same shape and length: the last letter or digit
// is the next one.
func other(text string) string {
	out := []byte(text)
	for i := len(out) - 1; i >= 0; i-- {
		switch b := out[i]; {
		case b >= '0' && b < '9', b >= 'a' && b < 'f', b >= 'g' && b < 'z', b >= 'A' && b < 'F', b >= 'G' && b < 'Z':
			out[i]++
			return string(out)
		case b == '9' && i > 0:
			out[i] = '8'
			return string(out)
		case b == 'f' || b == 'z' || b == 'F' || b == 'Z':
			out[i] -= 3
			return string(out)
		}
	}
	return text + "0"
}

// more returns a larger amount of the same shape: a digit more in front.
func more(amount string) string { return "1" + amount }

// plainNumber reports a text that is a JSON number and would read as the same one.
func plainNumber(text string) bool {
	var n json.Number
	if len(text) > 15 || json.Unmarshal([]byte(text), &n) != nil {
		return false
	}
	return n.String() == text
}
