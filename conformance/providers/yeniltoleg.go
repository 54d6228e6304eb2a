package providers

import (
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
)

// YenilToleg describes Yenil-Toleg.
func YenilToleg() conformance.Provider {
	return conformance.Provider{
		Name: "yeniltoleg", Cases: yeniltolegCases(),
		Start: func() (conformance.Simulator, error) { return yeniltoleg.New(yeniltoleg.Options{}), nil },
		Connect: func(_ conformance.Simulator, base, _ string) (host.ConnectionConfig, error) {
			return host.ConnectionConfig{
				BaseURL: base, Secrets: map[string]vault.Secret{"access_token": vault.NewSecret(yeniltoleg.AccessToken)},
			}, nil
		},
		Terms: conformance.Terms{
			Currency: "TMT", Amount: 3545, Amounts: []int64{1, 30, 2999, 100001, 99999910}, BadAmounts: []int64{0},
			Payment: map[string]any{"customer": map[string]any{"name": "Aman Watched", "email": "aman.watched@example.com"}},
			Expiry:  true, PaymentKind: "payment", RefundKind: "refund", WholeRefunds: true, Lifetime: 15 * time.Minute,
			Private: []string{yenilCard, yenilRRN}, // the card of the simulator's payers, and the bank's numbers
			Outcomes: conformance.Outcomes{
				Paid: "Succeeded", Processing: "InProgress", Failed: "Failed", Canceled: "Canceled", Expired: "Expired",
			},
			BadSettings: []conformance.BadSettings{
				{Settings: `{"time_zone":7}`, Field: "time_zone"},
				{Settings: `{"time_zone":"Mars/Olympus"}`, Field: "time_zone"},
				{Settings: `{"timezone":"UTC"}`, Field: "timezone"},
			},
		},
	}
}
