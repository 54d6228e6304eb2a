package providers

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/smartpay"
	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/sdk/pay"
)

// liveCommits is S3.
func liveCommits(d *desk) {
	d.commitLost("the request is lost", wire.CutBefore, 0)
	d.commitLost("the answer is lost", wire.CutAfter, 0)
	d.commitLost("the answer is lost, and the provider is away until the code is long too old", wire.CutAfter, time.Hour)
	d.commitKilled()
	d.boundOnce()
	d.sameSecond()
	d.otherTill()
	d.Verify()
}

// commitLost loses a bind, and has payhost repeat it by itself.
func (d *desk) commitLost(why string, kind wire.Kind, away time.Duration) {
	what := "bind, and " + why
	d.Step("%s", what)
	p, mark, was := d.Create(0, nil), d.mark(), d.count("purchase")
	d.during(kind, wireCommit, func() {
		d.doubted(what, d.bind(p, d.Code("")))
		for began := d.Now(); d.Now().Sub(began) < away; {
			d.Pass(10 * time.Minute)
		}
	})
	d.boundAs(what, mark, was, d.Until(at(p), "pending"), 2)
}

// boundAs holds that a payment has the one purchase that its commits have made.
func (d *desk) boundAs(what string, mark, purchases int, p conformance.Answer, least int) {
	key := d.one(what, mark, wireCommit, "kassa_purchase_id", least)
	if !strings.HasPrefix(key, smartpay.DefaultTill+"-") {
		d.Failf("%s: the kassa_purchase_id %q does not begin with the till's id", what, key)
	}
	if n := d.count("purchase") - purchases; n != 1 {
		d.Fatalf("%s: the provider has %d purchases of it, and should have one", what, n)
	}
	if o, ok := d.Object("purchase", key); !ok || o.ID != p.ProviderRef {
		d.Failf("%s: the payment's purchase is %q, and the provider has %q under the till's id", what, p.ProviderRef, o.ID)
	}
}

// commitKilled kills payhost within a bind.
func (d *desk) commitKilled() {
	for _, kind := range wire.Kills() {
		what := "bind, and " + string(kind)
		d.Step("%s", what)
		p, mark, was := d.Create(0, nil), d.mark(), d.count("purchase")
		d.during(kind, wireCommit, func() { d.bind(p, d.Code("")) })
		d.Restart()
		d.boundAs(what, mark, was, d.Until(at(p), "pending"), 2)
	}
}

// boundOnce repeats the merchant's request, and binds another code to the same payment.
func (d *desk) boundOnce() {
	p, key, code := d.Create(0, nil), d.NewKey(), conformance.Object{"code": d.Code("")}
	first := d.done("bind", d.Request(http.MethodPost, at(p, "bind"), key, code))
	mark := d.mark()
	again := d.done("the same bind again", d.Request(http.MethodPost, at(p, "bind"), key, code))
	if again.ProviderRef != first.ProviderRef {
		d.Failf("the same bind again is answered with the purchase %q, and the first time with %q", again.ProviderRef, first.ProviderRef)
	}
	d.refused("bind of another code", d.bind(p, d.Code("")), "state_conflict")
	d.sent("bind of what is bound", mark)
}

// sameSecond begins sales at once: the till's ids must differ all the same.
func (d *desk) sameSecond() {
	mark := d.mark()
	for range 5 {
		d.bound()
	}
	if ids := d.members(mark, wireCommit, "kassa_purchase_id"); len(ids) != 5 {
		d.Failf("5 sales at once have the kassa_purchase_id %s, and each should have its own", orNothing(ids))
	}
}

// otherTill has two tills choose the same id. What is the same at one till is another
// purchase at the other, also if both have one certificate.
func (d *desk) otherTill() {
	d.Step("the same id at two tills")
	code, second := d.Code(""), d.Code("")
	claim := func(what, code string) string {
		result, err := d.Calls().Bind(context.Background(), pay.BindRequest{
			Intent: d.intent("same-id"), Payment: pay.Ref{ID: "p", OrderID: "o"}, Code: code,
		})
		if err != nil {
			d.Fatalf("%s: the plugin answers %v, and should bind it", what, err)
		}
		return result.ProviderRef
	}
	first := claim("bind", code)
	if again := claim("the same bind again", code); again != first {
		d.Failf("the same kassa_purchase_id and code found %q first and then %q", first, again)
	}
	for _, other := range []struct{ till, certificate string }{
		{"till-2", "till-2"}, {"till-3", smartpay.DefaultTill},
	} {
		d.sitAt(other.till, other.certificate)
		ref := claim("bind with the same id at "+other.till, second)
		if ref == first {
			d.Failf("the same kassa_purchase_id at %s found the purchase of the first till", other.till)
		} else if till := d.detail(ref, "till"); till != other.till {
			d.Failf("the purchase of %s is of %v at the provider", other.till, till)
		}
		second = d.Code("")
	}
	d.sitDown()
	if again := claim("the same bind again, back at the first till", code); again != first {
		d.Failf("the same kassa_purchase_id and code found %q first and then %q", first, again)
	}
	was := d.count("purchase")
	_, err := d.Calls().Bind(context.Background(), pay.BindRequest{
		Intent: d.intent("same-id"), Payment: pay.Ref{ID: "p", OrderID: "o"}, Code: d.Code(""),
	})
	d.failed("bind of another code with the same kassa_purchase_id", err, pay.ClassDuplicate)
	if n := d.count("purchase"); n != was {
		d.Failf("bind of another code with the same kassa_purchase_id made another purchase")
	}
}
