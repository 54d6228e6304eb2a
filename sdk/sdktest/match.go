package sdktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// anyText stands in a transcript for a text that can't be known.
const anyText = "{{any}}"

// fits reports whether a text is as written down, with anyText in it.
func fits(want, got string) bool {
	parts := strings.Split(want, anyText)
	rest, ok := strings.CutPrefix(got, parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		// One character at least belongs to the placeholder before the part.
		if rest == "" {
			return false
		}
		i := strings.Index(rest[1:], part)
		if i < 0 {
			return false
		}
		rest = rest[1+i+len(part):]
	}
	last := parts[len(parts)-1]
	return len(rest) > len(last) && strings.HasSuffix(rest, last)
}

// differences collects what differs between an exchange and a request, one line
// each.
type differences []string

func (d *differences) text(what, want, got string) {
	if !fits(want, got) {
		d.add("%s: want %s, got %s", what, quoted(want), quoted(got))
	}
}

func (d *differences) add(format string, args ...any) { *d = append(*d, fmt.Sprintf(format, args...)) }

// body compares two bodies by what they are.
func (d *differences) body(contentType, want, got string) {
	media, _, _ := strings.Cut(contentType, ";")
	switch media = strings.ToLower(strings.TrimSpace(media)); {
	case want == "" || got == "":
		d.text("body", want, got)
	case media == "application/x-www-form-urlencoded":
		d.form(want, got)
	case media == "application/json" || strings.HasSuffix(media, "+json"):
		d.json(want, got)
	default:
		d.text("body", want, got)
	}
}

// form compares forms field by field. Fields of one name keep their order.
func (d *differences) form(want, got string) {
	// A transcript may break a long form into lines.
	lines := strings.Fields(want)
	for i, line := range lines {
		lines[i] = strings.Trim(line, "&")
	}
	wanted, err := url.ParseQuery(strings.Join(lines, "&"))
	if err != nil {
		d.add("body: the transcript's form does not parse: %v", err)
		return
	}
	sent, err := url.ParseQuery(got)
	if err != nil {
		d.add("body: the form does not parse: %v", err)
		return
	}
	names := slices.Collect(maps.Keys(wanted))
	for name := range sent {
		if _, ok := wanted[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		w, g := wanted[name], sent[name]
		for i := range max(len(w), len(g)) {
			switch {
			case i >= len(g):
				d.add("form field %s: want %s, is missing", name, quoted(w[i]))
			case i >= len(w):
				d.add("form field %s: is not expected, got %s", name, quoted(g[i]))
			default:
				d.text("form field "+name, w[i], g[i])
			}
		}
	}
}

// json compares values: members in any order, numbers by their text.
func (d *differences) json(want, got string) {
	wanted, err := decodeJSON(want)
	if err != nil {
		d.add("body: the transcript's JSON does not parse: %v", err)
		return
	}
	sent, err := decodeJSON(got)
	if err != nil {
		d.add("body: the JSON does not parse: %v", err)
		return
	}
	d.value("body", wanted, sent)
}

func (d *differences) value(path string, want, got any) {
	if want == anyText {
		return
	}
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			d.object(path, w, g)
			return
		}
	case []any:
		if g, ok := got.([]any); ok {
			d.array(path, w, g)
			return
		}
	case string:
		if g, ok := got.(string); ok {
			d.text(path, w, g)
			return
		}
	default:
		if want == got {
			return
		}
	}
	d.add("%s: want %s, got %s", path, asJSON(want), asJSON(got))
}

func (d *differences) object(path string, want, got map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if g, ok := got[name]; ok {
			d.value(path+"."+name, want[name], g)
		} else {
			d.add("%s.%s: want %s, is missing", path, name, asJSON(want[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			d.add("%s.%s: is not expected, got %s", path, name, asJSON(got[name]))
		}
	}
}

func (d *differences) array(path string, want, got []any) {
	if len(want) != len(got) {
		d.add("%s: want %d elements, got %d", path, len(want), len(got))
	}
	for i := range min(len(want), len(got)) {
		d.value(fmt.Sprintf("%s[%d]", path, i), want[i], got[i])
	}
}

// decodeJSON keeps numbers as text, and refuses a name that stands twice in an
// object, which two readers could take for two different requests.
func decodeJSON(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := decodeValue(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something stands behind the value")
	}
	return v, nil
}

func decodeValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			key := name.(string) // the decoder lets nothing else stand here
			if _, twice := object[key]; twice {
				return nil, fmt.Errorf("%q stands twice", key)
			}
			if object[key], err = decodeValue(d); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return object, err
	case json.Delim('['):
		array := []any{}
		for d.More() {
			v, err := decodeValue(d)
			if err != nil {
				return nil, err
			}
			array = append(array, v)
		}
		_, err := d.Token()
		return array, err
	}
	return token, nil
}

func asJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}

// quoted writes a text so that its ends show, in one line.
func quoted(s string) string {
	if s == "" {
		return "nothing"
	}
	return fmt.Sprintf("%q", s)
}
