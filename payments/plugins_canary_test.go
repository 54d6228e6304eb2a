package payments_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// canary is the digest and share of what runs beside the revision in use.
func (n *pluginNode) canary() string {
	c := n.List()[0].Canary
	if c == nil {
		return "none"
	}
	return fmt.Sprintf("%.12s %d", c.Digest, c.Percent)
}

func (n *pluginNode) has(t *testing.T, base host.Source, canary string) {
	t.Helper()
	n.runs(t, base)
	if got := n.canary(); got != canary {
		t.Errorf("canary %s, want %s", got, canary)
	}
}

// TestCanaryLasts walks through a canary's life: it outlives a restart, its share
// changes, it ends by a rollback, which does not lead to it, and it is put in place.
func TestCanaryLasts(t *testing.T) {
	t.Parallel()
	m, s, ctx := pluginBuilds(t), openRevisions(t), t.Context()
	n := bootNode(t, s, m.one)
	if _, err := n.Push(ctx, "ops", "probe", m.two.Bytes); err != nil {
		t.Fatal(err)
	}
	small, large := fmt.Sprintf("%.12s 5", m.two.SHA256), fmt.Sprintf("%.12s 40", m.two.SHA256)
	if a, err := n.Canary(ctx, "ops", "probe", m.two.SHA256, 5, false); err != nil || a.Canary != 5 || a.By != "ops" || a.Seq == 0 {
		t.Fatalf("%+v, %v", a, err)
	}
	n.has(t, m.one, small)
	bootNode(t, s, m.one).has(t, m.one, small) // the file is the one from before
	first, err := n.Canary(ctx, "ops", "probe", m.two.SHA256, 40, false)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := n.Canary(ctx, "somebody else", "probe", m.two.SHA256, 40, false); err != nil || again.Seq != first.Seq {
		t.Errorf("again: %+v, %v", again, err)
	}
	n.has(t, m.one, large)
	if a, err := n.Rollback(ctx, "ops", "probe", false); err != nil || a.Digest != m.one.SHA256 || a.Canary != 0 {
		t.Fatalf("%+v, %v", a, err)
	}
	n.has(t, m.one, "none")
	bootNode(t, s, m.one).has(t, m.one, "none")
	if _, err := n.Rollback(ctx, "ops", "probe", false); pay.ClassOf(err) != pay.ClassStateConflict {
		t.Errorf("a rollback to what was a canary: %v", err)
	}
	for _, end := range []host.Source{m.one, m.two} {
		if _, err := n.Canary(ctx, "ops", "probe", m.two.SHA256, 5, false); err != nil {
			t.Fatal(err)
		}
		if a, err := n.Activate(ctx, "ops", "probe", end.SHA256, false); err != nil || a.Canary != 0 || a.Digest != end.SHA256 {
			t.Fatalf("%+v, %v", a, err)
		}
		n.has(t, end, "none")
	}
	if _, err := n.Canary(ctx, "ops", "probe", m.one.SHA256, 5, false); err != nil {
		t.Fatal(err)
	}
	bootNode(t, s, m.two).has(t, m.two, "none") // a new file ends it, as any activation does
}

// TestCanaryRefused records nothing that does not run.
func TestCanaryRefused(t *testing.T) {
	t.Parallel()
	m, s, ctx := pluginBuilds(t), openRevisions(t), t.Context()
	n := bootNode(t, s, m.one)
	if _, err := n.Push(ctx, "ops", "probe", m.two.Bytes); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		plugin, digest string
		percent        int
		want           pay.Class
	}{
		"no such plugin":   {"none", m.two.SHA256, 5, pay.ClassNotFound},
		"not pushed":       {"probe", m.other.SHA256, 5, pay.ClassNotFound},
		"its own canary":   {"probe", m.one.SHA256, 5, pay.ClassStateConflict},
		"all payments":     {"probe", m.two.SHA256, 100, pay.ClassInvalidRequest},
		"none of them":     {"probe", m.two.SHA256, 0, pay.ClassInvalidRequest},
		"less than nobody": {"probe", m.two.SHA256, -1, pay.ClassInvalidRequest},
	} {
		if _, err := n.Canary(ctx, "ops", tt.plugin, tt.digest, tt.percent, false); pay.ClassOf(err) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	n.has(t, m.one, "none")
	if got := activatedBy(t, s); got != "config" {
		t.Errorf("activations %q", got)
	}
	native := newPluginNode(t, s)
	if err := native.Boot(ctx, "probe", host.Source{Native: sdk.Native(probe.New())}); err != nil {
		t.Fatal(err)
	}
	_, canary := native.Canary(ctx, "ops", "probe", m.two.SHA256, 5, false)
	_, activated := native.Activate(ctx, "ops", "probe", m.two.SHA256, false)
	_, back := native.Rollback(ctx, "ops", "probe", false)
	for _, err := range []error{canary, activated, back} {
		if pay.ClassOf(err) != pay.ClassStateConflict || !strings.Contains(err.Error(), "in-process") {
			t.Errorf("of what runs in-process: %v", err)
		}
	}
}

// TestCanaryFollows wants a second process to run the canary, with its share, as long as
// the first one does.
func TestCanaryFollows(t *testing.T) {
	t.Parallel()
	m, s, ctx := pluginBuilds(t), openRevisions(t), t.Context()
	first, second := bootNode(t, s, m.one), bootNode(t, s, m.one)
	defer second.follow(ctx)()
	if _, err := first.Push(ctx, "ops", "probe", m.two.Bytes); err != nil {
		t.Fatal(err)
	}
	for _, percent := range []int{5, 60} {
		if _, err := first.Canary(ctx, "ops", "probe", m.two.SHA256, percent, false); err != nil {
			t.Fatal(err)
		}
		untilMet(t, func() bool { return second.canary() == first.canary() })
		second.runs(t, m.one)
	}
	if _, err := first.Rollback(ctx, "ops", "probe", false); err != nil {
		t.Fatal(err)
	}
	untilMet(t, func() bool { return second.canary() == "none" })
	if _, err := first.Canary(ctx, "ops", "probe", m.two.SHA256, 5, false); err != nil {
		t.Fatal(err)
	}
	untilMet(t, func() bool { return second.canary() == first.canary() })
	if _, err := first.Activate(ctx, "ops", "probe", m.two.SHA256, false); err != nil {
		t.Fatal(err)
	}
	untilMet(t, func() bool { return second.digest(t) == m.two.SHA256 && second.canary() == "none" })
}

// TestCanaryKeepsPayments takes payments through their lives while a canary has half of
// them: every call about one is of one revision, by the timeline and by the provider's
// answers, and both revisions have some.
func TestCanaryKeepsPayments(t *testing.T) {
	t.Parallel()
	m, cache := pluginBuilds(t), rig.Cache(t)
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{CacheDir: cache})
		p := bootPlugins(t, b, m.whole, nil)
		for _, revision := range []host.Source{m.twin, m.lean} {
			if _, err := p.Push(b.ctx(), "ops", "smartpay", revision.Bytes); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := p.Canary(b.ctx(), "ops", "smartpay", m.twin.SHA256, 50, false); err != nil {
			t.Fatal(err)
		}
		shares := map[string]int{}
		for i := range 12 {
			shares[takeAtTill(t, b, fmt.Sprintf("till-%d", i))]++
		}
		if len(shares) != 2 || shares[m.whole.SHA256] == 0 || shares[m.twin.SHA256] == 0 {
			t.Errorf("payments by revision: %v", shares)
		}
		b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("open")))
		_, err := p.Canary(b.ctx(), "ops", "smartpay", m.lean.SHA256, 1, false)
		refusedFor(t, err, "confirm (1 of smartpay-till-1)")
		if c := p.List()[slices.IndexFunc(p.List(), func(i payments.PluginInfo) bool { return i.Name == "smartpay" })].Canary; c == nil ||
			c.Digest != m.twin.SHA256 {
			t.Errorf("the canary that gave no way is %+v", c)
		}
	})
}

// takeAtTill takes a payment, gives a part back, and returns the revision that all of it
// was done by.
func takeAtTill(t *testing.T, b *bench, order string) string {
	t.Helper()
	book := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment(order)))
	id := book.PaymentID()
	b.must(b.Engine.Bind(b.ctx(), b.call(), id, present(t, b)))
	book = b.must(b.Engine.Release(b.ctx(), b.call(), id, pay.New(129900, pay.RUB)))
	b.until(book, time.Minute, status(pay.PaymentAuthorized))
	b.must(b.Engine.Confirm(b.ctx(), b.call(), id))
	refund, err := b.Engine.Refund(b.ctx(), b.call(), id, payments.NewRefund{Amount: pay.New(29900, pay.RUB)})
	book = b.until(b.must(refund, err), time.Minute, func(bk *ledger.Book) bool {
		return bk.Refund(refund.RefundID).Status == pay.RefundSucceeded
	})
	entries, err := b.Engine.Timeline(b.ctx(), id)
	if err != nil {
		t.Fatal(err)
	}
	var revisions []string
	for _, e := range entries {
		if prepared, ok := e.Body.(ledger.Prepared); ok {
			revisions = append(revisions, prepared.Revision)
		}
	}
	if len(revisions) < 4 || len(slices.Compact(slices.Clone(revisions))) != 1 || revisions[0] != book.Revision {
		t.Errorf("%s, opened by %.12s, was done by %s", order, book.Revision, strings.Join(revisions, ", "))
	}
	return book.Revision
}
