package broken

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/payhost/payhost/plugins/smartpay"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// pingAlone sends no cookie.
func pingAlone(h *sdk.Host) error {
	response, err := h.Send(sdk.GetJSON("/v1/ping"))
	if err == nil && response.Status != 200 {
		err = &pay.Error{Class: pay.ClassUnavailable, Message: "ping is answered with HTTP " + strconv.Itoa(response.Status)}
	}
	return err
}

// send sends a request with the till's session, whatever that is worth.
func send(h *sdk.Host, r *sdk.Request) (*sdk.Response, error) {
	cookie, _, err := h.Get("session/" + h.Setting("till_id", ""))
	if err != nil {
		return nil, err
	}
	r.Header = append(r.Header, pay.Field{Name: "Cookie", Value: string(cookie)})
	return h.Send(r)
}

// releaseOnce looks whether the provider is there, with a session that it does not
// renew.
func releaseOnce(h *sdk.Host, r *pay.PaymentRequest, release paymentCall) (*pay.Result, error) {
	if r.Payment.ProviderRef != "" {
		seen, err := send(h, sdk.GetJSON("/v1/ping"))
		if err == nil && seen.Status == 401 {
			return nil, &pay.Error{Class: pay.ClassAuth, Message: "session is over"}
		}
	}
	return release(h, r)
}

// badCodeFails makes a refused code the end of the payment.
func badCodeFails(h *sdk.Host, r *pay.BindRequest, bind bindCall) (*pay.Result, error) {
	result, err := bind(h, r)
	if !aboutCode(err) {
		return result, err
	}
	return &pay.Result{
		Outcome: pay.OutcomeDeclined, Reason: pay.DeclinedInstrumentInvalid,
		Observations: []pay.Observation{{
			Subject: pay.SubjectPayment, Payment: pay.PaymentFailed, Reason: pay.DeclinedInstrumentInvalid,
		}},
	}, nil
}

func aboutCode(err error) bool {
	class := pay.ClassOf(err)
	return class == pay.ClassCodeInvalid || class == pay.ClassCodeExpired
}

func withoutLoyalty(h *sdk.Host, r *pay.BindRequest, bind bindCall) (*pay.Result, error) {
	r.Code = codeWithout(r.Code)
	return bind(h, r)
}

// bindUnchecked lets the provider see what the till refuses by itself.
func bindUnchecked(h *sdk.Host, r *pay.BindRequest, bind bindCall) (*pay.Result, error) {
	result, err := bind(h, r)
	if aboutCode(err) && pay.AsError(err).ProviderCode == "" {
		code, bad := json.Parse([]byte(r.Code))
		if bad == nil {
			w := &json.Writer{}
			w.Object("")
			w.String("kassa_purchase_id", r.ProviderKey)
			for _, name := range []string{"id_loyalty", "encrypted", "sign"} {
				w.String(name, code.Get(name).Str())
			}
			w.End()
			_, _ = send(h, sdk.PostJSON("/v1/purchase/code/commit", w, sdk.Money)) // refused like here
		}
	}
	return result, err
}

// bindKnown does not ask after a purchase whose id it has stored.
func bindKnown(h *sdk.Host, r *pay.BindRequest, bind bindCall) (*pay.Result, error) {
	slot := "known/" + r.ProviderKey
	if ref, _, err := h.Get(slot); err == nil && smartpay.New().Ping(h) == nil {
		return &pay.Result{Outcome: pay.OutcomeApplied, ProviderRef: string(ref), Next: pay.NextAction{Type: pay.NextNone}}, nil
	}
	result, err := bind(h, r)
	if err == nil {
		_, _ = h.Put(slot, []byte(result.ProviderRef), 0, sdk.Any) // it will do without
	}
	return result, err
}

// bindAnew gives a bind that is long ago another id, as if it were another purchase.
func bindAnew(h *sdk.Host, r *pay.BindRequest, bind bindCall) (*pay.Result, error) {
	parts := strings.Split(r.ProviderKey, "-")
	if len(parts) > 2 { // <till>-<unix seconds>-<counter>
		made, err := strconv.ParseInt(parts[len(parts)-2], 10, 64)
		if err == nil && h.Now().Sub(time.Unix(made, 0)) > 30*time.Minute {
			r.ProviderKey += "-" + strconv.Itoa(r.Attempt)
		}
	}
	return bind(h, r)
}

// releaseAnyway adopts whatever amount the provider has.
func releaseAnyway(h *sdk.Host, r *pay.PaymentRequest, release paymentCall) (*pay.Result, error) {
	result, err := release(h, r)
	if err != nil && pay.AsError(err).ProviderCode == "3006" {
		return &pay.Result{
			Outcome: pay.OutcomeApplied, ProviderRef: r.Payment.ProviderRef, Next: pay.NextAction{Type: pay.NextWait},
		}, nil
	}
	return result, err
}

func releaseUnbound(h *sdk.Host, r *pay.PaymentRequest, release paymentCall) (*pay.Result, error) {
	if r.Payment.ProviderRef == "" {
		r.Payment.ProviderRef = r.Payment.ID
	}
	return release(h, r)
}

// unknownIsNo takes the provider's code for the payer's bank's refusal.
func unknownIsNo(h *sdk.Host, r *pay.PaymentRequest, release paymentCall) (*pay.Result, error) {
	result, err := release(h, r)
	if e := pay.AsError(err); err != nil && e.Class == pay.ClassProtocol && e.ProviderCode != "" {
		e.Class, e.Reason = pay.ClassDeclined, pay.DeclinedOther
		return nil, e
	}
	return result, err
}

// confirmOnce sends a confirm once: when that was lost, it will have been heard, if
// only the provider is there.
func confirmOnce(h *sdk.Host, r *pay.PaymentRequest, confirm paymentCall) (*pay.Result, error) {
	if r.Attempt == 1 || smartpay.New().Ping(h) != nil {
		return confirm(h, r)
	}
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: r.Payment.ProviderRef, Next: pay.NextAction{Type: pay.NextNone},
		Observations: []pay.Observation{{
			Subject: pay.SubjectPayment, Payment: pay.PaymentSucceeded, ProviderRef: r.Payment.ProviderRef,
		}},
	}, nil
}

// cancelFinally does not wait for status.
func cancelFinally(h *sdk.Host, r *pay.PaymentRequest, cancel paymentCall) (*pay.Result, error) {
	result, err := cancel(h, r)
	if err == nil {
		result.Outcome = pay.OutcomeApplied
		result.Observations = []pay.Observation{{Subject: pay.SubjectPayment, Payment: pay.PaymentCanceled}}
	}
	return result, err
}

func cancelConfirmed(h *sdk.Host, r *pay.PaymentRequest, cancel paymentCall) (*pay.Result, error) {
	result, err := cancel(h, r)
	if err != nil && pay.AsError(err).ProviderCode == "3008" {
		return &pay.Result{Outcome: pay.OutcomeAccepted, Next: pay.NextAction{Type: pay.NextWait}}, nil
	}
	return result, err
}

func givenUpIsFailed(h *sdk.Host, r *pay.RefundRequest, cancel refundCall) (*pay.Result, error) {
	result, err := cancel(h, r)
	if err == nil {
		result.Outcome = pay.OutcomeApplied
		result.Observations = []pay.Observation{{
			Subject: pay.SubjectRefund, Refund: pay.RefundFailed, ProviderRef: r.Refund.ProviderRef, Reason: pay.DeclinedOther,
		}}
	}
	return result, err
}

// loginAtStart is a till that opens a session in each process, though there is one.
// It notes in memory that it has; a process begins where its settings are checked.
func loginAtStart() *till {
	var mu sync.Mutex
	begun := map[string]bool{} // of each connection
	return &till{
		checkConfig: func(h *sdk.Host) {
			mu.Lock()
			defer mu.Unlock()
			begun[h.Connection()] = false
		},
		release: func(h *sdk.Host, r *pay.PaymentRequest, release paymentCall) (*pay.Result, error) {
			mu.Lock()
			first := !begun[h.Connection()]
			begun[h.Connection()] = true
			mu.Unlock()
			if first {
				_ = h.Delete("session/"+h.Setting("till_id", ""), sdk.Any) // or there is none
			}
			return release(h, r)
		},
	}
}
