package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/payhost/payhost/conformance/sim/smartpay"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/pay"
)

func openSmartPay(l *life) (*scene, error) {
	sim, err := smartpay.New(smartpay.Options{})
	if err != nil {
		return nil, err
	}
	files, err := sim.WriteFiles(l.scratch)
	if err != nil {
		sim.Close()
		return nil, err
	}
	return &scene{
		control: sim.ControlURL(),
		stop:    func() { sim.Close() },
		config: host.ConnectionConfig{
			BaseURL:  sim.URL(),
			Settings: json.RawMessage(`{"till_id":"` + smartpay.DefaultTill + `"}`),
			TLS: map[string]vault.IdentityConfig{
				"client": {CertFile: files.ClientCert, KeyFile: files.ClientKey, CAFile: files.CA},
			},
			Keys: map[string]vault.KeyConfig{
				"qr_decrypt": {PrivateKeyFile: files.QRKey, Algorithms: []vault.Algorithm{vault.RSAOAEP256}},
				"qr_sign":    {PublicKeyFile: files.AppPublic, Algorithms: []vault.Algorithm{vault.RS256}},
			},
		},
	}, nil
}

// liveSmartPay: the payer shows a code, the till binds it before it knows the
// amount, charges, confirms, registers the receipt, and gives part back.
func liveSmartPay(l *life) error {
	l.begin("demo-till-7", pay.Money{})
	amount := pay.New(129900, pay.RUB)
	return story(
		func() error {
			return l.step("ping over mutual TLS", func() (string, error) { return "provider answers", l.conn.Ping(l.ctx) })
		},
		func() error { return l.create(pay.CreateRequest{}, pay.NextPresentCode) },
		func() error { return l.bind() },
		func() error { return l.charge(amount) },
		func() error {
			return l.write("receipt", func() (host.Result, error) {
				ref := l.ref()
				return l.conn.Receipt(l.ctx, pay.ReceiptRequest{
					Intent: l.intent(), Payment: &ref, RegisterNumber: "0000000001012345", FiscalSign: "2718281828",
					Total: amount, IssuedAt: time.Now(),
				})
			}, pay.OutcomeApplied)
		},
		func() error { return l.giveBack(pay.New(29900, pay.RUB)) },
		func() error {
			return l.step("error catalog", func() (string, error) {
				list, err := l.conn.ErrorCatalog(l.ctx)
				if err == nil && len(list) == 0 {
					err = errors.New("the provider lists no errors")
				}
				return fmt.Sprintf("%d codes", len(list)), err
			})
		},
	)
}

// bind has the payer show a code and the till claim it; the same code shown again
// must be refused.
func (l *life) bind() error {
	var code string
	return story(
		func() error {
			return l.step("payer shows a code", func() (string, error) {
				err := l.call(http.MethodGet, "/payer/code", "", &code)
				return fmt.Sprintf("%d bytes, encrypted and signed", len(code)), err
			})
		},
		func() error {
			return l.write("bind (decrypt, verify, commit)", func() (host.Result, error) {
				return l.conn.Bind(l.ctx, pay.BindRequest{Intent: l.intent(), Payment: l.ref(), Code: code})
			}, pay.OutcomeApplied)
		},
		func() error { return l.replay(code) },
	)
}

// charge releases the amount, waits until the payer has approved, and confirms.
func (l *life) charge(amount pay.Money) error {
	request := func() pay.PaymentRequest {
		return pay.PaymentRequest{Intent: l.intent(), Payment: l.ref(), Amount: amount}
	}
	return story(
		func() error {
			l.payment.Amount = amount
			return l.write("release "+amount.String(), func() (host.Result, error) {
				return l.conn.Release(l.ctx, request())
			}, pay.OutcomeAccepted, pay.OutcomeApplied)
		},
		func() error { return l.expect(pay.PaymentAuthorized) },
		func() error {
			return l.write("confirm", func() (host.Result, error) {
				return l.conn.Confirm(l.ctx, request())
			}, pay.OutcomeApplied)
		},
		func() error { return l.is(pay.PaymentSucceeded) },
	)
}

// giveBack refunds a part, waits until it is done, and acknowledges it.
func (l *life) giveBack(part pay.Money) error {
	refund := pay.Refund{ID: "ref_1", Status: pay.RefundPending, Amount: part}
	request := func() pay.RefundRequest {
		return pay.RefundRequest{
			Intent: l.intent(), Payment: l.ref(), Refund: pay.Ref{ID: refund.ID, ProviderRef: refund.ProviderRef},
			Amount: part, Paid: l.payment.Amount,
		}
	}
	return story(
		func() error {
			return l.write("refund "+part.String(), func() (host.Result, error) {
				r, err := l.conn.Refund(l.ctx, request())
				refund.ProviderRef = r.ProviderRef
				return r, err
			}, pay.OutcomeAccepted, pay.OutcomeApplied)
		},
		func() error { return l.refundDone(&refund) },
		func() error {
			return l.write("confirm refund", func() (host.Result, error) {
				return l.conn.ConfirmRefund(l.ctx, request())
			}, pay.OutcomeApplied)
		},
	)
}

// replay shows the code of this payment again, for another: it must be refused
// before anything is sent.
func (l *life) replay(code string) error {
	return l.step("the same code again", func() (string, error) {
		r, err := l.conn.Bind(l.ctx, pay.BindRequest{Intent: l.intent(), Payment: pay.Ref{ID: "pay_other"}, Code: code})
		if pay.ClassOf(err) != pay.ClassCodeInvalid || r.Evidence.Calls != 0 {
			return "", fmt.Errorf("outcome is %s, class %s, the contract wants code_invalid and nothing sent",
				r.Outcome, pay.ClassOf(err))
		}
		return r.Outcome.String() + ", " + err.Error(), nil
	})
}

func (l *life) is(want pay.PaymentStatus) error {
	if l.payment.Status != want {
		return fmt.Errorf("%s: payment is %s, the contract wants %s", l.provider, l.payment.Status, want)
	}
	return nil
}

// refundDone asks after the refund until it has succeeded.
func (l *life) refundDone(refund *pay.Refund) error {
	return l.step("refund status", func() (string, error) {
		for polls := 1; polls <= 20; polls++ {
			items, err := l.conn.RefundStatus(l.ctx, pay.Ref{ID: refund.ID, ProviderRef: refund.ProviderRef})
			if err != nil {
				return "", err
			}
			for _, o := range items[0].Observations {
				if _, err := refund.Observe(o); err != nil {
					return "", err
				}
			}
			if refund.Status == pay.RefundSucceeded {
				return fmt.Sprintf("%s after %d poll(s)", refund.Status, polls), nil
			}
			if err := wait(l.ctx, 50*time.Millisecond); err != nil {
				return "", err
			}
		}
		return "", fmt.Errorf("refund is %s, the contract wants succeeded", refund.Status)
	})
}
