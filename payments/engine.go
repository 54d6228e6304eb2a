package payments

import (
	"context"
	"sync"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/singleflight"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// Engine runs operations and keeps their truth. All its methods are safe for
// concurrent use.
type Engine struct {
	config Config
	host   *host.Host
	store  store.Store
	log    hclog.Logger
	flight singleflight.Group // requests with the same key, within this process

	mu       sync.Mutex
	problems map[string]string // connections that are not connected, and why
	limits   map[string]*limiter
	stopJobs func(context.Context) error
	running  sync.WaitGroup // operations and background work under way
	closing  chan struct{}
	closed   bool
}

// New returns an engine. It reads nothing and starts nothing yet; operations work
// at once, and [Engine.Start] begins the background work.
func New(c Config) (*Engine, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	return &Engine{
		config: c, host: c.Host, store: c.Store, log: c.Logger.Named("engine"),
		problems: map[string]string{}, limits: map[string]*limiter{}, closing: make(chan struct{}),
	}, nil
}

// The operations. Each takes the caller's key: a repeat of the same request
// answers what the first one came to, and sends nothing, unless the first is
// proven to have had no effect and may be sent again under its key. In doubt is no
// error. The answer's book is as it stands after the operation.

// Create starts a payment.
func (e *Engine) Create(ctx context.Context, call Call, p NewPayment) (Answer, error) {
	return Answer{}, errNotYet
}

// Bind submits the code that the payer shows at the till.
func (e *Engine) Bind(ctx context.Context, call Call, payment, code string) (Answer, error) {
	return Answer{}, errNotYet
}

// Release sends the amount for a bound code.
func (e *Engine) Release(ctx context.Context, call Call, payment string, amount pay.Money) (Answer, error) {
	return Answer{}, errNotYet
}

// Confirm finishes an authorized payment. Confirming a succeeded one does nothing.
func (e *Engine) Confirm(ctx context.Context, call Call, payment string) (Answer, error) {
	return Answer{}, errNotYet
}

// Cancel voids, unbinds or withdraws a payment. Canceling a canceled one does
// nothing.
func (e *Engine) Cancel(ctx context.Context, call Call, payment string) (Answer, error) {
	return Answer{}, errNotYet
}

// Refund gives money back.
func (e *Engine) Refund(ctx context.Context, call Call, payment string, r NewRefund) (Answer, error) {
	return Answer{}, errNotYet
}

// ConfirmRefund acknowledges a refund at the till.
func (e *Engine) ConfirmRefund(ctx context.Context, call Call, payment, refund string) (Answer, error) {
	return Answer{}, errNotYet
}

// CancelRefund gives up waiting for a refund at the till.
func (e *Engine) CancelRefund(ctx context.Context, call Call, payment, refund string) (Answer, error) {
	return Answer{}, errNotYet
}

// Receipt registers fiscal data of a payment or, with an empty payment and
// r.Connection, data that stand alone.
func (e *Engine) Receipt(ctx context.Context, call Call, payment string, r NewReceipt) (Answer, error) {
	return Answer{}, errNotYet
}

// Payment returns a payment's book. With refresh the provider is asked first, if
// anything is open; that it can't be reached is no error then.
func (e *Engine) Payment(ctx context.Context, payment string, refresh bool) (*ledger.Book, error) {
	return nil, errNotYet
}

// Payments lists payments, newest first.
func (e *Engine) Payments(ctx context.Context, f Filter) (Page, error) { return Page{}, errNotYet }

// ReceiptBook returns the book that a receipt stands in.
func (e *Engine) ReceiptBook(ctx context.Context, receipt string) (*ledger.Book, error) {
	return nil, errNotYet
}

// Timeline returns the entries of a payment or of a receipt that stands alone, by
// the id of either.
func (e *Engine) Timeline(ctx context.Context, id string) ([]ledger.Entry, error) {
	return nil, errNotYet
}

// InDoubt lists what is in doubt, oldest first, and the cursor of the next page.
func (e *Engine) InDoubt(ctx context.Context, limit int, cursor string) ([]Doubtful, string, error) {
	return nil, "", errNotYet
}

// Probe asks the provider about the operation's payment now, and sends again what
// may be sent again.
func (e *Engine) Probe(ctx context.Context, operation string) (*ledger.Book, error) {
	return nil, errNotYet
}

// Resolve ends a doubt by an operator's proof. The operation must be in doubt or
// accepted, else state_conflict.
func (e *Engine) Resolve(ctx context.Context, by, operation string, p Proof) (*ledger.Book, error) {
	return nil, errNotYet
}

// Notify takes an inbound call of a provider: it is stored as it came, read by the
// plugin, and applied or taken for a hint. It returns what the provider is to be answered; an
// error only if nothing could be stored (host_fault) or nobody knows the connection
// (not_found).
func (e *Engine) Notify(ctx context.Context, connection, nonce string, r pay.NotificationRequest) (pay.Ack, error) {
	return pay.Ack{}, errNotYet
}

// Events returns events in the order of the ledger behind a cursor, and the next cursor.
func (e *Engine) Events(ctx context.Context, after string, limit int) ([]store.Event, string, error) {
	return nil, "", errNotYet
}

// DeadLetters lists deliveries that were given up, newest first.
func (e *Engine) DeadLetters(ctx context.Context, before int64, limit int) ([]store.Delivery, error) {
	return nil, errNotYet
}

// Redeliver sends an event again, to one endpoint by its URL, or to all if it is
// empty. not_found if it never was to be sent there.
func (e *Engine) Redeliver(ctx context.Context, event, endpoint string) error { return errNotYet }

// Connections tells of every connection, those with a problem too.
func (e *Engine) Connections() []ConnectionInfo { return nil }

// SetProblem notes why a connection of the configuration is not connected; an
// empty problem takes the note away.
func (e *Engine) SetProblem(connection, problem string) {}

// Start recovers what a process that is gone left running, and begins the background
// work.
func (e *Engine) Start(ctx context.Context) error { return errNotYet }

// Close refuses new operations, waits for those under way until ctx ends, and stops
// the background work. What did not end is parked: its rows are durable, and the
// next process goes on from them.
func (e *Engine) Close(ctx context.Context) error { return errNotYet }

// Ready reports what keeps the engine from work; nil if nothing does.
func (e *Engine) Ready(ctx context.Context) error { return errNotYet }

var errNotYet = &pay.Error{Class: pay.ClassHostFault, Message: "not yet"}

type limiter struct{}
