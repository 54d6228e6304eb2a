package payments_test

import (
	"encoding/json"
	"testing"

	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// TestNextAction wants every member of a next action there, null where there is none,
// as all of a payment is.
func TestNextAction(t *testing.T) {
	t.Parallel()
	for want, next := range map[string]ledger.Next{
		`{"type":"redirect","url":"https://p","qr_payload":null,"qr_png":null,"expires_at":null}`: {
			Type: pay.NextRedirect, URL: "https://p",
		},
		`{"type":"show_qr","url":null,"qr_payload":"p:1","qr_png":"AQID","expires_at":null}`: {
			Type: pay.NextShowQR, QRPayload: "p:1", QRPNG: []byte{1, 2, 3},
		},
	} {
		got, err := json.Marshal(payments.ViewPayment(&ledger.Book{Next: &next}).NextAction)
		if err != nil || string(got) != want {
			t.Errorf("%s, %v\nwant %s", got, err, want)
		}
	}
}
