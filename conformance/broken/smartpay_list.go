package broken

import (
	"encoding/json"
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

// ofSmartPay are the plugins that break one of the provider's own cases.
func ofSmartPay() []Plugin {
	return []Plugin{
		brokenTill("smartpay_ping_alone", "pings without the session, since ping is open at the test host",
			func() *till { return &till{ping: pingAlone} }, "S1"),
		brokenTill("smartpay_dead_session", "releases with the session there is and does not renew one that is refused",
			func() *till { return &till{release: releaseOnce} }, "S1"),
		brokenTill("smartpay_no_certificate", "does not ask for the till's certificate",
			func() *till { return &till{manifest: func(m *pay.Manifest) { m.Identities[0].Required = false }} }, "L0.missing", "S1"),
		brokenTill("smartpay_bad_code_fails", "ends a payment whose payer shows a bad code",
			func() *till { return &till{bind: badCodeFails} }, "L1.codes", "S2"),
		brokenTill("smartpay_no_loyalty", "forwards a code without the loyalty id",
			func() *till { return &till{bind: withoutLoyalty} }, "S2"),
		brokenTill("smartpay_unchecked_code", "has the provider check each code, though it has the keys",
			func() *till { return &till{bind: bindUnchecked} }, "S2"),
		brokenTill("smartpay_known_purchase", "remembers a purchase by the till's id alone, whichever till it is",
			func() *till { return &till{bind: bindKnown} }, "S3"),
		brokenTill("smartpay_new_id", "repeats a bind that is half an hour old under another id",
			func() *till { return &till{bind: bindAnew} }, "L1.key", "L2.outage", "S3"),
		brokenTill("smartpay_any_amount", "takes it for done when the provider has another amount",
			func() *till { return &till{release: releaseAnyway} }, "S4"),
		brokenTill("smartpay_release_unbound", "releases a payment without a purchase under payhost's own id",
			func() *till { return &till{release: releaseUnbound} }, "S4"),
		brokenTill("smartpay_fast_polls", "wants to be asked ten times a second",
			func() *till {
				return &till{manifest: func(m *pay.Manifest) { m.PollInterval = 100 * time.Millisecond }}
			}, "S5"),
		brokenTill("smartpay_budget_is_no", "takes it for a refusal when status was asked too often",
			func() *till { return &till{status: budgetIsNo} }, "S5"),
		brokenTill("smartpay_cancel_is_final", "takes a cancel that was heard for the end",
			func() *till { return &till{cancel: cancelFinally} }, "S5", "S6"),
		brokenTill("smartpay_confirm_once", "does not send a confirm again that was lost",
			func() *till { return &till{confirm: confirmOnce} }, "S7", "S8"),
		brokenTill("smartpay_cancel_confirmed", "says that it cancels what the provider has confirmed",
			func() *till { return &till{cancel: cancelConfirmed} }, "S7"),
		brokenTill("smartpay_login_at_start", "opens another session after each restart", loginAtStart, "S1", "S8"),
		brokenTill("smartpay_receipt_by_purchase", "sends every receipt of a payment by version 1, without the code",
			func() *till { return &till{receipt: withoutCode} }, "S9"),
		brokenTill("smartpay_receipt_without_items", "drops the lines of a receipt",
			func() *till { return &till{receipt: func(r *pay.ReceiptRequest) { r.Lines = nil }} }, "S9"),
		brokenTill("smartpay_refund_given_up", "takes a refund that is not waited for any more for failed",
			func() *till { return &till{cancelsRefund: givenUpIsFailed} }, "S10"),
		brokenTill("smartpay_unknown_is_no", "takes an error code that it does not know for a refusal",
			func() *till { return &till{release: unknownIsNo} }, "S11"),
		brokenTill("smartpay_guessed_class", "says what an error code means that it does not know",
			func() *till { return &till{errorCatalog: guessClass} }, "S11"),
	}
}

// withoutCode sends a payment's receipt without the payer's code.
func withoutCode(r *pay.ReceiptRequest) {
	if r.Payment != nil {
		r.Code = ""
	}
}

// guessClass fills in what the provider's list does not tell.
func guessClass(list []pay.CatalogEntry) {
	for i := range list {
		if list[i].Class == 0 {
			list[i].Class = pay.ClassDeclined
		}
	}
}

// budgetIsNo fails a payment that may not be asked after any more.
func budgetIsNo(item *pay.StatusItem) {
	if item.Err != nil && item.Err.ProviderCode == "3009" {
		failed := pay.Observation{Subject: pay.SubjectPayment, Payment: pay.PaymentFailed, Reason: pay.DeclinedOther}
		*item = pay.StatusItem{ID: item.ID, Found: pay.FoundObserved, Observations: []pay.Observation{failed}}
	}
}

// codeWithout is a code without its loyalty id.
func codeWithout(code string) string {
	var members map[string]string
	if json.Unmarshal([]byte(code), &members) != nil {
		return code
	}
	members["id_loyalty"] = ""
	out, err := json.Marshal(members)
	if err != nil {
		return code
	}
	return string(out)
}
