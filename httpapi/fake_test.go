package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/httpapi"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

const (
	shop  = "shop-token-0123456789"
	admin = "admin-token-0123456789"
	both  = "both-token-0123456789"

	book      = "01jd5x3v8c0000000000000000"
	payment   = "pay_" + book
	refund    = "ref_" + book + "_1"
	receipt   = "rec_" + book + "_1"
	alone     = "rec_" + book
	operation = "op_" + book + "_2"
	digest    = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
)

const eventBody = `{"id":"evt_1","type":"payment.succeeded","timestamp":"2026-03-01T12:00:00Z","data":{"id":"` + payment + `"}}`

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fake is an engine that does as it is told and remembers what it was asked.
type fake struct {
	mu    sync.Mutex
	asked []ask

	err      error
	inDoubt  bool
	replayed bool
	book     *ledger.Book
	ack      pay.Ack
	hold     func(context.Context)
}

type ask struct {
	what string
	call payments.Call
	args []any
}

func (f *fake) note(ctx context.Context, what string, call payments.Call, args ...any) {
	if f.hold != nil {
		f.hold(ctx)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, ask{what, call, args})
}

func (f *fake) answer(ctx context.Context, what string, call payments.Call, args ...any) (payments.Answer, error) {
	f.note(ctx, what, call, args...)
	a := payments.Answer{
		Book: f.book, Operation: operation, RefundID: refund, ReceiptID: receipt, InDoubt: f.inDoubt, Replayed: f.replayed,
	}
	if f.book != nil && f.book.Receipt {
		a.ReceiptID = alone
	}
	return a, f.err
}

func (f *fake) Create(ctx context.Context, c payments.Call, p payments.NewPayment) (payments.Answer, error) {
	return f.answer(ctx, "create", c, p)
}

func (f *fake) Bind(ctx context.Context, c payments.Call, id, code string) (payments.Answer, error) {
	return f.answer(ctx, "bind", c, id, code)
}

func (f *fake) Release(ctx context.Context, c payments.Call, id string, m pay.Money) (payments.Answer, error) {
	return f.answer(ctx, "release", c, id, m)
}

func (f *fake) Confirm(ctx context.Context, c payments.Call, id string) (payments.Answer, error) {
	return f.answer(ctx, "confirm", c, id)
}

func (f *fake) Cancel(ctx context.Context, c payments.Call, id string) (payments.Answer, error) {
	return f.answer(ctx, "cancel", c, id)
}

func (f *fake) Refund(ctx context.Context, c payments.Call, id string, r payments.NewRefund) (payments.Answer, error) {
	return f.answer(ctx, "refund", c, id, r)
}

func (f *fake) ConfirmRefund(ctx context.Context, c payments.Call, id, rid string) (payments.Answer, error) {
	return f.answer(ctx, "confirm_refund", c, id, rid)
}

func (f *fake) CancelRefund(ctx context.Context, c payments.Call, id, rid string) (payments.Answer, error) {
	return f.answer(ctx, "cancel_refund", c, id, rid)
}

func (f *fake) Receipt(ctx context.Context, c payments.Call, id string, r payments.NewReceipt) (payments.Answer, error) {
	return f.answer(ctx, "receipt", c, id, r)
}

func (f *fake) Payment(ctx context.Context, id string, refresh bool) (*ledger.Book, error) {
	f.note(ctx, "payment", payments.Call{}, id, refresh)
	return f.book, f.err
}

func (f *fake) Payments(ctx context.Context, filter payments.Filter) (payments.Page, error) {
	f.note(ctx, "payments", payments.Call{}, filter)
	return payments.Page{Books: []*ledger.Book{f.book}, Next: "next-1"}, f.err
}

func (f *fake) ReceiptBook(ctx context.Context, id string) (*ledger.Book, error) {
	f.note(ctx, "receipt_book", payments.Call{}, id)
	return f.book, f.err
}

func (f *fake) Timeline(ctx context.Context, id string) ([]ledger.Entry, error) {
	f.note(ctx, "timeline", payments.Call{}, id)
	return []ledger.Entry{
		{Seq: 7, At: began, Actor: "api:shop", Body: ledger.Opened{Connection: "c", Provider: "p", Caller: "shop", Nonce: "secret-nonce"}},
		{Seq: 8, At: began, Actor: "host", Body: ledger.Note{Text: "a note"}},
	}, f.err
}

func (f *fake) InDoubt(ctx context.Context, limit int, cursor string) ([]payments.Doubtful, string, error) {
	f.note(ctx, "in_doubt", payments.Call{}, limit, cursor)
	return []payments.Doubtful{{Book: f.book, Doubt: f.book.Doubts(true)[0], Due: "asked again at noon"}}, "", f.err
}

func (f *fake) Probe(ctx context.Context, op string) (*ledger.Book, error) {
	f.note(ctx, "probe", payments.Call{}, op)
	return f.book, f.err
}

func (f *fake) Resolve(ctx context.Context, by, op string, p payments.Proof) (*ledger.Book, error) {
	f.note(ctx, "resolve", payments.Call{Caller: by}, op, p)
	return f.book, f.err
}

func (f *fake) Acknowledge(ctx context.Context, by, id, evidence string) (*ledger.Book, error) {
	f.note(ctx, "acknowledge", payments.Call{Caller: by}, id, evidence)
	return f.book, f.err
}

func (f *fake) Notify(ctx context.Context, c, nonce string, r pay.NotificationRequest) (pay.Ack, error) {
	f.note(ctx, "notify", payments.Call{}, c, nonce, r)
	return f.ack, f.err
}

func (f *fake) Events(ctx context.Context, after string, limit int) ([]store.Event, string, error) {
	f.note(ctx, "events", payments.Call{}, after, limit)
	return []store.Event{{ID: "evt_1", Type: "payment.succeeded", At: began, Body: []byte(eventBody)}}, "c2", f.err
}

func (f *fake) DeadLetters(ctx context.Context, before int64, limit int) ([]store.Delivery, error) {
	f.note(ctx, "dead_letters", payments.Call{}, before, limit)
	return []store.Delivery{{Event: store.Event{Seq: 41, ID: "evt_1", Type: "t", At: began}, Endpoint: "https://e", Tries: 9, LastError: "500"}}, f.err
}

func (f *fake) Redeliver(ctx context.Context, event, endpoint string) error {
	f.note(ctx, "redeliver", payments.Call{}, event, endpoint)
	return f.err
}

func (f *fake) Connections() []payments.ConnectionInfo {
	return []payments.ConnectionInfo{
		{
			Name: "rahmet-main", Plugin: "rahmet", Provider: "rahmet", Version: "1.0.0", Revision: digest,
			Operations: []pay.Operation{pay.OpCreate}, Flows: []pay.Flow{pay.FlowRedirect},
			Currencies: []pay.CurrencySpec{{Currency: pay.KZT, Step: 100, Min: 100}},
		},
		{Name: "broken", Plugin: "x", Problem: "no such plugin"},
	}
}

func (f *fake) Ready(context.Context) error { return f.err }

// shelf is a fake of the plugins.
type shelf struct{ f *fake }

func (s shelf) List() []payments.PluginInfo {
	return []payments.PluginInfo{{Name: "rahmet", ID: "rahmet", Version: "1.0.0", Digest: digest}}
}

func (s shelf) Push(ctx context.Context, by, name string, binary []byte) (store.Revision, error) {
	s.f.note(ctx, "push", payments.Call{Caller: by}, name, len(binary))
	return store.Revision{Plugin: name, Digest: digest, Version: "1.0.0", Size: int64(len(binary)), By: by, At: began}, s.f.err
}

func (s shelf) Revisions(ctx context.Context, name string) ([]store.Revision, error) {
	s.f.note(ctx, "revisions", payments.Call{}, name)
	return []store.Revision{{Plugin: name, Digest: digest, At: began}, {Plugin: name, Digest: "old", At: began}}, s.f.err
}

func (s shelf) Activations(context.Context, string) ([]store.Activation, error) {
	return []store.Activation{{
		Seq: 3, Plugin: "rahmet", Digest: digest, Source: "api", By: "ops", At: began,
		Lost: []string{"refund"}, Forced: true, Needed: "refund (2 of rahmet-main)",
	}}, s.f.err
}

func (s shelf) Activate(ctx context.Context, by, name, digest string, force bool) (store.Activation, error) {
	s.f.note(ctx, "activate", payments.Call{Caller: by}, name, digest, force)
	return store.Activation{
		Seq: 3, Plugin: name, Digest: digest, Source: "api", By: by, At: began, Lost: []string{"refund", "currency KZT"},
	}, s.f.err
}

func (s shelf) Canary(ctx context.Context, by, name, digest string, percent int, force bool) (store.Activation, error) {
	s.f.note(ctx, "canary", payments.Call{Caller: by}, name, digest, percent, force)
	return store.Activation{Seq: 3, Plugin: name, Digest: digest, Canary: percent, Source: "api", By: by, At: began}, s.f.err
}

func (s shelf) Rollback(ctx context.Context, by, name string, force bool) (store.Activation, error) {
	s.f.note(ctx, "rollback", payments.Call{Caller: by}, name, force)
	return store.Activation{Seq: 4, Plugin: name, Digest: digest, Source: "rollback", By: by, At: began}, s.f.err
}

// paid is a payment with a refund in doubt and a receipt.
func paid() *ledger.Book {
	m := ledger.Of(pay.New(250000, pay.KZT))
	return &ledger.Book{
		ID: book, Version: 9, Caller: "shop", Connection: "rahmet-main", Provider: "rahmet", OrderID: "100500",
		Status: pay.PaymentSucceeded, Amount: m, Paid: m, CreatedAt: began, UpdatedAt: began, Revision: digest,
		Operations: []ledger.Operation{
			{ID: "op_" + book + "_1", Op: pay.OpCreate, Attempt: 1, Outcome: pay.OutcomeApplied, BeganAt: began},
			{
				ID: operation, Op: pay.OpRefund, Attempt: 2, Outcome: pay.OutcomeInDoubt, BeganAt: began, DoubtSince: began, Refund: refund,
				Amount: m, SentAt: began, FirstSent: began, ProviderKey: "k-1", Evidence: ledger.Evidence{Wire: pay.WireUnknown, Calls: 2, BytesOut: 321},
			},
		},
		Refunds:  []ledger.Refund{{ID: refund, Operation: operation, Status: pay.RefundPending, Amount: m, CreatedAt: began, UpdatedAt: began}},
		Receipts: []ledger.Receipt{{ID: receipt, Status: pay.ReceiptRegistered, Register: "r", FiscalSign: "s", CreatedAt: began, UpdatedAt: began}},
	}
}

// standalone is a receipt of no payment.
func standalone() *ledger.Book {
	return &ledger.Book{
		ID: book, Receipt: true, Connection: "smartpay-till-1", CreatedAt: began, UpdatedAt: began,
		Receipts: []ledger.Receipt{{ID: alone, Status: pay.ReceiptPending, Register: "r", FiscalSign: "s", CreatedAt: began, UpdatedAt: began}},
	}
}

func newFake() *fake { return &fake{book: paid()} }

// serve makes a handler of a fake. change, if given, has a say in the configuration.
func serve(t testing.TB, f *fake, change func(*httpapi.Config)) *httpapi.API {
	t.Helper()
	c := httpapi.Config{
		Engine: f, Plugins: shelf{f}, Now: func() time.Time { return began.Add(90 * time.Second) },
		Tokens: []httpapi.Token{
			{Name: "shop", Token: shop, Scopes: []httpapi.Scope{httpapi.ScopePayments}},
			{Name: "boss", Token: admin, Scopes: []httpapi.Scope{httpapi.ScopeAdmin}},
			{Name: "both", Token: both, Scopes: []httpapi.Scope{httpapi.ScopePayments, httpapi.ScopeAdmin}},
		},
		Limits: httpapi.Limits{Rate: -1, NotificationRate: -1},
	}
	if change != nil {
		change(&c)
	}
	api, err := httpapi.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// request makes a request as a good client would; headers are "Name: value" and
// replace what it would send, an empty value takes it out.
func request(method, path, body string, headers ...string) *http.Request {
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, path, r)
	req.Header.Set("Authorization", "Bearer "+both)
	if method == http.MethodPost {
		req.Header.Set("Idempotency-Key", "key-1")
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		name = strings.TrimSuffix(name, ":")
		req.Header.Del(name)
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	return req
}

func send(api http.Handler, req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	api.ServeHTTP(w, req)
	return w
}

// object reads an answer's JSON.
func object(t testing.TB, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%d %q: %v", w.Code, w.Body.String(), err)
	}
	return v
}

// problem reads a problem and holds it against what every problem must have.
func problem(t testing.TB, w *httptest.ResponseRecorder, status int) map[string]any {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body.String())
	}
	if ct := w.Header().Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("content type %q", ct)
	}
	p := object(t, w)
	for _, name := range []string{"type", "title", "detail", "class", "effect", "advice", "request_id"} {
		if s, _ := p[name].(string); s == "" {
			t.Errorf("problem without %s: %s", name, w.Body.String())
		}
	}
	if p["status"] != float64(status) || p["type"] != "urn:payhost:error:"+p["class"].(string) || p["request_id"] != w.Header().Get("X-Request-Id") {
		t.Errorf("problem %v beside status %d, request id %q", p, status, w.Header().Get("X-Request-Id"))
	}
	return p
}

func (f *fake) untouched(t testing.TB) {
	t.Helper()
	if len(f.asked) != 0 {
		t.Errorf("the engine was asked: %+v", f.asked)
		f.asked = nil
	}
}

// only returns the one thing that the engine was asked.
func (f *fake) only(t testing.TB) ask {
	t.Helper()
	if len(f.asked) != 1 {
		t.Fatalf("the engine was asked %d times: %+v", len(f.asked), f.asked)
	}
	return f.asked[0]
}

// till is a payment at its beginning, with next to nothing known, and one error.
func till() *ledger.Book {
	b := paid()
	b.Status, b.Amount, b.Paid, b.ExpiresAt = pay.PaymentPending, ledger.Amount{}, ledger.Amount{}, began
	b.Next = &ledger.Next{Type: pay.NextShowQR, URL: "https://pay.example/?a=1&b=2", QRPNG: []byte{1, 2}, ExpiresAt: began}
	b.LastError = &ledger.Error{Class: pay.ClassDeclined, Message: "no", Reason: pay.DeclinedRisk}
	return b
}
