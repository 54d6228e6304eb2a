// Package grpcpb holds the messages and services as protoc generates them for Go and
// gRPC.
package grpcpb

import (
	"context"

	"github.com/payhost/payhost/internal/benchwork"
)

// FromRequest returns the request as a message.
func FromRequest(r *benchwork.Request) *Request {
	m := &Request{
		PaymentId: r.PaymentID, OrderId: r.OrderID, Key: r.Key, Amount: r.Amount, Currency: r.Currency,
		CaptureMethod: r.CaptureMethod, PaymentMethod: r.PaymentMethod, ClientIp: r.ClientIP,
		StatementDescriptor: r.StatementDescriptor, ReturnUrl: r.ReturnURL, FailUrl: r.FailURL,
		NotificationUrl: r.NotificationURL, Description: r.Description, Locale: r.Locale,
		Customer: &Customer{Name: r.Customer.Name, Email: r.Customer.Email, Phone: r.Customer.Phone},
	}
	for _, item := range r.Items {
		m.Items = append(m.Items, &Item{Name: item.Name, Quantity: item.Quantity, UnitAmount: item.UnitAmount})
	}
	return m
}

// ToRequest returns the message as a request.
func ToRequest(m *Request) *benchwork.Request {
	c := m.GetCustomer()
	r := &benchwork.Request{
		PaymentID: m.PaymentId, OrderID: m.OrderId, Key: m.Key, Amount: m.Amount, Currency: m.Currency,
		CaptureMethod: m.CaptureMethod, PaymentMethod: m.PaymentMethod, ClientIP: m.ClientIp,
		StatementDescriptor: m.StatementDescriptor, ReturnURL: m.ReturnUrl, FailURL: m.FailUrl,
		NotificationURL: m.NotificationUrl, Description: m.Description, Locale: m.Locale,
		Customer: benchwork.Customer{Name: c.GetName(), Email: c.GetEmail(), Phone: c.GetPhone()},
	}
	for _, item := range m.Items {
		r.Items = append(r.Items, benchwork.Item{Name: item.Name, Quantity: item.Quantity, UnitAmount: item.UnitAmount})
	}
	return r
}

// FromResult returns the result as a message.
func FromResult(r benchwork.Result) *Result {
	return &Result{
		ProviderRef: r.ProviderRef, Status: r.Status, ProviderState: r.ProviderState, Amount: r.Amount, Currency: r.Currency,
		RedirectUrl: r.RedirectURL, ExpiresAt: r.ExpiresAt,
	}
}

// ToResult returns the message as a result.
func ToResult(m *Result) benchwork.Result {
	return benchwork.Result{
		ProviderRef: m.ProviderRef, Status: m.Status, ProviderState: m.ProviderState, Amount: m.Amount, Currency: m.Currency,
		RedirectURL: m.RedirectUrl, ExpiresAt: m.ExpiresAt,
	}
}

// SendBy returns the plain function that sends by the host's service.
func SendBy(ctx context.Context, host HostClient) benchwork.Send {
	return func(r *benchwork.HTTPRequest) (benchwork.HTTPResponse, error) {
		m := &HTTPRequest{Method: r.Method, Url: r.URL, Body: r.Body}
		for _, h := range r.Header {
			m.Header = append(m.Header, &Header{Name: h.Name, Value: h.Value})
		}
		response, err := host.Send(ctx, m)
		if err != nil {
			return benchwork.HTTPResponse{}, err
		}
		return benchwork.HTTPResponse{Status: int(response.Status), Body: response.Body}, nil
	}
}
