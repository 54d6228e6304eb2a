package payments_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// TestSummary reads in the timeline what was asked for, and nothing of the payer.
func TestSummary(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{})
	p := yenilPayment("summed")
	p.Description, p.Locale = "Two pizzas for Ada", "ru"
	p.Customer = pay.Customer{Name: "Ada Lovelace", Email: "ada@example.com"}
	p.Lines = []pay.Line{{Name: "Pizza for Ada", Quantity: 1, Price: p.Amount}}
	book := b.must(b.Engine.Create(b.ctx(), b.call(), p))
	entries, err := b.Engine.Timeline(b.ctx(), book.PaymentID())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		prepared, ok := e.Body.(ledger.Prepared)
		if !ok {
			continue
		}
		want := map[string]string{
			"description": "18 bytes", "customer": "name, email", "lines": "1", "locale": "ru", "return_url": "27 bytes",
		}
		if diff := cmp.Diff(want, prepared.Summary); diff != "" {
			t.Errorf("summary:\n%s", diff)
		}
		if text, _ := json.Marshal(prepared); strings.Contains(string(text), "Ada") || strings.Contains(string(text), "example.com") {
			t.Errorf("the payer stands in %s", text)
		}
		return
	}
	t.Error("no operation was prepared")
}
