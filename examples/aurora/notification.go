package aurora

import (
	"encoding/hex"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// Notification reads Aurora's call: the order as JSON, signed by HMAC-SHA256 over
// the exact body. Only a good signature makes it more than a hint.
func (Provider) Notification(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
	refused := &pay.Notification{Authenticity: pay.AuthenticityNone, Ack: pay.Ack{Status: 401}}
	signature, err := hex.DecodeString(header(r, "X-Aurora-Signature"))
	if err != nil {
		return refused, nil //nolint:nilerr // a bad signature is an answer, not a failure
	}
	good, err := h.Verify("HS256", "webhook", r.Body, signature)
	if err != nil {
		return nil, err
	}
	if !good {
		return refused, nil
	}
	order, err := json.Parse(r.Body)
	if err != nil {
		return nil, protocol("notification is not JSON")
	}
	observation, err := observe(order, pay.Currency(order.Get("currency").Str()))
	if err != nil {
		return nil, err
	}
	return &pay.Notification{
		Authenticity: pay.AuthenticityStrong, ProviderRef: observation.ProviderRef,
		Observations: []pay.Observation{observation}, Ack: pay.Ack{Status: 204},
	}, nil
}

func header(r *pay.NotificationRequest, name string) string {
	for _, f := range r.Header {
		if json.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}
