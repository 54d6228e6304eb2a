package host

import (
	"encoding/json"
	"time"

	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// RecordingFormat is the version of a recording's JSON.
const RecordingFormat = 1

// MaxRecording bounds what a recording holds, in bytes. What a call does after that
// is not in it, but for the reply and the verdict, and the recording says so.
const MaxRecording = 4 << 20

// Recording is one call of a plugin as the host saw it: what went in, every import
// that the guest called with its result, the reply, and the host's verdict. It is
// the caller's own: nothing else holds on to it.
//
// As [Config.Record] gets it, it is not masked. What leaves the process must be: see
// [Recording.Mask].
type Recording struct {
	Format int
	Name   string // of a case made of it; empty otherwise
	About  string // the case's sentence: what it shows
	Masked bool
	Cut    bool // the call did more than fits: see [MaxRecording]

	Connection string // empty for describe, which belongs to none; likewise Plugin
	Plugin     string // the name that the plugin is loaded under
	ID         string // of the plugin, by its manifest; empty for describe, likewise Version
	Version    string
	Digest     string // of the revision that ran
	Operation  pay.Operation
	Began      time.Time // by the clock that the plugin sees
	Took       time.Duration

	Features   abi.Features
	Seen       SeenConnection
	Input      RecordedInput
	Calls      []ImportCall
	Reply      *abi.Reply // nil if there was none, or it did not decode
	Unreadable []byte     // the reply that did not decode
	Fault      *pay.Error // why there was no reply
	Verdict    Verdict

	scrub *vault.Scrubber // of the connection; nil once it was written down
}

// SeenConnection is a connection as a plugin sees it. There is no secret in it.
type SeenConnection struct {
	BaseURL    string
	Settings   json.RawMessage
	Keys       []string // names; likewise what follows
	Secrets    []string
	Identities []string
}

// RecordedInput is the input message of a call: the field that belongs to the
// operation, or none.
type RecordedInput struct {
	Create       *pay.CreateRequest
	Bind         *pay.BindRequest
	Payment      *pay.PaymentRequest // release, confirm, cancel
	Refs         []pay.Ref           // status, refund_status
	Refund       *pay.RefundRequest  // refund, confirm_refund, cancel_refund
	Receipt      *pay.ReceiptRequest
	Notification *pay.NotificationRequest // with its body
}

// ImportCall is one call of an import. Blobs stand in the calls that use them, so
// the imports that make, read and free them are left out unless they failed, and so
// are input, config, features and last_error.
type ImportCall struct {
	Import string     // the import's name in the ABI: "http_send"
	Code   abi.Code   // what the guest got, if it was negative
	Error  *pay.Error // what last_error said of it

	Send    *RecordedSend    // http_send
	Crypto  *RecordedCrypto  // digest, sign, verify, encrypt, decrypt
	Storage *RecordedStorage // kv_get, kv_put, kv_del, kv_incr, kv_list
	Line    *RecordedLine    // log
	Span    *RecordedSpan    // span_start, span_end
	Random  []byte           // random
	Now     time.Time        // now_ns
	Left    time.Duration    // deadline_ns
}

// RecordedSend is one http_send, whether or not it was allowed.
type RecordedSend struct {
	Request    abi.HTTPRequest // as the guest gave it: it names secrets and holds none
	Unreadable []byte          // a head that did not decode
	Body       []byte
	Money      bool // the host took it for a writing call

	Answer   *RecordedAnswer // nil if the guest got none
	Evidence string          // "answered", "not_sent", "unknown"; empty if policy or journal refused it before
	Status   int             // of the answer, also of one that the guest did not get
	Attempts int             // sends, if it was repeated
	BytesOut int64
}

// RecordedAnswer is an answer as the guest got it.
type RecordedAnswer struct {
	Status          int
	Header          []pay.Field
	Body            []byte
	TokenGeneration int64
}

// RecordedCrypto is one use of a hash or a key.
type RecordedCrypto struct {
	Algorithm string // as the plugin names it; "SHA-256" and so on of a digest
	Key       string // name
	Data      []byte
	Signature []byte // verify: what was checked
	Result    []byte // nil if it failed
	Length    int    // of a result that is masked: a plaintext
	Valid     bool   // verify: it fits
}

// RecordedStorage is one use of the plugin's storage.
type RecordedStorage struct {
	Key     []byte // the prefix for kv_list
	Value   []byte
	Version int64 // that was read, or that was written
	Expect  int64
	TTL     time.Duration
	Delta   int64
	Count   int64 // the counter after kv_incr
	Cursor  []byte
	Limit   int
	Page    *abi.KVPage
}

// RecordedLine is a line of the log as the guest gave it.
type RecordedLine struct {
	Level string // debug, info, warn, error, or the number that the guest gave
	Text  []byte
}

// RecordedSpan is the start or the end of a span.
type RecordedSpan struct {
	ID    int
	Name  []byte
	Attrs []byte
}

// Verdict is what the host made of a call.
type Verdict struct {
	Result       *pay.Result // of a writing operation; its outcome is the host's
	ProviderKey  string      // of a writing operation
	Evidence     pay.Evidence
	Items        []pay.StatusItem
	Notification *pay.Notification
	Problems     []pay.Problem
	Catalog      []pay.CatalogEntry
	Err          *pay.Error // as the caller got it
}

// Sends returns the calls of http_send, in their order.
func (r *Recording) Sends() []*RecordedSend {
	var list []*RecordedSend
	for i := range r.Calls {
		if r.Calls[i].Send != nil {
			list = append(list, r.Calls[i].Send)
		}
	}
	return list
}

// Lines returns the lines of the log, in their order.
func (r *Recording) Lines() []*RecordedLine {
	var list []*RecordedLine
	for i := range r.Calls {
		if r.Calls[i].Line != nil {
			list = append(list, r.Calls[i].Line)
		}
	}
	return list
}
