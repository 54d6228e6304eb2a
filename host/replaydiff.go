package host

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// differing collects the differences of a replay. What a masked recording has a
// placeholder for is the same as whatever the value was made of.
type differing struct {
	masked bool
	lines  []string
}

// mostDifferences bounds the list: a revision may send garbage without end.
const mostDifferences = 200

// add adds a line. What a guest or a file has put into it stays in that line, and
// does nothing to a terminal.
func (d *differing) add(line string) {
	switch {
	case len(d.lines) < mostDifferences:
		d.lines = append(d.lines, printable(line))
	case len(d.lines) == mostDifferences:
		d.lines = append(d.lines, "and more")
	}
}

func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '?'
		}
		return c
	}, text)
}

func (d *differing) value(what, was, is string) {
	if !d.fits([]byte(was), []byte(is)) {
		d.add(what + ": was " + shown(was) + ", is " + shown(is))
	}
}

// text compares bytes that are no form and no JSON.
func (d *differing) text(what string, was, is []byte) {
	switch {
	case d.fits(was, is):
	case utf8.Valid(was) && utf8.Valid(is) && len(was) <= 200 && len(is) <= 200:
		d.add(what + ": was " + shown(string(was)) + ", is " + shown(string(is)))
	default:
		at := 0
		for at < min(len(was), len(is)) && was[at] == is[at] {
			at++
		}
		d.add(fmt.Sprintf("%s: differs from byte %d on, was %d bytes, is %d", what, at, len(was), len(is)))
	}
}

// shown is a text in one line, so that its ends show.
func shown(s string) string {
	const most = 120
	if s == "" {
		return "nothing"
	}
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}

// placeholders that stand for what a revision can't make again, and for digits; see
// recordmask.go.
var derived = regexp.MustCompile(`masked-(?:hint|plaintext|opaque)-\d+(?:\.+)?|90{6,}\d{1,4}`)

// fits reports whether a text is the recorded one, as far as masking leaves that to
// be known.
func (d *differing) fits(was, is []byte) bool {
	if bytes.Equal(was, is) {
		return true
	}
	if !d.masked || !derived.Match(was) || len(was) > 1<<20 {
		return false
	}
	var pattern strings.Builder
	pattern.WriteString(`(?s)\A`)
	from := 0
	for _, m := range derived.FindAllIndex(was, -1) {
		pattern.WriteString(regexp.QuoteMeta(string(was[from:m[0]])))
		if was[m[0]] == '9' {
			fmt.Fprintf(&pattern, `\d{%d}`, m[1]-m[0])
		} else {
			pattern.WriteString(`.+`)
		}
		from = m[1]
	}
	pattern.WriteString(regexp.QuoteMeta(string(was[from:])) + `\z`)
	re, err := regexp.Compile(pattern.String())
	return err == nil && re.Match(is)
}

// request compares a request with the recorded one. Method and path are the same
// already.
func (d *differing) request(name string, was, is *RecordedSend) {
	a, b := was.Request, is.Request
	d.form(name+": query", query(a.URL), query(b.URL))
	d.headers(name, a.Header, b.Header)
	d.tree(name+": auth", plain(a.Auth), plain(b.Auth))
	d.tree(name+": secret form field", plain(a.Form), plain(b.Form))
	d.value(name+": tls identity", a.TLS, b.TLS)
	d.value(name+": timeout_ms", fmt.Sprint(a.TimeoutMS), fmt.Sprint(b.TimeoutMS))
	d.value(name+": counts as writing", fmt.Sprint(was.Money), fmt.Sprint(is.Money))
	d.body(name, contentType(b.Header), was.Body, is.Body)
}

func query(raw string) url.Values {
	if u, err := url.Parse(raw); err == nil {
		return u.Query()
	}
	return nil
}

func contentType(header []pay.Field) string {
	for _, f := range header {
		if strings.EqualFold(f.Name, "Content-Type") {
			media, _, _ := mime.ParseMediaType(f.Value)
			return media
		}
	}
	return ""
}

func (d *differing) headers(name string, was, is []pay.Field) {
	d.form(name+": header", fieldValues(was), fieldValues(is))
}

func fieldValues(header []pay.Field) url.Values {
	v := url.Values{}
	for _, f := range header {
		k := strings.ToLower(f.Name)
		v[k] = append(v[k], f.Value)
	}
	return v
}

// body compares two bodies by what they are.
func (d *differing) body(name, media string, was, is []byte) {
	if bytes.Equal(was, is) {
		return
	}
	if media == "application/x-www-form-urlencoded" {
		a, errA := url.ParseQuery(string(was))
		b, errB := url.ParseQuery(string(is))
		if errA == nil && errB == nil {
			before := len(d.lines)
			d.form(name+": form", a, b)
			if len(d.lines) == before && !d.masked && !reflect.DeepEqual(a, b) {
				d.text(name+": body", was, is)
			}
			return
		}
	}
	a, okA := parsed(was)
	b, okB := parsed(is)
	if okA && okB {
		d.tree(name+": json", a, b)
		return
	}
	d.text(name+": body", was, is)
}

func parsed(p []byte) (any, bool) {
	dec := json.NewDecoder(bytes.NewReader(p))
	dec.UseNumber()
	var tree any
	if dec.Decode(&tree) != nil {
		return nil, false
	}
	_, err := dec.Token()
	_, isText := tree.(string)
	return tree, err == io.EOF && !isText
}

// form compares fields by name. Fields of one name keep their order.
func (d *differing) form(what string, was, is url.Values) {
	names := slices.Sorted(maps.Keys(was))
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if _, ok := was[name]; !ok {
			names = append(names, name)
		}
	}
	for _, name := range names {
		a, b := was[name], is[name]
		for i := range max(len(a), len(b)) {
			switch {
			case i >= len(b):
				d.add(what + " " + name + ": was " + shown(a[i]) + ", is missing")
			case i >= len(a):
				d.add(what + " " + name + ": added, is " + shown(b[i]))
			default:
				d.value(what+" "+name, a[i], b[i])
			}
		}
	}
}

// tree compares values as JSON has them: members in any order, numbers by their
// text.
func (d *differing) tree(path string, was, is any) {
	switch a := was.(type) {
	case map[string]any:
		if b, ok := is.(map[string]any); ok {
			d.object(path, a, b)
			return
		}
	case []any:
		if b, ok := is.([]any); ok {
			d.array(path, a, b)
			return
		}
	case string:
		if b, ok := is.(string); ok {
			d.value(path, a, b)
			return
		}
	default:
		if was == is {
			return
		}
		a2, isA := was.(json.Number)
		b2, isB := is.(json.Number)
		if isA && isB && d.fits([]byte(a2), []byte(b2)) {
			return
		}
	}
	switch {
	case was == nil:
		d.add(path + ": added, is " + inJSON(is))
	case is == nil:
		d.add(path + ": was " + inJSON(was) + ", is missing")
	default:
		d.add(path + ": was " + inJSON(was) + ", is " + inJSON(is))
	}
}

func (d *differing) object(path string, was, is map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(was)) {
		b, ok := is[name]
		if !ok {
			d.add(path + "." + name + ": was " + inJSON(was[name]) + ", is missing")
			continue
		}
		d.tree(path+"."+name, was[name], b)
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if _, ok := was[name]; !ok {
			d.add(path + "." + name + ": added, is " + inJSON(is[name]))
		}
	}
}

func (d *differing) array(path string, was, is []any) {
	for i := range max(len(was), len(is)) {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case i >= len(is):
			d.add(at + ": was " + inJSON(was[i]) + ", is missing")
		case i >= len(was):
			d.add(at + ": added, is " + inJSON(is[i]))
		default:
			d.tree(at, was[i], is[i])
		}
	}
}

func inJSON(v any) string {
	const most = 200
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	text := strings.TrimSpace(b.String())
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// outcome compares the replies and the verdicts. Of a verdict, what the reply tells
// as well is not told twice.
func (d *differing) outcome(r *Recording, now *Replayed) {
	d.tree("reply", d.reply(r.Reply), d.reply(now.Reply))
	d.tree("fault", plain(r.Fault), plain(now.Fault))
	was, is := r.Verdict, now.Verdict
	d.value("verdict: outcome", outcomeOf(was.Result), outcomeOf(is.Result))
	d.tree("verdict: error", plain(was.Err), plain(is.Err))
	d.tree("verdict: evidence", plain(was.Evidence), plain(is.Evidence))
}

// reply is a reply as it is compared. A result's zero is told from no result.
func (d *differing) reply(m *abi.Reply) any {
	if m == nil {
		return nil
	}
	return plain(m)
}

func outcomeOf(r *pay.Result) string {
	if r == nil {
		return ""
	}
	return r.Outcome.String()
}
