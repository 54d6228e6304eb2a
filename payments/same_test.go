package payments_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// listener notes what the plugin was asked for.
type listener struct {
	*rahmet.Provider
	mu      *sync.Mutex
	refunds *[]pay.RefundRequest
}

// Refund notes the request.
func (l listener) Refund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	l.mu.Lock()
	*l.refunds = append(*l.refunds, *r)
	l.mu.Unlock()
	return l.Provider.Refund(h, r)
}

// TestTheSameKeySaysTheSame: a provider that knows a key may hold the body against the
// first one. Every attempt of an operation is handed the same request.
func TestTheSameKeySaysTheSame(t *testing.T) {
	t.Parallel()
	l := listener{Provider: rahmet.New(), mu: &sync.Mutex{}, refunds: &[]pay.RefundRequest{}}
	b := newBench(t, "sqlite", rig.Options{Native: map[string]sdk.Provider{rig.Rahmet: l}})
	book := paidRahmet(t, b)
	// Twice, for the host repeats a keyed call once by itself.
	if err := b.Rahmet.Fault(simkit.Fault{Path: refundPath, Kind: simkit.CutBefore, Count: 2}); err != nil {
		t.Fatal(err)
	}
	answer, err := b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), payments.NewRefund{
		Amount: pay.New(100000, pay.KZT), Reason: "one pizza less",
	})
	if err != nil || !answer.InDoubt {
		t.Fatalf("in doubt %t, error %v", answer.InDoubt, err)
	}
	b.until(answer.Book, 24*time.Hour, func(bk *ledger.Book) bool { return len(bk.Doubts(true)) == 0 })
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(*l.refunds) < 2 {
		t.Fatalf("sent in %d attempts", len(*l.refunds))
	}
	first := (*l.refunds)[0]
	if first.Reason != "one pizza less" {
		t.Errorf("the reason is %q", first.Reason)
	}
	of := cmpopts.IgnoreFields(pay.Intent{}, "Attempt", "Deadline", "Earlier")
	for _, again := range (*l.refunds)[1:] {
		if diff := cmp.Diff(first, again, of, cmpopts.IgnoreFields(pay.Ref{}, "CreatedAt", "Keys")); diff != "" {
			t.Errorf("attempt %d was asked for something else:\n%s", again.Attempt, diff)
		}
	}
}
