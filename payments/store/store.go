// Package store keeps the ledger and all that must be durable beside it: books,
// idempotency keys, events and their deliveries, notifications as they came,
// plugin revisions, and the jobs that bring a payment on. There are two stores,
// SQLite and PostgreSQL, behind one seam; package storetest holds what both must
// pass.
//
// Everything that belongs together is written by one [Store.Update]: the entries,
// the book folded from them, the events they cause and the jobs they need commit
// at once or not at all. No provider is called inside an Update.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// What a store returns. Compare with errors.Is.
var (
	// ErrNotFound: there is no such thing.
	ErrNotFound = errors.New("not found")
	// ErrExists: a key is taken.
	ErrExists = errors.New("exists already")
	// ErrCursor: a cursor is none that this store has given.
	ErrCursor = errors.New("no such cursor")
	// ErrStale: the book has moved on since it was read. Nothing was written.
	ErrStale = errors.New("book has moved on")
	// ErrUnavailable: the database failed: full disk, lost connection, locked file.
	// Whether the update was committed is not known.
	ErrUnavailable = errors.New("store unavailable")
)

// Store is the durable memory. All methods are safe for concurrent use, also by
// several processes on one PostgreSQL. Times are kept to the microsecond, in UTC.
// Every method may return ErrUnavailable or the error of its context.
type Store interface {
	// Update runs do in one transaction and commits it durably before it returns.
	// An error of do rolls back what do wrote, and is returned as it is. do must
	// touch nothing but tx and may be run again after a serialization failure, so
	// it must not keep state from an earlier run. Concurrent updates
	// share a commit; one that fails does not fail the others, though they may be
	// run again. A panic of do goes on in the caller, and nothing is written.
	Update(ctx context.Context, do func(tx Tx) error) error

	// Book returns a book by id, or ErrNotFound.
	Book(ctx context.Context, id string) (*ledger.Book, error)
	// BookByRef returns the newest book of a connection with the provider's id, or ErrNotFound.
	BookByRef(ctx context.Context, connection, providerRef string) (*ledger.Book, error)
	// BookByKey returns the book whose operation sent a provider key, or ErrNotFound.
	BookByKey(ctx context.Context, connection, providerKey string) (*ledger.Book, error)
	// Books lists books, newest first (or, of those in doubt, oldest doubt first); ErrCursor.
	Books(ctx context.Context, q Query) ([]*ledger.Book, error)
	// Entries returns the entries of a book in their order.
	Entries(ctx context.Context, book string) ([]ledger.Entry, error)
	// Key returns what an idempotency key was used for, or ErrNotFound.
	Key(ctx context.Context, scope Scope) (Claim, error)
	// Request returns the private request kept for an operation, or ErrNotFound.
	Request(ctx context.Context, operation string) ([]byte, error)

	// Due claims up to limit books of a connection that are due at now, those longest
	// due first, by moving their due time to lease, so that no other process takes them.
	Due(ctx context.Context, connection string, now, lease time.Time, limit int) ([]*ledger.Book, error)
	// NextDue returns when the next book is due, by connection, for every connection that has one.
	NextDue(ctx context.Context) (map[string]time.Time, error)
	// Unfinished visits every book of a connection that is to be looked at again and is no payment that ended
	// without success and without anything in doubt or under way: those are only watched. visit must not call the store.
	Unfinished(ctx context.Context, connection string, visit func(b *ledger.Book)) error

	// Events returns up to limit events behind a cursor ("" for the first) in the order of the ledger, and the cursor of
	// the next page. An event is only shown once none can be committed before it. The cursor of an empty
	// page is the one that was given. ErrCursor.
	Events(ctx context.Context, after string, limit int) ([]Event, string, error)
	// Deliveries claims up to limit deliveries to an endpoint that are due at now, by moving their due time to lease. Of one
	// book only the oldest that is not yet delivered or dead is given out.
	Deliveries(ctx context.Context, endpoint string, now, lease time.Time, limit int) ([]Delivery, error)
	// Delivered writes down how a delivery went.
	Delivered(ctx context.Context, d Delivery) error
	// NextDelivery returns when the next delivery is due, by endpoint.
	NextDelivery(ctx context.Context) (map[string]time.Time, error)
	// DeadLetters lists deliveries that were given up, newest first, before the Seq of the last of the page
	// before (0 for the first). A page may be longer by a few, so that those of one event are never on two.
	DeadLetters(ctx context.Context, before int64, limit int) ([]Delivery, error)
	// Redeliver makes a dead or delivered delivery due again at once; ErrNotFound if there is none.
	Redeliver(ctx context.Context, endpoint, event string, now time.Time) error

	// Parked claims up to limit notifications that wait for their payment, as Due does books.
	Parked(ctx context.Context, now, lease time.Time, limit int) ([]Notification, error)

	// PutRevision stores a plugin's revision; storing it again does nothing.
	PutRevision(ctx context.Context, r Revision, binary []byte) error
	// Revisions lists the revisions of a plugin, newest first.
	Revisions(ctx context.Context, plugin string) ([]Revision, error)
	// Binary returns the bytes of a revision, or ErrNotFound.
	Binary(ctx context.Context, digest string) ([]byte, error)
	// Activate appends an activation, fills in its Seq, and tells every process (see Changes).
	Activate(ctx context.Context, a *Activation) error
	// Activations lists the activations of a plugin, newest first.
	Activations(ctx context.Context, plugin string, limit int) ([]Activation, error)
	// Changes receives something after an activation by any process. It is a hint: one
	// may be lost when a connection breaks, and several may come as one.
	Changes() <-chan struct{}

	// Prune deletes up to limit things older than before and returns how many it deleted.
	Prune(ctx context.Context, what Prunable, before time.Time, limit int) (int, error)
	// Stats counts what operators watch.
	Stats(ctx context.Context, now time.Time) (Stats, error)
	// Exclusive reports whether this process alone uses the store, so that whatever runs
	// in it by the books belonged to a process that is gone.
	Exclusive() bool
	// Ping reports whether the database answers and, if an update has failed, whether one
	// can be made again.
	Ping(ctx context.Context) error

	// StartJobs begins to work off jobs. It may be called once; stop waits for the jobs
	// that run, until its context ends, and then cancels them.
	StartJobs(ctx context.Context, w Work) (stop func(context.Context) error, err error)

	// Close waits for updates under way and frees what the store holds; later calls
	// return ErrUnavailable. Closing twice does no harm.
	Close() error
}

// Tx is one transaction. What it returns is what holds when it commits: on
// PostgreSQL by row locks, or since the update is run again if it does not, on SQLite since there is one writer. What
// it fills in is there once Update has returned.
type Tx interface {
	// Lock returns a book and keeps every other process from changing it; ErrNotFound.
	Lock(book string) (*ledger.Book, error)
	// Order locks a merchant's order on a connection and returns its books, oldest first.
	Order(connection, order string) ([]*ledger.Book, error)
	// Append stores entries and the book as it is with them applied: b.Version counts
	// them already. It fills in the entries' Seq and b.LastSeq. A book whose
	// stored version is not b.Version less len(entries) is ErrStale; version 0 is a book that is new.
	// due is when the book is to be looked at next; zero for never. Without entries only due is changed. After
	// ErrStale the update fails, even if do goes on.
	Append(b *ledger.Book, due time.Time, entries []ledger.Entry) error

	// Key and PutKey read and write idempotency keys. PutKey returns ErrExists if the scope is taken.
	Key(scope Scope) (Claim, error)
	PutKey(c Claim) error
	// ClaimProviderKey notes that an operation sends a key; ErrExists if another operation of the connection has it.
	ClaimProviderKey(connection, key, operation string) error
	// PutRequest keeps what is needed to send an operation again; DropRequest forgets it.
	PutRequest(operation string, body []byte) error
	DropRequest(operation string) error

	// Emit stores events and their deliveries; it fills in their Seq.
	Emit(events []Event) error
	// PutNotification stores a notification as it came, or its new state.
	PutNotification(n Notification) error
	// Enqueue sees to it that a job begins at or after its time, behind the commit: a job of the kind and key
	// that waits for later is moved forward, and one that runs now will run once more.
	Enqueue(jobs ...Job) error
}

// Query selects books. Empty fields select everything.
type Query struct {
	Receipts   bool // receipts that stand alone instead of payments
	OrderID    string
	Connection string
	Status     pay.PaymentStatus
	InDoubt    *bool  // as the merchant sees it: a receipt in doubt holds up no payment
	Alerts     bool   // only those with alerts
	Running    bool   // only those with an attempt under way
	DoubtOrder bool   // all that holds a doubt, receipts too, the oldest first; Before is then the cursor of CursorOf
	Before     string // id of the last book of the page before
	Limit      int    // 1 to 1000
}

// Scope is what an idempotency key is unique in: two callers, connections or
// operations may use the same key. For an operation on a payment Connection is
// the payment's.
type Scope struct {
	Caller     string
	Connection string
	Operation  string // the operation's name and, where it is on an object, the object: "refund pay_…"
	Key        string
}

// Claim is what an idempotency key was used for.
type Claim struct {
	Scope
	Fingerprint []byte // of the business fields
	Book        string
	Op          string // id of the operation
	At          time.Time
}

// Event tells a merchant that something changed.
type Event struct {
	Seq       int64
	ID        string // "evt_…", also the webhook-id
	Book      string
	Type      string // "payment.succeeded"
	At        time.Time
	Body      []byte   // JSON, as it is sent
	Endpoints []string // where it is to be delivered; only for Emit
}

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending DeliveryState = "pending"
	DeliveryDone    DeliveryState = "done"
	DeliveryDead    DeliveryState = "dead" // given up; see Redeliver
)

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	Event
	Endpoint  string
	State     DeliveryState
	Tries     int
	NextAt    time.Time // when to try (again)
	LastError string    // masked; empty after a success
}

// NotificationState is what became of a notification.
type NotificationState string

// The states of a notification.
const (
	NotificationReceived NotificationState = "received" // stored, not yet read
	NotificationApplied  NotificationState = "applied"  // authentic, its observations are in the ledger
	NotificationHint     NotificationState = "hint"     // made payhost ask the provider
	NotificationParked   NotificationState = "parked"   // its payment is not known yet: tried again
	NotificationRejected NotificationState = "rejected" // forged, or from nobody we know
)

// Notification is an inbound call as it came.
type Notification struct {
	ID         string // "ntf_…"
	Connection string
	Book       string // "" while not known
	ReceivedAt time.Time
	State      NotificationState
	TryAt      time.Time // parked: when to try again
	Tries      int
	Raw        []byte // JSON of the call
}

// Revision is one uploaded plugin module.
type Revision struct {
	Plugin  string
	Digest  string // SHA-256 in hex
	Version string // semantic version by its manifest
	Size    int64
	By      string // who uploaded it
	At      time.Time
}

// Activation puts a revision in place, or beside the one that is.
type Activation struct {
	Seq    int64
	Plugin string
	Digest string
	// Canary is the share of a revision beside the one in place, 1 to 99 percent; 0 for one in place, which ends
	// any canary.
	Canary int
	Source string // "config", "api", "rollback"
	By     string
	At     time.Time
	// Lost names what the revision before could do or promised and this one does not.
	Lost []string
	// Forced says that something under way needed what was lost, and somebody insisted.
	Forced bool
	// Needed says what that was, by how many and where: "confirm (12 of kassa-1)".
	Needed string
}

// Prunable names what Prune deletes.
type Prunable string

// What can be pruned. Entries and books never are.
const (
	PruneKeys          Prunable = "keys"          // idempotency keys
	PruneEvents        Prunable = "events"        // events without a pending delivery, with their deliveries
	PruneNotifications Prunable = "notifications" // that are not parked
	PruneRequests      Prunable = "requests"      // of operations
)

// Stats is what operators watch.
type Stats struct {
	InDoubt     map[string]int // books in doubt by connection
	OldestDoubt time.Time      // zero if there is none
	Overdue     map[string]int // books whose due time is over, by connection
	Alerts      int
	Pending     map[string]int // deliveries by endpoint
	Dead        map[string]int // dead letters by endpoint
	Parked      int
}
