package benchwork

import (
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
)

// answer is the provider's answer.
type answer struct {
	ID         string `json:"id"`
	Status     string `json:"status"`
	Amount     int64  `json:"amount"`
	Currency   string `json:"currency"`
	ExpiresAt  int64  `json:"expires_at"`
	NextAction struct {
		RedirectURL string `json:"redirect_url"`
	} `json:"next_action"`
}

// Create is the work as a Go programmer would write it, with net/url and
// encoding/json. It is 1 in every ratio.
func Create(r *Request, send Send) (Result, error) {
	if r.Amount <= 0 || len(r.Currency) != 3 {
		return Result{}, errors.New("bad amount or currency")
	}
	response, err := send(&HTTPRequest{
		Method: "POST", URL: BaseURL + Path, Body: []byte(form(r).Encode()),
		Header: []Header{
			{"Authorization", "Bearer " + Token},
			{"Content-Type", "application/x-www-form-urlencoded"},
			{"Accept", "application/json"},
			{"Idempotency-Key", r.Key},
		},
	})
	if err != nil {
		return Result{}, err
	}
	if response.Status != 200 {
		return Result{}, errors.New("provider answered " + strconv.Itoa(response.Status))
	}
	var a answer
	if err := json.Unmarshal(response.Body, &a); err != nil {
		return Result{}, err
	}
	return Result{
		ProviderRef: a.ID, Status: status(a.Status), ProviderState: a.Status, Amount: a.Amount, Currency: a.Currency,
		RedirectURL: a.NextAction.RedirectURL, ExpiresAt: a.ExpiresAt,
	}, nil
}

func form(r *Request) url.Values {
	v := make(url.Values, 25)
	v.Set("amount", strconv.FormatInt(r.Amount, 10))
	v.Set("currency", r.Currency)
	v.Set("capture_method", r.CaptureMethod)
	v.Set("payment_method", r.PaymentMethod)
	v.Set("client_ip", r.ClientIP)
	v.Set("statement_descriptor", r.StatementDescriptor)
	v.Set("return_url", r.ReturnURL)
	v.Set("cancel_url", r.FailURL)
	v.Set("notification_url", r.NotificationURL)
	v.Set("description", r.Description)
	v.Set("locale", r.Locale)
	v.Set("metadata[payment_id]", r.PaymentID)
	v.Set("metadata[order_id]", r.OrderID)
	v.Set("customer[name]", r.Customer.Name)
	v.Set("customer[email]", r.Customer.Email)
	v.Set("customer[phone]", r.Customer.Phone)
	for i, item := range r.Items {
		key := "items[" + strconv.Itoa(i) + "]"
		v.Set(key+"[name]", item.Name)
		v.Set(key+"[quantity]", strconv.FormatInt(item.Quantity, 10))
		v.Set(key+"[unit_amount]", strconv.FormatInt(item.UnitAmount, 10))
	}
	return v
}

func status(state string) string {
	switch state {
	case "requires_action":
		return "pending"
	case "requires_capture":
		return "authorized"
	case "succeeded":
		return "succeeded"
	case "canceled":
		return "canceled"
	}
	return "failed"
}
