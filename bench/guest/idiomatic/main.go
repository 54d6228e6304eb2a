// Command idiomatic is the work as a payhost plugin that leaves payhost's writers and
// readers alone: it does what the peers' plugins do, with net/url and encoding/json.
package main

import (
	"time"

	"github.com/payhost/payhost/internal/benchwork"
	"github.com/payhost/payhost/internal/benchwork/plugin"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

func init() { sdk.Register(provider{}) } // a reactor module never runs main

func main() {}

type provider struct{ plugin.Provider }

// Create asks the provider for a payment.
func (provider) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	result, err := benchwork.Create(plain(r), func(q *benchwork.HTTPRequest) (benchwork.HTTPResponse, error) {
		request := &sdk.Request{Method: q.Method, URL: q.URL, Body: q.Body, Auth: sdk.Bearer("api_key"), Effect: sdk.Money}
		for _, f := range q.Header {
			if f.Name != "Authorization" { // the host fills that
				request.Header = append(request.Header, pay.Field(f))
			}
		}
		response, err := h.Send(request)
		if err != nil {
			return benchwork.HTTPResponse{}, err
		}
		return benchwork.HTTPResponse{Status: response.Status, Body: response.Body}, nil
	})
	if err != nil {
		return nil, err
	}
	return typed(result), nil
}

func plain(r *pay.CreateRequest) *benchwork.Request {
	out := &benchwork.Request{
		PaymentID: r.PaymentID, OrderID: r.OrderID, Key: r.ProviderKey, Amount: r.Amount.Minor, Currency: string(r.Amount.Currency),
		CaptureMethod: r.Option("capture_method"), PaymentMethod: r.Option("payment_method"), ClientIP: r.Option("client_ip"),
		StatementDescriptor: r.Option("statement_descriptor"), ReturnURL: r.ReturnURL, FailURL: r.FailURL,
		NotificationURL: r.NotificationURL, Description: r.Description, Locale: r.Locale, Customer: benchwork.Customer(r.Customer),
	}
	for _, l := range r.Lines {
		out.Items = append(out.Items, benchwork.Item{Name: l.Name, Quantity: l.Quantity, UnitAmount: l.Price.Minor})
	}
	return out
}

func typed(r benchwork.Result) *pay.Result {
	var status pay.PaymentStatus
	_ = status.UnmarshalText([]byte(r.Status)) // the words are payhost's
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: r.ProviderRef, ExpiresAt: time.Unix(r.ExpiresAt, 0).UTC(),
		Next: pay.NextAction{Type: pay.NextRedirect, URL: r.RedirectURL},
		Observations: []pay.Observation{{
			Subject: pay.SubjectPayment, Payment: status, ProviderState: r.ProviderState, ProviderRef: r.ProviderRef,
			Amount: pay.New(r.Amount, pay.Currency(r.Currency)),
		}},
	}
}
