package providers

import (
	"encoding/json"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
)

// Rahmet describes RahmetPay.
func Rahmet() conformance.Provider {
	return conformance.Provider{
		Name: "rahmet", Cases: rahmetCases(),
		Start: func() (conformance.Simulator, error) { return rahmet.New(rahmet.Options{}), nil },
		Connect: func(_ conformance.Simulator, base, _ string) (host.ConnectionConfig, error) {
			return host.ConnectionConfig{
				BaseURL: base, Settings: json.RawMessage(`{"branch_token":"` + rahmet.BranchToken + `"}`),
				Secrets: map[string]vault.Secret{
					"client_id": vault.NewSecret(rahmet.ClientID), "client_secret": vault.NewSecret(rahmet.ClientSecret),
				},
			}, nil
		},
		Terms: conformance.Terms{
			Currency: "KZT", Amount: 250000, Amounts: []int64{100, 30100, 12345600, 999999700}, BadAmounts: []int64{250050, 1},
			Expiry: true, PaymentKind: "order", RefundKind: "refund",
			// The provider has no word for an order that is over: what is not paid may still be.
			Outcomes: conformance.Outcomes{Paid: "paid", Refunded: "settled"},
			BadSettings: []conformance.BadSettings{
				{Settings: `{}`, Field: "branch_token"},
				{Settings: `{"branch_token":7}`, Field: "branch_token"},
				{Settings: `{"branch_token":" "}`, Field: "branch_token"},
				{Settings: `{"branch_token":"t","api_version":"v3"}`, Field: "api_version"},
				{Settings: `{"branch_token":"t","image_size":5000}`, Field: "image_size"},
				{Settings: `{"branch_token":"t","brnch":"x"}`, Field: "brnch"},
			},
		},
	}
}
