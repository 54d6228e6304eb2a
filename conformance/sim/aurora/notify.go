package aurora

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// signatureHeader carries the signature of a notification.
const signatureHeader = "X-Aurora-Signature"

// view is an order as the merchant sees it, in answers and in notifications.
type view struct {
	ID       string `json:"id"`
	Order    string `json:"order"`
	State    string `json:"state"`
	Amount   any    `json:"amount"`
	Paid     any    `json:"paid"`
	Refunded any    `json:"refunded"`
	Currency string `json:"currency"`
}

// view needs the lock.
func (b *book) view(o *order) view {
	money := b.server.money
	return view{o.id, o.number, o.state, money(o.amount), money(o.paid()), money(o.refunded()), currency}
}

// money writes an amount in euros, exactly, as the JSON type that is set.
func (s *Server) money(cents int64) any {
	text := simkit.FormatDecimal(cents, 2)
	if s.Setting(amountTypeSetting) == "string" {
		return text
	}
	return json.Number(text)
}

// notify writes down what an order is now and sends it when it is due. It needs the lock.
func (b *book) notify(o *order, kind string) {
	times := map[string]int{"off": 0, "on": 1, "twice": 2}[b.server.Setting(notifySetting)]
	if o.notifyURL == "" || times == 0 {
		return
	}
	body, err := json.Marshal(b.view(o))
	if err != nil {
		panic("aurora: plain text and numbers: " + err.Error())
	}
	header := http.Header{"Content-Type": {"application/json"}}
	switch b.server.Setting(signatureSetting) {
	case "good":
		header.Set(signatureHeader, Sign(body))
	case "wrong":
		header.Set(signatureHeader, Sign(append([]byte("not "), body...)))
	}
	call := simkit.Delivery{
		Kind: kind, Object: o.id, Method: http.MethodPost, URL: o.notifyURL, Header: header, Body: string(body),
	}
	now := b.server.Now()
	due := now.Add(b.server.DurationSetting(notifyDelaySetting))
	for range times {
		b.outbox = append(b.outbox, letter{due, call})
	}
	b.post(now)
}

// Sign is the signature of a notification's body: HMAC-SHA256 under WebhookKey, in lowercase hex.
func Sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(WebhookKey))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// post sends what is due. It needs the lock.
func (b *book) post(now time.Time) {
	kept := b.outbox[:0]
	for _, l := range b.outbox {
		if now.Before(l.due) {
			kept = append(kept, l)
			continue
		}
		b.server.Deliver(l.call)
	}
	b.outbox = kept
}

// SignCall puts the signature of a body into the header of a call, for tests that make
// calls up.
func (s *Server) SignCall(header http.Header, body []byte) { header.Set(signatureHeader, Sign(body)) }
