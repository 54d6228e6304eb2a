package providers

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/wire"
)

// badCode is a code that is refused: as what by a till that can open it, and as what
// by the provider, with its number for it.
type badCode struct {
	kind         string
	here, there  string
	providerCode string
}

func badCodes() []badCode {
	return []badCode{
		{"stale", "code_expired", "code_expired", "2003"},
		{"future", "code_invalid", "code_expired", "2003"},
		{"forged_signature", "code_invalid", "code_invalid", "2002"},
		{"other_text", "code_invalid", "code_invalid", "2002"},
		{"wrong_key", "code_invalid", "code_invalid", "2001"},
		{"wrong_shape", "code_invalid", "code_invalid", "2001"},
		{"not_base64", "code_invalid", "code_invalid", "2001"},
		{"not_json", "code_invalid", "code_invalid", ""}, // no code: there is nothing to forward
	}
}

// liveCodes is S2.
func liveCodes(d *desk) {
	for _, bad := range badCodes() {
		d.badHere(bad)
	}
	d.replayedHere()
	d.almostTooOld()
	d.forward(true)
	for _, bad := range badCodes() {
		d.badThere(bad)
	}
	d.replayedThere()
	d.forward(false)
	d.twoTills()
	d.Verify()
}

// badHere shows a bad code to a till that has the keys: the provider never hears of it.
func (d *desk) badHere(bad badCode) {
	what := "bind of a code that is " + bad.kind
	d.Step("%s", what)
	p, mark := d.Create(0, nil), d.mark()
	a := d.bind(p, d.Code(bad.kind))
	d.refused(what, a, bad.here)
	d.asksPayer(what, a)
	d.sent(what, mark)
	d.bindsAnother(what, p)
}

// asksPayer holds that the cashier is told what to do: another code, please.
func (d *desk) asksPayer(what string, a conformance.Answer) {
	if a.Advice != "ask_payer" {
		d.Failf("%s: the advice is %q, and should be ask_payer: another code will do", what, a.Advice)
	}
}

// bindsAnother holds that a payment is open, and takes a good code, as it came.
func (d *desk) bindsAnother(what string, p conformance.Answer) {
	d.is("the payment after "+what, d.Get(at(p)), "pending")
	mark, code := d.mark(), d.Code("")
	d.done("bind of a good code after "+what, d.bind(p, code))
	var shown map[string]string
	d.Must(json.Unmarshal([]byte(code), &shown))
	for _, name := range []string{"id_loyalty", "encrypted", "sign"} {
		if got := d.one("bind of a good code", mark, wireCommit, name, 1); got != shown[name] {
			d.Failf("bind of a good code: the member %s is not forwarded as it was shown", name)
		}
	}
}

// replayedHere shows a code for one payment and then for another.
func (d *desk) replayedHere() {
	d.Step("a code is shown again")
	p, q, code := d.Create(0, nil), d.Create(0, nil), d.Code("")
	d.done("bind", d.bind(p, code))
	mark := d.mark()
	a := d.bind(q, code)
	d.refused("bind of a code that was claimed here before", a, "code_invalid")
	d.asksPayer("bind of a code that was claimed here before", a)
	d.sent("bind of a code that was claimed here before", mark)
	d.bindsAnother("a code that was claimed before", q)
}

// almostTooOld shows a code that the payer has waited with, and a phone's clock that
// is ahead.
func (d *desk) almostTooOld() {
	for _, age := range []time.Duration{4 * time.Minute, -30 * time.Second} {
		code, err := d.sim.Server.PresentAged("payer-1", age)
		d.Must(err)
		d.done(fmt.Sprintf("bind of a code of %s ago", age), d.bind(d.Create(0, nil), code))
	}
}

// badThere shows a bad code to a till without keys: it is forwarded unseen, and the
// provider's refusal is told.
func (d *desk) badThere(bad badCode) {
	what := "bind, without keys, of a code that is " + bad.kind
	d.Step("%s", what)
	p, mark, was := d.Create(0, nil), d.mark(), d.count("purchase")
	a := d.bind(p, d.Code(bad.kind))
	d.refused(what, a, bad.there)
	d.asksPayer(what, a)
	if a.ProviderCode != bad.providerCode {
		d.Failf("%s: the provider's code is told as %q, and is %q", what, a.ProviderCode, bad.providerCode)
	}
	if bad.providerCode == "" {
		d.sent(what, mark)
	} else {
		d.sent(what, mark, wireCommit)
	}
	d.untouched(what, p, was)
	d.bindsAnother(what, p)
	if ids := d.members(mark, wireCommit, "kassa_purchase_id"); bad.providerCode != "" && len(ids) != 2 {
		d.Failf("%s: the kassa_purchase_id of the refused code and of the next are %s, and should be two", what, orNothing(ids))
	}
}

// replayedThere claims a code twice where only the provider can tell.
func (d *desk) replayedThere() {
	d.Step("a code is shown again, without keys")
	p, q, code := d.Create(0, nil), d.Create(0, nil), d.Code("")
	d.done("bind without keys", d.bind(p, code))
	was := d.count("purchase")
	d.refused("bind, without keys, of a code that was claimed before", d.bind(q, code), "code_invalid")
	d.untouched("bind, without keys, of a code that was claimed before", q, was)
}

// twoTills shows one code at two tills: it belongs to the one that was first, also if
// that one did not hear of it.
func (d *desk) twoTills() {
	d.Step("one code at two tills")
	for _, lost := range []bool{false, true} {
		p, q, code := d.Create(0, nil), d.Create(0, nil), d.Code("")
		if lost {
			d.during(wire.CutAfter, wireCommit, func() { d.doubted("bind whose answer is lost", d.bind(p, code)) })
		} else {
			d.done("bind", d.bind(p, code))
		}
		was := d.count("purchase")
		d.sitAt("till-2", "till-2")
		d.forward(true)
		a := d.bind(q, code)
		d.refused("bind of a code that another till has claimed", a, "code_invalid")
		d.asksPayer("bind of a code that another till has claimed", a)
		d.untouched("bind of a code that another till has claimed", q, was)
		q = d.done("bind of a good code at the second till", d.bind(q, d.Code("")))
		if till := d.detail(q.ProviderRef, "till"); till != "till-2" {
			d.Failf("the second till's purchase is of %v at the provider, and should be of till-2", till)
		}
		d.forward(false)
		d.sitDown()
		p = d.Until(at(p), "pending")
		if user := d.detail(p.ProviderRef, "user"); user != "payer-1" {
			d.Failf("the first till's purchase is of the payer %v, and should be of payer-1", user)
		}
	}
}
