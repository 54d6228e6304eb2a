package rahmet

import "github.com/payhost/payhost/conformance/sim/simkit"

// The names of the settings; settings says what they mean.
const (
	availabilitySetting    = "availability"
	tokensSetting          = "tokens"
	authErrorStatusSetting = "auth_error_status"
	errorStatusSetting     = "error_http_status"
	messagesSetting        = "messages"
	branchTokenSetting     = "branch_token"
	repeatCreateSetting    = "repeat_create"
	fractionsSetting       = "fractions"
	statusShapeSetting     = "status_shape"
	statusAmountSetting    = "status_amount"
	amountTypeSetting      = "amount_type"
	unknownIDsSetting      = "unknown_ids"
	emptyMapSetting        = "empty_map"
	fullRefundPaidSetting  = "paid_after_full_refund"
	cashbackSetting        = "cashback_percent"
	balanceSetting         = "balance_percent"
	refundDataSetting      = "refund_data"
	refundDelaySetting     = "refund_delay"
	commissionSetting      = "refund_commission_percent"
	postlinkParamsSetting  = "postlink_params"
	postlinkJoinSetting    = "postlink_join"
	postlinkCopiesSetting  = "postlink_copies"
	postlinkTimingSetting  = "postlink_timing"
	checkTimeoutSetting    = "checklink_timeout"
)

const (
	yes = "true"
	no  = "false"
)

// settings are the doubts about the provider, each with the answer that seems likeliest as its default.
func settings() []simkit.Setting {
	return append(callSettings(), moneySettings()...)
}

func callSettings() []simkit.Setting {
	return []simkit.Setting{
		{
			Name: availabilitySetting, Default: "available",
			Allowed: []string{"available", "unavailable", "legacy_400"},
			About:   "what availability says; legacy_400 is the error form of 2019-11-05",
		},
		{
			Name: tokensSetting, Default: "valid", Allowed: []string{"valid", "refused"},
			About: "refused turns away every token, new ones too",
		},
		{
			Name: authErrorStatusSetting, Default: "401", Allowed: []string{"200", "401"},
			About: "HTTP status of a bad client and of a refused token",
		},
		{
			Name: errorStatusSetting, Default: "200", Allowed: []string{"200", "4xx"},
			About: "HTTP status of the other errors; 4xx takes it from the error_code",
		},
		{
			Name: messagesSetting, Default: "documented", Allowed: []string{"documented", "odd"},
			About: "odd puts a misleading message into successful answers",
		},
		{
			Name: branchTokenSetting, Default: "required", Allowed: []string{"required", "optional"},
			About: "whether create needs the field token; a wrong one is always refused",
		},
		{
			Name: repeatCreateSetting, Default: "same_order",
			Allowed: []string{"same_order", "new_order", "error"},
			About:   "create again; same_order ignores the new fields and refuses a paid order",
		},
		{
			Name: fractionsSetting, Default: "refuse", Allowed: []string{"refuse", "accept"},
			About: "amounts that are not whole tenge",
		},
		{
			Name: statusShapeSetting, Default: "full",
			Allowed: []string{"bool", "bool_extended", "object", "full"},
			About:   "the four documented shapes; bool_extended gives objects when is_extended=1",
		},
		{
			Name: unknownIDsSetting, Default: "omit", Allowed: []string{"omit", "false", "object", "error"},
			About: "status of an unknown merchant_order_id; object is an unpaid one with nulls",
		},
		{
			Name: emptyMapSetting, Default: "array", Allowed: []string{"array", "null", "object"},
			About: "data of a status answer without any item",
		},
		{
			Name: postlinkParamsSetting, Default: "4", Allowed: []string{"0", "2", "4"},
			About: "none; reference and amount; and cardAmount and balanceAmount",
		},
		{
			Name: postlinkJoinSetting, Default: "correct", Allowed: []string{"correct", "naive"},
			About: "naive appends ? and the parameters whatever the link already has",
		},
		{
			Name: postlinkCopiesSetting, Default: "1", Allowed: []string{"0", "1", "2"},
			About: "how many times postlink is called after a payment",
		},
		{
			Name: postlinkTimingSetting, Default: "async", Allowed: []string{"async", "before_answer"},
			About: "before_answer holds the create answer until the calls of a magic amount are over",
		},
		{
			Name: checkTimeoutSetting, Default: "2s", Check: simkit.CheckDuration,
			About: "how long, in real time, checklink may take",
		},
	}
}

func moneySettings() []simkit.Setting {
	return []simkit.Setting{
		{
			Name: statusAmountSetting, Default: "gross", Allowed: []string{"gross", "net"},
			About: "whether amount in status is lessened by refunds",
		},
		{
			Name: amountTypeSetting, Default: "number", Allowed: []string{"number", "string"},
			About: "JSON type of the amounts in answers",
		},
		{
			Name: fullRefundPaidSetting, Default: yes, Allowed: []string{yes, no},
			About: "is_paid of an order that was refunded whole",
		},
		{
			Name: cashbackSetting, Default: "5", Check: simkit.CheckPercent,
			About: "cashback of a payment, rounded down to whole tenge",
		},
		{
			Name: balanceSetting, Default: "0", Check: simkit.CheckPercent,
			About: "part of a payment that comes from the bonus balance, rounded down to whole tenge",
		},
		{
			Name: refundDataSetting, Default: "full", Allowed: []string{"full", "empty"},
			About: "data of a refund answer: seven fields, or {}",
		},
		{
			Name: refundDelaySetting, Default: "1s", Check: checkRefundDelay,
			About: "how long after acceptance status shows a refund; manual waits to be moved",
		},
		{
			Name: commissionSetting, Default: "0", Check: simkit.CheckPercent,
			About: "kept from a refund, so that amount is less than requested_amount",
		},
	}
}

func checkRefundDelay(value string) error {
	if value == "manual" {
		return nil
	}
	return simkit.CheckDuration(value)
}
