package demo

import (
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/pay"
)

func openYenilToleg(*life) (*scene, error) {
	sim := yeniltoleg.New(yeniltoleg.Options{})
	url, stop, err := simkit.Start("127.0.0.1:0", sim)
	if err != nil {
		return nil, err
	}
	return &scene{
		control: url,
		stop:    func() { sim.Close(); stop() },
		config: host.ConnectionConfig{
			BaseURL: url,
			Secrets: map[string]vault.Secret{"access_token": vault.NewSecret(yeniltoleg.AccessToken)},
			Egress:  host.Grant{AllowHTTP: true},
		},
	}, nil
}

// liveYenilToleg: one payment is paid and given back whole, another is withdrawn.
func liveYenilToleg(l *life) error {
	request := pay.CreateRequest{
		Description: "Demo order", ReturnURL: "https://shop.example/thanks", FailURL: "https://shop.example/sorry",
		Customer: pay.Customer{Name: "Demo Customer"}, Locale: "ru",
		Lines: []pay.Line{{Name: "Pizza", Quantity: 1, Price: pay.New(3545, pay.TMT)}},
	}
	all := pay.New(3545, pay.TMT)
	l.begin("demo-200", all)
	return story(
		func() error { return l.create(request, pay.NextRedirect) },
		func() error { return l.expect(pay.PaymentPending) },
		func() error { return l.move("payer opens the page", l.payment.ProviderRef, "InProgress") },
		func() error { return l.expect(pay.PaymentProcessing) },
		func() error { return l.move("payer presses Pay", l.payment.ProviderRef, "Succeeded") },
		func() error { return l.expect(pay.PaymentSucceeded) },
		func() error {
			return l.write("refund "+all.String(), func() (host.Result, error) {
				return l.conn.Refund(l.ctx, pay.RefundRequest{
					Intent: l.intent(), Payment: l.ref(), Refund: pay.Ref{ID: "ref_1"}, Amount: all, Paid: l.payment.AmountPaid,
				})
			}, pay.OutcomeApplied, pay.OutcomeAccepted)
		},
		func() error { return l.refunded(all) },
		func() error { l.begin("demo-201", all); return l.create(request, pay.NextRedirect) },
		func() error {
			return l.write("cancel", func() (host.Result, error) {
				return l.conn.Cancel(l.ctx, pay.PaymentRequest{Intent: l.intent(), Payment: l.ref()})
			}, pay.OutcomeApplied)
		},
		func() error { return l.expect(pay.PaymentCanceled) },
	)
}
