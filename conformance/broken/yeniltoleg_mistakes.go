package broken

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// Mistakes about what register answers.

func takenIsDoubt(_ *sdk.Host, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error) {
	if e != nil && e.Class == pay.ClassInvalidRequest && e.Field == "order_id" {
		e.Class, e.Field = pay.ClassDuplicate, ""
	}
	return result, e
}

func fieldsAsTheyCome(_ *sdk.Host, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error) {
	if e != nil && e.Field != "" && e.ProviderMessage != "" {
		e.Field, _, _ = strings.Cut(e.ProviderMessage, ":")
	}
	return result, e
}

func knownKeyIsNo(_ *sdk.Host, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error) {
	if e != nil && e.Class == pay.ClassDuplicate {
		e.Class, e.Reason = pay.ClassDeclined, pay.DeclinedOther
	}
	return result, e
}

func tokenIsRequest(_ *sdk.Host, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error) {
	if e != nil && e.Class == pay.ClassAuth {
		e.Class = pay.ClassInvalidRequest
	}
	return result, e
}

func silent(_ *sdk.Host, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error) {
	if e != nil {
		e.ProviderMessage = ""
	}
	return result, e
}

func noIsDoubt(_ *sdk.Host, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error) {
	if e != nil && e.Class == pay.ClassDeclined {
		e.Class, e.Reason = pay.ClassProtocol, 0
	}
	return result, e
}

func ownPage(h *sdk.Host, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error) {
	if e == nil && !strings.HasPrefix(result.Next.URL, h.BaseURL()) {
		return nil, &pay.Error{Class: pay.ClassProtocol, Message: "register: payment page is not the provider's"}
	}
	return result, e
}

func tidyPage(_ *sdk.Host, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error) {
	if e == nil {
		if page, err := url.Parse(result.Next.URL); err == nil {
			page.RawQuery = page.Query().Encode()
			result.Next.URL = page.String()
		}
	}
	return result, e
}

// Mistakes about what is registered.

func newKeyAfter500(p *yeniltoleg.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	if r.Earlier.Status == 500 {
		r.ProviderKey += "-" + strconv.Itoa(r.Attempt)
	}
	return p.Create(h, r)
}

func shifted(by time.Duration) func(*yeniltoleg.Provider, *sdk.Host, *pay.CreateRequest) (*pay.Result, error) {
	return func(p *yeniltoleg.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
		if !r.ExpiresAt.IsZero() {
			r.ExpiresAt = r.ExpiresAt.Add(by)
		}
		return p.Create(h, r)
	}
}

func binaryManat(p *yeniltoleg.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	manat := float64(r.Amount.Minor) / 100
	r.Amount.Minor = int64(manat * 100) // 0.57 manat are 56 tenge
	return p.Create(h, r)
}

func priceOfLine(p *yeniltoleg.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	for i := range r.Lines {
		r.Lines[i].Price.Minor *= r.Lines[i].Quantity
	}
	return p.Create(h, r)
}

// Mistakes about cancel and refund.

func declinedIsDone(op pay.Operation, ref *pay.Ref, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error) {
	if e != nil && e.Class == pay.ClassDeclined {
		return undoDone(op, ref), nil
	}
	return result, e
}

func lateIsDone(op pay.Operation, ref *pay.Ref, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error) {
	if op == pay.OpCancel && e != nil && e.Class == pay.ClassStateConflict {
		return undoDone(op, ref), nil
	}
	return result, e
}

// refundedIsLate forgets that what was asked for may be so already. What was looked up
// has the provider's word.
func refundedIsLate(op pay.Operation, _ *pay.Ref, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error) {
	if op == pay.OpRefund && e == nil && result.Observations[0].ProviderState != "" {
		return nil, &pay.Error{Class: pay.ClassStateConflict, ProviderCode: result.Observations[0].ProviderState}
	}
	return result, e
}

// undoDone is what a cancel or a refund has come to if it was done.
func undoDone(op pay.Operation, ref *pay.Ref) *pay.Result {
	o := pay.Observation{Subject: pay.SubjectPayment, Payment: pay.PaymentCanceled, ProviderRef: ref.ProviderRef}
	if op == pay.OpRefund {
		o = pay.Observation{Subject: pay.SubjectRefund, Refund: pay.RefundSucceeded}
	}
	return &pay.Result{Outcome: pay.OutcomeApplied, ProviderRef: ref.ProviderRef, Observations: []pay.Observation{o}}
}

func cancelBlindly(p *yeniltoleg.Provider, h *sdk.Host, r *pay.PaymentRequest) (*pay.Result, error) {
	r.Attempt, r.Earlier = 1, pay.Evidence{}
	return p.Cancel(h, r)
}

func refundBlindly(p *yeniltoleg.Provider, h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	r.Attempt, r.Earlier = 1, pay.Evidence{}
	return p.Refund(h, r)
}

func refundParts(p *yeniltoleg.Provider, h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	part := r.Amount
	r.Amount = r.Paid
	result, err := p.Refund(h, r)
	if err == nil {
		result.Observations[0].Amount = part
	}
	return result, err
}

// Mistakes about the status.

func exactLetters(item *pay.StatusItem) {
	for _, o := range item.Observations {
		switch o.ProviderState {
		case "Pending", "InProgress", "Succeeded", "Refunded", "Canceled", "Failed", "Expired":
		default:
			*item = pay.StatusItem{ID: item.ID}
			return
		}
	}
}

func expiredIsFailed(item *pay.StatusItem) {
	for i := range item.Observations {
		if o := &item.Observations[i]; o.Payment == pay.PaymentExpired {
			o.Payment, o.Reason = pay.PaymentFailed, pay.DeclinedOther
		}
	}
}

// withCard reads the card beside the status, and hands the field to what is wrong.
func withCard(
	p *yeniltoleg.Provider, h *sdk.Host, list []pay.Ref, wrong func(item *pay.StatusItem, card json.Value),
) ([]pay.StatusItem, error) {
	items, err := p.Status(h, list)
	for i := range items {
		if len(items[i].Observations) == 0 {
			continue
		}
		r := sdk.GetJSON("/api/v1/payment/getPaymentStatus/" + list[0].ProviderRef)
		r.Auth = sdk.Bearer("access_token")
		response, err := h.Send(r)
		if err != nil {
			return nil, err
		}
		if body, err := json.Parse(response.Body); err == nil && response.Status == 200 {
			wrong(&items[i], body.Get("cardMask"))
		}
	}
	return items, err
}

func needsCard(p *yeniltoleg.Provider, h *sdk.Host, list []pay.Ref) ([]pay.StatusItem, error) {
	return withCard(p, h, list, func(item *pay.StatusItem, card json.Value) {
		if card.Kind() == json.Missing {
			*item = pay.StatusItem{ID: item.ID, Err: &pay.Error{Class: pay.ClassProtocol, Message: "status: answer has no card"}}
		}
	})
}

func tellsCard(p *yeniltoleg.Provider, h *sdk.Host, list []pay.Ref) ([]pay.StatusItem, error) {
	return withCard(p, h, list, func(item *pay.StatusItem, card json.Value) {
		if card.Str() != "" {
			item.Observations[0].Detail = "paid with " + card.Str()
		}
	})
}

func logsCard(p *yeniltoleg.Provider, h *sdk.Host, list []pay.Ref) ([]pay.StatusItem, error) {
	return withCard(p, h, list, func(_ *pay.StatusItem, card json.Value) {
		if card.Str() != "" {
			h.Log(sdk.Info, "payment was made", "card", card.Str())
		}
	})
}
