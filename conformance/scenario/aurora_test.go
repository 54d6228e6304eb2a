package scenario_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/examples/aurora"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// shop is a merchant's server that keeps what it is sent.
type shop struct {
	*httptest.Server
	mu  sync.Mutex
	got []pay.NotificationRequest
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		n := pay.NotificationRequest{Method: r.Method, Path: r.URL.Path, Body: body}
		for name := range r.Header {
			n.Header = append(n.Header, pay.Field{Name: name, Value: r.Header.Get(name)})
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got = append(s.got, n)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *shop) notifications() []pay.NotificationRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

func order(key string, minor int64, notify string) pay.CreateRequest {
	return pay.CreateRequest{
		Intent: pay.Intent{Key: key, ProviderKey: key, Attempt: 1}, PaymentID: "pay_" + key, OrderID: "order-" + key,
		Amount: pay.New(minor, "EUR"), ReturnURL: "https://shop.example/back", NotificationURL: notify,
	}
}

func refund(key, ref string, minor int64) pay.RefundRequest {
	return pay.RefundRequest{
		Intent: pay.Intent{Key: key, ProviderKey: key, Attempt: 1}, Payment: pay.Ref{ID: "pay_1", ProviderRef: ref},
		Amount: pay.New(minor, "EUR"), Paid: pay.New(1230, "EUR"),
	}
}

func (b *bench) ledger() string {
	text := ""
	for _, e := range b.Effects() {
		text += fmt.Sprintf("%s %d %s; ", e.Kind, e.Amount, e.Key)
	}
	return text
}

// TestAurora lives a payment of aurora's: created twice, paid, and given back in parts.
func TestAurora(t *testing.T) {
	t.Parallel()
	b, ctx, merchant := start(t, load(t, "aurora"), aurora.New()), t.Context(), newShop(t)
	created, err := b.conn.Create(ctx, order("k1", 1230, merchant.URL+"/n"))
	again, err2 := b.conn.Create(ctx, order("k1", 1230, merchant.URL+"/n"))
	if err != nil || err2 != nil || created.ProviderRef == "" || created.ProviderRef != again.ProviderRef {
		t.Fatalf("create: %+v %v, again %+v %v", created, err, again, err2)
	}
	if want := b.url + "/p/" + created.ProviderRef; created.Next.URL != want {
		t.Errorf("page %s, want %s", created.Next.URL, want)
	}
	if _, err := b.conn.Create(ctx, order("k1", 1231, "")); pay.ClassOf(err) != pay.ClassInvalidRequest {
		t.Errorf("the key with another body: %v", err)
	}
	if _, err := b.conn.Refund(ctx, refund("r0", created.ProviderRef, 130)); pay.ClassOf(err) != pay.ClassDeclined {
		t.Errorf("refund of an unpaid order: %v", err)
	}
	if err := b.Move(created.ProviderRef, "paid"); err != nil {
		t.Fatal(err)
	}
	for _, r := range []pay.RefundRequest{
		refund("r1", created.ProviderRef, 130), refund("r1", created.ProviderRef, 130), refund("r2", created.ProviderRef, 1100),
	} {
		if result, err := b.conn.Refund(ctx, r); err != nil || result.Outcome != pay.OutcomeApplied {
			t.Errorf("refund %s: %+v %v", r.Key, result, err)
		}
	}
	if _, err := b.conn.Refund(ctx, refund("r3", created.ProviderRef, 60)); pay.ClassOf(err) != pay.ClassDeclined {
		t.Errorf("a refund of more than is left: %v", err)
	}
	items, err := b.conn.Status(ctx, pay.Ref{ID: "pay_k1", ProviderRef: created.ProviderRef, Amount: pay.New(1230, "EUR")})
	if err != nil || len(items) != 1 || len(items[0].Observations) != 1 {
		t.Fatalf("status: %+v %v", items, err)
	}
	o := items[0].Observations[0]
	if o.Payment != pay.PaymentSucceeded || o.AmountPaid != pay.New(1230, "EUR") || o.AmountRefunded != pay.New(1230, "EUR") {
		t.Errorf("status: %+v", o)
	}
	if want := "charge 1230 k1; refund 130 r1; refund 1100 r2; "; b.ledger() != want {
		t.Errorf("ledger %q, want %q", b.ledger(), want)
	}
}

// TestAuroraNotifies reads a notification with the plugin, whole and touched.
func TestAuroraNotifies(t *testing.T) {
	t.Parallel()
	b, ctx, merchant := start(t, load(t, "aurora"), aurora.New()), t.Context(), newShop(t)
	created, err := b.conn.Create(ctx, order("k1", 1230, merchant.URL+"/n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Move(created.ProviderRef, "paid"); err != nil {
		t.Fatal(err)
	}
	b.Simulator.(conformance.Caller).WaitDeliveries()
	got := merchant.notifications()
	if len(got) != 1 || got[0].Method != "POST" || got[0].Path != "/n" {
		t.Fatalf("notifications %+v", got)
	}
	read := func(b *bench, n pay.NotificationRequest) pay.Notification {
		note, err := b.conn.Notification(ctx, n)
		if err != nil {
			t.Fatal(err)
		}
		return note
	}
	note := read(b, got[0])
	if note.Authenticity != pay.AuthenticityStrong || len(note.Observations) != 1 ||
		note.Observations[0].AmountPaid != pay.New(1230, "EUR") || note.ProviderRef != created.ProviderRef {
		t.Errorf("notification %+v", note)
	}
	touched := got[0]
	touched.Body = bytes.Replace(touched.Body, []byte("12.30"), []byte("12.31"), 1)
	if note := read(b, touched); note.Authenticity != pay.AuthenticityNone {
		t.Errorf("a touched notification is %s", note.Authenticity)
	}
	// A key that is generated is another in every file that is read.
	if other := start(t, load(t, "aurora"), aurora.New()); read(other, got[0]).Authenticity != pay.AuthenticityNone {
		t.Error("another provider's key verified it")
	}
}

// TestAuroraExpires passes the time to pay, and tells of it.
func TestAuroraExpires(t *testing.T) {
	t.Parallel()
	p := load(t, "aurora")
	b, merchant := start(t, p, aurora.New()), newShop(t)
	created, err := b.conn.Create(t.Context(), order("k1", 1230, merchant.URL))
	if err != nil {
		t.Fatal(err)
	}
	b.pass(p.Terms.Lifetime - time.Minute)
	if o, _ := object(b.Simulator, created.ProviderRef); o.State != "new" {
		t.Errorf("state %s before the time", o.State)
	}
	b.pass(time.Minute)
	if o, _ := object(b.Simulator, created.ProviderRef); o.State != "expired" {
		t.Errorf("state %s after the time", o.State)
	}
	b.Simulator.(conformance.Caller).WaitDeliveries()
	if got := merchant.notifications(); len(got) != 1 || !bytes.Contains(got[0].Body, []byte(`"state":"expired"`)) {
		t.Errorf("notifications %+v", got)
	}
	if len(b.Effects()) != 0 {
		t.Errorf("ledger %q", b.ledger())
	}
}

// TestBadSettingsAreRefused holds the files' own words against the plugins.
func TestBadSettingsAreRefused(t *testing.T) {
	t.Parallel()
	p := load(t, "aurora")
	b := start(t, p, aurora.New())
	if len(p.Terms.BadSettings) < 3 {
		t.Fatalf("bad settings %+v", p.Terms.BadSettings)
	}
	for _, bad := range p.Terms.BadSettings {
		c, err := p.Connect(b.Simulator, b.url, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		c.Settings = []byte(bad.Settings)
		if err := connects(t, c); err == nil {
			t.Errorf("settings %s were taken", bad.Settings)
		}
	}
}

func connects(t *testing.T, c host.ConnectionConfig) error {
	t.Helper()
	h, err := host.New(host.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if _, err := h.Load(t.Context(), "plugin", native(aurora.New())); err != nil {
		t.Fatal(err)
	}
	c.Name, c.Plugin, c.Egress = "main", "plugin", host.Grant{AllowPrivate: true, AllowHTTP: true}
	_, err = h.Connect(t.Context(), c)
	return err
}

// TestManyAtOnce creates under one key from many sides: it is one order.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	b := start(t, load(t, "aurora"), aurora.New())
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			result, err := b.conn.Create(t.Context(), order("k1", 1230, ""))
			if err != nil {
				t.Error(err)
				return
			}
			_ = b.Move(result.ProviderRef, "paid")
			b.Advance(time.Second)
			_, _ = b.conn.Refund(t.Context(), refund("r1", result.ProviderRef, 130))
		})
	}
	all.Wait()
	if n := len(b.Objects()); n != 2 {
		t.Errorf("%d objects, want an order and a refund", n)
	}
	if want := "charge 1230 k1; refund 130 r1; "; b.ledger() != want {
		t.Errorf("ledger %q, want %q", b.ledger(), want)
	}
}
