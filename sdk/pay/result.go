package pay

import "time"

// NextActionType says what has to happen for a payment to go on.
type NextActionType uint8

// The next actions.
const (
	NextNone        NextActionType = 1 // nothing to do
	NextRedirect    NextActionType = 2 // send the payer to URL
	NextShowQR      NextActionType = 3 // show QRPayload (or URL) as a code
	NextPresentCode NextActionType = 4 // scan the payer's code, then bind it
	NextWait        NextActionType = 5 // the provider is at work
)

var nextNames = names{
	NextNone: "none", NextRedirect: "redirect", NextShowQR: "show_qr",
	NextPresentCode: "present_code", NextWait: "wait",
}

// String returns the type as the API spells it.
func (n NextActionType) String() string { return nextNames.of(uint8(n)) }

// NextAction is what has to happen for a payment to go on.
type NextAction struct {
	Type      NextActionType
	URL       string    // payment page; opaque
	QRPayload string    // text of the code to show
	QRPNG     []byte    // picture of the code, if the provider made one
	ExpiresAt time.Time // zero if the provider did not say
}

// Result is the answer to a writing operation. From a plugin, Outcome is an
// opinion; from the host it is the verdict on the evidence.
type Result struct {
	Outcome         Outcome
	ProviderRef     string // the provider's id of the payment, refund or receipt
	Next            NextAction
	PayerHint       string    // a masked hint at who pays, for the cashier
	ExpiresAt       time.Time // when the code or page stops working
	Reason          DeclinedReason
	ProviderCode    string
	ProviderMessage string
	Observations    []Observation
}

// Subject says what an observation is about.
type Subject uint8

// The subjects of observations.
const (
	SubjectPayment Subject = 1
	SubjectRefund  Subject = 2
	SubjectReceipt Subject = 3
)

// Observation is one thing seen at the provider. Fields that the provider did
// not tell are zero and mean "no news", never "no".
type Observation struct {
	Subject        Subject
	Payment        PaymentStatus // of a payment
	Refund         RefundStatus  // of a refund
	Receipt        ReceiptStatus // of a receipt
	ProviderRef    string
	ProviderKey    string    // which of our keys it answers to
	ProviderState  string    // the provider's own word
	Amount         Money     // what was asked for, as the provider has it
	AmountPaid     Money     // what the payer paid so far
	AmountRefunded Money     // the sum of what went back
	At             time.Time // the provider's time; zero if not told
	Reason         DeclinedReason
	Detail         string // for a timeline; no personal data
}

// Found says what a status call knows of one reference.
type Found uint8

// The answers about one reference.
const (
	FoundNothing  Found = 0 // no information: nothing changes
	FoundObserved Found = 1 // there is an observation
	FoundNot      Found = 2 // the provider says it does not know the reference
)

var foundNames = []string{"no_information", "observed", "not_found"}

// String returns the word used in timelines.
func (f Found) String() string {
	if int(f) < len(foundNames) {
		return foundNames[f]
	}
	return "unknown"
}

// StatusItem is the answer about one reference of a status or refund_status
// call. ID is the [Ref.ID] it belongs to; a reference without an item is
// no information.
type StatusItem struct {
	ID           string
	Found        Found
	Observations []Observation
	Err          *Error // what kept this one item from an answer
}

// Authenticity says how far a notification can be trusted.
type Authenticity uint8

// The grades of trust. A weak notification is a hint: it only triggers status.
const (
	AuthenticityNone   Authenticity = 0 // can't be from the provider
	AuthenticityWeak   Authenticity = 1 // could be from anybody
	AuthenticityStrong Authenticity = 2 // proven by signature or certificate
)

var authenticityNames = []string{"none", "weak", "strong"}

// String returns the grade's word.
func (a Authenticity) String() string {
	if int(a) < len(authenticityNames) {
		return authenticityNames[a]
	}
	return "unknown"
}

// Ack is the exact answer the provider expects to a notification.
type Ack struct {
	Status int
	Header []Field
	Body   []byte
}

// Notification is a parsed inbound call.
type Notification struct {
	Authenticity Authenticity
	ProviderRef  string // which payment, by the provider's id
	ProviderKey  string // which payment, by our key
	Observations []Observation
	Ack          Ack
}

// Problem is one thing wrong with a connection's settings.
type Problem struct {
	Field   string // path, "settings.time_zone"
	Message string
}

// CatalogEntry is one row of the provider's own list of errors.
type CatalogEntry struct {
	Code    string
	Message string
	Class   Class // what the plugin makes of the code; zero if unmapped
}
