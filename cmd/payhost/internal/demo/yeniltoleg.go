package demo

import "github.com/payhost/payhost/cmd/payhost/internal/client"

// liveYenilToleg: one payment is paid and given back whole, another is withdrawn, and
// of a third the answer to create is lost: the provider knows our key, so payhost sends
// again at once.
func liveYenilToleg(l *life) error {
	all := client.Money{Value: "3545", Currency: "TMT"}
	request := func(order string) map[string]any {
		return map[string]any{
			"order_id": order, "amount": all, "description": "Demo order", "return_url": "https://shop.example/thanks",
			"fail_url": "https://shop.example/sorry", "customer": map[string]string{"name": "Demo Customer"}, "locale": "ru",
			"lines": []map[string]any{{"name": "Pizza", "quantity": 1, "price": all}},
		}
	}
	const create = "create 35.45 TMT"
	return story(
		func() error { return l.create(create, request("demo-200"), "redirect") },
		l.again,
		func() error { return l.expect("status", "pending", true) },
		func() error { return l.move("payer opens the page", "payment", l.payment.ProviderRef, "InProgress") },
		func() error { return l.expect("status", "processing", true) },
		func() error { return l.move("payer presses Pay", "payment", l.payment.ProviderRef, "Succeeded") },
		func() error { return l.expect("status", "succeeded", true) },
		func() error { return l.giveBack(all, "succeeded", "pending") },
		func() error { return l.refunded("status after refund", all) },
		func() error { return l.timeline("observation") },
		func() error { return l.webhooks("refund.succeeded") },
		func() error { return l.create(create, request("demo-201"), "redirect") },
		func() error { return l.act("cancel", "/cancel", map[string]any{}, "canceled", "pending") },
		func() error { return l.expect("status", "canceled", true) },
		func() error { return l.webhooks("payment.canceled") },
		func() error {
			lost := request("demo-202")
			lost["connection"] = l.scene.Connection
			return l.resent("create", "/api/v1/payment/register", "/v1/payments", lost)
		},
		func() error { return l.webhooks("payment.pending") },
	)
}
