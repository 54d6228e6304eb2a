package rahmet_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk/pay"
)

// R15 and R16: whatever a postlink claims, it moves nothing.
func TestNotification(t *testing.T) {
	t.Parallel()
	const fourQuery = "reference=9001&amount=2500&cardAmount=2000&balanceAmount=500"
	const four = "reference 9001, amount 2500, cardAmount 2000, balanceAmount 500"
	tests := map[string]struct{ query, state, detail string }{
		"bare": {"event=paid", "postlink", "unsigned"},
		"two parameters": {
			"event=paid&reference=9001&amount=2500", "postlink", "unsigned, reference 9001, amount 2500",
		},
		"four parameters":      {"event=paid&" + fourQuery, "postlink", "unsigned, " + four},
		"second question mark": {"tenant=3&event=paid?" + fourQuery, "postlink", "unsigned, " + four},
		"another amount": {
			"event=paid&reference=9001&amount=1.50", "postlink", "unsigned, reference 9001, amount 1.50",
		},
		"failed":     {"event=failed", "failed_postlink", "unsigned"},
		"unmarked":   {"", "unmarked call", "unsigned"},
		"other mark": {"event=refunded&status=paid", "unmarked call", "unsigned"},
		"not numbers": {
			"event=paid&reference=%3Cscript%3E&amount=NaN&cardAmount=&balanceAmount", "postlink", "unsigned",
		},
		"long":   {"event=paid&reference=123456789012345678901", "postlink", "unsigned"},
		"broken": {"&&?=&event&event=paid&%zz", "postlink", "unsigned"},
	}
	payment := pay.Ref{ID: "pay_1", OrderID: "100500", ProviderRef: "111", Keys: []string{"100500", "100500-2"}}
	for name, test := range tests {
		for _, method := range []string{"GET", "HEAD"} {
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()
				got, err := newPlugin(t, plain).Notification(pay.NotificationRequest{
					Method: method, Path: "/n/rahmet/nonce", Query: test.query, Payment: payment,
				})
				if err != nil {
					t.Fatal(err)
				}
				want := &pay.Notification{
					Authenticity: pay.AuthenticityWeak, ProviderRef: "111", ProviderKey: "100500-2",
					Observations: []pay.Observation{{
						Subject: pay.SubjectPayment, ProviderRef: "111", ProviderKey: "100500-2",
						ProviderState: test.state, Detail: test.detail,
					}},
					Ack: pay.Ack{
						Status: 200, Header: []pay.Field{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}},
						Body: []byte("OK"),
					},
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("notification (-want +got):\n%s", diff)
				}
				held := pay.Payment{Status: pay.PaymentPending, Amount: tenge(2500_00)}
				if move, err := held.Observe(got.Observations[0]); move != pay.MoveNone || err != nil {
					t.Errorf("moves the payment: %s, %v", move, err)
				}
			})
		}
	}
}

func TestNotificationRepeatsItsDetailNoFurtherThanItMust(t *testing.T) {
	t.Parallel()
	query := "event=paid"
	for range 1000 {
		query += "&reference=12345678901234567890"
	}
	got, err := newPlugin(t, plain).Notification(pay.NotificationRequest{Method: "GET", Query: query})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Observations[0].Detail); n > 400 {
		t.Errorf("detail has %d bytes", n)
	}
}

// A reference in the query names a payment of anybody's choice.
func TestNotificationOfNoPayment(t *testing.T) {
	t.Parallel()
	got, err := newPlugin(t, plain).Notification(pay.NotificationRequest{
		Method: "GET", Query: "event=paid&reference=9001&amount=2500",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.ProviderRef != "" || got.ProviderKey != "" || got.Authenticity != pay.AuthenticityWeak {
		t.Errorf("correlates by the query: %+v", got)
	}
}

func TestNotificationByAnotherMethod(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "get", ""} {
		got, err := newPlugin(t, plain).Notification(pay.NotificationRequest{
			Method: method, Query: "event=paid", Body: []byte(`{"status": true}`), Payment: pay.Ref{ID: "pay_1"},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := &pay.Notification{
			Ack: pay.Ack{Status: 405, Header: []pay.Field{{Name: "Allow", Value: "GET, HEAD"}}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", method, diff)
		}
	}
}
