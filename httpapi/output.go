package httpapi

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// The bodies of answers, beside the views of package payments.

type paymentList struct {
	Payments   []payments.PaymentView `json:"payments" nullable:"false" doc:"Newest first"`
	NextCursor *string                `json:"next_cursor" doc:"For the next page; null after the last"`
}

type refundList struct {
	Refunds []payments.RefundView `json:"refunds" nullable:"false" doc:"Oldest first"`
}

type timeline struct {
	Entries []timelineEntry `json:"entries" nullable:"false" doc:"Oldest first"`
}

// timelineEntry is one line of the ledger.
type timelineEntry struct {
	Seq   int64          `json:"seq" doc:"Its place in the whole ledger"`
	At    time.Time      `json:"at"`
	Actor string         `json:"actor" doc:"Who caused it: api:<token>, operator:<token>, host or provider" example:"api:shop"`
	Kind  string         `json:"kind" doc:"What it says: opened, operation.prepared, operation.sending, …" example:"operation.outcome"`
	Body  map[string]any `json:"body" doc:"By kind; masked"`
}

// entryOut is a timelineEntry on its way out: the body is written once, as it is.
type entryOut struct {
	Seq   int64       `json:"seq"`
	At    time.Time   `json:"at"`
	Actor string      `json:"actor"`
	Kind  ledger.Kind `json:"kind"`
	Body  ledger.Body `json:"body"`
}

// timelineOut has the schema of a timeline.
type timelineOut struct {
	Entries []entryOut `json:"entries"`
}

// Schema implements huma.SchemaProvider.
func (timelineOut) Schema(r huma.Registry) *huma.Schema { return schemaOf[timeline](r) }

func viewTimeline(entries []ledger.Entry) timelineOut {
	out := timelineOut{Entries: make([]entryOut, 0, len(entries))}
	for _, e := range entries {
		if opened, ok := e.Body.(ledger.Opened); ok {
			opened.Nonce = "" // it lets a provider in, and nobody else
			e.Body = opened
		}
		out.Entries = append(out.Entries, entryOut{Seq: e.Seq, At: e.At.UTC(), Actor: e.Actor, Kind: e.Body.Kind(), Body: e.Body})
	}
	return out
}

// subject is a payment or, of a book that is a receipt alone, the receipt.
type subject struct{ view any }

// MarshalJSON writes the one it is.
func (s subject) MarshalJSON() ([]byte, error) { return json.Marshal(s.view) }

// Schema implements huma.SchemaProvider.
func (subject) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{schemaOf[payments.PaymentView](r), schemaOf[payments.ReceiptView](r)}}
}

func viewSubject(b *ledger.Book) subject {
	if b.Receipt && len(b.Receipts) > 0 {
		return subject{payments.ViewReceipt(b, &b.Receipts[0])}
	}
	return subject{payments.ViewPayment(b)}
}

type doubtList struct {
	InDoubt    []doubtRow `json:"in_doubt" nullable:"false" doc:"Oldest first"`
	NextCursor *string    `json:"next_cursor" doc:"For the next page; null after the last"`
}

type doubtRow struct {
	OperationID  string              `json:"operation_id" doc:"For probe and resolve"`
	Operation    string              `json:"operation" example:"release"`
	PaymentID    *string             `json:"payment_id" doc:"Null for a receipt that stands alone"`
	ReceiptID    *string             `json:"receipt_id" doc:"Null if it is not of a receipt"`
	RefundID     *string             `json:"refund_id" doc:"Null if it is not of a refund"`
	Connection   string              `json:"connection"`
	Provider     string              `json:"provider"`
	OrderID      string              `json:"order_id"`
	Status       string              `json:"status" doc:"Of the payment"`
	Since        time.Time           `json:"since"`
	AgeSeconds   int64               `json:"age_seconds"`
	AmountAtRisk *payments.MoneyView `json:"amount_at_risk" doc:"Null if it moves no money"`
	Reason       string              `json:"reason" example:"no whole answer came"`
	Evidence     evidence            `json:"evidence" doc:"What payhost saw of the calls"`
	Next         string              `json:"next" doc:"What happens next, for a person"`
}

type evidence struct {
	Wire        string     `json:"wire" doc:"What was seen of the last writing call"`
	HTTPStatus  int        `json:"http_status,omitempty"`
	Calls       int        `json:"calls" doc:"Writing calls begun"`
	BytesOut    int64      `json:"bytes_out"`
	Attempts    int        `json:"attempts"`
	ProviderKey string     `json:"provider_key,omitempty" doc:"What the provider knows it by"`
	FirstSent   *time.Time `json:"first_sent,omitempty"`
	LastSent    *time.Time `json:"last_sent,omitempty"`
}

func viewDoubtful(d payments.Doubtful, now time.Time) doubtRow {
	b := d.Book
	row := doubtRow{
		OperationID: d.Doubt.Operation, Operation: d.Doubt.Op.String(), Connection: b.Connection, Provider: b.Provider,
		OrderID: b.OrderID, Status: b.Status.String(), Since: d.Doubt.Since.UTC(),
		AgeSeconds: age(now, d.Doubt.Since), AmountAtRisk: payments.ViewMoney(d.Doubt.Amount),
		Reason: d.Doubt.Reason, Next: d.Due,
	}
	if b.Receipt {
		row.Status = ""
	} else {
		row.PaymentID = text(b.PaymentID())
	}
	if o := b.Operation(d.Doubt.Operation); o != nil {
		row.ReceiptID, row.RefundID = text(o.Receipt), text(o.Refund)
		row.Evidence = evidence{
			Wire: o.Evidence.Wire.String(), HTTPStatus: o.Evidence.Status, Calls: o.Evidence.Calls, BytesOut: o.Evidence.BytesOut,
			Attempts: o.Attempt, ProviderKey: o.ProviderKey, FirstSent: instant(o.FirstSent), LastSent: instant(o.SentAt),
		}
	}
	return row
}

type eventList struct {
	Events []event `json:"events" nullable:"false" doc:"In the order of the ledger"`
	Next   string  `json:"next" doc:"Cursor for the next call; the one that was given if there was nothing new"`
}

// event is what a webhook is sent, too.
type event struct {
	ID        string         `json:"id" doc:"The webhook-id" example:"evt_01jd5x3v8c0000000000000000"`
	Type      string         `json:"type" example:"payment.succeeded"`
	Timestamp time.Time      `json:"timestamp"`
	Data      map[string]any `json:"data" doc:"The payment, refund or receipt, by the first word of the type, as it was then"`
}

// eventsOut has the schema of an eventList. Events go out as they are stored.
type eventsOut struct {
	Events []json.RawMessage `json:"events"`
	Next   string            `json:"next"`
}

// Schema implements huma.SchemaProvider.
func (eventsOut) Schema(r huma.Registry) *huma.Schema { return schemaOf[eventList](r) }

type deadLetterList struct {
	DeadLetters []deadLetter `json:"dead_letters" nullable:"false" doc:"Newest first"`
	NextCursor  *string      `json:"next_cursor" doc:"For the next page; null after the last"`
}

type deadLetter struct {
	EventID   string    `json:"event_id"`
	Type      string    `json:"type"`
	At        time.Time `json:"at" doc:"Of the event"`
	Endpoint  string    `json:"endpoint"`
	Tries     int       `json:"tries"`
	LastError string    `json:"last_error"`
}

type connectionList struct {
	Connections []connection `json:"connections" nullable:"false"`
}

type connection struct {
	Name       string     `json:"name" example:"rahmet-main"`
	Plugin     string     `json:"plugin"`
	Provider   string     `json:"provider"`
	Version    string     `json:"version" doc:"Of the plugin"`
	Revision   string     `json:"revision" doc:"Digest of the plugin revision in use"`
	Operations []string   `json:"operations" nullable:"false" doc:"What it can do"`
	Flows      []string   `json:"flows" nullable:"false"`
	Currencies []currency `json:"currencies" nullable:"false"`
	Problem    *string    `json:"problem" doc:"Why it is not connected; null if it is"`
}

type currency struct {
	Currency string  `json:"currency"`
	Step     string  `json:"step" doc:"Amounts are multiples of it; minor units"`
	Min      string  `json:"min" doc:"Minor units"`
	Max      *string `json:"max" doc:"Minor units; null for no limit"`
}

type pluginList struct {
	Plugins []plugin `json:"plugins" nullable:"false"`
}

type plugin struct {
	Name    string  `json:"name" example:"rahmet"`
	ID      string  `json:"id"`
	Version string  `json:"version"`
	Digest  string  `json:"digest" doc:"Of the revision in use"`
	Canary  *canary `json:"canary" doc:"The revision beside it; null for none"`
	Problem *string `json:"problem" doc:"Why it is not loaded, or not as it should be; null if it is"`
}

type canary struct {
	Version string `json:"version"`
	Digest  string `json:"digest" doc:"SHA-256 in hex"`
	Percent int    `json:"percent" minimum:"1" maximum:"99" doc:"Its share of the payments"`
}

type revisionList struct {
	Revisions   []revision  `json:"revisions" nullable:"false" doc:"Newest first"`
	Activations []activated `json:"activations" nullable:"false" doc:"What was put in place and by whom, newest first, the last 200"`
}

type revision struct {
	Plugin  string    `json:"plugin"`
	Digest  string    `json:"digest" doc:"SHA-256 in hex"`
	Version string    `json:"version"`
	Size    int64     `json:"size" doc:"Bytes"`
	By      string    `json:"by" doc:"Who uploaded it"`
	At      time.Time `json:"at"`
	Active  bool      `json:"active" doc:"It is the one in use"`
}

type activated struct {
	Seq    int64     `json:"seq"`
	Plugin string    `json:"plugin"`
	Digest string    `json:"digest"`
	Canary int       `json:"canary_percent" minimum:"1" maximum:"100" doc:"Share of the payments; below 100 it ran beside the one in place"`
	Source string    `json:"source" doc:"config, api or rollback"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Lost   []string  `json:"lost,omitempty" nullable:"false" doc:"What only the revision before could do, or promised otherwise"`
	Forced bool      `json:"forced" doc:"Something under way needed what was lost, and it was put in place all the same"`
	Needed string    `json:"needed,omitempty" doc:"What that was, by how many and on which connections" example:"confirm (12 of kassa-1)"`
}

func viewRevision(r store.Revision, active bool) revision {
	return revision{r.Plugin, r.Digest, r.Version, r.Size, r.By, r.At.UTC(), active}
}

func viewActivation(a store.Activation) activated {
	return activated{a.Seq, a.Plugin, a.Digest, cmp.Or(a.Canary, 100), a.Source, a.By, a.At.UTC(), a.Lost, a.Forced, a.Needed}
}

func viewConnection(c payments.ConnectionInfo) connection {
	v := connection{
		Name: c.Name, Plugin: c.Plugin, Provider: c.Provider, Version: c.Version, Revision: c.Revision,
		Operations: []string{}, Flows: []string{}, Currencies: []currency{}, Problem: text(c.Problem),
	}
	for _, o := range c.Operations {
		v.Operations = append(v.Operations, o.String())
	}
	for _, f := range c.Flows {
		v.Flows = append(v.Flows, f.String())
	}
	for _, m := range c.Currencies {
		v.Currencies = append(v.Currencies, viewCurrency(m))
	}
	return v
}

func viewCurrency(m pay.CurrencySpec) currency {
	v := currency{Currency: string(m.Currency), Step: decimal(m.Step), Min: decimal(m.Min)}
	if m.Max != 0 {
		v.Max = text(decimal(m.Max))
	}
	return v
}

// age is how long ago something was, in whole seconds and not below zero.
func age(now, then time.Time) int64 { return max(0, int64(now.Sub(then)/time.Second)) }
