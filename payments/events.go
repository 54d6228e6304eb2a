package payments

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// EventBody is what an event says, in the API and on its way to a merchant. Data
// is a [PaymentView], [RefundView] or [ReceiptView], by the first word of the type.
type EventBody struct {
	ID        string    `json:"id"`
	Type      string    `json:"type" example:"payment.succeeded"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

// The types of events, besides "payment.<status>", "refund.<status>" and
// "receipt.<status>".
const (
	EventInDoubt    = "payment.in_doubt"    // an operation may or may not have happened
	EventDoubtEnded = "payment.doubt_ended" // it is known by now
	EventAlert      = "payment.alert"       // a contradiction that a person must look at
	EventReversed   = "payment.reversed"    // the provider took back a success
	EventBounced    = "refund.bounced"      // the provider took back a refund
)

// tidings compares the book before and after, and returns what a merchant is to be
// told, and the endpoints that are to be woken.
func (w *writing) tidings() ([]store.Event, []string) {
	var list []store.Event
	woken := map[string]bool{}
	tell := func(kind string, data any) {
		e := store.Event{ID: "evt_" + ledger.NewID(), Book: w.book.ID, Type: kind, At: w.now}
		body, err := json.Marshal(EventBody{ID: e.ID, Type: kind, Timestamp: w.now, Data: data})
		if err != nil { // views are texts and numbers
			panic("payments: event: " + err.Error())
		}
		e.Body = body
		for _, endpoint := range w.engine.endpoints() {
			if endpoint.wants(kind) && !slices.Contains(e.Endpoints, endpoint.URL) {
				e.Endpoints = append(e.Endpoints, endpoint.URL)
				woken[endpoint.URL] = true
			}
		}
		list = append(list, e)
	}
	if !w.book.Receipt {
		w.paymentEvents(tell)
	}
	w.partEvents(tell)
	endpoints := make([]string, 0, len(woken))
	for url := range woken {
		endpoints = append(endpoints, url)
	}
	return list, endpoints
}

func (w *writing) paymentEvents(tell func(string, any)) {
	was, is := w.before, w.book
	doubted, doubts := was.InDoubt() != nil, is.InDoubt() != nil
	for _, e := range []struct {
		when bool
		kind string
	}{
		{is.Status != was.Status && is.Status != pay.PaymentCreated, "payment." + is.Status.String()},
		{doubts && !doubted, EventInDoubt},
		{doubted && !doubts, EventDoubtEnded},
		{is.Reversed && !was.Reversed, EventReversed},
		{is.Alerts > was.Alerts, EventAlert},
	} {
		if e.when {
			tell(e.kind, ViewPayment(is))
		}
	}
}

func (w *writing) partEvents(tell func(string, any)) {
	for i := range w.book.Refunds {
		r := &w.book.Refunds[i]
		was := w.before.Refund(r.ID)
		if was == nil || was.Status != r.Status {
			tell("refund."+r.Status.String(), ViewRefund(w.book, r))
		}
		if r.Bounced && (was == nil || !was.Bounced) {
			tell(EventBounced, ViewRefund(w.book, r))
		}
	}
	for i := range w.book.Receipts {
		r := &w.book.Receipts[i]
		if was := w.before.ReceiptOf(r.ID); was == nil || was.Status != r.Status {
			tell("receipt."+r.Status.String(), ViewReceipt(w.book, r))
		}
	}
}

// wants reports whether the endpoint is to be told of an event type.
func (e *Endpoint) wants(kind string) bool {
	for _, pattern := range e.Events {
		prefix, open := strings.CutSuffix(pattern, "*")
		if pattern == kind || open && strings.HasPrefix(kind, prefix) {
			return true
		}
	}
	return false
}
