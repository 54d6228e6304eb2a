package conformance

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// liveForged makes calls up about a payment that the provider calls unpaid: by the
// pattern of a genuine call about another.
func liveForged(l *Life) {
	paid := l.Begin()
	genuine := l.paidCall(paid)
	p := l.Begin()
	was := l.stored(p)
	l.Step("forged calls")
	for _, f := range forgeries(l.about(genuine, paid, p)) {
		l.hostile(f.what, f.call)
		if !l.unmoved(f.what, p, was) {
			break
		}
	}
	l.calm() // what a hint has set off is over
	l.unmoved("forged calls and what they set off", p, was)
	l.goOn(p)
}

// fake is a call that is not the provider's.
type fake struct {
	what string
	call Inbound
}

// forgeries are the ways to make up a call: with no proof, another's, or a changed one.
func forgeries(made Inbound) []fake {
	list := []fake{{"a call made up with the proof of another", made}}
	bare := made
	bare.Header = http.Header{"Content-Type": made.Header.Values("Content-Type")}
	list = append(list, fake{"a call made up with no proof", bare})
	for name, values := range made.Header {
		if ordinary(name) || len(values) == 0 {
			continue
		}
		for _, change := range []struct {
			what  string
			value []string
		}{
			{"empty", []string{""}},
			{"of no shape", []string{"garbage"}},
			{"given twice", []string{values[0], values[0]}},
			{"cut in half", []string{values[0][:len(values[0])/2]}},
			{"all zeros", []string{regexp.MustCompile(`[0-9A-Za-z]`).ReplaceAllString(values[0], "0")}},
			{"changed in one place", []string{flipped(values[0], len(values[0])/2)}},
			{"without end", []string{strings.Repeat(values[0], 500)}},
		} {
			call := made
			call.Header = made.Header.Clone()
			call.Header[name] = change.value
			list = append(list, fake{fmt.Sprintf("a call made up, its header %s %s,", name, change.what), call})
		}
	}
	return list
}

// flipped is a text with another letter or digit in one place.
func flipped(text string, at int) string {
	if at >= len(text) {
		return text
	}
	b := []byte(text)
	switch c := b[at]; {
	case c >= '0' && c < '9', c >= 'a' && c < 'f', c >= 'g' && c < 'z', c >= 'A' && c < 'F', c >= 'G' && c < 'Z':
		b[at]++
	case c == '9' || c == 'f' || c == 'F':
		b[at] = '0'
	default:
		b[at] ^= 1
	}
	return string(b)
}

// liveAltered changes a genuine call before payhost has it. What its proof does not
// cover may be anything, so it is held that nothing which is not so is believed.
func liveAltered(l *Life) {
	p := l.Begin()
	genuine := l.paidCall(p)
	was := l.stored(p)
	l.Step("altered calls")
	for _, f := range l.alterations(genuine) {
		l.hostile(f.what, f.call)
		b := l.stored(p)
		if b.Alerts > was.Alerts {
			l.Failf("%s is believed, so far as to be held against what was asked for: %s", f.what, b.Alert.Message)
			break
		}
		if l.strong() && b.Status != was.Status && (!b.Paid.IsZero() && b.Paid.Minor != l.Terms.Amount || f.telling) {
			l.Failf("%s moves the payment from %s to %s", f.what, was.Status, b.Status)
			break
		}
	}
	l.calm()
	l.Step("the genuine call")
	if status, _ := l.Again(genuine); status/100 != 2 {
		l.Failf("the genuine call is answered %d, after others like it", status)
	}
	l.soon(p, paidStatuses()...)
	l.goOn(p)
}

// altered is a changed call; telling says that what was changed can't be beside the
// point.
type altered struct {
	fake
	telling bool
}

// alterations change a call: every amount in it, and then bytes all over it.
func (l *Life) alterations(in Inbound) []altered {
	var list []altered
	add := func(what string, telling bool, uri string, body []byte) {
		call := in
		call.URI, call.Body = uri, body
		list = append(list, altered{fake{what, call}, telling})
	}
	path, query, _ := strings.Cut(in.URI, "?")
	for i, text := range l.otherAmounts(string(in.Body)) {
		add(fmt.Sprintf("a genuine call with another amount (%d)", i+1), true, in.URI, []byte(text))
	}
	for i, text := range l.otherAmounts(query) {
		add(fmt.Sprintf("a genuine call with another amount in its query (%d)", i+1), true, path+"?"+text, in.Body)
	}
	for _, at := range places(len(in.Body)) {
		c := in.Body[at]
		add(fmt.Sprintf("a genuine call with byte %d of its body changed (%q)", at, string(c)), false, in.URI,
			[]byte(flipped(string(in.Body), at)))
	}
	for _, at := range places(len(query)) {
		add(fmt.Sprintf("a genuine call with byte %d of its query changed (%q)", at, query[at:at+1]), false,
			path+"?"+flipped(query, at), in.Body)
	}
	if n := len(in.Body); n > 0 {
		add("half of a genuine call", true, in.URI, in.Body[:n/2])
		add("a genuine call without its last byte", true, in.URI, in.Body[:n-1])
		add("a genuine call with another behind it", true, in.URI, append(append([]byte{}, in.Body...), in.Body...))
		add("a genuine call without its body", true, in.URI, nil)
	}
	return list
}

// places are at most 48 places in a text, spread over it.
func places(length int) []int {
	const most = 48
	var list []int
	for i := 0; i < length; i += max(1, length/most) {
		list = append(list, i)
	}
	return list
}

// otherAmounts are the text with the life's amount replaced by others: where it stands
// first, last, and everywhere.
func (l *Life) otherAmounts(text string) []string {
	var list []string
	for _, form := range amountForms(l.Terms.Amount) {
		pattern := regexp.MustCompile(`(^|[^0-9.])` + regexp.QuoteMeta(form) + `($|[^0-9.])`)
		found := pattern.FindAllStringSubmatchIndex(text, -1)
		if len(found) == 0 {
			continue
		}
		put := func(at []int, amount string) string { return text[:at[3]] + amount + text[at[4]:] }
		list = append(list, put(found[0], "1"+form), put(found[len(found)-1], "1"+form), put(found[0], "1"),
			pattern.ReplaceAllString(pattern.ReplaceAllString(text, "${1}1"+form+"${2}"), "${1}1"+form+"${2}"))
	}
	return list
}

// amountForms are the ways in which a provider writes an amount of minor units.
func amountForms(minor int64) []string {
	major := strconv.FormatInt(minor/100, 10)
	cents := fmt.Sprintf(".%02d", minor%100)
	forms := []string{major + cents}
	if short := strings.TrimRight(strings.TrimRight(cents, "0"), "."); short != cents {
		forms = append(forms, major+short)
	}
	return append(forms, strconv.FormatInt(minor, 10))
}
