package form_test

import (
	"math"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk/form"
)

func TestWriter(t *testing.T) {
	t.Parallel()
	var w form.Writer
	if len(w.Bytes()) != 0 {
		t.Errorf("the zero value holds %q", w.Bytes())
	}
	w.Add("b", "1&2=3")
	w.Add("a b[]", "é+~")
	w.Add("a b[]", "")
	w.AddIf("none", "")
	w.AddIf("some", "x/y")
	w.AddInt("n", math.MinInt64)
	want := "b=1%262%3D3&a+b%5B%5D=%C3%A9%2B~&a+b%5B%5D=&some=x%2Fy&n=-9223372036854775808"
	if diff := cmp.Diff(want, string(w.Bytes())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAppendQuery(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"https://a.example/p":          "https://a.example/p?k=v+1",
		"https://a.example/p?":         "https://a.example/p?k=v+1",
		"https://a.example/p?x=1":      "https://a.example/p?x=1&k=v+1",
		"https://a.example/p?x=1&":     "https://a.example/p?x=1&k=v+1",
		"https://a.example/p#f":        "https://a.example/p?k=v+1#f",
		"https://a.example/p?x=1#f?g&": "https://a.example/p?x=1&k=v+1#f?g&",
		"https://a.example/p#f?g":      "https://a.example/p?k=v+1#f?g",
		"":                             "?k=v+1",
	}
	var w, none form.Writer
	w.Add("k", "v 1")
	for link, want := range tests {
		if got := form.AppendQuery(link, &w); got != want {
			t.Errorf("%q: got %q, want %q", link, got, want)
		}
		if got := form.AppendQuery(link, &none); got != link {
			t.Errorf("%q with no query: %q", link, got)
		}
	}
}

// TestEscape puts every byte at every place of texts around the length of a word,
// among others that are plain, blank or none of these.
func TestEscape(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for n := 1; n < 20; n++ {
			for at := range n {
				for _, fill := range []string{"a", " ", "/", "\x00"} {
					s := []byte(strings.Repeat(fill, n))
					s[at] = byte(c)
					if got, want := form.Escape(string(s)), url.QueryEscape(string(s)); got != want {
						t.Fatalf("%q: got %q, net/url has %q", s, got, want)
					}
				}
			}
		}
	}
}

// TestWriterGrows writes fields of all lengths one behind the other, and holds each
// that is there against what it was.
func TestWriterGrows(t *testing.T) {
	t.Parallel()
	var w form.Writer
	var want []string
	for n := range 200 {
		name, value := strings.Repeat("n", n%7), strings.Repeat("%", n)
		w.Add(name, value)
		w.AddInt(name, int64(n))
		want = append(want, name+"="+strings.Repeat("%25", n), name+"="+strconv.Itoa(n))
	}
	if diff := cmp.Diff(strings.Join(want, "&"), string(w.Bytes())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzEscape holds Escape against net/url.
func FuzzEscape(f *testing.F) {
	f.Add("a b&c=d+e~f%20é\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := form.Escape(s), url.QueryEscape(s); got != want {
			t.Errorf("%q: got %q, net/url has %q", s, got, want)
		}
	})
}

// FuzzWriter shows that net/url reads back what was written.
func FuzzWriter(f *testing.F) {
	f.Add("name", "value", int64(7))
	f.Add("a[]", "&=;%", int64(-1))
	f.Fuzz(func(t *testing.T, name, value string, n int64) {
		var w form.Writer
		w.Add(name, value)
		w.AddInt(name, n)
		w.Add("", value)
		got, err := url.ParseQuery(string(w.Bytes()))
		if err != nil {
			t.Fatalf("%q: %v", w.Bytes(), err)
		}
		want := url.Values{}
		want.Add(name, value)
		var number form.Writer
		number.AddInt("", n)
		want.Add(name, string(number.Bytes()[1:]))
		want.Add("", value)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
