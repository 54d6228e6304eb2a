package providers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/wire"
)

// liveReceipts is S9.
func liveReceipts(d *desk) {
	d.ofPurchase()
	d.tooEarly()
	d.withCode()
	d.alone()
	d.receiptLost()
	d.badReceipts()
	d.Verify()
}

// register is a receipt of the cash register, with more of its members.
func (d *desk) register(more conformance.Object) conformance.Object {
	r := conformance.Object{"register_number": "0000000001012345", "fiscal_sign": d.NewKey()}
	for name, value := range more {
		r[name] = value
	}
	return r
}

// registered registers a receipt at its first attempt, and holds that it is.
func (d *desk) registered(what, path string, receipt conformance.Object) {
	a := d.done(what, d.Try(path, receipt))
	d.Until("/v1/receipts/"+a.ID, "registered")
}

// ofPurchase is version 1: the receipt of a purchase, which has one.
func (d *desk) ofPurchase() {
	const what = "the receipt of a purchase"
	d.Step("%s", what)
	p, receipt, key := d.sold(d.Terms.Amount), d.register(nil), d.NewKey()
	mark := d.mark()
	d.done(what, d.Request(http.MethodPost, at(p, "receipts"), key, receipt))
	d.done(what+", the same request again", d.Request(http.MethodPost, at(p, "receipts"), key, receipt))
	d.sent(what, mark, wireFiscal)
	for name, want := range map[string]any{
		"purchase_id": p.ProviderRef, "register_number": receipt["register_number"], "fiscal_sign": receipt["fiscal_sign"],
	} {
		if got := d.one(what, mark, wireFiscal, name, 1); got != want {
			d.Failf("%s: its %s is sent as %q, and is %q", what, name, got, want)
		}
	}
	d.refused("another receipt of the same purchase", d.Try(at(p, "receipts"), d.register(nil)), "state_conflict")
	d.is("a payment whose second receipt was refused", d.Get(at(p)), "succeeded")
	d.money(what, p, charge(d.Terms.Amount))
}

// tooEarly sends a receipt of a purchase that is not paid: that is refused, and the
// payment goes on.
func (d *desk) tooEarly() {
	const what = "the receipt of a purchase that is not paid"
	d.Step("%s", what)
	p := d.released(d.Terms.Amount)
	d.refused(what, d.Try(at(p, "receipts"), d.register(nil)), "state_conflict")
	d.is("a payment whose receipt was refused", d.Get(at(p)), "processing")
	d.confirms(p)
	d.registered("the same receipt, now that it is paid", at(p, "receipts"), d.register(nil))
}

// withCode is version 2: a receipt that brings the payer's code, which may be old and
// claimed by then, and claims nothing.
func (d *desk) withCode() {
	const what = "a receipt that brings a code"
	d.Step("%s", what)
	p, code := d.Create(0, nil), d.Code("")
	p = d.done("bind", d.bind(p, code))
	d.sells(p)
	stale := d.Code("stale")
	for _, shown := range []struct{ what, path, code string }{
		{what + " that was claimed", at(p, "receipts"), code},
		{what + " that is old, and no purchase", "/v1/receipts", stale},
	} {
		mark, was := d.mark(), d.count("purchase")
		receipt := d.register(conformance.Object{"code": shown.code})
		if shown.path == "/v1/receipts" {
			receipt["connection"] = d.Connection
		}
		d.registered(shown.what, shown.path, receipt)
		d.sent(shown.what, mark, wireReceipt)
		d.qr(shown.what, mark, shown.code)
		if n := d.count("purchase"); n != was {
			d.Failf("%s claimed the code", shown.what)
		}
		o := d.receiptOf(shown.what, receipt)
		if user := d.detail(o, "user"); user != "payer-1" {
			d.Failf("%s is of the payer %q at the provider, and should be of payer-1", shown.what, user)
		}
	}
	mark := d.mark()
	d.done("bind of a good code afterwards", d.bind(d.Create(0, nil), d.Code("")))
	d.sent("bind afterwards", mark, wireCommit)
}

// qr holds that a receipt was sent with a code as it was shown, or with null for none.
func (d *desk) qr(what string, mark int, code string) {
	var body struct {
		QR json.RawMessage `json:"qr"`
	}
	calls := d.since(mark, wireReceipt)
	if len(calls) == 0 {
		return // that was told
	}
	d.Must(json.Unmarshal(calls[0].Body, &body))
	var shown, sent any
	d.Must(json.Unmarshal([]byte(code), &shown))
	if json.Unmarshal(body.QR, &sent) != nil || fmt.Sprint(sent) != fmt.Sprint(shown) {
		d.Failf("%s: the code is not sent as it was shown", what)
	}
}

// receiptOf is the id of the provider's receipt.
func (d *desk) receiptOf(what string, receipt conformance.Object) string {
	o, ok := d.Object("receipt", fmt.Sprintf("%v/%v", receipt["register_number"], receipt["fiscal_sign"]))
	if !ok {
		d.Fatalf("%s is registered, and the provider has no such receipt", what)
	}
	return o.ID
}

// alone is version 2 without a purchase: of any tender, with all that is known.
func (d *desk) alone() {
	const what = "a receipt without a purchase"
	d.Step("%s", what)
	issued := d.Now().UTC().Truncate(time.Second)
	receipt := d.register(conformance.Object{
		"connection": d.Connection, "total": d.Amount(30500), "issued_at": issued.Format(time.RFC3339),
		"lines": []conformance.Object{
			{"name": "Хлеб", "quantity": 2, "price": d.Amount(4250)}, {"name": "Сыр", "quantity": 1, "price": d.Amount(22000)},
		},
	})
	mark, money := d.mark(), len(d.Sim.Effects())
	d.registered(what, "/v1/receipts", receipt)
	d.sent(what, mark, wireReceipt)
	d.qr(what, mark, "null")
	id := d.receiptOf(what, receipt)
	if total := d.object(id).Amount; total != 30500 {
		d.Failf("%s: the provider has the total %d, and it is 30500", what, total)
	}
	var content struct {
		IssuedAt time.Time        `json:"issued_at"`
		Items    []map[string]any `json:"items"`
	}
	raw, _ := d.detail(id, "receipt").(json.RawMessage)
	d.Must(json.Unmarshal(raw, &content))
	want := "[map[name:Хлеб price:4250 quantity:2] map[name:Сыр price:22000 quantity:1]]"
	if got := fmt.Sprint(content.Items); got != want || !content.IssuedAt.Equal(issued) {
		d.Failf("%s: the provider has the items %s of %s, and they are %s of %s", what, got, content.IssuedAt, want, issued)
	}
	if n := len(d.Sim.Effects()); n != money {
		d.Failf("%s moved money", what)
	}
	receipt["total"] = d.Amount(30600)
	d.refused("the same receipt with another total", d.Try("/v1/receipts", receipt), "state_conflict")
}

// receiptLost loses receipts of both versions: they are sent again, and are there once.
func (d *desk) receiptLost() {
	for _, kind := range []wire.Kind{wire.CutBefore, wire.CutAfter} {
		d.Step("a receipt that is lost, %s", kind)
		p := d.sold(d.Terms.Amount)
		alone := d.register(conformance.Object{"connection": d.Connection})
		for _, r := range []struct {
			what, path, wire string
			body             conformance.Object
		}{
			{"the receipt of a purchase that is lost", at(p, "receipts"), wireFiscal, d.register(nil)},
			{"a receipt without a purchase that is lost", "/v1/receipts", wireReceipt, alone},
		} {
			var a conformance.Answer
			mark, was := d.mark(), d.count("receipt")
			d.during(kind, r.wire, func() { a = d.doubted(r.what, d.Try(r.path, r.body)) })
			d.is("the payment of a receipt in doubt", d.Get(at(p)), "succeeded")
			d.Until("/v1/receipts/"+a.ID, "registered")
			if n := len(d.since(mark, r.wire)); n != 2 {
				d.Failf("%s was sent %d times, and should be 2", r.what, n)
			}
			if n := d.count("receipt") - was; r.wire == wireReceipt && n != 1 {
				d.Failf("%s is there %d times", r.what, n)
			}
		}
	}
}

// badReceipts bring a code that is none or forged: they are refused, and are nowhere.
func (d *desk) badReceipts() {
	d.Step("a receipt with a bad code")
	for _, kind := range []string{"forged_signature", "not_json"} {
		was := d.count("receipt")
		a := d.Try("/v1/receipts", d.register(conformance.Object{"connection": d.Connection, "code": d.Code(kind)}))
		d.refused("a receipt with a code that is "+kind, a, "code_invalid")
		if d.count("receipt") != was {
			d.Failf("a receipt with a code that is %s is registered", kind)
		}
	}
}
