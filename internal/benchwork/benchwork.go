// Package benchwork is the one piece of work that payhost's benchmarks measure,
// "create payment": a typed request of about 650 bytes becomes a form of 25 keys, a
// provider answers with 300 bytes of JSON, and they become a typed result of about
// 200 bytes. Every variant has to make the same result of the same request.
//
// The types here are what a program without payhost would have. Package plugin
// beside it is the same work as a payhost plugin.
package benchwork

import "errors"

// Request asks for a payment.
type Request struct {
	PaymentID           string   `json:"payment_id"`
	OrderID             string   `json:"order_id"`
	Key                 string   `json:"key"`    // makes a repeat harmless
	Amount              int64    `json:"amount"` // in cents
	Currency            string   `json:"currency"`
	CaptureMethod       string   `json:"capture_method"`
	PaymentMethod       string   `json:"payment_method"`
	ClientIP            string   `json:"client_ip"`
	StatementDescriptor string   `json:"statement_descriptor"`
	ReturnURL           string   `json:"return_url"`
	FailURL             string   `json:"fail_url"`
	NotificationURL     string   `json:"notification_url"`
	Description         string   `json:"description"`
	Locale              string   `json:"locale"`
	Customer            Customer `json:"customer"`
	Items               []Item   `json:"items"`
}

// Customer is who pays.
type Customer struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone"`
}

// Item is one line of the order.
type Item struct {
	Name       string `json:"name"`
	Quantity   int64  `json:"quantity"`
	UnitAmount int64  `json:"unit_amount"` // in cents
}

// Result is what became of the request.
type Result struct {
	ProviderRef   string `json:"provider_ref"`
	Status        string `json:"status"` // payhost's word
	ProviderState string `json:"provider_state"`
	Amount        int64  `json:"amount"` // in cents
	Currency      string `json:"currency"`
	RedirectURL   string `json:"redirect_url"`
	ExpiresAt     int64  `json:"expires_at"` // seconds since 1970
}

// HTTPRequest is what a plugin hands to its host to send.
type HTTPRequest struct {
	Method string   `json:"method"`
	URL    string   `json:"url"`
	Header []Header `json:"header"`
	Body   []byte   `json:"body"`
}

// Header is one header field.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// HTTPResponse is the provider's answer.
type HTTPResponse struct {
	Status int    `json:"status"`
	Body   []byte `json:"body"`
}

// Send sends a request to the provider.
type Send func(*HTTPRequest) (HTTPResponse, error)

// The provider, as its merchant knows it.
const (
	BaseURL = "https://api.provider.example"
	Path    = "/v1/payments"
	Token   = "sk_test_0123456789abcdef0123456789abcdef"
)

// Answer is the body of every answer of the provider.
const Answer = `{"id":"pi_3QNx8Z2eZvKYlo2C1a2b3c4d","object":"payment","status":"requires_action","amount":129900,` +
	`"currency":"EUR","expires_at":1795383600,"livemode":false,"next_action":{"type":"redirect","redirect_url":` +
	`"https://prov.example/3ds/pi_3QNx8Z2eZvKY"},"metadata":{"payment_id":"pay_01JD8Z5W3Q9T7Y2M4K6N8P0R1S"}}`

// Stub answers at once, after a look at the request.
func Stub(r *HTTPRequest) (HTTPResponse, error) {
	if r.Method != "POST" || r.URL != BaseURL+Path || len(r.Body) < 100 || len(r.Header) < 3 {
		return HTTPResponse{}, errors.New("the provider was asked for something else")
	}
	return HTTPResponse{Status: 200, Body: []byte(Answer)}, nil
}

// Sample returns the request of every variant.
func Sample() *Request {
	return &Request{
		PaymentID: "pay_01JD8Z5W3Q9T7Y2M4K6N8P0R1S", OrderID: "ord-2026-11-22-000417", Key: "op_01JD8Z5W3Q9T7Y2M4K6N8P0R1S",
		Amount: 129900, Currency: "EUR", CaptureMethod: "automatic", PaymentMethod: "tok_visa_4242",
		ClientIP: "203.0.113.77", StatementDescriptor: "SHOP*417", Locale: "en",
		ReturnURL:       "https://shop.example.com/pay/return?o=417&session=5f2c7a1e9d",
		FailURL:         "https://shop.example.com/pay/cancel?o=417&session=5f2c7a1e9d",
		NotificationURL: "https://pay.example.com/n/bench-main/5f2c7a1e9d0b4c83?v=1", Description: "Order 417: lamp & shades, gift wrapping",
		Customer: Customer{Name: "Ada Lovelace", Email: "ada.lovelace@example.com", Phone: "+442071838750"},
		Items: []Item{
			{Name: "Desk lamp, brass", Quantity: 1, UnitAmount: 89900},
			{Name: "Glass shade, green", Quantity: 2, UnitAmount: 15000},
			{Name: "Glass shade, clear", Quantity: 1, UnitAmount: 10000},
		},
	}
}

// Want returns the result that every variant has to make of [Sample].
func Want() Result {
	return Result{
		ProviderRef: "pi_3QNx8Z2eZvKYlo2C1a2b3c4d", Status: "pending", ProviderState: "requires_action", Amount: 129900,
		Currency: "EUR", RedirectURL: "https://prov.example/3ds/pi_3QNx8Z2eZvKY", ExpiresAt: 1795383600,
	}
}
