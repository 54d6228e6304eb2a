package json_test

import (
	"testing"

	"github.com/payhost/payhost/sdk/json"
)

// BenchmarkRead parses an answer of 300 bytes and takes four members from it, one of
// them inside another.
func BenchmarkRead(b *testing.B) {
	text := []byte(`{"error_code":0,"status":"success","message":"Заказ создан","data":{"preorder_id":111,` +
		`"url":"https://pay.example/?id=3f1f7c2a9b","inner_url":null,"external_url":null,"note":"` +
		`a few bytes more, so that the answer is as long as real ones are in the field, about three hundred"}}`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		v, err := json.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		code, _ := v.Get("error_code").Int()
		if code != 0 || v.Get("status").Str() != "success" || v.Get("data").Get("url").Str() == "" {
			b.Fatal("not what was written")
		}
	}
}

// BenchmarkWriter writes a body of five members.
func BenchmarkWriter(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var w json.Writer
		w.Object("")
		w.String("orderNumber", "ord-2026-11-22-000417")
		w.Int("amount", 12990000)
		w.String("returnUrl", "https://shop.example.com/pay/return?o=417")
		w.String("description", "Order 417: \"lamp\" & shade")
		w.Bool("twoStage", false)
		w.End()
		b.SetBytes(int64(len(w.Bytes())))
	}
}
