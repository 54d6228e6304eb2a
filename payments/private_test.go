package payments_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// TestNothingPersonal lives payments whose requests hold a payer's name, address,
// card and code, in good and in bad times, and looks for them, and for our secrets,
// wherever payhost writes for good: the ledger, the events, the logs.
func TestNothingPersonal(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		logs := &syncBuffer{}
		b := newBench(t, kind, rig.Options{Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: logs})})
		const card = "4111111111111111"
		customer := pay.Customer{Name: "Aygul Testova", Email: "aygul@example.org", Phone: "+99361234567"}
		secret := []string{
			customer.Name, "Aygul", customer.Email, customer.Phone, card, "4111 1111 1111 1111", rahmet.ClientSecret, yeniltoleg.AccessToken,
		}
		var books []*ledger.Book
		link := rahmetPayment("1")
		link.Customer, link.Description = customer, "for "+card
		page := yenilPayment("2")
		page.Customer, page.Description = customer, "for 4111 1111 1111 1111"
		page.Lines = []pay.Line{{Name: "gift for " + customer.Name, Quantity: 1, Price: page.Amount}}
		for i, p := range []payments.NewPayment{link, page} {
			conn, path := p.Connection, []string{rahmetCreate, yenilCreate}[i]
			books = append(books, b.must(b.Engine.Create(b.ctx(), b.call(), p)))
			for _, fault := range []simkit.Fault{
				{Kind: simkit.CutAfter},
				{Kind: simkit.Status, Status: 429},
				{Kind: simkit.Status, Status: 400, Body: `{"title":"bad card 4111111111111111","status":400,"errors":{"Customer":["4111 1111 1111 1111"]}}`},
				{Kind: simkit.Answer, Body: `{"error_code":422,"status":"error","message":"card 4111111111111111 is bad","data":null}`},
			} {
				fault.Path, fault.Count = path, 2
				b.fault(conn, fault)
				p.OrderID += "1"
				answer, _ := b.Engine.Create(b.ctx(), b.call(), p)
				if answer.Book == nil {
					t.Fatalf("%s: no book", conn)
				}
				b.Kits()[conn].ClearFaults()
				books = append(books, answer.Book)
			}
		}
		till := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("3")))
		code := present(t, b)
		secret = append(secret, code)
		for _, c := range []string{code + "x", card, code} {
			_, _ = b.Engine.Bind(b.ctx(), b.call(), till.PaymentID(), c)
		}
		till = b.must(b.Engine.Release(b.ctx(), b.call(), till.PaymentID(), pay.New(5000, pay.RUB)))
		b.pass(2 * day)
		b.searched(append(books, till), logs, secret)
	})
}

// searched looks for texts in all that was written about books, and in the logs.
func (b *bench) searched(books []*ledger.Book, logs *syncBuffer, secret []string) {
	b.t.Helper()
	search := func(where, text string) {
		for _, s := range secret {
			quoted, _ := json.Marshal(s)
			if strings.Contains(text, s) || strings.Contains(text, strings.Trim(string(quoted), `"`)) {
				b.t.Errorf("%s holds %q:\n%.2000s", where, s, text)
			}
		}
	}
	for _, bk := range books {
		b.events(b.reload(bk))
		entries, err := b.Engine.Timeline(b.ctx(), bk.PaymentID())
		if err != nil || len(entries) < 2 {
			b.t.Fatalf("%d entries, %v", len(entries), err)
		}
		for _, e := range entries {
			text, err := json.Marshal(e.Body)
			if err != nil {
				b.t.Fatal(err)
			}
			search(string(e.Body.Kind())+" by "+e.Actor, string(text)+e.Actor)
		}
		snapshot, _ := json.Marshal(b.reload(bk))
		search("book", string(snapshot))
	}
	events, _, err := b.Engine.Events(b.ctx(), "", 1000)
	if err != nil || len(events) < len(books) {
		b.t.Fatalf("%d events, %v", len(events), err)
	}
	for _, e := range events {
		search("event "+e.Type, string(e.Body))
	}
	for line := range strings.Lines(logs.String()) {
		search("log", line)
	}
	if !strings.Contains(logs.String(), "operation ended") {
		b.t.Error("nothing was logged")
	}
}

// TestRequestsAreForgotten keeps what is needed to send an operation again only for
// as long as it may be sent again.
func TestRequestsAreForgotten(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		kept := func(operation string) bool {
			t.Helper()
			_, err := b.Store.Request(b.ctx(), operation)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Fatal(err)
			}
			return err == nil
		}
		done, err := b.Engine.Create(b.ctx(), b.call(), yenilPayment("1"))
		if b.must(done, err); kept(done.Operation) {
			t.Error("the request of a create that is done is kept")
		}
		b.fault(rig.YenilToleg, simkit.Fault{Path: yenilCreate, Kind: simkit.CutAfter, Count: 2})
		open, err := b.Engine.Create(b.ctx(), b.call(), yenilPayment("2"))
		if b.doubtful(open, err); !kept(open.Operation) {
			t.Error("the request of a create in doubt is gone")
		}
		b.until(open.Book, time.Hour, func(bk *ledger.Book) bool { return bk.InDoubt() == nil })
		if kept(open.Operation) {
			t.Error("the request of a create that is settled is kept")
		}
		b.fault(rig.YenilToleg, simkit.Fault{Path: yenilCreate, Kind: simkit.Status, Status: 429, Count: 1})
		given, err := b.Engine.Create(b.ctx(), b.call(), yenilPayment("3"))
		b.refuses("too many", err, pay.ClassRateLimited)
		if !kept(given.Operation) {
			t.Error("the request of a create that may be repeated is gone")
		}
		b.until(given.Book, time.Hour, status(pay.PaymentFailed))
		if kept(given.Operation) {
			t.Error("the request of a create that was given up is kept")
		}
	})
}
