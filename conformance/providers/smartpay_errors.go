package providers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/smartpay"
	"github.com/payhost/payhost/sdk/pay"
)

// liveErrors is S11.
func liveErrors(d *desk) {
	d.list("current", false)
	d.list("extended", true)
	d.unlisted()
	d.list("current", false)
	d.unlisted()
	for _, after := range []bool{false, true} {
		d.unknownOnEveryCall(after)
	}
	d.unknownStatus()
	d.Verify()
}

// list reads the provider's list of errors, which may be another every time.
func (d *desk) list(version string, has bool) {
	what := "error_catalog with the list " + version
	d.Step("%s", what)
	d.set("error_list", version)
	mark := d.mark()
	entries, err := d.Calls().ErrorCatalog(context.Background())
	d.Must(err)
	d.sent(what, mark, wireErrors)
	var told struct {
		Errors []struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if calls := d.since(mark, wireErrors); len(calls) > 0 {
		d.Must(json.Unmarshal(calls[0].Answer, &told))
	}
	var got, want []string
	for _, e := range entries {
		got = append(got, e.Code+" "+e.Message)
	}
	for _, e := range told.Errors {
		want = append(want, fmt.Sprintf("%d %s", e.Code, e.Message))
	}
	if !slices.Equal(got, want) {
		d.Failf("%s: the plugin tells %q, and the provider lists %q", what, got, want)
	}
	unlisted := fmt.Sprint(int(smartpay.CodeUnlisted))
	i := slices.IndexFunc(entries, func(e pay.CatalogEntry) bool { return e.Code == unlisted })
	if (i >= 0) != has {
		d.Failf("%s: the code %s is in it: %t, and should be: %t", what, unlisted, i >= 0, has)
	}
	if i >= 0 && entries[i].Class != 0 {
		d.Failf("%s: the plugin says that %s means %s, and nobody has told it", what, unlisted, entries[i].Class)
	}
}

// unlisted releases an amount that is refused with a code that no plugin can know,
// whether it stands in the list or not.
func (d *desk) unlisted() {
	const what = "release that is refused with an unknown code"
	d.Step("%s", what)
	p, mark := d.bound(), d.mark()
	d.unknown(what, d.release(p, smartpay.AmountUnlisted), p, fmt.Sprint(int(smartpay.CodeUnlisted)))
	p = d.Until(at(p), "pending", "failed", "canceled")
	d.is("the payment after "+what, p, "pending")
	d.one(what, mark, wireRelease, "amount", 1)
	d.money(what, p)
	d.done("cancel after "+what, d.Try(at(p, "cancel"), nil))
	d.Until(at(p), "canceled")
}

// unknown holds that an unknown code left a doubt, and that the code is told.
func (d *desk) unknown(what string, a, p conformance.Answer, code string) {
	d.doubted(what, a)
	now := d.Get(at(p))
	if now.Is("failed") || now.Is("canceled") {
		d.Failf("%s: the payment is %v, and nobody knows what the code means", what, now.Status)
	}
	type seen struct {
		Error struct {
			Code string `json:"provider_code"`
		} `json:"error"`
	}
	if !slices.ContainsFunc(d.Timeline(p.ID), func(e conformance.Entry) bool {
		var s seen
		return json.Unmarshal(e.Body, &s) == nil && s.Error.Code == code
	}) {
		d.Failf("%s: the timeline does not tell the provider's code %s", what, code)
	}
}

// strange answers the next request to a path with a code that nobody knows, under a
// message that means something else: plugins go by the code.
func (d *desk) strange(path, message string, after bool) {
	body, err := json.Marshal(map[string]any{"error": map[string]any{"code": 9999, "message": message}})
	d.Must(err)
	d.Must(d.sim.Fault(simkit.Fault{
		Path: path, Kind: simkit.Answer, Status: 409, Body: string(body), Count: 1, After: after,
		Headers: map[string]string{"Content-Type": "application/json; charset=utf-8"},
	}))
}

// unknownOnEveryCall answers every writing call so, with the effect or without.
func (d *desk) unknownOnEveryCall(after bool) {
	d.set("pending_polls", "0")
	say := func(what string) string {
		return fmt.Sprintf("%s that is answered with an unknown code, effect %t", what, after)
	}
	p := d.Create(0, nil)
	d.strange(wireCommit, "QR-код уже использован", after)
	d.unknown(say("bind"), d.bind(p, d.Code("")), p, "9999")
	p = d.Until(at(p), "pending")
	if _, ok := d.ObjectOf(p); !ok || p.ProviderRef == "" {
		d.Fatalf("%s ended without a purchase", say("bind"))
	}
	d.strange(wireRelease, "Недопустимая сумма", after)
	d.unknown(say("release"), d.release(p, 5000), p, "9999")
	if now := d.Until(at(p), "pending", "processing", "authorized"); now.Is("pending") {
		d.done("release again", d.release(p, 5000))
	}
	d.Until(at(p), "authorized")
	d.strange(wireVerdict, "Недопустимое состояние покупки", after)
	d.unknown(say("confirm"), d.Try(at(p, "confirm"), nil), p, "9999")
	d.Until(at(p), "succeeded")
	d.strange(wireFiscal, "Чек уже сохранён с другими данными", after)
	a := d.Try(at(p, "receipts"), d.register(nil))
	d.unknown(say("receipt"), a, p, "9999")
	d.Until("/v1/receipts/"+a.ID, "registered")
	d.strange(wireRefund, "Сумма возвратов больше суммы платежа", after)
	a = d.giveBack(p, 2000)
	d.unknown(say("refund"), a, p, "9999")
	path := at(p, "refunds", a.ID)
	d.Until(path, "succeeded")
	d.strange(wireRefundVerdict, "Недопустимое состояние возврата", after)
	d.unknown(say("confirm_refund"), d.Try(path+"/confirm", nil), p, "9999")
	d.Until(path, "succeeded")
	p = d.Get(at(p))
	d.money(say("every call"), p, charge(5000), gone(2000))
	q := d.bound()
	d.strange(wireVerdict, "Покупка уже подтверждена кассой", after)
	d.unknown(say("cancel"), d.Try(at(q, "cancel"), nil), q, "9999")
	d.Until(at(q), "canceled")
}

// unknownStatus answers status so: that is no news.
func (d *desk) unknownStatus() {
	const what = "status that is answered with an unknown code"
	p := d.released(smartpay.AmountWaits)
	d.strange(wireStatus, "Покупка не найдена", true)
	d.is(what, d.Get(at(p)+"?refresh=true"), "processing")
	d.Move(p.ProviderRef, "success")
	d.Until(at(p), "authorized")
	d.Accepted(at(p, "confirm"), nil)
	d.Until(at(p), "succeeded")
}
