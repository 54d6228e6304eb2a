package yeniltoleg

import (
	"encoding/json"
	"errors"
	"net/url"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The names of the settings; settings says what they mean.
const (
	tokenSetting          = "token"
	sameKeySetting        = "same_key_other_body"
	duplicateOrderSetting = "duplicate_order_number"
	registerSetting       = "register_answer"
	refusalSetting        = "refusal"
	cancelAnswerSetting   = "cancel_answer"
	problemSetting        = "problem_json"
	stateCaseSetting      = "state_case"
	statusNameSetting     = "status_name"
	amountTypeSetting     = "amount_type"
	unpaidFieldsSetting   = "unpaid_fields"
	sessionSetting        = "session"
	linesSumSetting       = "lines_sum"
	pageFormSetting       = "page_form"
	pageHostSetting       = "page_host"
)

// settings are the doubts about the provider, each with the answer that seems likeliest as its default.
func settings() []simkit.Setting {
	return []simkit.Setting{
		{
			Name: tokenSetting, Default: "valid", Allowed: []string{"valid", "revoked", "forbidden"},
			About: "revoked answers 401 to every token, forbidden 403 to the right one",
		},
		{
			Name: sameKeySetting, Default: "error", Allowed: []string{"error", "same"},
			About: "register with a known key and another body; same gives the first payment",
		},
		{
			Name: duplicateOrderSetting, Default: "error", Allowed: []string{"error", "new_payment"},
			About: "register with a new key and a known orderNumber",
		},
		{
			Name: registerSetting, Default: "ok", Allowed: []string{"ok", "result_false"},
			About: "result_false makes nothing and answers 200 with a message and no paymentId",
		},
		{
			Name: refusalSetting, Default: "problem", Allowed: []string{"problem", "result_false"},
			About: "a cancel or refund in the wrong state: 400, or 200 with result false",
		},
		{
			Name: cancelAnswerSetting, Default: "json", Allowed: []string{"json", "as_printed"},
			About: "as_printed is the document's sample, which is not JSON",
		},
		{
			Name: problemSetting, Default: "valid", Allowed: []string{"valid", "trailing_comma"},
			About: "trailing_comma is the document's sample, which is not JSON",
		},
		{
			Name: stateCaseSetting, Default: "documented",
			Allowed: []string{"documented", "lower", "upper", "odd"},
			About:   "letter case of the state words",
		},
		{
			Name: statusNameSetting, Default: "status", Allowed: []string{"status", "Status"},
			About: "name of the member that holds the state word",
		},
		{
			Name: amountTypeSetting, Default: "number", Allowed: []string{"number", "string"},
			About: "JSON type of the amounts in answers",
		},
		{
			Name: unpaidFieldsSetting, Default: "null", Allowed: []string{"null", "omit"},
			About: "operationNumber, cardMask, rrn and reason while they have no value",
		},
		{
			Name: sessionSetting, Default: "15m", Check: simkit.CheckDuration,
			About: "how long a payer has before the payment is Failed; read at register",
		},
		{
			Name: linesSumSetting, Default: "ignore", Allowed: []string{"ignore", "check"},
			About: "whether quantity times price of the lines must add up to amount",
		},
		{
			Name: pageFormSetting, Default: "checkout", Allowed: []string{"checkout", "bank"},
			About: "which of the two documented forms the payment page's address has",
		},
		{
			Name: pageHostSetting, Default: "", Check: checkHost,
			About: "scheme and host put before the page's path, as if the page were elsewhere",
		},
	}
}

func checkHost(value string) error {
	u, err := url.Parse(value)
	if value != "" && (err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "") {
		return errors.New("must be empty or a scheme and a host, such as https://mpi.example")
	}
	return nil
}

func moneyAs(text, kind string) any {
	if kind == "string" {
		return text
	}
	return json.Number(text)
}
