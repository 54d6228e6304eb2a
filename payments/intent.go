package payments

import (
	"time"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// Call is who asks, and the key that makes a repeat of the same request
// recognizable.
type Call struct {
	Caller    string // name of the token, or of the embedding program
	Key       string // 1 to 255 bytes; required for every operation
	RequestID string // for logs and the timeline; may be empty
}

// NewPayment is what a merchant asks for.
type NewPayment struct {
	Connection  string
	OrderID     string
	Amount      pay.Money // zero at a till, where it is not known yet
	Description string
	ReturnURL   string
	FailURL     string
	Customer    pay.Customer
	Lines       []pay.Line
	Locale      string
	ExpiresAt   time.Time // zero for the provider's default
	Metadata    map[string]string
	Options     []pay.Option
}

// NewRefund asks for money back.
type NewRefund struct {
	Amount pay.Money
	Reason string
}

// NewReceipt asks for fiscal data to be registered.
type NewReceipt struct {
	Connection     string // only for a receipt that stands alone
	Code           string // the payer's code as scanned, if there is one
	RegisterNumber string
	FiscalSign     string
	Total          pay.Money
	Lines          []pay.Line
	IssuedAt       time.Time
}

// Answer is what an operation came to.
type Answer struct {
	Book      *ledger.Book
	Operation string // id of the operation; "" if nothing had to be done
	RefundID  string // of refund operations
	ReceiptID string // of receipt operations
	InDoubt   bool   // the operation may or may not have happened: the book will tell
	Replayed  bool   // the same key had been used for the same request: nothing was sent now
}

// Filter selects payments. Empty fields select everything.
type Filter struct {
	OrderID    string
	Connection string
	Status     pay.PaymentStatus
	InDoubt    *bool
	Alerts     bool   // only those with alerts
	Limit      int    // 1 to 200; 0 for 50
	Cursor     string // of the page before
}

// Page is a part of a list. Next is the cursor of the next page, "" after the last.
type Page struct {
	Books []*ledger.Book
	Next  string
}

// Doubtful is one row of the in-doubt desk.
type Doubtful struct {
	Book  *ledger.Book
	Doubt ledger.Doubt
	Due   string // what happens next, for a person: "asked again at …", "sent again at …"
}

// Proof is what an operator resolves a doubt with.
type Proof struct {
	Outcome  pay.Outcome // applied, declined or not_applied
	Evidence string      // 1 to 4096 bytes: the provider's statement, a ticket, who said so
}

// ConnectionInfo tells of one connection.
type ConnectionInfo struct {
	Name       string
	Plugin     string
	Provider   string
	Version    string
	Revision   string
	Operations []pay.Operation
	Flows      []pay.Flow
	Currencies []pay.CurrencySpec
	Problem    string // why it is not connected; then the rest may be empty
}
