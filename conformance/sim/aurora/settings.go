package aurora

import "github.com/payhost/payhost/conformance/sim/simkit"

// The names of the settings; settings says what they mean.
const (
	apiKeySetting      = "api_key"
	lifetimeSetting    = "lifetime"
	lateSetting        = "late_payment"
	amountTypeSetting  = "amount_type"
	notifySetting      = "notify"
	notifyDelaySetting = "notify_delay"
	signatureSetting   = "signature"
)

// settings are what a test may decide.
func settings() []simkit.Setting {
	return []simkit.Setting{
		{
			Name: apiKeySetting, Default: "valid", Allowed: []string{"valid", "revoked"},
			About: "revoked answers 401 to every API key",
		},
		{
			Name: lifetimeSetting, Default: Lifetime.String(), Check: simkit.CheckDuration,
			About: "how long a new order may be paid; read when it is made",
		},
		{
			Name: lateSetting, Default: "refuse", Allowed: []string{"refuse", "accept"},
			About: "whether the payment page still takes the payment of an expired order",
		},
		{
			Name: amountTypeSetting, Default: "number", Allowed: []string{"number", "string"},
			About: "JSON type of the amounts in answers and notifications",
		},
		{
			Name: notifySetting, Default: "on", Allowed: []string{"on", "off", "twice"},
			About: "how often the merchant is told of a change",
		},
		{
			Name: notifyDelaySetting, Default: "0s", Check: simkit.CheckDuration,
			About: "how long after the change, by the simulator's clock, a notification leaves",
		},
		{
			Name: signatureSetting, Default: "good", Allowed: []string{"good", "wrong", "none"},
			About: "the signature of notifications",
		},
	}
}
