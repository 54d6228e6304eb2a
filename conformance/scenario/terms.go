package scenario

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/payhost/payhost/conformance"
)

// readTerms reads what a merchant asks of the provider. The objects are known.
func (f *file) readTerms(p place) conformance.Terms {
	fields := p.fields("currency", "amount", "amounts", "bad_amounts", "payment", "receipt", "private",
		"outcomes", "whole_refunds", "expiry", "lifetime", "bad_settings")
	t := conformance.Terms{Currency: fields["currency"].text(), Amount: fields["amount"].integer()}
	if fields["currency"].given() && len(t.Currency) != 3 {
		fields["currency"].bad("%q is not the three letters of a currency", t.Currency)
	}
	if fields["amount"].given() && t.Amount <= 0 {
		fields["amount"].bad("must be above 0; it is in minor units")
	}
	if amounts := fields["amounts"]; amounts.given() {
		for _, one := range amounts.list() {
			t.Amounts = append(t.Amounts, one.integer())
			if t.Amounts[len(t.Amounts)-1] <= 0 {
				one.bad("must be above 0; it is in minor units")
			}
		}
	}
	if amounts := fields["bad_amounts"]; amounts.given() {
		for _, one := range amounts.list() {
			t.BadAmounts = append(t.BadAmounts, one.integer())
		}
	}
	t.Payment, t.Receipt = fields["payment"].template(), fields["receipt"].template()
	if private := fields["private"]; private.given() {
		t.Private = private.texts()
	}
	if whole := fields["whole_refunds"]; whole.given() {
		t.WholeRefunds = whole.boolean()
	}
	if expiry := fields["expiry"]; expiry.given() {
		t.Expiry = expiry.boolean()
	}
	f.readKinds(&t)
	f.readOutcomes(fields["outcomes"], &t.Outcomes)
	f.readLifetime(fields["lifetime"], &t)
	if bad := fields["bad_settings"]; bad.given() {
		for _, one := range bad.list() {
			t.BadSettings = append(t.BadSettings, one.badSettings())
		}
	}
	return t
}

// template is JSON that is merged into a request of a merchant's.
func (p place) template() map[string]any {
	if !p.given() {
		return nil
	}
	object, ok := p.value().(map[string]any)
	if !ok {
		p.bad("must be an object")
	}
	return object
}

func (p place) badSettings() conformance.BadSettings {
	fields := p.fields("settings", "field")
	settings, ok := fields["settings"].value().(map[string]any)
	if !ok {
		fields["settings"].bad("must be an object")
	}
	text, _ := json.Marshal(settings)
	return conformance.BadSettings{Settings: string(text), Field: fields["field"].text()}
}

func (f *file) readKinds(t *conformance.Terms) {
	if f.payment != nil {
		t.PaymentKind = f.payment.name
	}
	if f.refund != nil {
		t.RefundKind = f.refund.name
	}
}

// readOutcomes reads the words, each a state that means what the word says.
func (f *file) readOutcomes(p place, o *conformance.Outcomes) {
	words := []struct {
		name   string
		into   *string
		refund bool
		money  string
	}{
		{"paid", &o.Paid, false, charged},
		{"processing", &o.Processing, false, nothing},
		{"failed", &o.Failed, false, nothing},
		{"canceled", &o.Canceled, false, nothing},
		{"expired", &o.Expired, false, nothing},
		{"refunded", &o.Refunded, true, refunded},
		{"refund_failed", &o.RefundFailed, true, nothing},
	}
	var names []string
	for _, w := range words {
		names = append(names, w.name)
	}
	fields := p.fields(names...)
	for _, w := range words {
		at, kind := fields[w.name], f.payment
		if w.refund {
			kind = f.refund
		}
		switch {
		case !at.given() && w.name != "paid", f.payment == nil:
			continue
		case kind == nil:
			at.bad("there is no object that is a refund")
			continue
		}
		s := kind.wantState(at)
		if s == nil {
			continue
		}
		*w.into = s.name
		if s.money != w.money {
			at.bad("state %s means %s for the money, not %s", s.name, s.money, w.money)
		}
	}
}

// readLifetime is when an unpaid payment ends: by the rules, which the field may
// only repeat.
func (f *file) readLifetime(p place, t *conformance.Terms) {
	if f.payment != nil && len(f.payment.states) > 0 {
		for _, rule := range f.payment.times {
			first := rule.after > 0 && len(rule.from) > 0 && slices.Contains(rule.from, f.payment.states[0].name)
			if first && (t.Lifetime == 0 || rule.after < t.Lifetime) {
				t.Lifetime = rule.after
			}
		}
	}
	if !p.given() {
		return
	}
	if d := p.duration(); d != t.Lifetime {
		p.bad("is %s, and by the times of %s an unpaid one ends after %s", d, t.PaymentKind, short(t.Lifetime))
	}
}

func short(d time.Duration) string {
	if d == 0 {
		return "no time"
	}
	return d.String()
}
