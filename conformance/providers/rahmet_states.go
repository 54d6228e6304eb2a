package providers

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/sdk/pay"
)

// rahmetStateCases are about what status tells.
func rahmetStateCases() []conformance.Case {
	return []conformance.Case{
		rahmetCase(conformance.Check{
			ID: "R9", Level: conformance.L1, Proves: "providers 4, R9; contract 2",
			Sentence: "Every shape that status ever had is understood, and an order that it does not tell of is no information.",
		}, rahmetShapes),
		rahmetCase(conformance.Check{
			ID: "R10", Level: conformance.L2, Proves: "providers 4, R10; contract 4",
			Sentence: "An order that is unpaid after its time has not failed, and a payment that comes late is taken.",
		}, rahmetLate),
	}
}

func rahmetShapes(l *rahmetLife) {
	for _, shape := range []string{"bool", "bool_extended", "object", "full"} {
		for _, kind := range []string{"number", "string"} {
			l.Step("pay; status answers in the shape %s, amounts as %s", shape, kind)
			l.set("status_shape", shape)
			l.set("amount_type", kind)
			p := l.sell()
			l.money(p, l.Terms.Amount, 0)
			if shape == "object" || shape == "full" { // the others tell of no refund
				l.GiveBack(p, 100000)
				l.money(p, l.Terms.Amount, 100000)
			}
		}
	}
	l.set("status_shape", "full")
	l.set("amount_type", "number")
	l.Verify()
	rahmetUnknown(l)
	rahmetIDForms(l)
}

// rahmetUnknown asks after a paid order, an unpaid one and one that the provider has
// never seen, in one call.
func rahmetUnknown(l *rahmetLife) {
	ref := func(id, key string) pay.Ref {
		return pay.Ref{ID: id, OrderID: key, Keys: []string{key}, Amount: pay.New(l.Terms.Amount, pay.KZT), CreatedAt: l.Now()}
	}
	paid, unpaid := ref("paid", l.orderID(l.sell())), ref("unpaid", l.orderID(l.Begin()))
	unknown := ref("unknown", "never-sent")
	l.Step("ask after an unknown order")
	want := map[string]pay.PaymentStatus{"paid": pay.PaymentSucceeded, "unpaid": pay.PaymentPending}
	for _, answer := range []string{"omit", "false", "object", "error"} {
		l.set("unknown_ids", answer)
		mark := l.Wire.Number()
		items, err := l.Calls().Status(context.Background(), paid, unpaid, unknown)
		if err != nil {
			l.Fatalf("status of three orders fails since one is unknown (%s): %v", answer, err)
		}
		if calls := l.sent(mark, rahmetStatus); answer != "error" && len(calls) != 1 {
			l.Failf("three orders were asked after in %d calls, want one", len(calls))
		}
		for _, item := range items {
			if item.ID == "unknown" {
				rahmetNoWord(l, &item, "unknown_ids is "+answer)
				continue
			}
			if len(item.Observations) != 1 || item.Observations[0].Payment != want[item.ID] {
				l.Failf("beside an unknown order (%s), the %s one is told as %v", answer, item.ID, item.Observations)
			}
			rahmetAlone(l, &item, map[string]pay.Ref{"paid": paid, "unpaid": unpaid}[item.ID])
		}
	}
	l.set("unknown_ids", "omit")
	for _, empty := range []string{"array", "null", "object"} {
		l.set("empty_map", empty)
		items, err := l.Calls().Status(context.Background(), unknown)
		if err != nil || len(items) != 1 {
			l.Failf("status of an unknown order, its map an empty %s, is %v, %v; want one item and no error", empty, items, err)
			continue
		}
		rahmetNoWord(l, &items[0], "empty_map is "+empty)
	}
}

// rahmetNoWord holds that an order which the provider has never seen is neither paid
// nor proven absent: it may only not be told of yet.
func rahmetNoWord(l *rahmetLife, item *pay.StatusItem, when string) {
	if item.Found == pay.FoundNot {
		l.Failf("an unknown order is told as not_found, and the provider has no word for that: %s", when)
	}
	for _, o := range item.Observations {
		if o.Payment != pay.PaymentPending && o.Payment != 0 {
			l.Failf("an unknown order is told as %s: %s", o.Payment, when)
		}
	}
}

// rahmetAlone holds that an order is told alike alone and in a list.
func rahmetAlone(l *rahmetLife, listed *pay.StatusItem, ref pay.Ref) {
	items, err := l.Calls().Status(context.Background(), ref)
	if err != nil || len(items) != 1 {
		l.Failf("status of the %s order alone is %v, %v", ref.ID, items, err)
		return
	}
	if !slices.Equal(items[0].Observations, listed.Observations) {
		l.Failf("the %s order is told otherwise in a list than alone: %+v, alone %+v", ref.ID, listed.Observations, items[0].Observations)
	}
}

// rahmetIDForms holds that the ids are sent as a list that the provider reads, which
// takes merchant_order_ids[] and merchant_order_ids[0] alike.
func rahmetIDForms(l *rahmetLife) {
	l.Step("the forms of merchant_order_ids")
	for _, x := range l.sent(0, rahmetStatus) {
		values := rahmetFields(&x)
		for name := range values {
			if name != "merchant_order_ids[]" && values.Get("merchant_order_ids[0]") == "" {
				l.Failf("status is asked with the field %s; the ids are merchant_order_ids[], or numbered from [0]", name)
			}
		}
	}
	order, token := l.orderID(l.Begin()), l.bearer()
	for _, name := range []string{"merchant_order_ids[]", "merchant_order_ids[0]"} {
		code, raw := l.direct(rahmetStatus, rahmetForm, url.Values{name: {order}}.Encode(), "Authorization", "Bearer "+token)
		if code != 0 || len(raw) < 3 {
			l.Fatalf("simulator: %s is answered with error_code %d and %s", name, code, raw)
		}
	}
}

func rahmetLate(l *rahmetLife) {
	rahmetOverdue(l)
	rahmetExpired(l)
	l.Verify()
}

// rahmetOverdue leaves an order unpaid beyond the provider's own time, of which payhost
// was told nothing, and pays it then.
func rahmetOverdue(l *rahmetLife) {
	l.Step("wait beyond the provider's default time")
	p := l.Begin()
	for range 8 {
		l.Pass(10 * time.Minute)
	}
	if o := l.order(p); o.State != "expired" {
		l.Fatalf("simulator: the order is %s after 80 minutes", o.State)
	}
	if p = l.Get(l.path(p)); !p.Is("pending") || p.InDoubt != nil {
		l.Fatalf("the payment is %v; status says is_paid:false, which is not a word for failed or expired", p.Status)
	}
	l.Step("pay late")
	l.KeepInbound(true)
	l.Move(l.order(p).ID, "paid")
	l.KeepInbound(false)
	p = l.Until(l.path(p), "succeeded")
	l.money(p, l.Terms.Amount, 0)
}

// rahmetExpired gives the payer ten minutes. The provider is told of them; the payment
// is over only by a last status after them; and a payment that comes later still is
// taken, and told.
func rahmetExpired(l *rahmetLife) {
	l.Step("create with ten minutes to pay")
	mark := l.Wire.Number()
	end := l.Now().Add(10 * time.Minute)
	p := l.BeginWith(l.Terms.Amount, conformance.Object{"expires_at": end.UTC().Format(time.RFC3339Nano)})
	for _, x := range l.sent(mark, rahmetCreateV1) {
		if seconds, err := strconv.Atoi(rahmetFields(&x).Get("timeout")); err != nil || seconds > 600 || seconds < 570 {
			l.Failf("create says timeout=%q; the payer has ten minutes, and not a second more", rahmetFields(&x).Get("timeout"))
		}
	}
	l.Pass(10*time.Minute + time.Second)
	if p = l.Get(l.path(p)); !p.Is("pending") {
		l.Failf("the payment is %v right after its time; a payment may still be on its way", p.Status)
	}
	p = l.Until(l.path(p), "expired")
	l.money(p, 0, 0)
	l.Step("pay after the payment has expired")
	l.KeepInbound(true)
	l.Move(l.order(p).ID, "paid")
	l.KeepInbound(false)
	p = l.Until(l.path(p), "succeeded")
	l.money(p, l.Terms.Amount, 0)
	if !l.told(p.ID, "paid after the payment had ended") {
		l.Failf("the timeline does not say that the payment came late")
	}
	a := l.Try("/v1/payments", l.NewPayment(l.Terms.Amount, conformance.Object{
		"expires_at": l.Now().Add(-time.Minute).UTC().Format(time.RFC3339),
	}))
	if a.Class != "invalid_request" || a.Field != "expires_at" {
		l.Failf("a payment whose time is over is answered %d %s, want invalid_request of expires_at", a.Code, a.Raw)
	}
}
