package broken

import (
	"time"

	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// ofYenilToleg are the plugins that break one of the provider's own cases.
func ofYenilToleg() []Plugin {
	return []Plugin{
		brokenYenil("yeniltoleg_taken_is_doubt", "takes an order number that is taken for its own, without having sent it before",
			&yenil{created: takenIsDoubt}, "Y1"),
		brokenYenil("yeniltoleg_fields_as_they_come", "hands on the provider's names of fields as its own",
			&yenil{created: fieldsAsTheyCome}, "Y1", "Y3", "Y6", "Y9"),
		brokenYenil("yeniltoleg_known_key_is_no", "takes a key that the provider knows for a refusal",
			&yenil{created: knownKeyIsNo}, "Y2"),
		brokenYenil("yeniltoleg_new_key", "takes HTTP 500 for the end of a key",
			&yenil{create: newKeyAfter500}, "Y1", "Y2", "L2.server_error", "L2.drawn"),
		brokenYenil("yeniltoleg_token_is_request", "blames the request when the token is refused",
			&yenil{created: tokenIsRequest}, "Y3", "L2.unauthorized"),
		brokenYenil("yeniltoleg_silent", "keeps the provider's words to itself",
			&yenil{created: silent}, "Y3", "Y4", "Y9"),
		brokenYenil("yeniltoleg_no_is_doubt", "takes a no with HTTP 200 for a doubt",
			&yenil{created: noIsDoubt}, "Y4"),
		brokenYenil("yeniltoleg_200_is_done", "takes HTTP 200 to cancel or refund for done, whatever the result",
			&yenil{undone: declinedIsDone}, "Y4"),
		brokenYenil("yeniltoleg_exact_letters", "knows the states in the document's spelling alone",
			&yenil{seen: exactLetters}, "Y5"),
		brokenYenil("yeniltoleg_expired_is_failed", "makes no difference between an expired and a failed payment",
			&yenil{seen: expiredIsFailed}, "Y5", "Y6", "Y11"),
		brokenYenil("yeniltoleg_grace", "gives the payer a minute more than was asked",
			&yenil{create: shifted(time.Minute)}, "Y6"),
		brokenYenil("yeniltoleg_utc", "writes times in UTC, as all its other providers want them",
			&yenil{create: shifted(-5 * time.Hour)}, "Y6", "L1.expires_at"),
		brokenYenil("yeniltoleg_late_is_canceled", "takes a cancel that came too late for one that came too often",
			&yenil{undone: lateIsDone}, "Y7"),
		brokenYenil("yeniltoleg_cancels_blindly", "repeats a cancel without a look at the payment",
			&yenil{cancel: cancelBlindly}, "Y7"),
		brokenYenil("yeniltoleg_refunds_blindly", "repeats a refund without a look at the payment",
			&yenil{refund: refundBlindly}, "Y8"),
		brokenYenil("yeniltoleg_refunds_parts", "takes a refund of a part, and has the whole given back",
			&yenil{refund: refundParts}, "Y8", "L1.refunds"),
		brokenYenil("yeniltoleg_refunded_is_late", "refuses a refund that the provider has made already",
			&yenil{undone: refundedIsLate}, "Y8"),
		brokenYenil("yeniltoleg_binary_manat", "counts manat in binary fractions",
			&yenil{create: binaryManat}, "Y9"),
		brokenYenil("yeniltoleg_price_of_line", "sends what a line costs for what a piece costs",
			&yenil{create: priceOfLine}, "Y9"),
		brokenYenil("yeniltoleg_own_page", "takes no payment page at another host than the API's",
			&yenil{created: ownPage}, "Y10"),
		brokenYenil("yeniltoleg_tidy_page", "writes the payment page's address anew",
			&yenil{created: tidyPage}, "Y10"),
		brokenYenil("yeniltoleg_needs_card", "can't read a status without the card's field",
			&yenil{status: needsCard}, "Y11"),
		brokenYenil("yeniltoleg_tells_card", "puts the card into the timeline",
			&yenil{status: tellsCard}, "Y11", "L0.private"),
		brokenYenil("yeniltoleg_logs_card", "logs the card that a payment was made with",
			&yenil{status: logsCard}, "Y11", "L0.private", "L0.log"),
	}
}

// yenil is Yenil-Toleg's plugin with one part of it done otherwise.
type yenil struct {
	*yeniltoleg.Provider
	// These take the place of a method. The methods of what they are given are right.
	create func(p *yeniltoleg.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error)
	status func(p *yeniltoleg.Provider, h *sdk.Host, list []pay.Ref) ([]pay.StatusItem, error)
	cancel func(p *yeniltoleg.Provider, h *sdk.Host, r *pay.PaymentRequest) (*pay.Result, error)
	refund func(p *yeniltoleg.Provider, h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error)
	// This changes what the plugin says of itself.
	manifest func(*pay.Manifest)
	// These change what a method has read.
	created func(h *sdk.Host, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error)
	undone  func(op pay.Operation, ref *pay.Ref, result *pay.Result, e *pay.Error) (*pay.Result, *pay.Error)
	seen    func(*pay.StatusItem)
}

func brokenYenil(name, does string, y *yenil, fails ...string) Plugin {
	y.Provider = yeniltoleg.New()
	return Plugin{Name: name, Does: does, Provider: "yeniltoleg", Fails: fails, New: func() sdk.Provider { return y }}
}

// Manifest is the plugin's, with the mistake.
func (y *yenil) Manifest() pay.Manifest {
	m := y.Provider.Manifest()
	if y.manifest != nil {
		y.manifest(&m)
	}
	return m
}

// Create is the plugin's, with the mistake.
func (y *yenil) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	create := (*yeniltoleg.Provider).Create
	if y.create != nil {
		create = y.create
	}
	result, err := create(y.Provider, h, r)
	if y.created == nil {
		return result, err
	}
	return answer(y.created(h, result, copied(err)))
}

// Status is the plugin's, with the mistake.
func (y *yenil) Status(h *sdk.Host, list []pay.Ref) ([]pay.StatusItem, error) {
	status := (*yeniltoleg.Provider).Status
	if y.status != nil {
		status = y.status
	}
	items, err := status(y.Provider, h, list)
	for i := range items {
		if y.seen != nil {
			y.seen(&items[i])
		}
	}
	return items, err
}

// Cancel is the plugin's, with the mistake.
func (y *yenil) Cancel(h *sdk.Host, r *pay.PaymentRequest) (*pay.Result, error) {
	cancel := (*yeniltoleg.Provider).Cancel
	if y.cancel != nil {
		cancel = y.cancel
	}
	result, err := cancel(y.Provider, h, r)
	if y.undone == nil {
		return result, err
	}
	return answer(y.undone(pay.OpCancel, &r.Payment, result, copied(err)))
}

// Refund is the plugin's, with the mistake.
func (y *yenil) Refund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	refund := (*yeniltoleg.Provider).Refund
	if y.refund != nil {
		refund = y.refund
	}
	result, err := refund(y.Provider, h, r)
	if y.undone == nil {
		return result, err
	}
	return answer(y.undone(pay.OpRefund, &r.Payment, result, copied(err)))
}

// copied is an error that may be changed; nil for none.
func copied(err error) *pay.Error {
	if err == nil {
		return nil
	}
	e := *pay.AsError(err)
	return &e
}

// answer keeps a nil error a nil error.
func answer(result *pay.Result, e *pay.Error) (*pay.Result, error) {
	if e == nil {
		return result, nil
	}
	return nil, e
}
