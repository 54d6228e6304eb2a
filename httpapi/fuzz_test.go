package httpapi_test

import (
	"strings"
	"testing"

	"github.com/payhost/payhost/payments"
)

// FuzzCreate wants every body answered, and what is let in to be what the document
// allows: no more than it says.
func FuzzCreate(f *testing.F) {
	for _, seed := range []string{
		createBody, `{"connection":"c","order_id":"o","amount":null}`, `{"connection":"c","order_id":"o","metadata":{"k":"v"},"options":{"a":"b"}}`,
		`{"connection":"c","order_id":"o","lines":[{"name":"n","quantity":1,"price":` + money + `}],"customer":{"name":"x"},"expires_at":"2026-03-01T00:00:00Z"}`,
		`{"connection":"c","order_id":"o","amount":{"value":1e3,"currency":"KZT"}}`, `{`, `[]`, `{"a":"\ud800"}`, `{"":1}`, strings.Repeat(`{"a":`, 70),
	} {
		f.Add(seed)
	}
	engine := newFake()
	api := serve(f, engine, nil)
	f.Fuzz(func(t *testing.T, body string) {
		engine.asked = nil
		w := send(api, request("POST", "/v1/payments", body))
		switch w.Code {
		case 400, 422:
			problem(t, w, w.Code)
			engine.untouched(t)
		case 201:
			p := engine.only(t).args[0].(payments.NewPayment)
			if p.Connection == "" || p.OrderID == "" || len(p.OrderID) > 4*128 || len(p.Metadata) > 50 || len(p.Lines) > 200 {
				t.Errorf("let in: %+v", p)
			}
			if !p.Amount.IsZero() && (p.Amount.Minor < 1 || p.Amount.Valid() != nil) {
				t.Errorf("amount let in: %+v", p.Amount)
			}
			for _, l := range p.Lines {
				if l.Name == "" || l.Quantity < 1 || l.Price.Minor < 1 || l.Price.Valid() != nil {
					t.Errorf("line let in: %+v", l)
				}
			}
			s := describedBy(t, api.Document()).schema("/components/schemas/NewPayment")
			if err := s.Validate(parse(t, strings.NewReader(strings.TrimPrefix(body, "\xef\xbb\xbf")))); err != nil && !nullsOnly(body) {
				t.Errorf("the document refuses it: %v", err)
			}
		default:
			t.Errorf("status %d: %s", w.Code, w.Body.String())
		}
	})
}

// nullsOnly reports whether a body has nulls: of an optional field they are taken for
// its absence, which the document does not say.
func nullsOnly(body string) bool { return strings.Contains(body, "null") }
