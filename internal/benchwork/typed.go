package benchwork

import "github.com/payhost/payhost/sdk/pay"

// CreateRequest returns a request as payhost's types have it.
func CreateRequest(r *Request) *pay.CreateRequest {
	currency := pay.Currency(r.Currency)
	typed := &pay.CreateRequest{
		Intent:    pay.Intent{Key: r.Key, ProviderKey: r.Key, Attempt: 1},
		PaymentID: r.PaymentID, OrderID: r.OrderID, Amount: pay.New(r.Amount, currency), Description: r.Description,
		ReturnURL: r.ReturnURL, FailURL: r.FailURL, NotificationURL: r.NotificationURL, Locale: r.Locale,
		Customer: pay.Customer(r.Customer),
		Options: []pay.Option{
			{Name: "capture_method", Value: r.CaptureMethod},
			{Name: "payment_method", Value: r.PaymentMethod},
			{Name: "client_ip", Value: r.ClientIP},
			{Name: "statement_descriptor", Value: r.StatementDescriptor},
		},
	}
	for _, item := range r.Items {
		line := pay.Line{Name: item.Name, Quantity: item.Quantity, Price: pay.New(item.UnitAmount, currency)}
		typed.Lines = append(typed.Lines, line)
	}
	return typed
}

// FromResult returns payhost's result as a [Result], to be held against [Want].
func FromResult(r *pay.Result) Result {
	out := Result{ProviderRef: r.ProviderRef, RedirectURL: r.Next.URL, ExpiresAt: r.ExpiresAt.Unix()}
	if len(r.Observations) == 1 {
		seen := r.Observations[0]
		out.Status, out.ProviderState = seen.Payment.String(), seen.ProviderState
		out.Amount, out.Currency = seen.Amount.Minor, string(seen.Amount.Currency)
	}
	return out
}
