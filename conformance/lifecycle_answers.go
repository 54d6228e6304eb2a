package conformance

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/sdk/pay"
)

// liveAll lives the whole life with every answer changed. The provider's own calls are
// kept away: they are not changed, and would tell what status is asked for.
func liveAll(kind wire.Kind) func(*Life) {
	return func(l *Life) {
		l.KeepInbound(true)
		l.Wire.Arm(wire.Fault{Kind: kind})
		livePay(l)
		if !l.changedAny() {
			l.Skipf("no answer of the provider is JSON that could be changed so")
		}
	}
}

// changedAny reports whether an answer was changed on the wire.
func (l *Life) changedAny() bool {
	return slices.ContainsFunc(l.Wire.Journal(), func(x wire.Exchange) bool { return x.Changed })
}

// misled pays while every answer is changed, holds that the payment does not succeed
// of it for a day, and that it does once the provider is heard again.
func (l *Life) misled(kind wire.Kind, words []string, skip string) {
	p := l.Begin()
	path := "/v1/payments/" + p.ID
	l.KeepInbound(true) // what the provider says by itself is another matter
	l.Wire.Arm(wire.Fault{Kind: kind, Words: l.wordsOf(p, words)})
	l.Step("paid, and told otherwise")
	l.Pay(p)
	begun := l.Now()
	for l.Now().Sub(begun) < 24*time.Hour {
		if a := l.Get(path); (a.Is("authorized") || slices.ContainsFunc(ends, a.Is)) && l.changedAny() {
			l.Fatalf("the payment is %v, by an answer %s", a.Status, map[wire.Kind]string{
				wire.UnknownWord: "whose state word nobody knows", wire.OtherAmount: "about another amount", wire.OtherSubject: "about another payment",
			}[kind])
		}
		l.Pass(max(l.untilDue(), time.Second))
	}
	if !l.changedAny() {
		l.Skipf("%s", skip)
	}
	l.Wire.Disarm()
	l.KeepInbound(false)
	l.Step("told as it is")
	l.Request("GET", path+"?refresh=true", "", nil)
	a := l.Until(path, "succeeded", "authorized")
	if a.Is("authorized") {
		l.Accepted(path+"/confirm", nil)
		l.Until(path, "succeeded")
	}
	l.Verify()
}

// wordsOf fills the payment's own names and amounts into the list.
func (l *Life) wordsOf(p Answer, words []string) []string {
	var out []string
	for _, w := range words {
		switch w {
		case "{ref}":
			o, _ := l.ObjectOf(p)
			out = append(out, p.ProviderRef, l.orderOf(p), o.ID, o.Ref)
		case "{amount}":
			m := pay.New(l.Terms.Amount, pay.Currency(l.Terms.Currency))
			decimal := m.Decimal()
			short := strings.TrimRight(strings.TrimRight(decimal, "0"), ".")
			out = append(out, fmt.Sprint(m.Minor), decimal, short, short+".0")
		default:
			out = append(out, w)
		}
	}
	return slices.DeleteFunc(out, func(w string) bool { return w == "" })
}

// liveUnknownWord takes the words that the plugin has reported as the provider's own,
// in a life before, and has the provider use others.
func liveUnknownWord(l *Life) {
	words := l.suite.stateWords()
	if len(words) == 0 {
		l.Skipf("the plugin reports no state word of the provider")
	}
	l.misled(wire.UnknownWord, words, "the provider's answers hold no word for the state")
}

func liveOtherAmount(l *Life) {
	l.misled(wire.OtherAmount, []string{"{amount}"}, "the provider's status tells no amount")
}

func liveOtherSubject(l *Life) {
	l.misled(wire.OtherSubject, []string{"{ref}"}, "the provider's status tells no reference")
}

// liveBatch asks about payments in several states at once, and about each alone.
func liveBatch(l *Life) {
	if l.Manifest.BatchSize < 2 {
		l.Skipf("the plugin takes one reference in a status call")
	}
	refs := []pay.Ref{l.strangerRef()}
	for i := range 4 {
		p := l.Begin()
		if i == 1 {
			l.Pay(p)
		}
		if o, ok := l.ObjectOf(p); ok && i == 2 && l.Terms.Outcomes.Failed != "" {
			l.Move(o.ID, l.Terms.Outcomes.Failed)
		}
		refs = append(refs, l.refOf(p))
	}
	refs = append(refs, pay.Ref{ID: "pay_00000000000000000000000001", Amount: refs[0].Amount, CreatedAt: l.Now()})
	l.Step("status of many and of one")
	together, err := l.Calls().Status(l.ctx, refs[:min(len(refs), l.Manifest.BatchSize)]...)
	l.Must(err)
	for _, ref := range refs[:len(together)] {
		alone, err := l.Calls().Status(l.ctx, ref)
		l.Must(err)
		of := func(list []pay.StatusItem) pay.StatusItem {
			i := slices.IndexFunc(list, func(x pay.StatusItem) bool { return x.ID == ref.ID })
			if i < 0 {
				return pay.StatusItem{ID: ref.ID}
			}
			return list[i]
		}
		if a, b := of(together), of(alone); !sameItem(a, b) {
			l.Failf("status of %s among others is %s, and alone %s", ref.ID, itemText(a), itemText(b))
		}
	}
	for _, item := range together {
		if item.ID == refs[0].ID && item.Found == pay.FoundObserved {
			l.Failf("status knows a payment that the provider does not: %s", itemText(item))
		}
	}
}

func sameItem(a, b pay.StatusItem) bool {
	return a.Found == b.Found && (a.Err == nil) == (b.Err == nil) && reflect.DeepEqual(a.Observations, b.Observations)
}

func itemText(x pay.StatusItem) string {
	text := x.Found.String()
	if x.Err != nil {
		text += ", " + x.Err.Error()
	}
	for _, o := range x.Observations {
		text += fmt.Sprintf(", %s (%q) paid %s refunded %s", o.Payment, o.ProviderState, o.AmountPaid, o.AmountRefunded)
	}
	return text
}

// refOf names a payment to the plugin, as the engine does.
func (l *Life) refOf(p Answer) pay.Ref {
	book, err := l.process.engine.Payment(l.ctx, p.ID, false)
	l.Must(err)
	return book.Ref()
}

// liveTenants has two merchants' payments through one plugin, and looks for what only
// the first one's provider ever said in the requests of the second.
func liveTenants(l *Life) {
	other, err := l.suite.newLife(l.ctx, l.station, killPlan{})
	if other != nil {
		defer other.close()
	}
	l.Must(err)
	l.Sell()
	other.run(func(o *Life) { o.Sell() })
	l.failures = append(l.failures, other.failures...)
	theirs := spoken(other)
	for text := range spoken(l) {
		if theirs[text] {
			continue
		}
		for _, x := range other.Wire.Journal() {
			if x.Said(text) {
				l.Fatalf("%s %s of the second merchant carries %q, which only the first one's provider has said: something is kept between calls",
					x.Method, x.Path, masked(text))
			}
		}
	}
}

// masked shows enough of a text to find it by.
func masked(text string) string {
	const shown = 6
	if len(text) <= 2*shown {
		return text
	}
	return text[:shown] + "…"
}

// spoken are the words that a life's provider has said.
func spoken(l *Life) map[string]bool {
	words := map[string]bool{}
	for _, x := range l.Wire.Journal() {
		text := string(x.Answer)
		for name, values := range x.AnswerHeader {
			if name != "Date" {
				text += " " + strings.Join(values, " ")
			}
		}
		for _, w := range word.FindAllString(text, -1) {
			words[w] = true
		}
	}
	return words
}
