package form_test

import (
	"testing"

	"github.com/payhost/payhost/sdk/form"
)

// BenchmarkWriter writes a form of four fields with a link in it.
func BenchmarkWriter(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var w form.Writer
		w.Add("merchant_order_id", "ord-2026-11-22-000417")
		w.AddInt("amount", 129900)
		w.Add("backlink", "https://shop.example.com/pay/return?o=417")
		w.Add("description", "Order 417: lamp & shade")
		b.SetBytes(int64(len(w.Bytes())))
	}
}
