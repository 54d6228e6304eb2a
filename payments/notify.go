package payments

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

const (
	parkFor    = time.Minute // between tries to read a notification again
	parkAtMost = day         // then it is rejected
	hintGap    = time.Second // hints closer together than this share one line in the timeline
	unparkAt   = 32          // notifications that one sweep tries again
)

// Notify takes an inbound call of a provider. It is stored as it came (at an address
// that nobody was given only once it is proven to be the provider's), read by the
// plugin, and then applied (what is proven to be the provider's) or taken for a
// hint (what is not), upon which the provider is asked. It returns what the provider
// is to be answered. The error is not_found if nobody knows the connection or the
// nonce, and host_fault if nothing could be stored: then nothing was acknowledged.
func (e *Engine) Notify(ctx context.Context, connection, nonce string, r pay.NotificationRequest) (pay.Ack, error) {
	if !e.enter() {
		return pay.Ack{}, errClosed()
	}
	defer e.running.Done()
	conn, err := e.connection(connection, "")
	if err != nil {
		return pay.Ack{}, notFoundUnlessBroken(err)
	}
	manifest, err := conn.Manifest()
	if err != nil {
		return pay.Ack{}, err
	}
	if !conn.Supports(pay.OpNotification) {
		return pay.Ack{}, notFound("connection", "the provider makes no calls")
	}
	book, err := e.bookOfNonce(ctx, connection, nonce)
	if err != nil {
		return pay.Ack{}, err
	}
	if book == nil && manifest.Notification != pay.AuthenticityStrong {
		e.config.Observe.Notification(connection, string(store.NotificationRejected))
		return pay.Ack{}, notFound("nonce", "there is no such address") // storing it would let anybody fill the disk
	}
	r.ReceivedAt = e.now()
	if book == nil {
		if ack, proven := e.proven(ctx, conn, r); !proven {
			return ack, nil
		}
	}
	n := store.Notification{
		ID: "ntf_" + ledger.NewID(), Connection: connection, ReceivedAt: r.ReceivedAt,
		State: store.NotificationParked, TryAt: r.ReceivedAt.Add(parkFor),
	}
	if book != nil {
		n.Book, conn = book.ID, conn.Of(book.ID)
		r.Payment = book.Ref()
	}
	if n.Raw, err = json.Marshal(r); err != nil {
		return pay.Ack{}, invalid("", "call can't be kept")
	}
	if err := e.store.Update(ctx, func(tx store.Tx) error { return tx.PutNotification(n) }); err != nil {
		return pay.Ack{}, storeError(err)
	}
	e.config.Fault("notification.stored")
	return e.read(ctx, conn, &n, book, r)
}

// proven reads a call to an address that nobody was given: anybody can make one up,
// so nothing of it is kept before it is proven to be the provider's. It returns the
// answer to one that is not.
func (e *Engine) proven(ctx context.Context, conn *host.Connection, r pay.NotificationRequest) (pay.Ack, bool) {
	note, err := conn.Notification(ctx, r)
	switch {
	case err != nil:
		e.log.Warn("notification to no known address can't be read", "connection", conn.Name(), "error", err)
		return pay.Ack{Status: 503}, false
	case note.Authenticity == pay.AuthenticityStrong:
		return pay.Ack{}, true
	}
	e.config.Observe.Notification(conn.Name(), string(store.NotificationRejected))
	if note.Ack.Status == 0 {
		note.Ack.Status = 403
	}
	return note.Ack, false
}

// bookOfNonce finds the payment that a notification URL was made for; nil if there
// is none.
func (e *Engine) bookOfNonce(ctx context.Context, connection, nonce string) (*ledger.Book, error) {
	id, secret, ok := strings.Cut(nonce, "-")
	if _, valid := ledger.BookOf(ledger.PaymentID(id)); !ok || !valid {
		return nil, nil
	}
	b, err := e.store.Book(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, storeError(err)
	case b.Connection != connection || b.Nonce == "" || subtle.ConstantTimeCompare([]byte(b.Nonce), []byte(secret)) != 1:
		return nil, nil
	}
	return b, nil
}

// read lets the plugin read a stored notification and does what follows from it.
func (e *Engine) read(
	ctx context.Context, conn *host.Connection, n *store.Notification, book *ledger.Book, r pay.NotificationRequest,
) (pay.Ack, error) {
	note, err := conn.Notification(ctx, r)
	if err != nil {
		// It is kept, and tried again; the provider may call again, too.
		e.log.Warn("notification can't be read", "connection", n.Connection, "notification", n.ID, "error", err)
		return pay.Ack{Status: 503}, nil
	}
	if note.Authenticity == pay.AuthenticityStrong {
		named, err := e.correlate(ctx, n.Connection, &note)
		if err != nil {
			return pay.Ack{}, err
		}
		switch {
		case named != nil: // what is proven counts for more than the address that it came to
			book = named
		case book != nil && note.ProviderKey != "":
			// It names a payment, and none of this connection. Nothing that it says is about
			// the one whose address it came to; that the provider called there is a hint.
			e.log.Warn("notification names a key of no payment", "connection", n.Connection, "notification", n.ID)
			note.Authenticity = pay.AuthenticityWeak
		}
	}
	switch {
	case note.Authenticity == pay.AuthenticityNone || book == nil && note.Authenticity != pay.AuthenticityStrong:
		n.State = store.NotificationRejected
		if note.Ack.Status == 0 {
			note.Ack.Status = 403
		}
	case book == nil:
		n.State, n.TryAt = store.NotificationParked, e.now().Add(parkFor)
	case note.Authenticity == pay.AuthenticityStrong:
		n.State, n.Book = store.NotificationApplied, book.ID
	default:
		n.State, n.Book = store.NotificationHint, book.ID
	}
	if err := e.digestNotification(ctx, n, book, &note); err != nil {
		return pay.Ack{}, err
	}
	e.config.Observe.Notification(n.Connection, string(n.State))
	if note.Ack.Status == 0 {
		note.Ack.Status = 200
	}
	return note.Ack, nil
}

// correlate finds the payment that an authentic notification speaks of.
func (e *Engine) correlate(ctx context.Context, connection string, note *pay.Notification) (*ledger.Book, error) {
	for _, look := range []struct {
		by   func(context.Context, string, string) (*ledger.Book, error)
		name string
	}{{e.store.BookByKey, note.ProviderKey}, {e.store.BookByRef, note.ProviderRef}} {
		if look.name == "" {
			continue
		}
		b, err := look.by(ctx, connection, look.name)
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return nil, storeError(err)
		}
	}
	return nil, nil
}

// digestNotification writes down what a notification came to, and has the provider
// asked where it was only a hint.
func (e *Engine) digestNotification(
	ctx context.Context, n *store.Notification, book *ledger.Book, note *pay.Notification,
) error {
	if book == nil || n.State == store.NotificationRejected {
		return storeError(e.store.Update(ctx, func(tx store.Tx) error { return tx.PutNotification(*n) }))
	}
	hint := n.State == store.NotificationHint
	err := e.store.Update(ctx, func(tx store.Tx) error {
		b, err := tx.Lock(book.ID)
		if err != nil {
			return err
		}
		w := e.writing(b, "provider")
		w.notified(n, note)
		w.soon = true // what it says, or hints at, is looked at in the provider's status
		if err := w.commit(tx); err != nil {
			return err
		}
		return tx.PutNotification(*n)
	})
	if err != nil {
		return storeError(err)
	}
	e.config.Fault("notification.digested")
	if hint {
		news := time.Now()
		e.background(func(ctx context.Context) { e.probeAgain(ctx, book.ID, news) })
	}
	return nil
}

// notified writes a notification's line and, if it is authentic, its observations.
func (w *writing) notified(n *store.Notification, note *pay.Notification) {
	line := ledger.Notified{ID: n.ID, Authenticity: note.Authenticity}
	if len(note.Observations) > 0 {
		line.State, line.Detail = note.Observations[0].ProviderState, note.Observations[0].Detail
	}
	strong := note.Authenticity == pay.AuthenticityStrong
	if strong || w.now.Sub(w.book.HintedAt) >= hintGap {
		w.add(line)
	}
	if !strong {
		return
	}
	for _, o := range note.Observations {
		w.news(ledger.Observed{Observation: ledger.ObservationOf(o), Source: "notification", Ref: n.ID})
	}
}

// unpark tries notifications again that could not be read, or whose payment was not
// known yet.
func (e *Engine) unpark(ctx context.Context) error {
	now := e.now()
	list, err := e.store.Parked(ctx, now, now.Add(parkFor), unparkAt)
	if err != nil {
		return err
	}
	for i := range list {
		n := &list[i]
		n.Tries++
		n.TryAt = now.Add(parkFor)
		if now.Sub(n.ReceivedAt) > parkAtMost {
			n.State = store.NotificationRejected
			err = e.store.Update(ctx, func(tx store.Tx) error { return tx.PutNotification(*n) })
		} else {
			err = e.readAgain(ctx, n)
		}
		if err != nil {
			e.log.Warn("parked notification", "notification", n.ID, "error", err)
		}
	}
	return nil
}

func (e *Engine) readAgain(ctx context.Context, n *store.Notification) error {
	conn, err := e.connection(n.Connection, n.Book)
	if err != nil {
		return err
	}
	var r pay.NotificationRequest
	if err := json.Unmarshal(n.Raw, &r); err != nil {
		return err
	}
	var book *ledger.Book
	if n.Book != "" {
		if book, err = e.store.Book(ctx, n.Book); err != nil {
			return err
		}
		r.Payment = book.Ref()
	}
	_, err = e.read(ctx, conn, n, book, r)
	return err
}

// notFoundUnlessBroken tells a provider to call again when the connection is
// configured and does not work just now.
func notFoundUnlessBroken(err error) error {
	if pay.ClassOf(err) == pay.ClassUnavailable {
		return &pay.Error{
			Class: pay.ClassHostFault, Effect: pay.EffectNone, Advice: pay.AdviceRetrySameKey, Field: "connection",
			Message: "the connection does not work at present", Err: err,
		}
	}
	return notFound("connection", "there is no such connection")
}
