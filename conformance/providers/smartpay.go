package providers

import (
	"encoding/json"
	"sync"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/certs"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/smartpay"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
)

// Till is SmartPay's simulator as the suite wants it.
type Till struct {
	*simkit.Kit
	Server *smartpay.Server
}

// URL is the base URL of the provider's API, over mutual TLS.
func (t *Till) URL() string { return t.Server.URL() }

// Close ends both of the simulator's listeners.
func (t *Till) Close() error { return t.Server.Close() }

// Present returns a code as the payer's app shows it.
func (t *Till) Present(kind string) (string, error) {
	return t.Server.PresentFlawed("payer-1", smartpay.Flaw(kind))
}

// material is made once for all simulators: making RSA keys takes longer than a life.
type material struct {
	authority    *certs.Authority
	service, app *certs.KeyPair
}

func newMaterial() (m material, err error) {
	if m.authority, err = certs.NewAuthority("SmartPay simulator"); err != nil {
		return m, err
	}
	if m.service, err = certs.NewKeyPair(); err != nil {
		return m, err
	}
	m.app, err = certs.NewKeyPair()
	return m, err
}

// SmartPay describes SmartPay.
func SmartPay() conformance.Provider {
	once := sync.OnceValues(newMaterial)
	return conformance.Provider{
		Name: "smartpay", Cases: smartpayCases(),
		Start: func() (conformance.Simulator, error) {
			m, err := once()
			if err != nil {
				return nil, err
			}
			s, err := smartpay.New(smartpay.Options{Authority: m.authority, ServiceKey: m.service, AppKey: m.app})
			if err != nil {
				return nil, err
			}
			return &Till{Kit: s.Kit(), Server: s}, nil
		},
		Connect: connectTill,
		Terms: conformance.Terms{
			Currency: "RUB", Amount: 5000, Amounts: []int64{1, 30, 2999, 100001, 99999900},
			Receipt:     map[string]any{"register_number": "0000000001012345", "fiscal_sign": "2718281828"},
			PaymentKind: "purchase", RefundKind: "refund",
			Outcomes: conformance.Outcomes{Failed: "fail", Canceled: "canceled", RefundFailed: "fail"},
			BadCodes: []string{
				"stale", "future", "forged_signature", "other_text", "wrong_key", "wrong_shape", "not_base64", "not_json",
			},
			BadSettings: []conformance.BadSettings{
				{Settings: `{}`, Field: "till_id"},
				{Settings: `{"till_id":1}`, Field: "till_id"},
				{Settings: `{"till_id":""}`, Field: "till_id"},
				{Settings: `{"till_id":"1","till":"2"}`, Field: "till"},
			},
		},
	}
}

func connectTill(s conformance.Simulator, base, dir string) (host.ConnectionConfig, error) {
	files, err := s.(*Till).Server.WriteFiles(dir)
	if err != nil {
		return host.ConnectionConfig{}, err
	}
	return host.ConnectionConfig{
		BaseURL: base, Settings: json.RawMessage(`{"till_id":"` + smartpay.DefaultTill + `"}`),
		TLS: map[string]vault.IdentityConfig{
			"client": {CertFile: files.ClientCert, KeyFile: files.ClientKey, CAFile: files.CA},
		},
		Keys: map[string]vault.KeyConfig{
			"qr_decrypt": {PrivateKeyFile: files.QRKey, Algorithms: []vault.Algorithm{vault.RSAOAEP256}},
			"qr_sign":    {PublicKeyFile: files.AppPublic, Algorithms: []vault.Algorithm{vault.RS256}},
		},
	}, nil
}
