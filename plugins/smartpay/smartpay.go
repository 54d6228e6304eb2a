package smartpay

import (
	"time"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// Provider is the plugin. It keeps nothing between calls.
type Provider struct{}

// New returns the provider.
func New() *Provider { return &Provider{} }

// Methods returns the provider's methods one by one, as the module registers them.
func Methods() sdk.Methods {
	p := New()
	return sdk.Methods{
		Manifest: p.Manifest, CheckConfig: p.CheckConfig, Ping: p.Ping, Create: p.Create, Status: p.Status,
		Bind: p.Bind, Release: p.Release, Confirm: p.Confirm, Cancel: p.Cancel, Refund: p.Refund,
		RefundStatus: p.RefundStatus, ConfirmRefund: p.ConfirmRefund, CancelRefund: p.CancelRefund,
		Receipt: p.Receipt, ErrorCatalog: p.ErrorCatalog,
	}
}

var (
	_ sdk.Provider       = (*Provider)(nil)
	_ sdk.Pinger         = (*Provider)(nil)
	_ sdk.Binder         = (*Provider)(nil)
	_ sdk.Releaser       = (*Provider)(nil)
	_ sdk.Confirmer      = (*Provider)(nil)
	_ sdk.Canceler       = (*Provider)(nil)
	_ sdk.Refunder       = (*Provider)(nil)
	_ sdk.RefundProber   = (*Provider)(nil)
	_ sdk.RefundCloser   = (*Provider)(nil)
	_ sdk.Receipter      = (*Provider)(nil)
	_ sdk.ErrorCataloger = (*Provider)(nil)
)

// currency is what the service speaks, in kopecks. It never names it.
const currency = pay.RUB

// Keys of the connection, both or none: with them a presented code is checked here
// before it is claimed.
const (
	keyDecrypt = "qr_decrypt"
	keySign    = "qr_sign"
)

// Settings of the connection, and what holds where they are not set.
const (
	settingTill       = "till_id"
	settingMaxAge     = "code_max_age"
	settingSkew       = "clock_skew"
	settingDecryptAlg = "qr_decrypt_alg"
	settingSignAlg    = "qr_sign_alg"

	defaultMaxAge     = "5m"
	defaultSkew       = "60s"
	defaultDecryptAlg = "RSA-OAEP-256"
	defaultSignAlg    = "RS256"
)

// settingsSchema describes the connection's settings. A till_id of 32 characters
// leaves room for the time and the counter in a key of 64.
const settingsSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "SmartPay",
  "type": "object",
  "additionalProperties": false,
  "required": ["till_id"],
  "properties": {
    "till_id": {
      "type": "string",
      "title": "Till",
      "description": "This till's id at the provider; it begins every purchase and refund id",
      "pattern": "^[A-Za-z0-9][A-Za-z0-9-]{0,31}$"
    },
    "code_max_age": {
      "type": "string",
      "title": "Oldest code",
      "description": "How long after it was shown a code may be presented, 1s to 24h. Needs both keys",
      "default": "5m"
    },
    "clock_skew": {
      "type": "string",
      "title": "Clock skew",
      "description": "How far the payer's clock may be off either way, 0s to 10m. Needs both keys",
      "default": "60s"
    },
    "qr_decrypt_alg": {
      "type": "string",
      "title": "Encryption of the code",
      "description": "How the app encrypts the code for the key qr_decrypt",
      "enum": ["RSA-OAEP-256", "RSA-OAEP", "RSA1_5"],
      "default": "RSA-OAEP-256"
    },
    "qr_sign_alg": {
      "type": "string",
      "title": "Signature of the code",
      "description": "How the app signs the code for the key qr_sign",
      "enum": ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
        "ES256", "ES384", "ES512", "ES256-DER", "ES384-DER", "ES512-DER", "EdDSA"],
      "default": "RS256"
    }
  }
}`

// Manifest says what the plugin is and needs.
func (*Provider) Manifest() pay.Manifest {
	return pay.Manifest{
		ID: "smartpay", Version: "1.0.0", Title: "KD Pay/Smart Pay",
		Operations: operations(),
		Flows:      []pay.Flow{pay.FlowTill},
		Currencies: []pay.CurrencySpec{{Currency: currency, Step: 1, Min: 1}},
		Egress:     egress(),
		Keys: []pay.KeySpec{
			{
				Name: keyDecrypt, Title: "Private key that opens a presented code",
				Algorithms: []string{"RSA-OAEP-256", "RSA-OAEP", "RSA1_5"},
			},
			{
				Name: keySign, Title: "Public key of the payer's app",
				Algorithms: []string{
					"RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
					"ES256", "ES384", "ES512", "ES256-DER", "ES384-DER", "ES512-DER", "EdDSA",
				},
			},
		},
		Identities:        []pay.IdentitySpec{{Name: "client", Title: "The till's certificate", Required: true}},
		PollInterval:      3 * time.Second,
		BatchSize:         1, // the service answers for one purchase a call
		VisibilityHorizon: 10 * time.Minute,
		Storage:           true,
		State:             pay.StateSchema{Writes: 1, Reads: []int{1}},
		SettingsSchema:    settingsSchema,
	}
}

// operations declares two writing calls where one is meant: a request whose session
// was refused is sent once more, with a new one.
func operations() []pay.OperationSpec {
	return []pay.OperationSpec{
		{Operation: pay.OpDescribe},
		{Operation: pay.OpCheckConfig},
		{Operation: pay.OpPing},
		{Operation: pay.OpErrorCatalog},
		{Operation: pay.OpStatus},
		{Operation: pay.OpRefundStatus},
		{Operation: pay.OpCreate, Idempotency: pay.IdempotencyNative}, // sends nothing
		{
			Operation: pay.OpBind, Idempotency: pay.IdempotencyNatural,
			KeyForm: pay.KeyCounter, KeySetting: settingTill, MoneyCalls: 2,
		},
		{Operation: pay.OpRelease, Idempotency: pay.IdempotencyLookup, MoneyCalls: 2},
		{Operation: pay.OpConfirm, Idempotency: pay.IdempotencyNatural, MoneyCalls: 2},
		{Operation: pay.OpCancel, Idempotency: pay.IdempotencyNatural, MoneyCalls: 2},
		{
			Operation: pay.OpRefund, Idempotency: pay.IdempotencyNatural,
			KeyForm: pay.KeyCounter, KeySetting: settingTill, MoneyCalls: 2,
		},
		{Operation: pay.OpConfirmRefund, Idempotency: pay.IdempotencyNatural, MoneyCalls: 2},
		{Operation: pay.OpCancelRefund, Idempotency: pay.IdempotencyNatural, MoneyCalls: 2},
		{Operation: pay.OpReceipt, Idempotency: pay.IdempotencyNatural, MoneyCalls: 2},
	}
}

func egress() []pay.EgressRule {
	write := func(path string) pay.EgressRule {
		return pay.EgressRule{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: path}
	}
	read := func(method, path string) pay.EgressRule {
		return pay.EgressRule{Origin: "base_url", Methods: []string{method}, PathPrefix: path, Read: true}
	}
	return []pay.EgressRule{
		read("POST", pathAuth), // a second session does no harm
		write(pathCommit), write(pathRelease), read("POST", pathStatus), write(pathVerdict),
		write(pathFiscal), write(pathReceipt),
		write(pathRefund), read("POST", pathRefundStatus), write(pathRefundDone),
		read("GET", pathPing), read("GET", pathErrors),
	}
}

// CheckConfig returns what is wrong with the connection: a duration that is none,
// or one of the two keys without the other.
func (*Provider) CheckConfig(h *sdk.Host) []pay.Problem {
	_, problems := readLimits(h)
	switch opens, verifies := h.HasKey(keyDecrypt), h.HasKey(keySign); {
	case opens && !verifies:
		problems = append(problems, pay.Problem{
			Field:   "keys." + keySign,
			Message: "is needed with " + keyDecrypt + ": a code that is only opened proves nothing",
		})
	case verifies && !opens:
		problems = append(problems, pay.Problem{
			Field:   "keys." + keyDecrypt,
			Message: "is needed with " + keySign + ": what is signed is inside the encryption",
		})
	}
	return problems
}

// Ping asks whether the service is there and takes the till's certificate
// ("Вспомогательные методы", 1).
func (*Provider) Ping(h *sdk.Host) error {
	body, err := newClient(h).ask(pingRequest())
	if err != nil {
		return err
	}
	if problem := readOK(body); problem != nil {
		return problem
	}
	return nil
}

// ErrorCatalog reads the service's list of errors ("Вспомогательные методы", 2).
// Class is zero for a code that this plugin does not know.
func (*Provider) ErrorCatalog(h *sdk.Host) ([]pay.CatalogEntry, error) {
	body, err := newClient(h).ask(errorsRequest())
	if err != nil {
		return nil, err
	}
	list, odd, problem := readErrors(body)
	if problem != nil {
		return nil, problem
	}
	if odd > 0 {
		h.Log(sdk.Warn, "list of errors has rows that can't be read, or is too long")
	}
	return list, nil
}
