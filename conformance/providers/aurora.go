package providers

import (
	"encoding/json"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/aurora"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
)

// Aurora describes Aurora Pay, the invented provider of the guide's example.
func Aurora() conformance.Provider {
	return conformance.Provider{
		Name:    "aurora",
		Start:   func() (conformance.Simulator, error) { return aurora.New(aurora.Options{}), nil },
		Connect: connectAurora,
		Terms: conformance.Terms{
			Currency: "EUR", Amount: 1230, Amounts: []int64{50, 130, 2999, 100001, 99999910}, BadAmounts: []int64{49, 1},
			PaymentKind: "order", RefundKind: "refund", Lifetime: 30 * time.Minute,
			Outcomes: conformance.Outcomes{Paid: "paid", Failed: "failed", Expired: "expired"},
			BadSettings: []conformance.BadSettings{
				{Settings: `{}`, Field: "shop_id"},
				{Settings: `{"shop_id":7}`, Field: "shop_id"},
				{Settings: `{"shop_id":""}`, Field: "shop_id"},
				{Settings: `{"shop_id":"s","shop":"t"}`, Field: "shop"},
			},
		},
	}
}

func connectAurora(_ conformance.Simulator, base, _ string) (host.ConnectionConfig, error) {
	return host.ConnectionConfig{
		BaseURL: base, Settings: json.RawMessage(`{"shop_id":"` + aurora.ShopID + `"}`),
		Secrets: map[string]vault.Secret{"api_key": vault.NewSecret(aurora.APIKey)},
		Keys: map[string]vault.KeyConfig{
			"webhook": {Secret: vault.NewSecret(aurora.WebhookKey), Algorithms: []vault.Algorithm{vault.HS256}},
		},
	}, nil
}
