// Package rahmet is the plugin for RahmetPay of Kazakhstan: the payer opens a link
// or scans a code in the Rahmet app, the provider answers by our order id.
//
// Three things about the provider shape it. Create takes no idempotency key and
// status never returns the payment link, so a lost create is settled by status and
// then asked for again under the same order id. The call that tells of a payment
// is unsigned, so it is a hint and status is the evidence. And a refund is only
// accepted, so its end is seen as a sum in status.
//
// Names of the provider stand in wire.go alone; what is documented there, what is
// doubtful and what was decided is told in docs/providers/rahmet.md.
package rahmet

import (
	"strings"
	"time"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// Provider is the RahmetPay plugin. It has no state: everything it needs comes
// with the call. The zero value is ready.
type Provider struct{}

// New returns the plugin.
func New() *Provider { return &Provider{} }

// Methods returns the plugin's methods one by one, as the module registers them.
func Methods() sdk.Methods {
	p := New()
	return sdk.Methods{
		Manifest: p.Manifest, CheckConfig: p.CheckConfig, Ping: p.Ping, Create: p.Create, Status: p.Status,
		Refund: p.Refund, Notification: p.Notification,
	}
}

const (
	tokenProfile  = "rahmet" // the OAuth2 profile's name
	tokenLifetime = 3 * time.Hour

	// batchSize leaves room, within the calls that a host grants, to ask for every
	// order by itself after the provider refused the whole list.
	batchSize = 10
)

// Manifest says what the plugin is and needs.
func (*Provider) Manifest() pay.Manifest {
	return pay.Manifest{
		ID: "rahmet", Version: "1.0.0", Title: "RahmetPay",
		Operations: []pay.OperationSpec{
			{Operation: pay.OpDescribe},
			{Operation: pay.OpCheckConfig},
			{Operation: pay.OpPing},
			{
				Operation: pay.OpCreate, Idempotency: pay.IdempotencyLookup, KeyForm: pay.KeyOrder, KeyMaxLen: 64,
				MoneyCalls: 2, // the second only after a refused token
			},
			{Operation: pay.OpStatus},
			{
				Operation: pay.OpRefund, Idempotency: pay.IdempotencyNative, KeyForm: pay.KeyUUID, KeyMaxLen: 36,
				MoneyCalls: 2, // likewise
			},
			{Operation: pay.OpNotification},
		},
		Flows: []pay.Flow{pay.FlowRedirect, pay.FlowQR},
		// Step is one tiyn for the sake of the setting allow_tiyn; without it the
		// plugin itself refuses what is not whole tenge.
		Currencies: []pay.CurrencySpec{{Currency: pay.KZT, Step: 1, Min: 1}},
		Egress: []pay.EgressRule{
			{Origin: "base_url", Methods: []string{"GET"}, PathPrefix: pathAvailability, Read: true},
			{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: pathStatus, Read: true},
			{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: pathCreateV1},
			{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: pathCreateV2},
			{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: pathRefund},
		},
		Secrets: []pay.SecretSpec{
			{Name: "client_id", Title: "Client ID", Required: true, Slots: []pay.Slot{pay.SlotOAuth2}},
			{Name: "client_secret", Title: "Client secret", Required: true, Slots: []pay.Slot{pay.SlotOAuth2}},
		},
		OAuth2: []pay.OAuth2Profile{{
			Name: tokenProfile, TokenPath: pathToken, ClientID: "client_id", ClientSecret: "client_secret",
			TokenField: fieldData + "." + fieldBearer, ExpiresField: fieldData + "." + fieldExpireIn,
			ErrorField: fieldErrorCode, ErrorOK: codeOK, DefaultLifetime: tokenLifetime,
		}},
		PollInterval: 3 * time.Second, BatchSize: batchSize,
		Notification:   pay.AuthenticityWeak,
		SettingsSchema: settingsSchema,
	}
}

// CheckConfig finds what the settings schema can't say.
func (*Provider) CheckConfig(h *sdk.Host) []pay.Problem {
	var problems []pay.Problem
	s := settingsOf(h)
	if strings.TrimSpace(s.branch) == "" {
		problems = append(problems, pay.Problem{Field: "settings.branch_token", Message: "is blank"})
	}
	if s.imageSize != 0 && (s.imageSize < minImage || s.imageSize > maxImage) {
		problems = append(problems, pay.Problem{
			Field: "settings.image_size", Message: "must be 0 for no picture, or 100 to 1000 pixels",
		})
	}
	if strings.Contains(h.BaseURL(), "/preorder") || strings.HasSuffix(h.BaseURL(), pathToken) {
		problems = append(problems, pay.Problem{
			Field: "base_url", Message: "is the address of one call, give the gateway's without the path",
		})
	}
	return problems
}

// Ping asks whether Rahmet takes orders now. An answer of "no" is an error of class
// unavailable.
func (*Provider) Ping(h *sdk.Host) error {
	a, err := send(h, sdk.GetJSON(pathAvailability))
	if err != nil {
		return err
	}
	down := &pay.Error{Class: pay.ClassUnavailable, Message: "provider says that it takes no orders now"}
	if a.unavailable() {
		down.ProviderCode, down.ProviderMessage = a.code, a.message
		return down
	}
	if e := a.failure(); e != nil {
		return e
	}
	switch available, ok := a.data.Get(fieldAvailable).Bool(); {
	case !ok:
		return wrongField(fieldAvailable)
	case !available:
		return down
	}
	return nil
}
