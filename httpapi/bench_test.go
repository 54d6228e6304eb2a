package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

// answerless is a ResponseWriter that keeps nothing.
type answerless struct{ header http.Header }

func (w answerless) Header() http.Header         { return w.header }
func (w answerless) Write(b []byte) (int, error) { return len(b), nil }
func (w answerless) WriteHeader(int)             {}

// BenchmarkCreate is what the API costs of one create: token, key, body, schema,
// answer. The engine does nothing.
func BenchmarkCreate(b *testing.B) {
	api := serve(b, newFake(), nil)
	body := `{"connection":"rahmet-main","order_id":"100500","amount":` + money + `,"description":"Order 100500","return_url":"https://shop.example/thanks",
		"customer":{"name":"Ann","phone":"+77010000000"},"lines":[{"name":"Pizza","quantity":2,"price":{"value":"125000","currency":"KZT"}}],"metadata":{"cart":"17"}}`
	req := request("POST", "/v1/payments", body)
	b.ReportAllocs()
	for b.Loop() {
		again := *req
		again.Body = readCloser{strings.NewReader(body)}
		api.ServeHTTP(answerless{http.Header{}}, &again)
	}
}

// BenchmarkGet is what it costs of one read.
func BenchmarkGet(b *testing.B) {
	api := serve(b, newFake(), nil)
	req := request("GET", "/v1/payments/"+payment, "")
	b.ReportAllocs()
	for b.Loop() {
		again := *req
		api.ServeHTTP(answerless{http.Header{}}, &again)
	}
}

// BenchmarkNew is what a start costs.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		serve(b, newFake(), nil)
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
