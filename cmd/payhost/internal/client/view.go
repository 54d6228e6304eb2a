package client

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

// The views are the API's, with the fields that this program shows.

// Money is an amount in minor units.
type Money struct {
	Value    string `json:"value"`
	Currency string `json:"currency"`
}

// String shows the amount for a person, "2500.00 KZT"; "nothing" for nil.
func (m *Money) String() string {
	if m == nil {
		return "nothing"
	}
	n, err := strconv.ParseInt(m.Value, 10, 64)
	if err != nil {
		return m.Value + " " + m.Currency
	}
	return pay.New(n, pay.Currency(m.Currency)).String()
}

// Payment is a payment.
type Payment struct {
	ID                  string     `json:"id"`
	Connection          string     `json:"connection"`
	Provider            string     `json:"provider"`
	OrderID             string     `json:"order_id"`
	ProviderRef         string     `json:"provider_ref"`
	Status              string     `json:"status"`
	NextAction          *Next      `json:"next_action"`
	PayerHint           string     `json:"payer_hint"`
	Amount              *Money     `json:"amount"`
	AmountPaid          *Money     `json:"amount_paid"`
	AmountRefunded      *Money     `json:"amount_refunded"`
	AmountRefundPending *Money     `json:"amount_refund_pending"`
	InDoubt             *Doubt     `json:"in_doubt"`
	LastError           *LastError `json:"last_error"`
	Alerts              int        `json:"alerts"`
	Revision            string     `json:"revision"`
	ExpiresAt           *time.Time `json:"expires_at"`
	CreatedAt           time.Time  `json:"created_at"`
	UpdatedAt           time.Time  `json:"updated_at"`
}

// Next is what has to happen for a payment to go on.
type Next struct {
	Type      string `json:"type"`
	URL       string `json:"url"`
	QRPayload string `json:"qr_payload"`
	QRPNG     []byte `json:"qr_png"`
}

// Doubt is an operation that may or may not have happened.
type Doubt struct {
	Since       time.Time `json:"since"`
	Operation   string    `json:"operation"`
	OperationID string    `json:"operation_id"`
	Reason      string    `json:"reason"`
}

// LastError is what went wrong last.
type LastError struct {
	Class   string `json:"class"`
	Effect  string `json:"effect"`
	Advice  string `json:"advice"`
	Field   string `json:"field"`
	Message string `json:"message"`
	Reason  string `json:"reason"`
}

// Refund is a refund.
type Refund struct {
	ID          string     `json:"id"`
	PaymentID   string     `json:"payment_id"`
	Status      string     `json:"status"`
	Amount      *Money     `json:"amount"`
	ProviderRef string     `json:"provider_ref"`
	InDoubt     *Doubt     `json:"in_doubt"`
	LastError   *LastError `json:"last_error"`
}

// Receipt is a fiscal receipt.
type Receipt struct {
	ID        string     `json:"id"`
	Status    string     `json:"status"`
	InDoubt   *Doubt     `json:"in_doubt"`
	LastError *LastError `json:"last_error"`
}

// Payments is a page of payments.
type Payments struct {
	Payments   []Payment `json:"payments"`
	NextCursor string    `json:"next_cursor"`
}

// Refunds are the refunds of a payment, oldest first.
type Refunds struct {
	Refunds []Refund `json:"refunds"`
}

// Timeline is the ledger of a payment.
type Timeline struct {
	Entries []Entry `json:"entries"`
}

// Entry is one line of a timeline.
type Entry struct {
	Seq   int64           `json:"seq"`
	At    time.Time       `json:"at"`
	Actor string          `json:"actor"`
	Kind  string          `json:"kind"`
	Body  json.RawMessage `json:"body"`
}

// Doubts is a page of the in-doubt desk.
type Doubts struct {
	InDoubt    []DoubtRow `json:"in_doubt"`
	NextCursor string     `json:"next_cursor"`
}

// DoubtRow is one operation in doubt.
type DoubtRow struct {
	OperationID  string    `json:"operation_id"`
	Operation    string    `json:"operation"`
	PaymentID    string    `json:"payment_id"`
	ReceiptID    string    `json:"receipt_id"`
	Connection   string    `json:"connection"`
	Since        time.Time `json:"since"`
	AmountAtRisk *Money    `json:"amount_at_risk"`
	Reason       string    `json:"reason"`
	Next         string    `json:"next"`
}

// Plugins are the plugins of a payhost.
type Plugins struct {
	Plugins []Plugin `json:"plugins"`
}

// Plugin is one of them.
type Plugin struct {
	Name    string `json:"name"`
	ID      string `json:"id"`
	Version string `json:"version"`
	Digest  string `json:"digest"`
	Canary  *struct {
		Version string `json:"version"`
		Digest  string `json:"digest"`
		Percent int    `json:"percent"`
	} `json:"canary"`
	Problem string `json:"problem"`
}

// Revisions are the revisions of a plugin, newest first.
type Revisions struct {
	Revisions   []Revision   `json:"revisions"`
	Activations []Activation `json:"activations"`
}

// Revision is one uploaded module.
type Revision struct {
	Plugin  string    `json:"plugin"`
	Digest  string    `json:"digest"`
	Version string    `json:"version"`
	Size    int64     `json:"size"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Active  bool      `json:"active"`
}

// Activation put a revision in place, or beside the one that is, for less than 100 percent.
type Activation struct {
	Plugin string    `json:"plugin"`
	Digest string    `json:"digest"`
	Canary int       `json:"canary_percent"`
	Source string    `json:"source"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Lost   []string  `json:"lost"`
	Forced bool      `json:"forced"`
	Needed string    `json:"needed"`
}

// Connection is a configured use of a plugin.
type Connection struct {
	Name    string `json:"name"`
	Plugin  string `json:"plugin"`
	Version string `json:"version"`
	Problem string `json:"problem"`
}

// Connections are all of them.
type Connections struct {
	Connections []Connection `json:"connections"`
}
