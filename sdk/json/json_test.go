package json_test

import (
	stdjson "encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

func parse(t *testing.T, text string) json.Value {
	t.Helper()
	v, err := json.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "\ufeff", "nul", "nulll", "truefalse", "tru", "False", "NaN", "Infinity", "'a'",
		"-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x10", "1_000", "1 2", "1,2",
		`"`, `"a`, `"a\"`, "\"a\nb\"", "\"\x00\"", `"\x41"`, `"\u12"`, `"\u12g4"`, `"\`, "\"\xff\"", "\"\xc3\"",
		"[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[01]", "[}", "{", "}", "{]", `{"a"}`, `{"a":}`,
		`{"a":1,}`, `{,}`, `{a:1}`, `{1:1}`, `{"a" 1}`, `{"a":1 "b":2}`, `{"a":1}}`, `{"a":1} x`,
		"<html></html>", "\ufeff\ufeff1", "1\ufeff", "// c\n1", `{"a":1}` + "\x00",
	} {
		if v, err := json.Parse([]byte(text)); err == nil {
			t.Errorf("%q was taken as %s", text, v.Raw())
		}
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	v := parse(t, "\ufeff \n{ \"n\" : null, \"t\":true, \"f\":false, \"i\":-12, \"d\":35.450, \"e\":1e3,"+
		` "s":"x\t\"\\\/\u0041\u00e9\ud83d\ude00", "o":{"a":1}, "l":[1,[2],{}], "":5 }`+"\r\n")
	kinds := map[string]json.Kind{
		"n": json.Null, "t": json.Bool, "f": json.Bool, "i": json.Number, "d": json.Number, "e": json.Number,
		"s": json.String, "o": json.Object, "l": json.Array, "": json.Number, "absent": json.Missing,
	}
	for name, want := range kinds {
		got := v.Get(name)
		if got.Kind() != want || got.Exists() != (want != json.Null && want != json.Missing) {
			t.Errorf("%q: kind %q, exists %v", name, got.Kind(), got.Exists())
		}
		_, isText := got.Text()
		_, isBool := got.Bool()
		if isText != (want == json.String) || isBool != (want == json.Bool) {
			t.Errorf("%q: text %v, bool %v", name, isText, isBool)
		}
	}
	if yes, _ := v.Get("t").Bool(); !yes {
		t.Error("true is false")
	}
	if no, _ := v.Get("f").Bool(); no {
		t.Error("false is true")
	}
	if got, want := v.Get("s").Str(), "x\t\"\\/Aé😀"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	if v.Get("i").Str() != "" {
		t.Error("a number has a text")
	}
	if v.Len() != 10 || v.Get("l").Len() != 3 || v.Get("o").Len() != 1 || v.Get("s").Len() != 0 {
		t.Errorf("lengths %d, %d, %d, %d", v.Len(), v.Get("l").Len(), v.Get("o").Len(), v.Get("s").Len())
	}
	if raw := string(v.Get("d").Raw()); raw != "35.450" {
		t.Errorf("raw %q", raw)
	}
	if (json.Value{}).Get("a").Get("b").Exists() {
		t.Error("nothing has a member")
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    string
		n       int64
		whole   bool
		decimal string // "" if none
	}{
		{"0", 0, true, "0"},
		{"-0", 0, true, "-0"},
		{"9223372036854775807", math.MaxInt64, true, "9223372036854775807"},
		{"-9223372036854775808", math.MinInt64, true, "-9223372036854775808"},
		{"9223372036854775808", 0, false, "9223372036854775808"},
		{"1.0", 0, false, "1.0"},
		{"1e3", 0, false, "1e3"},
		{"35.45", 0, false, "35.45"},
		{`"35.45"`, 0, false, "35.45"},
		{`"12"`, 0, false, "12"},
		{"true", 0, false, ""},
		{"null", 0, false, ""},
		{"[1]", 0, false, ""},
	}
	for _, test := range tests {
		v := parse(t, test.text)
		n, whole := v.Int()
		if whole != test.whole || whole && n != test.n {
			t.Errorf("%s: int %d, %v", test.text, n, whole)
		}
		decimal, ok := v.Decimal()
		if decimal != test.decimal || ok != (test.decimal != "") {
			t.Errorf("%s: decimal %q, %v", test.text, decimal, ok)
		}
	}
}

// TestNames covers names that stand twice, differ in case, or are escaped.
func TestNames(t *testing.T) {
	t.Parallel()
	v := parse(t, `{"Status":1,"status":2,"st\u0061tus":3,"STATUS":4,"ÄB":5}`)
	tests := map[string]struct{ exact, fold string }{
		"status": {"2", "1"}, "STATUS": {"4", "1"}, "sTATUS": {"", "1"},
		"ÄB": {"5", "5"}, "Äb": {"", "5"}, "äb": {"", ""}, "": {"", ""},
	}
	for name, want := range tests {
		got := struct{ exact, fold string }{string(v.Get(name).Raw()), string(v.GetFold(name).Raw())}
		if got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
	var order []string
	v.Each(func(name string, _ json.Value) bool {
		order = append(order, name)
		return len(order) < 3
	})
	if diff := cmp.Diff([]string{"Status", "status", "status"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// TestGet looks for names of many lengths, each before and behind values of every
// kind that hold the same names.
func TestGet(t *testing.T) {
	t.Parallel()
	values := []string{
		`"v"`, `""`, `"\\"`, `"a\":1,"`, `"e\u00e9 and more than eight \"bytes\""`, "0", "-1.5e+3", "true", "null", "{}", "[]",
		`{"n":{"nn":"nnn"},"nnn":["n",{"nnnn":1}]}`, `["n","nn",["nnn"]]`, "\"n:nn\"", `"é, ü and ж"`,
	}
	for _, space := range []string{"", " ", "\r\n\t "} {
		var b strings.Builder
		b.WriteString("{" + space)
		want := map[string]string{}
		for n := range 40 {
			name := strings.Repeat("n", n/2) + []string{"", "x"}[n%2]
			if want[name] = values[n%len(values)]; n > 0 {
				b.WriteString("," + space)
			}
			b.WriteString(`"` + name + `"` + space + ":" + space + want[name] + space)
		}
		v := parse(t, b.String()+"}"+space)
		for name, value := range want {
			if got := string(v.Get(name).Raw()); got != value {
				t.Errorf("%q: got %s, want %s", name, got, value)
			}
			for _, absent := range []string{name + "y", "y" + name, name + `"`} {
				if got := v.Get(absent); got.Kind() != json.Missing {
					t.Errorf("%q: got %s", absent, got.Raw())
				}
			}
		}
	}
}

// TestGetPart asks for a name that lies in memory in front of the rest of a longer one.
func TestGetPart(t *testing.T) {
	t.Parallel()
	const long = "abcdefghij"
	v := parse(t, `{"`+long+`":1,"`+long[:9]+`":2}`)
	if got := string(v.Get(long[:9]).Raw()); got != "2" {
		t.Errorf("got %q", got)
	}
}

// TestTexts puts every byte at every place of texts around the length of a word, and
// wants what encoding/json makes of them.
func TestTexts(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for n := 1; n < 20; n++ {
			for at := range n {
				s := []byte(strings.Repeat("a", n))
				s[at] = byte(c)
				var w json.Writer
				w.String("", string(s))
				var clean string
				if err := stdjson.Unmarshal(w.Bytes(), &clean); err != nil || clean != string([]rune(string(s))) {
					t.Fatalf("%q was written as %s: %v", s, w.Bytes(), err)
				}
				if got := parse(t, string(w.Bytes())).Str(); got != clean {
					t.Fatalf("%s: got %q", w.Bytes(), got)
				}
				bare := `{"t":"` + string(s) + `","u":"v"}`
				v, err := json.Parse([]byte(bare))
				if valid := stdjson.Valid([]byte(bare)) && c < 0x80; (err == nil) != valid {
					t.Fatalf("%q: error %v, encoding/json takes it: %v", bare, err, valid)
				}
				if err == nil && (v.Get("t").Str() != string(s) || v.Get("u").Str() != "v") {
					t.Fatalf("%q: read as %q and %q", bare, v.Get("t").Str(), v.Get("u").Str())
				}
			}
		}
	}
}

// TestDepth shows that nesting ends before the stack does.
func TestDepth(t *testing.T) {
	t.Parallel()
	nested := func(open, inner, end string, n int) []byte {
		return []byte(strings.Repeat(open, n) + inner + strings.Repeat(end, n))
	}
	for _, n := range []int{1, 64} {
		for _, b := range [][]byte{nested("[", "1", "]", n), nested(`{"a":`, "1", "}", n)} {
			if _, err := json.Parse(b); err != nil {
				t.Errorf("%d deep: %v", n, err)
			}
		}
	}
	for _, n := range []int{65, 1_000_000} {
		for _, b := range [][]byte{nested("[", "1", "]", n), nested(`{"a":`, "1", "}", n), nested("[", "", "", n)} {
			if _, err := json.Parse(b); err == nil {
				t.Errorf("%d deep is no error", n)
			}
		}
	}
}

func TestWriter(t *testing.T) {
	t.Parallel()
	var w json.Writer
	w.Object("")
	w.String("text", "a\"b\\c\n\t\x01 <é> \xff")
	w.StringIf("none", "")
	w.StringIf("some", "{[")
	w.Int("int", -5)
	w.Bool("yes", true)
	w.Null("null")
	w.Money("tmt", pay.New(3545, pay.TMT))
	w.Money("yen", pay.New(-500, "JPY"))
	w.Object("empty")
	w.End()
	w.Array("list")
	w.Int("", 1)
	w.String("", "[")
	w.Object("")
	w.Raw("raw", []byte(`[1]`))
	w.End()
	w.Array("")
	w.End()
	w.End()
	w.Bool("last \"name\"", false)
	w.End()
	want := `{"text":"a\"b\\c\n\u0009\u0001 <é> ` + "\ufffd" + `","some":"{[","int":-5,"yes":true,"null":null,` +
		`"tmt":35.45,"yen":-500,"empty":{},"list":[1,"[",{"raw":[1]},[]],"last \"name\"":false}`
	if diff := cmp.Diff(want, string(w.Bytes())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	parse(t, string(w.Bytes()))
}
