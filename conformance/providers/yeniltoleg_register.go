package providers

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// These are the cases of what register answers: Y1, Y2 and Y4.

// yenilY1: the same key after a 500, and a new key with an old order number.
func yenilY1(y *yenil) {
	y.Step("create, and one 500 behind the effect")
	p := y.Until(yenilPath(y.Create(3593, nil)), "pending") // the simulator breaks this amount once
	y.sameKey(p, 0, 1)
	y.Pay(p)
	y.Until(yenilPath(p), "succeeded")
	y.Verify()

	y.Step("create, and 500 behind the effect until payhost gives up")
	sent := len(y.calls(yenilRegister))
	y.during(wire.Fault{Kind: wire.ServerError, After: true}, yenilRegister, func() { p = y.create(nil) })
	y.holds("register answered with 500", p, want{code: 202, doubt: "create"})
	p = y.Until(yenilPath(p), "pending")
	y.sameKey(p, sent, 2)
	yenilTaken(y)
}

// sameKey holds that a register which was answered with 500 was repeated until it was
// known what became of it, under one key, and that there is one payment more of it.
func (y *yenil) sameKey(p conformance.Answer, before, made int) {
	sent := y.calls(yenilRegister)[before:]
	if len(sent) < 2 {
		y.Fatalf("register was answered with 500, and sent %d times: the document says to repeat it with the same key", len(sent))
	}
	first := member(sent[0].Body, "idempotencyKey")
	for _, x := range sent {
		if key := member(x.Body, "idempotencyKey"); key != first || key == "" {
			y.Failf("register was repeated under the key %s, and was first sent under %s", key, first)
		}
	}
	y.made("register repeated after a 500", made)
	if o, _ := y.Object(y.Terms.PaymentKind, ""); p.ProviderRef != o.ID {
		y.Failf("provider_ref is %q, and the payment that the 500 left behind is %q", p.ProviderRef, o.ID)
	}
}

// yenilTaken tries an order again that the provider has a failed payment of.
func yenilTaken(y *yenil) {
	y.Step("create again for an order that failed")
	first := y.Begin()
	y.Move(first.ProviderRef, y.Terms.Outcomes.Failed)
	first = y.Until(yenilPath(first), "failed")
	o, _ := y.ObjectOf(first)
	order := conformance.Object{"order_id": o.Ref}
	y.holds("an order number that is taken", y.create(order), want{
		code: 422, class: "invalid_request", effect: "none", field: "order_id",
	})
	y.made("an order number that is taken", 3)
	y.set("duplicate_order_number", "new_payment")
	second := y.Until(yenilPath(y.Create(y.Terms.Amount, order)), "pending")
	if second.ProviderRef == first.ProviderRef {
		y.Failf("a new payment of the order has the old one's provider_ref %q", second.ProviderRef)
	}
	y.Pay(second)
	y.Until(yenilPath(second), "succeeded")
	y.holds("the payment that failed before", y.fresh(first), want{status: "failed", doubt: "-"})
}

// yenilY2: the same key with another body, by the merchant's hand, by payhost's, and
// by the plugin's alone.
func yenilY2(y *yenil) {
	y.Step("the merchant's key with another amount")
	key, body := y.NewKey(), y.NewPayment(y.Terms.Amount, nil)
	first := y.Request(http.MethodPost, "/v1/payments", key, body)
	body["amount"] = y.Amount(y.Terms.Amount + 1)
	y.holds("the merchant's key with another amount", y.Request(http.MethodPost, "/v1/payments", key, body), want{
		code: 422, class: "key_reused", effect: "none",
	})
	y.made("the merchant's key with another amount", 1)
	y.holds("the merchant's first payment", y.fresh(first), want{status: "pending", doubt: "-"})
	yenilOtherBody(y)
	yenilOtherAmount(y)
}

// yenilOtherBody changes the connection's time zone while a create is in doubt, so
// that what is sent again is not what was sent.
func yenilOtherBody(y *yenil) {
	for n, setting := range []string{"error", "same"} {
		y.Step("create, 500 behind the effect, another time zone; same_key_other_body=%s", setting)
		y.set("same_key_other_body", setting)
		var p conformance.Answer
		y.during(wire.Fault{Kind: wire.ServerError, After: true}, yenilRegister, func() {
			p = y.create(conformance.Object{"expires_at": y.in(24 * time.Hour)})
		})
		y.holds("register answered with 500", p, want{code: 202, doubt: "create"})
		o, _ := y.Object(y.Terms.PaymentKind, "")
		zone := func(name string) {
			y.Reconnect(func(c *host.ConnectionConfig) { c.Settings = json.RawMessage(`{"time_zone":"` + name + `"}`) })
		}
		zone("+06:00")
		sent := len(y.calls(yenilRegister))
		y.Pass(6 * time.Second)
		y.Pass(20 * time.Second)
		if len(y.calls(yenilRegister)) == sent {
			y.Failf("a create in doubt is not sent again under its key")
		}
		if setting == "error" {
			y.holds("the key is refused for its body", y.Get(yenilPath(p)), want{status: "created", doubt: "create"})
			zone("Asia/Ashgabat")
		}
		p = y.Until(yenilPath(p), "pending")
		if p.ProviderRef != o.ID {
			y.Failf("provider_ref is %q, and the key's payment is %q", p.ProviderRef, o.ID)
		}
		zone("Asia/Ashgabat")
		y.made("a key sent with two bodies", n+2)
	}
}

// yenilOtherAmount sends one key with two amounts, past payhost's own guard.
func yenilOtherAmount(y *yenil) {
	y.Step("one key with two amounts")
	ctx, calls := context.Background(), y.Calls()
	order := pay.CreateRequest{
		Intent: pay.Intent{Key: "two-amounts", ProviderKey: "two-amounts", Attempt: 1}, PaymentID: "pay_y2", OrderID: "y2",
		Amount: pay.New(3545, pay.TMT), ReturnURL: "https://shop.example/thanks", Customer: pay.Customer{Name: "Aman Watched"},
	}
	first, err := calls.Create(ctx, order)
	y.Must(err)
	order.Amount = pay.New(9900, pay.TMT)
	y.set("same_key_other_body", "error")
	if result, err := calls.Create(ctx, order); pay.ClassOf(err) != pay.ClassDuplicate || result.Outcome != pay.OutcomeInDoubt {
		y.Failf("a key refused for its body is %s (%v): the key is known, so a payment may be there, and that is a doubt of class duplicate",
			result.Outcome, err)
	}
	y.set("same_key_other_body", "same")
	again, err := calls.Create(ctx, order)
	if err != nil || again.ProviderRef != first.ProviderRef {
		y.Failf("the key's first payment %q was answered, and the plugin reads %q: %v", first.ProviderRef, again.ProviderRef, err)
	}
	items, err := calls.Status(ctx, pay.Ref{ID: "pay_y2", OrderID: "y2", ProviderRef: again.ProviderRef, Amount: order.Amount})
	y.Must(err)
	if items[0].Err == nil || items[0].Err.Class != pay.ClassIntegrity {
		y.Failf("the payment is of 35.45 and 99.00 was asked: status says %+v, and should be an error of class integrity", items[0])
	}
}

// yenilY4: HTTP 200 that means no, and HTTP 200 that means nothing.
func yenilY4(y *yenil) {
	y.Step("register answers result false")
	y.set("register_answer", "result_false")
	body := y.NewPayment(y.Terms.Amount, nil)
	y.holds("register with result false", y.Try("/v1/payments", body), want{
		code: 402, class: "declined", effect: "none", says: "Платеж не зарегистрирован",
	})
	y.set("register_answer", "ok")
	y.made("register with result false", 0)
	a := y.Try("/v1/payments", body)
	y.holds("the same order after a no", a, want{status: "pending", doubt: "-"})
	known := a.ProviderRef
	for n, answer := range []string{
		`{"message":"Платеж не зарегистрирован","paymentId":"` + known + `","result":false}`,
		`{"message":"Платеж зарегистрирован","result":true}`,
		`{"message":"Платеж не зарегистрирован"}`,
		`{"result":"false"}`,
	} {
		y.Step("register answers %s", answer)
		y.answers(yenilRegister, 200, answer)
		p := y.create(nil)
		y.holds("register answered "+answer, p, want{code: 202, doubt: "create"})
		y.holds("register repeated after "+answer, y.Until(yenilPath(p), "pending"), want{doubt: "-"})
		y.made("register repeated after "+answer, n+2)
	}
	yenilDenied(y)
}

// yenilDenied has cancel and refund answer with result false, for no reason that the
// payment's state would tell.
func yenilDenied(y *yenil) {
	deny := func(p conformance.Answer, path string) {
		y.Step("%s answers result false", path)
		y.answers(path, 200, `{"paymentId":"`+p.ProviderRef+`","message":"Операция запрещена","result":false}`)
	}
	p := y.Begin()
	deny(p, yenilCancel)
	y.holds("cancel with result false", y.undo(p, 0), want{code: 402, class: "declined", effect: "none", says: "Операция запрещена"})
	y.holds("a payment whose cancel was denied", y.fresh(p), want{status: "pending", doubt: "-"})
	y.holds("the cancel once more", y.undo(p, 0), want{status: "canceled"})

	p = y.Sell()
	deny(p, yenilRefund)
	y.holds("refund with result false", y.undo(p, y.Terms.Amount), want{
		code: 402, class: "declined", effect: "none", says: "Операция запрещена",
	})
	y.money("refund with result false", p, "charge 35.45")
	if again := y.Get(yenilPath(p)); again.Refunded.Minor() != 0 {
		y.Failf("refund with result false: amount_refunded is %d", again.Refunded.Minor())
	}
	y.holds("the refund once more", y.undo(p, y.Terms.Amount), want{status: "succeeded"})
	y.money("the refund once more", p, "charge 35.45, refund 35.45")
}
