package payments_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// door is where providers reach payhost.
type door struct {
	*httptest.Server
	engine atomic.Pointer[payments.Engine]
}

// openDoor opens a bench that providers can call.
func openDoor(t *testing.T, kind string, o rig.Options) (*bench, *door) {
	t.Helper()
	d := &door{}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	o.Config.PublicURL = d.URL
	b := newBench(t, kind, o)
	d.engine.Store(b.Engine)
	return b, d
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	part := strings.Split(strings.TrimPrefix(r.URL.Path, "/n/"), "/")
	body, _ := io.ReadAll(r.Body)
	ack, err := d.engine.Load().Notify(r.Context(), part[0], part[1], pay.NotificationRequest{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Body: body,
	})
	switch pay.ClassOf(err) {
	case 0:
		w.WriteHeader(ack.Status)
		_, _ = w.Write(ack.Body)
	case pay.ClassNotFound:
		w.WriteHeader(404)
	default:
		w.WriteHeader(503)
	}
}

// nonce of a payment, as it stands in its notification URL.
func nonce(bk *ledger.Book) string { return bk.ID + "-" + bk.Nonce }

// kinds counts the entries of a book by kind.
func (b *bench) kinds(bk *ledger.Book) map[ledger.Kind]int {
	b.t.Helper()
	entries, err := b.Engine.Timeline(b.ctx(), bk.PaymentID())
	if err != nil {
		b.t.Fatal(err)
	}
	count := map[ledger.Kind]int{}
	for _, e := range entries {
		count[e.Body.Kind()]++
	}
	return count
}

// becomes waits, in real time, until what goes on in the background has brought a book on.
func (b *bench) becomes(bk *ledger.Book, want pay.PaymentStatus) *ledger.Book {
	b.t.Helper()
	waitFor(b.t, "the payment to be "+want.String(), func() bool { bk = b.reload(bk); return bk.Status == want })
	return bk
}

// TestPostlink pays by link: the provider's unsigned call makes payhost ask, and the
// answer moves the payment. No time passes.
func TestPostlink(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b, _ := openDoor(t, kind, rig.Options{})
		if err := b.Rahmet.Set("postlink_copies", "2"); err != nil {
			t.Fatal(err)
		}
		book := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1")))
		for _, lie := range []string{"postlink", "postlink_other_amount", "failed_postlink"} {
			if err := b.Rahmet.Move("1", lie); err != nil {
				t.Fatal(err)
			}
			b.Rahmet.WaitDeliveries()
		}
		waitFor(t, "the provider to be asked", func() bool { return len(b.requests(rig.Rahmet, rahmetStatus)) > 0 })
		if book = b.reload(book); book.Status != pay.PaymentPending || book.Alerts != 0 || !book.Paid.IsZero() {
			t.Errorf("after calls that were not true: %s, %d alerts, paid %s", book.Status, book.Alerts, book.Paid)
		}
		if err := b.Rahmet.Move("1", "payer_pays"); err != nil {
			t.Fatal(err)
		}
		b.Rahmet.WaitDeliveries()
		book = b.becomes(book, pay.PaymentSucceeded)
		if book.Paid.Money != pay.New(250000, pay.KZT) || book.HintedAt.IsZero() || b.kinds(book)[ledger.KindNotified] == 0 {
			t.Errorf("paid %s, hinted at %s", book.Paid, book.HintedAt)
		}
		for _, d := range b.Rahmet.Deliveries() {
			if d.Status != 200 || d.Reply != "OK" {
				t.Errorf("%s was answered %d %q", d.Kind, d.Status, d.Reply)
			}
		}
		b.agrees(book, rig.Rahmet)
		b.folded(book)
	})
}

// TestPostlinkDuringProbe is told of the payment while it asks after it: what the
// provider answers then is older than the news.
func TestPostlinkDuringProbe(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b, _ := openDoor(t, kind, rig.Options{})
		book := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1")))
		b.fault(rig.Rahmet, simkit.Fault{Path: rahmetStatus, Kind: simkit.Slow, DelayMS: 500, Count: 1})
		if err := b.Rahmet.Move("1", "postlink"); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the provider to be asked", func() bool { return len(b.requests(rig.Rahmet, rahmetStatus)) == 1 })
		if err := b.Rahmet.Move("1", "payer_pays"); err != nil {
			t.Fatal(err)
		}
		b.Rahmet.WaitDeliveries()
		b.folded(b.becomes(book, pay.PaymentSucceeded))
	})
}

// TestPostlinkBeforeTheAnswer is called about a payment whose create has not been
// answered yet.
func TestPostlinkBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b, _ := openDoor(t, kind, rig.Options{})
		if err := b.Rahmet.Set("postlink_timing", "before_answer"); err != nil {
			t.Fatal(err)
		}
		p := rahmetPayment("1")
		p.Amount = pay.New(5901_00, pay.KZT) // paid at once
		book := b.must(b.Engine.Create(b.ctx(), b.call(), p))
		if made := b.Rahmet.Deliveries(); len(made) != 1 || made[0].Status != 200 {
			t.Errorf("calls: %+v", made)
		}
		book = b.becomes(book, pay.PaymentSucceeded)
		waitFor(t, "the create to be over", func() bool { book = b.reload(book); return !book.Operations[0].Running() })
		if book.Next != nil || book.Operations[0].Outcome != pay.OutcomeApplied || book.InDoubt() != nil {
			t.Errorf("next %+v, create %s\n%s", book.Next, book.Operations[0].Outcome, b.timeline(book))
		}
		b.folded(book)
	})
}

// TestForged calls without being the provider.
func TestForged(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b, _ := openDoor(t, kind, rig.Options{})
		book := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1")))
		other := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("2")))
		page := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("3")))
		versions := []int64{book.Version, other.Version, page.Version}
		paid := pay.NotificationRequest{Method: "GET", Path: "/", Query: "event=paid&reference=1&amount=2500"}
		for _, where := range []struct{ conn, nonce string }{
			{rig.Rahmet, ""},
			{rig.Rahmet, "x"},
			{rig.Rahmet, book.ID},
			{rig.Rahmet, book.ID + "-"},
			{rig.Rahmet, book.ID + "-" + other.Nonce},
			{rig.Rahmet, book.ID + "-" + strings.ToUpper(book.Nonce) + "0"},
			{rig.Rahmet, ledger.NewID() + "-" + book.Nonce},
			{rig.YenilToleg, nonce(book)},
			{rig.YenilToleg, nonce(page)},
			{rig.SmartPay, nonce(book)},
			{"none", nonce(book)},
		} {
			ack, err := b.Engine.Notify(b.ctx(), where.conn, where.nonce, paid)
			b.refuses(where.conn+" "+where.nonce, err, pay.ClassNotFound)
			if ack.Status != 0 {
				t.Errorf("%s %s: answered %d", where.conn, where.nonce, ack.Status)
			}
		}
		stats, err := b.Store.Stats(b.ctx(), b.Clock.Now())
		if err != nil || stats.Parked != 0 {
			t.Errorf("%d notifications are kept, %v", stats.Parked, err)
		}
		for i, bk := range []*ledger.Book{book, other, page} {
			if got := b.reload(bk).Version; got != versions[i] {
				t.Errorf("book %d has %d entries, had %d", i, got, versions[i])
			}
		}
		ack, err := b.Engine.Notify(b.ctx(), rig.Rahmet, nonce(book), paid) // whoever has the URL may call
		if err != nil || ack.Status != 200 {
			t.Errorf("answered %d, %v", ack.Status, err)
		}
		waitFor(t, "the provider to be asked", func() bool { return len(b.requests(rig.Rahmet, rahmetStatus)) > 0 })
		b.settleDown()
		if book = b.reload(book); book.Status != pay.PaymentPending || !book.Paid.IsZero() {
			t.Errorf("forged call made it %s, paid %s", book.Status, book.Paid)
		}
	})
}

// settleDown waits for what runs in the background.
func (b *bench) settleDown() {
	b.t.Helper()
	before := -1
	waitFor(b.t, "the background to be quiet", func() bool {
		now := len(b.Kits()[rig.Rahmet].Requests())
		quiet := now == before
		before = now
		return quiet
	})
}

// TestLinkScanners floods a notification URL as scanners of links do: every call is
// answered, nothing moves, and the timeline does not fill up.
func TestLinkScanners(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b, d := openDoor(t, kind, rig.Options{})
		book := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1")))
		url := d.URL + "/n/" + rig.Rahmet + "/" + nonce(book) + "?event=paid"
		var wg sync.WaitGroup
		began := time.Now()
		for i := range 150 {
			wg.Go(func() {
				request, _ := http.NewRequestWithContext(b.ctx(), []string{"GET", "HEAD", "POST"}[i%3], url, nil)
				response, err := d.Client().Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				_ = response.Body.Close()
				if want := []int{200, 200, 405}[i%3]; response.StatusCode != want {
					t.Errorf("%s is answered %d", request.Method, response.StatusCode)
				}
			})
		}
		wg.Wait()
		took := time.Since(began)
		b.settleDown()
		lines := b.kinds(book)
		if most := int(took/time.Second) + 2; lines[ledger.KindNotified] > most {
			t.Errorf("%d lines in the timeline about %s of calls", lines[ledger.KindNotified], took)
		}
		if book = b.reload(book); book.Status != pay.PaymentPending || book.InDoubt() != nil {
			t.Errorf("payment is %s", book.Status)
		}
		b.folded(book)
	})
}

// signed is Rahmet as if it signed its calls: a body with what the test wants to say,
// proven by a header of the test's own.
type signed struct {
	*rahmet.Provider
	broken atomic.Bool
}

func newSigned() *signed { return &signed{Provider: rahmet.New()} }

// Manifest is Rahmet's, but its notifications are strong.
func (s *signed) Manifest() pay.Manifest {
	m := s.Provider.Manifest()
	m.Notification = pay.AuthenticityStrong
	return m
}

// word is what a signed notification says.
type word struct {
	Trust          pay.Authenticity
	Key, Ref       string
	Status         pay.PaymentStatus
	Amount, Paid   int64
	Refunded       int64
	AcknowledgedAs int
}

// Notification reads a [word].
func (s *signed) Notification(_ *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
	if s.broken.Load() {
		return nil, &pay.Error{Class: pay.ClassProtocol, Message: "can't be read"}
	}
	var w word
	if err := json.Unmarshal(r.Body, &w); err != nil {
		return nil, err
	}
	tenge := func(n int64) pay.Money {
		if n == 0 {
			return pay.Money{}
		}
		return pay.New(n, pay.KZT)
	}
	return &pay.Notification{
		Authenticity: w.Trust, ProviderRef: w.Ref, ProviderKey: w.Key, Ack: pay.Ack{Status: w.AcknowledgedAs},
		Observations: []pay.Observation{{
			Subject: pay.SubjectPayment, Payment: w.Status, ProviderRef: w.Ref, ProviderKey: w.Key, ProviderState: "told",
			Amount: tenge(w.Amount), AmountPaid: tenge(w.Paid), AmountRefunded: tenge(w.Refunded),
		}},
	}, nil
}

// tell brings a word to a door, and returns what it is answered.
func (b *bench) tell(nonce string, w word) int {
	b.t.Helper()
	body, err := json.Marshal(w)
	if err != nil {
		b.t.Fatal(err)
	}
	ack, err := b.Engine.Notify(b.ctx(), rig.Rahmet, nonce, pay.NotificationRequest{Method: "POST", Path: "/", Body: body})
	if err != nil {
		b.t.Fatal(err)
	}
	return ack.Status
}

func withSigned(s *signed) rig.Options {
	return rig.Options{Native: map[string]sdk.Provider{rig.Rahmet: s}}
}

// TestStrongNotification believes what is proven to be the provider's, as far as it
// agrees with what was asked for.
func TestStrongNotification(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, withSigned(newSigned()))
		book := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1")))
		wrong := word{Trust: pay.AuthenticityStrong, Status: pay.PaymentSucceeded, Amount: 250001, Paid: 250001}
		if status := b.tell(nonce(book), wrong); status != 200 {
			t.Errorf("answered %d", status)
		}
		book = b.reload(book)
		if book.Status != pay.PaymentPending || book.Alerts != 1 || book.Alert == nil || book.Alert.Class != pay.ClassIntegrity ||
			!book.Paid.IsZero() {
			t.Errorf("contradiction: %s, %d alerts, %+v, paid %s", book.Status, book.Alerts, book.Alert, book.Paid)
		}
		b.tell(nonce(book), wrong) // again: one alert is enough
		if again := b.reload(book); again.Alerts != 1 {
			t.Errorf("%d alerts", again.Alerts)
		}
		weak := word{Trust: pay.AuthenticityWeak, Status: pay.PaymentSucceeded, Amount: 250000, Paid: 250000}
		b.tell(nonce(book), weak)
		b.settleDown()
		if book = b.reload(book); book.Status != pay.PaymentPending {
			t.Errorf("what may be anybody's made it %s", book.Status)
		}
		if status := b.tell(nonce(book), word{Trust: pay.AuthenticityNone, Status: pay.PaymentSucceeded}); status != 403 {
			t.Errorf("forged, answered %d", status)
		}
		right := word{Trust: pay.AuthenticityStrong, Status: pay.PaymentSucceeded, Amount: 250000, Paid: 250000, AcknowledgedAs: 202}
		b.sends(rig.Rahmet, rahmetStatus, 0, func() {
			if status := b.tell("", word{
				Trust: pay.AuthenticityStrong, Key: "1", Status: pay.PaymentSucceeded, Amount: 250000, AcknowledgedAs: 202,
			}); status != 202 {
				t.Errorf("answered %d", status)
			}
		})
		if book = b.reload(book); book.Status != pay.PaymentSucceeded || book.Paid.Money != pay.New(250000, pay.KZT) {
			t.Errorf("payment is %s, paid %s", book.Status, book.Paid)
		}
		b.tell(nonce(book), right) // late and twice
		b.tell(nonce(book), word{Trust: pay.AuthenticityStrong, Status: pay.PaymentPending})
		if again := b.reload(book); again.Status != pay.PaymentSucceeded || again.Alerts != 1 || again.Reversed {
			t.Errorf("payment is %s, %d alerts", again.Status, again.Alerts)
		}
		b.folded(book)
		events := b.events(book)
		if events["payment.succeeded"] != 1 || events[payments.EventAlert] != 1 {
			t.Errorf("events: %v", events)
		}
	})
}

// events counts the events of a book by type, as soon as they show what the book is. On
// PostgreSQL an event is only shown once none can be committed before it, and other
// tests hold it up there.
func (b *bench) events(bk *ledger.Book) map[string]int {
	b.t.Helper()
	var count map[string]int
	waitFor(b.t, "the events of "+bk.PaymentID(), func() bool {
		count = map[string]int{}
		for after := ""; ; {
			list, next, err := b.Engine.Events(b.ctx(), after, 1000)
			if err != nil {
				b.t.Fatal(err)
			}
			for _, e := range list {
				if e.Book == bk.ID {
					count[e.Type]++
				}
			}
			if after = next; len(list) == 0 {
				return told(bk, count)
			}
		}
	})
	return count
}

// told reports whether events have told of all that a book is.
func told(bk *ledger.Book, count map[string]int) bool {
	all := count["payment."+bk.Status.String()] > 0 || bk.Status == pay.PaymentCreated
	all = all && count[payments.EventAlert] >= bk.Alerts
	for i := range bk.Refunds {
		all = all && count["refund."+bk.Refunds[i].Status.String()] > 0
	}
	return all && (bk.InDoubt() != nil) == (count[payments.EventInDoubt] > count[payments.EventDoubtEnded])
}

// parked is how many notifications wait.
func (b *bench) parked() int {
	b.t.Helper()
	stats, err := b.Store.Stats(b.ctx(), b.Clock.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	return stats.Parked
}

// TestForeign takes a proven call for the payment that it names, whatever address it
// came to: also to that of one whose id at the provider is not known yet.
func TestForeign(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, withSigned(newSigned()))
		mine := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1")))
		lost := rahmetPayment("2")
		lost.Amount = pay.New(2903_00, pay.KZT) // its answer is lost
		other, err := b.Engine.Create(b.ctx(), b.call(), lost)
		if err != nil || other.Book.InDoubt() == nil {
			t.Fatalf("error %v, and no doubt", err)
		}
		paid := word{Trust: pay.AuthenticityStrong, Ref: mine.ProviderRef, Status: pay.PaymentSucceeded}
		b.tell(nonce(other.Book), paid)
		if got := b.reload(other.Book); got.Status == pay.PaymentSucceeded || got.ProviderRef == mine.ProviderRef {
			t.Errorf("the other payment is %s, and %s at the provider", got.Status, got.ProviderRef)
		}
		if got := b.reload(mine); got.Status != pay.PaymentSucceeded {
			t.Errorf("the payment that was named is %s", got.Status)
		}
	})
}

// TestForeignKey has a proven call name a key that none of the connection's payments
// has: one of another shop, say, whose calls the provider signs alike. It is no word about
// the payment whose address it came to, and only makes payhost ask.
func TestForeignKey(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, withSigned(newSigned()))
		p := rahmetPayment("2")
		p.Amount = pay.New(2903_00, pay.KZT) // its answer is lost, so its id is not known
		answer, err := b.Engine.Create(b.ctx(), b.call(), p)
		book := b.doubtful(answer, err)
		b.tell(nonce(book), word{Trust: pay.AuthenticityStrong, Key: "elsewhere", Status: pay.PaymentSucceeded})
		b.settleDown()
		if book = b.reload(book); book.Status == pay.PaymentSucceeded {
			t.Fatalf("a call about another payment has paid it\n%s", b.timeline(book))
		}
		if b.kinds(book)[ledger.KindNotified] != 1 || b.parked() != 0 {
			t.Errorf("%v, %d parked", b.kinds(book), b.parked())
		}
		if err := b.Rahmet.Move(book.Keys()[0], "paid"); err != nil {
			t.Fatal(err)
		}
		b.tell(nonce(book), word{Trust: pay.AuthenticityStrong, Key: book.Keys()[0], Status: pay.PaymentSucceeded})
		b.becomes(book, pay.PaymentSucceeded)
		b.folded(b.reload(book))
	})
}

// TestNowhere keeps nothing of calls to addresses that nobody was given: anybody can
// make up as many as the disk has room for.
func TestNowhere(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		plugin := newSigned()
		b := newBench(t, kind, withSigned(plugin))
		forged := word{Key: "1", Status: pay.PaymentSucceeded, Amount: 250000}
		for _, trust := range []pay.Authenticity{pay.AuthenticityNone, pay.AuthenticityWeak} {
			forged.Trust = trust
			if status := b.tell("made-up", forged); status != 403 {
				t.Errorf("%s: answered %d", trust, status)
			}
		}
		plugin.broken.Store(true)
		if status := b.tell("made-up", forged); status != 503 {
			t.Errorf("unreadable: answered %d", status)
		}
		b.Advance(400 * 24 * time.Hour)
		kept, err := b.Store.Prune(b.ctx(), store.PruneNotifications, b.Clock.Now(), 100)
		if err != nil || kept != 0 || b.parked() != 0 {
			t.Errorf("%d are kept, %d parked, error %v", kept, b.parked(), err)
		}
	})
}

// TestParked keeps an authentic call about a payment that is not known yet, and
// applies it once it is; what stays unknown for a day is given up.
func TestParked(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, withSigned(newSigned()))
		paid := word{Trust: pay.AuthenticityStrong, Key: "1", Status: pay.PaymentSucceeded, Amount: 250000}
		for _, key := range []string{"1", "nobody's"} {
			paid.Key = key
			if status := b.tell("", paid); status != 200 {
				t.Errorf("%s: answered %d", key, status)
			}
		}
		if got := b.parked(); got != 2 {
			t.Fatalf("%d are parked", got)
		}
		b.Advance(2 * time.Minute)
		b.work()
		if got := b.parked(); got != 2 {
			t.Errorf("%d are parked after a try", got)
		}
		book := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1")))
		b.Advance(2 * time.Minute)
		b.work()
		if book = b.reload(book); book.Status != pay.PaymentSucceeded || b.parked() != 1 {
			t.Errorf("payment is %s, %d parked\n%s", book.Status, b.parked(), b.timeline(book))
		}
		b.Advance(25 * time.Hour)
		b.work()
		if got := b.parked(); got != 0 {
			t.Errorf("%d are parked after a day", got)
		}
		b.folded(book)
	})
}

// TestUnreadable has a plugin that can't read a call: the provider is told to call
// again, and the call is kept and read later all the same.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		plugin := newSigned()
		b := newBench(t, kind, withSigned(plugin))
		book := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1")))
		plugin.broken.Store(true)
		paid := word{Trust: pay.AuthenticityStrong, Status: pay.PaymentSucceeded, Amount: 250000}
		if status := b.tell(nonce(book), paid); status != 503 || b.parked() != 1 {
			t.Errorf("answered %d, %d parked", status, b.parked())
		}
		b.Advance(2 * time.Minute)
		b.work()
		if book = b.reload(book); book.Status != pay.PaymentPending || b.parked() != 1 {
			t.Errorf("payment is %s, %d parked", book.Status, b.parked())
		}
		plugin.broken.Store(false)
		b.Advance(2 * time.Minute)
		b.work()
		if book = b.reload(book); book.Status != pay.PaymentSucceeded || b.parked() != 0 {
			t.Errorf("payment is %s, %d parked", book.Status, b.parked())
		}
		b.folded(book)
	})
}
