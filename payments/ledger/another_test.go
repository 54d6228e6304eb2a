package ledger_test

import (
	"testing"
	"time"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// TestAnotherPayment: what the provider says of another of its payments moves nothing
// and is an alert, unless it bears a key of ours.
func TestAnotherPayment(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const op = "op_01jd5x3v8c0000000000000000_1"
	begun := []ledger.Body{
		ledger.Opened{Connection: "c", Provider: "p", OrderID: "o1", Amount: kzt(1000)},
		ledger.Prepared{Operation: op, Op: pay.OpCreate, Attempt: 1, Sequence: 1, ProviderKey: "o1", Amount: kzt(1000)},
		ledger.Outcome{Operation: op, Attempt: 1, Outcome: pay.OutcomeApplied, ProviderRef: "7"},
	}
	tests := map[string]struct {
		ref, key string
		want     pay.PaymentStatus
		alerts   int
	}{
		"ours":                        {"7", "", pay.PaymentSucceeded, 0},
		"no id told":                  {"", "", pay.PaymentSucceeded, 0},
		"another":                     {"8", "", pay.PaymentPending, 1},
		"another, under a key of its": {"8", "o2", pay.PaymentPending, 1},
		"another id for our own key":  {"8", "o1", pay.PaymentSucceeded, 0},
		"a key of another, no id":     {"", "o2", pay.PaymentPending, 1},
		"our id, under a strange key": {"7", "o2", pay.PaymentSucceeded, 0},
	}
	for name, tt := range tests {
		seen := ledger.Observed{Source: "probe", Observation: ledger.Observation{
			Subject: pay.SubjectPayment, Payment: pay.PaymentSucceeded, ProviderRef: tt.ref, ProviderKey: tt.key, AmountPaid: kzt(1000),
		}}
		var entries []ledger.Entry
		for i, body := range append(append([]ledger.Body(nil), begun...), seen) {
			entries = append(entries, ledger.Entry{
				Seq: int64(i + 1), Book: "01jd5x3v8c0000000000000000", At: at.Add(time.Duration(i) * time.Second), Actor: "host", Body: body,
			})
		}
		b, err := ledger.Fold(entries)
		if err != nil {
			t.Fatal(err)
		}
		if b.Status != tt.want || b.Alerts != tt.alerts {
			t.Errorf("%s: %s with %d alerts, want %s with %d", name, b.Status, b.Alerts, tt.want, tt.alerts)
		}
	}
}
