package pay

import "time"

// Intent is what every writing operation is handed, whatever else it needs.
type Intent struct {
	Key         string    // the host's key of this operation; same for every send
	ProviderKey string    // the key shaped for the provider, as the manifest asks
	Attempt     int       // 1 for the first send of this operation
	Deadline    time.Time // when the host stops the call
	Earlier     Evidence  // what the host saw of earlier attempts of this operation
}

// Ref names a payment, a refund or a receipt to a plugin by every name it has.
type Ref struct {
	ID          string    // payhost's id
	OrderID     string    // the merchant's order id
	ProviderRef string    // the provider's id, empty while not known
	Keys        []string  // every provider key ever sent for it, oldest first
	Amount      Money     // what was asked for; zero if not known yet
	CreatedAt   time.Time // when payhost made it
}

// Customer is the payer as the merchant knows them. Personal data: never logged.
type Customer struct {
	Name  string
	Email string
	Phone string
}

// Line is one line of an order.
type Line struct {
	Name     string
	Quantity int64 // whole pieces, 1 or more
	Price    Money // of one piece
}

// Option is a provider-specific wish of the merchant, checked by the plugin.
type Option struct {
	Name, Value string
}

// CreateRequest starts a payment.
type CreateRequest struct {
	Intent
	PaymentID       string
	OrderID         string
	Amount          Money // zero at a till, where it is not known yet
	Description     string
	ReturnURL       string // where the payer goes after paying
	FailURL         string // where the payer goes after failing
	NotificationURL string // where the provider may call payhost, with a nonce in it
	Customer        Customer
	Lines           []Line
	Locale          string    // "ru", "tk", "kk", "en"; empty for the provider's default
	ExpiresAt       time.Time // zero for the provider's default
	Options         []Option
}

// Option returns the value of a named option, or "".
func (r *CreateRequest) Option(name string) string {
	for _, o := range r.Options {
		if o.Name == name {
			return o.Value
		}
	}
	return ""
}

// BindRequest submits the code that the payer shows.
type BindRequest struct {
	Intent
	Payment Ref
	Code    string // what the scanner read, untouched
}

// PaymentRequest is release, confirm or cancel of a payment. Amount is the
// amount to release; for confirm and cancel it is what was released, if any.
type PaymentRequest struct {
	Intent
	Payment Ref
	Amount  Money
}

// RefundRequest asks for money back, or (confirm_refund, cancel_refund) closes a
// refund at the till.
type RefundRequest struct {
	Intent
	Payment  Ref
	Refund   Ref
	Amount   Money
	Paid     Money // what the payer has paid
	Refunded Money // what went back before, pending refunds included
	Reason   string
}

// ReceiptRequest registers a fiscal receipt, of a payment or standing alone.
type ReceiptRequest struct {
	Intent
	Payment        *Ref   // nil when the receipt stands alone
	Code           string // the payer's code as scanned, if there is one
	RegisterNumber string // the cash register's registration number
	FiscalSign     string
	Total          Money
	Lines          []Line
	IssuedAt       time.Time
}

// Field is one header field. Order and repetition are kept.
type Field struct {
	Name, Value string
}

// NotificationRequest is an inbound call from a provider, as it came.
type NotificationRequest struct {
	Method          string
	Path            string
	Query           string // raw, without the question mark
	Header          []Field
	Body            []byte
	PeerCertificate string // SHA-256 of the client certificate in hex, or ""
	Payment         Ref    // the payment whose nonce stands in the URL; may be empty
	ReceivedAt      time.Time
}
