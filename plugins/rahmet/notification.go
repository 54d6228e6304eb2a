package rahmet

import (
	"strings"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// The mark that create puts into each postlink, and the parameters that Rahmet adds
// to the first ("Размещение заказа": none to 2020-11-02, two to 2022-03-29, then
// four; the second has none).
const (
	queryEvent  = "event"
	eventPaid   = "paid"
	eventFailed = "failed"

	queryReference     = "reference"
	queryAmount        = "amount"
	queryCardAmount    = "cardAmount"
	queryBalanceAmount = "balanceAmount"
)

// Notification reads a postlink. Anybody who knows the link can call it, so it is a
// hint at best: it names the payment whose nonce stood in the link, moves no status,
// and keeps what was said for the timeline only. A failed one may be followed by a
// success.
func (*Provider) Notification(_ *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
	if r.Method != "GET" && r.Method != "HEAD" {
		return &pay.Notification{
			Authenticity: pay.AuthenticityNone,
			Ack:          pay.Ack{Status: 405, Header: []pay.Field{{Name: "Allow", Value: "GET, HEAD"}}},
		}, nil
	}
	out := &pay.Notification{
		Authenticity: pay.AuthenticityWeak,
		ProviderRef:  r.Payment.ProviderRef,
		Ack: pay.Ack{
			Status: 200, Header: []pay.Field{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}},
			Body: []byte("OK"),
		},
	}
	if n := len(r.Payment.Keys); n > 0 {
		out.ProviderKey = r.Payment.Keys[n-1]
	}
	word, detail := readPostlink(r.Query)
	out.Observations = []pay.Observation{{
		Subject: pay.SubjectPayment, ProviderState: word, Detail: detail,
		ProviderRef: out.ProviderRef, ProviderKey: out.ProviderKey,
	}}
	return out, nil
}

// readPostlink returns the name of the postlink and what it claims. How Rahmet joins
// its parameters to a link that has a query is not documented, so a second question
// mark counts as a separator. Values are numbers or left out: the text goes into a
// timeline that people read.
func readPostlink(query string) (word, detail string) {
	word, detail = "unmarked call", "unsigned"
	separator := func(c rune) bool { return c == '&' || c == '?' }
	for _, part := range strings.FieldsFunc(query, separator) {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case queryEvent:
			switch value {
			case eventPaid:
				word = "postlink"
			case eventFailed:
				word = "failed_postlink"
			}
		case queryReference, queryAmount, queryCardAmount, queryBalanceAmount:
			if digits(value, ".") && len(detail) < maxText {
				detail += ", " + name + " " + value
			}
		}
	}
	return word, detail
}
