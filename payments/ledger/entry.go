package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

// Entry is one line of the ledger. It is written once and never changed.
type Entry struct {
	Seq   int64     // its place in the whole ledger, from 1; 0 until it is stored
	Book  string    // the book it belongs to
	At    time.Time // when payhost wrote it, to the microsecond
	Actor string    // who caused it: "api:<token>", "operator:<token>", "host", "probe", "provider"
	Body  Body

	encoded []byte // Body as JSON, once it was asked for
}

// Encode returns the entry's body as JSON. It is made once: whoever wants that to
// happen at a certain time calls it then.
func (e *Entry) Encode() ([]byte, error) {
	var err error
	if e.encoded == nil {
		e.encoded, err = json.Marshal(e.Body)
	}
	return e.encoded, err
}

// Body is what an entry says: one of the types below.
type Body interface{ Kind() Kind }

// Kind names what an entry says.
type Kind string

// The kinds of entry, in the order of a payment's life.
const (
	KindOpened    Kind = "opened"              // a merchant asked for a payment, or a receipt that stands alone
	KindPrepared  Kind = "operation.prepared"  // an attempt of an operation is about to begin; its key is durable
	KindSending   Kind = "operation.sending"   // a writing call is about to leave
	KindOutcome   Kind = "operation.outcome"   // how the attempt ended, by the host's evidence
	KindResolved  Kind = "operation.resolved"  // a doubt was ended by proof
	KindAbandoned Kind = "operation.abandoned" // an attempt without effect is not going to be repeated
	KindObserved  Kind = "observation"         // something was seen at the provider
	KindProbed    Kind = "probe"               // the provider was asked, and told nothing new
	KindNotified  Kind = "notification"        // the provider called
	KindExpired   Kind = "expired"             // the time to pay is over, by our clock and a last status
	KindAlert     Kind = "alert"               // something contradicts what was asked: a person must look
	KindLookedAt  Kind = "acknowledged"        // a person has looked at the alerts
	KindNote      Kind = "note"                // something a reader of the timeline should know
)

// Opened begins a book.
type Opened struct {
	Receipt    bool              `json:"receipt,omitempty"` // the book is of a receipt that stands alone
	Connection string            `json:"connection"`
	Provider   string            `json:"provider"`
	Caller     string            `json:"caller"`
	OrderID    string            `json:"order_id,omitempty"`
	Amount     Amount            `json:"amount,omitzero"`
	Nonce      string            `json:"nonce,omitempty"` // of the notification URL
	Revision   string            `json:"revision,omitempty"`
	Flow       string            `json:"flow,omitempty"` // the first flow that the plugin declares
	ExpiresAt  time.Time         `json:"expires_at,omitzero"`
	Metadata   map[string]string `json:"metadata,omitempty"`
}

// Prepared begins an attempt of an operation. Attempt is 1 for the first.
type Prepared struct {
	Operation   string            `json:"operation"`
	Op          pay.Operation     `json:"op"`
	Attempt     int               `json:"attempt"`
	Sequence    int               `json:"sequence,omitempty"` // of provider keys made of the order id
	ProviderKey string            `json:"provider_key,omitempty"`
	Amount      Amount            `json:"amount,omitzero"`
	Refund      string            `json:"refund,omitempty"`  // the refund it belongs to
	Receipt     string            `json:"receipt,omitempty"` // the receipt it belongs to
	Reason      string            `json:"reason,omitempty"`
	Register    string            `json:"register_number,omitempty"`
	FiscalSign  string            `json:"fiscal_sign,omitempty"`
	Idempotency pay.Idempotency   `json:"idempotency,omitempty"`
	Revision    string            `json:"revision,omitempty"`
	RequestID   string            `json:"request_id,omitempty"`
	Lease       time.Time         `json:"lease"`             // until when the attempt belongs to whoever began it
	Summary     map[string]string `json:"summary,omitempty"` // of the request, masked

	// What the revision declares: how long an absence proves nothing, and how long the
	// provider knows the key of an operation that may be sent again under it.
	HorizonMS     int64 `json:"horizon_ms,omitempty"`
	KeyLifetimeMS int64 `json:"key_lifetime_ms,omitempty"`
}

// Sending says that a writing call is about to leave.
type Sending struct {
	Operation string `json:"operation"`
	Attempt   int    `json:"attempt"`
	Call      int    `json:"call"` // which of the attempt's calls, from 1
	Method    string `json:"method,omitempty"`
	URL       string `json:"url,omitempty"` // masked
}

// Outcome ends an attempt.
type Outcome struct {
	Operation   string        `json:"operation"`
	Attempt     int           `json:"attempt"`
	Outcome     pay.Outcome   `json:"outcome"`
	Evidence    Evidence      `json:"evidence"`
	Error       *Error        `json:"error,omitempty"`
	ProviderRef string        `json:"provider_ref,omitempty"`
	Next        *Next         `json:"next,omitempty"`
	PayerHint   string        `json:"payer_hint,omitempty"`
	ExpiresAt   time.Time     `json:"expires_at,omitzero"`
	Seen        []Observation `json:"seen,omitempty"` // what came with the answer
	Calls       []Call        `json:"calls,omitempty"`
	Revision    string        `json:"revision,omitempty"`
	TookUS      int64         `json:"took_us,omitempty"`
	Recovered   bool          `json:"recovered,omitempty"` // written for a process that died
}

// Resolved ends a doubt by proof: an operator's, or what probes have shown.
type Resolved struct {
	Operation string      `json:"operation"`
	Outcome   pay.Outcome `json:"outcome"` // applied, declined or not_applied
	Evidence  string      `json:"evidence"`
}

// Abandoned gives up an operation that had no effect and could have been repeated.
type Abandoned struct {
	Operation string `json:"operation"`
	Reason    string `json:"reason"`
}

// Observed is something seen at the provider.
type Observed struct {
	Observation
	Source string `json:"source"`           // "probe", "notification", "operator"
	Refund string `json:"refund,omitempty"` // which refund, if it is of one
	Ref    string `json:"ref,omitempty"`    // id of the notification
}

// Probed says that the provider was asked and there was nothing to observe.
type Probed struct {
	Found  pay.Found `json:"found"`
	Refund string    `json:"refund,omitempty"`
	Absent []string  `json:"absent,omitempty"` // operations in doubt that should have shown by now and did not
	Error  *Error    `json:"error,omitempty"`
}

// Notified says that the provider called.
type Notified struct {
	ID           string           `json:"id"`
	Authenticity pay.Authenticity `json:"authenticity"`
	State        string           `json:"state,omitempty"`  // the provider's own word
	Detail       string           `json:"detail,omitempty"` // masked
}

// Expired ends the time to pay.
type Expired struct {
	Reason string `json:"reason"`
}

// Alert is a contradiction that a person must look at. It changes no status.
type Alert struct {
	Operation string `json:"operation,omitempty"`
	Error     *Error `json:"error"`
}

// Acknowledged ends the alerts that there are: a person has looked, and says what
// came of it.
type Acknowledged struct {
	Evidence string `json:"evidence"`
}

// Note is for the reader of a timeline.
type Note struct {
	Text string `json:"text"`
}

// Kind implements Body; likewise below.
func (Opened) Kind() Kind    { return KindOpened }
func (Prepared) Kind() Kind  { return KindPrepared }
func (Sending) Kind() Kind   { return KindSending }
func (Outcome) Kind() Kind   { return KindOutcome }
func (Resolved) Kind() Kind  { return KindResolved }
func (Abandoned) Kind() Kind { return KindAbandoned }
func (Observed) Kind() Kind  { return KindObserved }
func (Probed) Kind() Kind    { return KindProbed }
func (Notified) Kind() Kind  { return KindNotified }
func (Expired) Kind() Kind   { return KindExpired }
func (Alert) Kind() Kind     { return KindAlert }
func (Note) Kind() Kind      { return KindNote }

// Kind implements Body.
func (Acknowledged) Kind() Kind { return KindLookedAt }

// DecodeBody reads the body of an entry of a kind. A kind of a later payhost is an
// error: guessing about money is worse than stopping.
func DecodeBody(kind Kind, data []byte) (Body, error) {
	decode := bodies[kind]
	if decode == nil {
		return nil, fmt.Errorf("ledger: entry of unknown kind %q", kind)
	}
	body, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("ledger: entry of kind %s: %w", kind, err)
	}
	return body, nil
}

var bodies = map[Kind]func([]byte) (Body, error){
	KindOpened: body[Opened], KindPrepared: body[Prepared], KindSending: body[Sending], KindOutcome: body[Outcome],
	KindResolved: body[Resolved], KindAbandoned: body[Abandoned], KindObserved: body[Observed], KindProbed: body[Probed],
	KindNotified: body[Notified], KindExpired: body[Expired], KindAlert: body[Alert], KindNote: body[Note],
	KindLookedAt: body[Acknowledged],
}

func body[T Body](data []byte) (Body, error) {
	var b T
	err := json.Unmarshal(data, &b)
	return b, err
}
