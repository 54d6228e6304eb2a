package demo

import (
	"errors"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
)

// liveRahmet: a link with a QR code, the payer pays, the provider's unsigned call is
// a hint that status confirms, and part of the money goes back; then a create whose
// answer is lost.
func liveRahmet(l *life) error {
	request := func(order string) map[string]any {
		return map[string]any{
			"order_id": order, "amount": client.Money{Value: "250000", Currency: "KZT"}, "description": "Demo order",
			"return_url": "https://shop.example/thanks",
		}
	}
	part := client.Money{Value: "100000", Currency: "KZT"}
	return story(
		func() error { return l.create("create 2500.00 KZT", request("demo-100500"), "show_qr") },
		l.again,
		func() error { return l.expect("status", "pending", true) },
		func() error { return l.move("payer presses Pay", "order", l.payment.ProviderRef, "payer_pays") },
		func() error { return l.expect("status, after the provider's call", "succeeded", false) },
		l.notified,
		func() error { return l.giveBack(part, "pending") },
		func() error { return l.move("provider settles the refund", "refund", "", "settled") },
		func() error { return l.refunded("status after refund", part) },
		func() error { return l.timeline("notification", "observation") },
		func() error { return l.webhooks("refund.succeeded") },
		func() error {
			lost := request("demo-100501")
			lost["connection"] = l.scene.Connection
			return l.lose("create", "/orders/v1/preorder/create", "/v1/payments", lost)
		},
		func() error {
			return l.step("the link is there again", func() (string, error) { return l.started("show_qr") })
		},
		func() error { return l.webhooks("payment.doubt_ended") },
	)
}

// notified wants the provider's call in the timeline, taken for no more than a hint.
func (l *life) notified() error {
	return l.step("notification", func() (string, error) {
		entries, err := l.entries()
		if err != nil {
			return "", err
		}
		for _, e := range entries {
			if e.Kind == "notification" {
				return "received, a hint: status decided", nil
			}
		}
		return "", errors.New("the timeline has no notification")
	})
}
