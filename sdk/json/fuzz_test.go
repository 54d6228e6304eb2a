package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"io"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk/json"
)

// FuzzParse holds the parser against encoding/json: both take the same texts and
// read the same values from them, but for what is documented. This one skips a
// byte order mark, refuses what is not UTF-8 and what nests deeper than 64, and
// lets the first of equal names count.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-0.5e+7,"\ud83d\ude00\ud800x\udc00",true,false,null,{}],"b":{"a":""}}`, "\ufeff 1 ", "[[[]]]",
		"\"\xff\"", `{"a":1,"a":2}`, "1e", `"\u00"`, "[1,]", "nul", " ", "{", "\"\u2028\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		v, err := json.Parse(text)
		plain := bytes.TrimPrefix(text, []byte("\ufeff"))
		want, stdErr := decode(plain)
		switch {
		case err == nil && stdErr != nil:
			t.Fatalf("taken, encoding/json says %v", stdErr)
		case err != nil && stdErr == nil && utf8.Valid(plain) && depth(want) <= 64:
			t.Fatal("refused, encoding/json takes it")
		case err == nil:
			if got, twice := convert(v); !twice {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("(-encoding/json +json):\n%s", diff)
				}
			}
		}
		if !bytes.Equal(before, text) {
			t.Fatal("the input was changed")
		}
	})
}

// decode reads one whole value with encoding/json, numbers as text.
func decode(text []byte) (any, error) {
	d := stdjson.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, io.ErrUnexpectedEOF
	}
	return v, nil
}

// depth is how many objects and arrays stand around the innermost value.
func depth(v any) int {
	deepest := -1
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			deepest = max(deepest, depth(member))
		}
	case []any:
		for _, element := range v {
			deepest = max(deepest, depth(element))
		}
	}
	return deepest + 1
}

// convert turns a value into what encoding/json makes of it, and says whether a
// name stands twice somewhere.
func convert(v json.Value) (out any, twice bool) {
	switch v.Kind() {
	case json.Null:
		return nil, false
	case json.Bool:
		yes, _ := v.Bool()
		return yes, false
	case json.Number:
		text, _ := v.Decimal()
		return stdjson.Number(text), false
	case json.String:
		return v.Str(), false
	case json.Array:
		list := []any{}
		v.Each(func(_ string, element json.Value) bool {
			e, t := convert(element)
			list, twice = append(list, e), twice || t
			return true
		})
		return list, twice
	}
	object := map[string]any{}
	v.Each(func(name string, member json.Value) bool {
		m, t := convert(member)
		_, again := object[name]
		object[name], twice = m, twice || t || again
		return true
	})
	return object, twice
}

// FuzzWriter shows that what is written always parses, and says what was meant.
func FuzzWriter(f *testing.F) {
	f.Add("name", "value", int64(1))
	f.Add("\xff\"", "\u2028\\\x7f\x1f", int64(-1<<63))
	f.Fuzz(func(t *testing.T, name, value string, n int64) {
		var w json.Writer
		w.Object("")
		w.String(name, value)
		w.Array("list " + name)
		w.Int("", n)
		w.String("", value)
		w.End()
		w.End()
		v, err := json.Parse(w.Bytes())
		if err != nil {
			t.Fatalf("%q does not parse", w.Bytes())
		}
		clean := func(s string) string { return string([]rune(s)) } // what is no UTF-8 becomes U+FFFD
		if got := v.Get(clean(name)).Str(); got != clean(value) {
			t.Errorf("value %q, want %q", got, clean(value))
		}
		var read map[string]any
		if err := stdjson.Unmarshal(w.Bytes(), &read); err != nil {
			t.Errorf("encoding/json: %v", err)
		}
		var elements []json.Value
		v.Get("list " + clean(name)).Each(func(_ string, e json.Value) bool {
			elements = append(elements, e)
			return true
		})
		if len(elements) != 2 || elements[1].Str() != clean(value) {
			t.Fatalf("elements %v", elements)
		}
		if got, ok := elements[0].Int(); !ok || got != n {
			t.Errorf("number %d, want %d", got, n)
		}
	})
}
