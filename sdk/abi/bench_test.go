package abi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// benchCreate is a create as it happens: some 650 bytes.
func benchCreate() *pay.CreateRequest {
	at := time.UnixMilli(1_800_000_000_000)
	return &pay.CreateRequest{
		Intent: pay.Intent{
			Key: "op_01jzq3k9v6x8m2t4", ProviderKey: "A1B2C3D4E5F6A7B8", Attempt: 1,
			Deadline: at.Add(10 * time.Second),
		},
		PaymentID: "pay_01jzq3k9v6x8m2t4", OrderID: "shop-2026-000184", Amount: pay.New(250000, pay.KZT),
		Description:     "Order 184: two tickets, Almaty, row 7",
		ReturnURL:       "https://shop.example/orders/184/thanks",
		FailURL:         "https://shop.example/orders/184/failed",
		NotificationURL: "https://pay.shop.example/n/main/9f8c1d2e3a4b5c6d",
		Customer:        pay.Customer{Name: "A. Customer", Email: "a@customer.example", Phone: "+77010000000"},
		Lines: []pay.Line{
			{Name: "Ticket, adult", Quantity: 1, Price: pay.New(150000, pay.KZT)},
			{Name: "Ticket, child", Quantity: 1, Price: pay.New(100000, pay.KZT)},
		},
		Locale: "kk", ExpiresAt: at.Add(15 * time.Minute),
		Options: []pay.Option{{Name: "note", Value: strings.Repeat("x", 120)}},
	}
}

func benchReply() *abi.Reply {
	return &abi.Reply{Result: &pay.Result{
		Outcome: pay.OutcomeAccepted, ProviderRef: "8f14e45f-ceea-467f-9575-2c0e5b3b1a11",
		Next: pay.NextAction{
			Type: pay.NextRedirect, URL: "https://pay.provider.example/c/8f14e45fceea467f95752c0e5b3b1a11",
			ExpiresAt: time.UnixMilli(1_800_000_900_000),
		},
		Observations: []pay.Observation{{
			Subject: pay.SubjectPayment, Payment: pay.PaymentPending, ProviderState: "Pending",
			Amount: pay.New(250000, pay.KZT),
		}},
	}}
}

func BenchmarkAppendCreate(b *testing.B) {
	m, buf := benchCreate(), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = abi.AppendCreate(buf[:0], m)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkDecodeCreate(b *testing.B) {
	raw := abi.AppendCreate(nil, benchCreate())
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := abi.DecodeCreate(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendReply(b *testing.B) {
	m, buf := benchReply(), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = abi.AppendReply(buf[:0], m)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkDecodeReply(b *testing.B) {
	raw := abi.AppendReply(nil, benchReply())
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := abi.DecodeReply(raw); err != nil {
			b.Fatal(err)
		}
	}
}
