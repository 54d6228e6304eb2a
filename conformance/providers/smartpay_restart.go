package providers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/wire"
)

// liveRestarts is S8.
func liveRestarts(d *desk) {
	d.restartEverywhere()
	for _, path := range []string{wireCommit, wireRelease, wireVerdict} {
		for _, kind := range wire.Kills() {
			d.diesWithin(path, kind)
		}
	}
	d.afterwards()
	d.Verify()
}

// restartEverywhere sells with a till that restarts before each step, and goes on from
// what payhost remembers. Nothing of the plugin's is in memory, not even the session.
func (d *desk) restartEverywhere() {
	const what = "a sale with a restart between any two steps"
	d.Step("%s", what)
	p, mark := d.Create(0, nil), d.mark()
	p = d.resume(what, p, 30)
	d.money(what, p, charge(d.Terms.Amount))
	d.once(what, mark, p)
	if n := len(d.since(mark, wireAuth)); n != 1 {
		d.Failf("%s: %d sessions were opened, and a restart is no reason for another", what, n)
	}
	d.keeps(what, at(p))
}

// once holds that a sale had one id, one amount and one word at the provider.
func (d *desk) once(what string, mark int, p conformance.Answer) {
	for _, had := range []struct{ path, name string }{
		{wireCommit, "kassa_purchase_id"}, {wireRelease, "purchase_id"}, {wireRelease, "amount"}, {wireVerdict, "purchase_id"},
	} {
		d.one(what, mark, had.path, had.name, 1)
	}
	if d.detail(p.ProviderRef, "confirmed") != true {
		d.Failf("%s: the provider has not heard the till's word", what)
	}
}

// resume is a till that knows no more than that there was a sale: it restarts, asks
// payhost where the sale is, and takes the next step, until it is through.
func (d *desk) resume(what string, p conformance.Answer, steps int) conformance.Answer {
	for range steps {
		d.keeps(what, at(p))
		p = d.Get(at(p))
		switch {
		case p.Is("succeeded"):
			return p
		case p.InDoubt != nil:
			d.Pass(time.Minute)
		case p.Is("pending") && p.ProviderRef == "":
			d.bind(p, d.Code(""))
		case p.Is("pending"):
			d.release(p, d.Terms.Amount)
		case p.Is("processing"):
			d.Pass(pollEvery + time.Second)
		case p.Is("authorized"):
			d.Try(at(p, "confirm"), nil)
		default:
			d.Fatalf("%s: the payment is %v", what, p.Status)
		}
	}
	d.Fatalf("%s is not through after %d steps: the payment is %v", what, steps, p.Status)
	return p
}

// keeps restarts payhost and holds that it tells the same as before.
func (d *desk) keeps(what, path string) {
	var before conformance.Answer
	if before = d.Request(http.MethodGet, path, "", nil); before.Code == 0 {
		d.Restart() // it is dead already
		return
	}
	d.Restart()
	if after := d.Get(path); after.Raw != before.Raw {
		d.Failf("%s: before a restart payhost says %s and after it %s", what, before.Raw, after.Raw)
	}
}

// diesWithin kills payhost with a request on its way.
func (d *desk) diesWithin(path string, kind wire.Kind) {
	what := fmt.Sprintf("a sale that dies at %s, %s", path, kind)
	d.Step("%s", what)
	p, mark := d.Create(0, nil), d.mark()
	d.Wire.Arm(wire.Fault{Kind: kind, Path: path})
	for d.alive(p) {
		d.stepOn(p)
	}
	d.Wire.Disarm()
	p = d.resume(what, p, 40)
	d.money(what, p, charge(d.Terms.Amount))
	d.once(what, mark, p)
}

// alive reports whether the process lives.
func (d *desk) alive(p conformance.Answer) bool {
	return d.Request(http.MethodGet, at(p), "", nil).Code != 0
}

// stepOn takes one step of a sale.
func (d *desk) stepOn(p conformance.Answer) {
	switch p = d.Get(at(p)); {
	case p.Is("pending") && p.ProviderRef == "":
		d.bind(p, d.Code(""))
	case p.Is("pending"):
		d.release(p, d.Terms.Amount)
	case p.Is("authorized"):
		d.Try(at(p, "confirm"), nil)
	case p.Is("processing"):
		d.Pass(pollEvery + time.Second)
	default:
		d.Fatalf("the sale was to die, and the payment is %v", p.Status)
	}
}

// afterwards restarts between the steps that follow a sale: its receipt, and a part
// of it that goes back.
func (d *desk) afterwards() {
	const what = "a receipt and a refund with a restart between any two steps"
	d.Step("%s", what)
	p := d.sold(d.Terms.Amount)
	d.Restart()
	mark := d.mark()
	receipt := d.done("receipt", d.Try(at(p, "receipts"), d.Terms.Receipt))
	d.keeps(what, "/v1/receipts/"+receipt.ID)
	d.Until("/v1/receipts/"+receipt.ID, "registered")
	r := d.done("refund", d.Try(at(p, "refunds"), conformance.Object{"amount": d.Amount(2000)}))
	path := at(p, "refunds", r.ID)
	for range 10 {
		d.keeps(what, path)
		if r = d.Get(path); r.Is("succeeded") {
			break
		}
		d.Pass(pollEvery + time.Second)
	}
	d.is("a refund with a restart between its steps", r, "succeeded")
	d.done("confirm_refund", d.Try(path+"/confirm", nil))
	d.keeps(what, path)
	d.one(what, mark, wireRefund, "kassa_refund_id", 1)
	if d.detail(r.ProviderRef, "confirmed") != true {
		d.Failf("%s: the provider has not heard the till's word on the refund", what)
	}
	d.money(what, p, charge(d.Terms.Amount), "refund 2000")
	d.found(what, p)
}

// found holds that a till that lost its notes finds the payment by the order.
func (d *desk) found(what string, p conformance.Answer) {
	var own struct {
		OrderID string `json:"order_id"`
	}
	d.Must(json.Unmarshal([]byte(p.Raw), &own))
	a := d.Get("/v1/payments?order_id=" + own.OrderID)
	var list struct {
		Payments []struct {
			ID string `json:"id"`
		} `json:"payments"`
	}
	d.Must(json.Unmarshal([]byte(a.Raw), &list))
	if len(list.Payments) != 1 || list.Payments[0].ID != p.ID {
		d.Failf("%s: by the order %s payhost finds %v, and should find %s", what, own.OrderID, list.Payments, p.ID)
	}
}
