package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/pay"
)

func openRahmet(*life) (*scene, error) {
	sim := rahmet.New(rahmet.Options{})
	url, stop, err := simkit.Start("127.0.0.1:0", sim)
	if err != nil {
		return nil, err
	}
	return &scene{
		control: url,
		stop:    func() { sim.Close(); stop() },
		config: host.ConnectionConfig{
			BaseURL:  url,
			Settings: json.RawMessage(`{"branch_token":"` + rahmet.BranchToken + `","image_size":300}`),
			Secrets: map[string]vault.Secret{
				"client_id": vault.NewSecret(rahmet.ClientID), "client_secret": vault.NewSecret(rahmet.ClientSecret),
			},
			Egress: host.Grant{AllowHTTP: true},
		},
	}, nil
}

// liveRahmet: a link with a QR code, the payer pays, the provider's unsigned call
// is a hint that status confirms, and part of the money goes back.
func liveRahmet(l *life) error {
	inbox, err := newInbox(l.ctx)
	if err != nil {
		return err
	}
	defer inbox.close()
	l.begin("demo-100500", pay.New(250000, pay.KZT))
	part := pay.New(100000, pay.KZT)
	return story(
		func() error {
			return l.step("ping", func() (string, error) { return "provider is available", l.conn.Ping(l.ctx) })
		},
		func() error {
			return l.create(pay.CreateRequest{
				Description: "Demo order", ReturnURL: "https://shop.example/thanks", NotificationURL: inbox.url,
			}, pay.NextShowQR)
		},
		func() error { return l.expect(pay.PaymentPending) },
		func() error { return l.move("payer presses Pay", l.keys[0], "payer_pays") },
		func() error { return l.hint(inbox) },
		func() error { return l.expect(pay.PaymentSucceeded) },
		func() error {
			return l.write("refund "+part.String(), func() (host.Result, error) {
				return l.conn.Refund(l.ctx, pay.RefundRequest{
					Intent: l.intent(), Payment: l.ref(), Refund: pay.Ref{ID: "ref_1"}, Amount: part, Paid: l.payment.AmountPaid,
				})
			}, pay.OutcomeAccepted)
		},
		func() error { return l.settle() },
		func() error { return l.refunded(part) },
	)
}

// hint waits for the provider's call and lets the plugin read it: it is not
// signed, so it may say no more than "ask".
func (l *life) hint(in *inbox) error {
	return l.step("notification", func() (string, error) {
		select {
		case r := <-in.calls:
			r.Payment = l.ref()
			note, err := l.conn.Notification(l.ctx, r)
			if err != nil {
				return "", err
			}
			if note.Authenticity == pay.AuthenticityStrong {
				return "", fmt.Errorf("an unsigned call was taken for %s", note.Authenticity)
			}
			return note.Authenticity.String() + ": a hint, status decides", l.observe(note.Observations)
		case <-time.After(5 * time.Second):
			return "", errors.New("the provider did not call")
		case <-l.ctx.Done():
			return "", l.ctx.Err()
		}
	})
}

// settle lets the simulator's refunds be done.
func (l *life) settle() error {
	return l.step("provider settles the refund", func() (string, error) {
		var list struct{ Objects []simkit.Object }
		if err := l.call(http.MethodGet, "/_sim/objects", "", &list); err != nil {
			return "", err
		}
		for _, o := range list.Objects {
			if o.Kind == "refund" {
				return "settled", l.post("/_sim/objects/"+o.ID+"/outcome", `{"outcome":"settled"}`, nil)
			}
		}
		return "", errors.New("the provider has no refund")
	})
}

// inbox receives the provider's inbound calls.
type inbox struct {
	url    string
	calls  chan pay.NotificationRequest
	server *http.Server
}

func newInbox(ctx context.Context) (*inbox, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	in := &inbox{url: "http://" + l.Addr().String() + "/n/rahmet-demo/4f1c?v=1", calls: make(chan pay.NotificationRequest, 8)}
	in.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(in.receive)}
	go func() { _ = in.server.Serve(l) }() // ends with close
	return in, nil
}

func (in *inbox) receive(w http.ResponseWriter, r *http.Request) {
	select {
	case in.calls <- pay.NotificationRequest{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, ReceivedAt: time.Now(),
	}:
	default: // more than anybody waits for
	}
	w.WriteHeader(http.StatusOK)
}

func (in *inbox) close() { _ = in.server.Close() }
