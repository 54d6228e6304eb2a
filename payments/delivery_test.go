package payments_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// receiver is a merchant's endpoint.
type receiver struct {
	*httptest.Server
	t      *testing.T
	verify *webhooks.Webhook
	now    func() time.Time

	mu     sync.Mutex
	answer func(got) (status int, header http.Header)
	got    []got
}

// got is one event as it arrived.
type got struct {
	ID, Type, Payment string
	At                time.Time
	Status            int // as it was answered
}

func receive(t *testing.T, secret string) *receiver {
	t.Helper()
	r := &receiver{t: t, now: time.Now}
	var err error
	if strings.HasPrefix(secret, "whsec_") {
		r.verify, err = webhooks.NewWebhook(secret)
	} else {
		r.verify, err = webhooks.NewWebhookRaw([]byte(secret))
	}
	if err != nil {
		t.Fatal(err)
	}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	if err := r.verify.VerifyIgnoringTimestamp(body, request.Header); err != nil {
		r.t.Errorf("event can't be verified: %v", err)
	}
	var event struct {
		ID, Type  string
		Timestamp time.Time
		Data      struct {
			ID        string
			PaymentID string `json:"payment_id"`
		}
	}
	if err := json.Unmarshal(body, &event); err != nil {
		r.t.Errorf("%v: %s", err, body)
	}
	if id := request.Header.Get("webhook-id"); id != event.ID || id == "" || request.Header.Get("content-type") != "application/json" {
		r.t.Errorf("event %q came as %q, %v", event.ID, id, request.Header)
	}
	e := got{ID: event.ID, Type: event.Type, Payment: event.Data.PaymentID, At: r.now(), Status: 200}
	if e.Payment == "" {
		e.Payment = event.Data.ID
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var header http.Header
	if r.answer != nil {
		e.Status, header = r.answer(e)
	}
	r.got = append(r.got, e)
	for name := range header {
		w.Header().Set(name, header.Get(name))
	}
	w.WriteHeader(e.Status)
}

// all is what arrived so far.
func (r *receiver) all() []got {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// taken are the types of a payment's events that were taken, in their order.
func (r *receiver) taken(payment string) []string {
	var list []string
	for _, e := range r.all() {
		if e.Payment == payment && e.Status == 200 {
			list = append(list, e.Type)
		}
	}
	return list
}

const plainSecret = "a secret of a merchant"

func endpoints(r *receiver, secret string, events ...string) rig.Options {
	return rig.Options{Config: payments.Config{Endpoints: []payments.Endpoint{{URL: r.URL, Secret: secret, Events: events}}}}
}

// deliver lets time pass from one delivery to the next.
func (b *bench) deliver(d time.Duration) {
	b.t.Helper()
	end := b.Clock.Now().Add(d)
	for range 1000 {
		due, err := b.Store.NextDelivery(b.ctx())
		if err != nil {
			b.t.Fatal(err)
		}
		next := end
		for _, at := range due {
			if at.Before(next) {
				next = at
			}
		}
		b.Advance(max(0, next.Sub(b.Clock.Now())) + time.Millisecond)
		if !b.Clock.Now().Before(end) {
			return
		}
		for endpoint := range due {
			if _, err := b.Engine.Do(b.ctx(), store.Job{Kind: store.JobDeliver, Key: endpoint}); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	b.t.Fatalf("something is to be delivered again and again before %s", end)
}

// TestDelivery sends signed events in the order of the ledger, with either form of
// secret, and only of the types asked for.
func TestDelivery(t *testing.T) {
	t.Parallel()
	secrets := map[string]string{
		"plain": plainSecret, "whsec": "whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef01234567")),
	}
	onStores(t, func(t *testing.T, kind string) {
		for name, secret := range secrets {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				every, some := receive(t, secret), receive(t, secret)
				o := endpoints(every, secret, "*")
				o.Config.Endpoints = append(o.Config.Endpoints, payments.Endpoint{
					URL: some.URL, Secret: secret, Events: []string{"refund.*", "payment.succeeded"},
				})
				b := newBench(t, kind, o)
				book := paidYenil(t, b)
				b.must(b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), payments.NewRefund{Amount: book.Paid.Money}))
				b.work()
				want := []string{"payment.pending", "payment.succeeded", "refund.pending", "refund.succeeded"}
				if diff := cmp.Diff(want, every.taken(book.PaymentID())); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(want[1:], some.taken(book.PaymentID())); diff != "" {
					t.Errorf("events of some types (-want +got):\n%s", diff)
				}
				b.work()
				if n := len(every.all()); n != len(want) {
					t.Errorf("%d deliveries, want %d", n, len(want))
				}
			})
		}
	})
}

// TestDeliveryOrder has a receiver refuse a payment's first events: the later ones
// wait for them, and other payments do not.
func TestDeliveryOrder(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		r := receive(t, plainSecret)
		b := newBench(t, kind, endpoints(r, plainSecret, "*"))
		one := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("1")))
		two := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("2")))
		fail := 2
		r.answer = func(e got) (int, http.Header) {
			if e.Payment == one.PaymentID() && fail > 0 {
				fail--
				return 500, nil
			}
			return 200, nil
		}
		one = b.must(b.Engine.Cancel(b.ctx(), b.call(), one.PaymentID()))
		two = b.must(b.Engine.Cancel(b.ctx(), b.call(), two.PaymentID()))
		b.work()
		want := []string{"payment.pending", "payment.canceled"}
		if got := r.taken(one.PaymentID()); len(got) != 0 {
			t.Errorf("%v were taken before the first", got)
		}
		if diff := cmp.Diff(want, r.taken(two.PaymentID())); diff != "" {
			t.Errorf("the other payment (-want +got):\n%s", diff)
		}
		b.deliver(2 * time.Minute)
		if diff := cmp.Diff(want, r.taken(one.PaymentID())); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestDeliveryBackoff has an endpoint fail for days, until the event is given up;
// then it is sent again by hand.
func TestDeliveryBackoff(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		r := receive(t, plainSecret)
		b := newBench(t, kind, endpoints(r, plainSecret, "payment.*"))
		r.now = b.Clock.Now
		r.answer = func(got) (int, http.Header) { return 503, nil }
		book := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("1")))
		b.deliver(7 * day)
		steps := []time.Duration{
			5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour,
			6 * time.Hour, 12 * time.Hour, day, day, day,
		}
		tries := r.all()
		if len(tries) != len(steps)+1 {
			t.Fatalf("%d tries, want %d", len(tries), len(steps)+1)
		}
		for i, step := range steps {
			if gap := tries[i+1].At.Sub(tries[i].At); gap < step-10*time.Millisecond || gap > step+step/5+time.Second {
				t.Errorf("try %d came after %s, want %s and some jitter", i+2, gap, step)
			}
			if tries[i+1].ID != tries[0].ID {
				t.Errorf("try %d is of another event", i+2)
			}
		}
		dead, err := b.Engine.DeadLetters(b.ctx(), 0, 10)
		if err != nil || len(dead) != 1 || dead[0].ID != tries[0].ID || dead[0].Tries != len(tries) || dead[0].LastError != "endpoint answers 503" {
			t.Fatalf("dead letters: %+v, %v", dead, err)
		}
		r.mu.Lock()
		r.answer = nil
		r.mu.Unlock()
		book = b.until(book, day, status(pay.PaymentFailed)) // a later event does not wait for a dead one
		b.deliver(time.Minute)
		b.refuses("an event that is none", b.Engine.Redeliver(b.ctx(), "evt_none", ""), pay.ClassNotFound)
		b.refuses("an endpoint that is none", b.Engine.Redeliver(b.ctx(), tries[0].ID, "http://none.example/"), pay.ClassNotFound)
		if err := b.Engine.Redeliver(b.ctx(), tries[0].ID, ""); err != nil {
			t.Fatal(err)
		}
		b.deliver(time.Minute)
		if got := r.taken(book.PaymentID()); !slices.Contains(got, "payment.pending") || len(got) < 2 {
			t.Errorf("taken: %v", got)
		}
		if dead, err := b.Engine.DeadLetters(b.ctx(), 0, 10); err != nil || len(dead) != 0 {
			t.Errorf("dead letters: %+v, %v", dead, err)
		}
	})
}

// TestDeliveryAnswers holds what an endpoint's answer does.
func TestDeliveryAnswers(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("redirect was followed: %s %s", r.Method, r.URL)
	}))
	t.Cleanup(elsewhere.Close)
	tests := map[string]struct {
		status int
		header http.Header
		state  store.DeliveryState
		wait   time.Duration
	}{
		"ok":              {200, nil, store.DeliveryDone, 0},
		"no content":      {204, nil, store.DeliveryDone, 0},
		"gone":            {410, nil, store.DeliveryDead, 0},
		"redirect":        {302, http.Header{"Location": {elsewhere.URL}}, store.DeliveryPending, 5 * time.Second},
		"kept redirect":   {307, http.Header{"Location": {elsewhere.URL}}, store.DeliveryPending, 5 * time.Second},
		"not modified":    {304, nil, store.DeliveryPending, 5 * time.Second},
		"refused":         {400, nil, store.DeliveryPending, 5 * time.Second},
		"wait":            {429, http.Header{"Retry-After": {"100"}}, store.DeliveryPending, 100 * time.Second},
		"wait for ever":   {503, http.Header{"Retry-After": {"999999999"}}, store.DeliveryPending, day},
		"wait for a word": {503, http.Header{"Retry-After": {"soon"}}, store.DeliveryPending, 5 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := receive(t, plainSecret)
			b := newBench(t, "sqlite", endpoints(r, plainSecret, "*"))
			r.answer = func(got) (int, http.Header) { return test.status, test.header }
			b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("1")))
			b.work()
			if n := len(r.all()); n != 1 {
				t.Fatalf("%d tries", n)
			}
			dead, err := b.Engine.DeadLetters(b.ctx(), 0, 10)
			if err != nil || (len(dead) == 1) != (test.state == store.DeliveryDead) {
				t.Errorf("dead letters: %+v, %v", dead, err)
			}
			due, err := b.Store.NextDelivery(b.ctx())
			next, waits := due[r.URL]
			if err != nil || waits != (test.state == store.DeliveryPending) {
				t.Fatalf("next delivery at %s, %v", next, err)
			}
			if wait := next.Sub(b.Clock.Now()); waits && (wait < test.wait-2*time.Second || wait > test.wait+test.wait/5) {
				t.Errorf("next delivery after %s, want %s", wait, test.wait)
			}
		})
	}
}

// TestDeliveryKeepsSecrets fails in every way, and looks for what is secret in logs
// and in what is stored about the failure.
func TestDeliveryKeepsSecrets(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]func(*receiver) string{
		"refused":    func(r *receiver) string { return r.URL },
		"no host":    func(*receiver) string { return "http://127.0.0.1:1" },
		"no scheme":  func(*receiver) string { return "ftp://127.0.0.1" },
		"bad secret": func(r *receiver) string { return r.URL + "/bad" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logs := &syncBuffer{}
			secret := plainSecret
			r := receive(t, secret)
			r.answer = func(got) (int, http.Header) { return 410, nil }
			if name == "bad secret" {
				secret = "whsec_" + "!!!!hidden!!!!"
			}
			target := where(r) + "?token=t0psecret"
			b := newBench(t, "sqlite", rig.Options{
				Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: logs}),
				Config: payments.Config{Endpoints: []payments.Endpoint{{URL: target, Secret: secret, Events: []string{"*"}}}},
			})
			b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("1")))
			b.deliver(7 * day)
			dead, err := b.Engine.DeadLetters(b.ctx(), 0, 10)
			if err != nil || len(dead) != 1 {
				t.Fatalf("dead letters: %+v, %v", dead, err)
			}
			text := logs.String() + dead[0].LastError
			if !strings.Contains(text, "given up") {
				t.Error("nobody was told")
			}
			for _, secret := range []string{"t0psecret", plainSecret, "hidden"} {
				if strings.Contains(text, secret) {
					t.Errorf("%q stands in:\n%s", secret, text)
				}
			}
		})
	}
}

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// String is all that was written.
func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestEventPages reads the events page by page: all of them, once, in their order.
func TestEventPages(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		for _, order := range []string{"1", "2", "3"} {
			book := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment(order)))
			book = b.must(b.Engine.Cancel(b.ctx(), b.call(), book.PaymentID()))
			b.events(book)
		}
		whole, _, err := b.Engine.Events(b.ctx(), "", 0)
		if err != nil || len(whole) != 6 {
			t.Fatalf("%d events, %v", len(whole), err)
		}
		for _, size := range []int{1, 2, 4, 6, 1000} {
			var ids, want []string
			after := ""
			for range 10 {
				page, next, err := b.Engine.Events(b.ctx(), after, size)
				if err != nil || len(page) > size {
					t.Fatalf("page of %d: %v", len(page), err)
				}
				for _, e := range page {
					ids = append(ids, e.ID)
				}
				if len(page) == 0 && next != after {
					t.Errorf("cursor moves from %q to %q on an empty page", after, next)
				}
				after = next
			}
			for i, e := range whole {
				want = append(want, e.ID)
				if i > 0 && e.Seq <= whole[i-1].Seq {
					t.Errorf("event %d has seq %d after %d", i, e.Seq, whole[i-1].Seq)
				}
			}
			if diff := cmp.Diff(want, ids); diff != "" {
				t.Errorf("pages of %d (-want +got):\n%s", size, diff)
			}
		}
		for _, bad := range []struct {
			after string
			limit int
		}{{"x", 1}, {"-1", 1}, {"", -1}, {"", 1001}} {
			_, _, err := b.Engine.Events(b.ctx(), bad.after, bad.limit)
			b.refuses("after "+bad.after, err, pay.ClassInvalidRequest)
		}
	})
}

// TestEndpointTwice has one receiver configured twice, for some events and for all: it is told of each once.
func TestEndpointTwice(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		r := receive(t, plainSecret)
		o := endpoints(r, plainSecret, "payment.pending")
		o.Config.Endpoints = append(o.Config.Endpoints, payments.Endpoint{URL: r.URL, Secret: plainSecret, Events: []string{"*"}})
		b := newBench(t, kind, o)
		book := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1")))
		b.deliver(time.Minute)
		if got := r.taken(book.PaymentID()); len(got) != 1 || got[0] != "payment.pending" {
			t.Errorf("told of %v", got)
		}
	})
}
