package sdktest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
	"github.com/payhost/payhost/sdk/sdktest"
)

// acme is a whole provider in small: what an author writes, and below it how it is
// tested. Its transcripts stand in testdata/acme.txt.
type acme struct{}

func (acme) Manifest() pay.Manifest {
	return pay.Manifest{
		ID: "acme", Version: "1.0.0", Title: "Acme Pay",
		Operations: []pay.OperationSpec{
			{Operation: pay.OpDescribe},
			{Operation: pay.OpCheckConfig},
			{Operation: pay.OpStatus},
			{
				Operation: pay.OpCreate, Idempotency: pay.IdempotencyNative,
				KeyForm: pay.KeyText, KeyMaxLen: 64, MoneyCalls: 1,
			},
		},
		Flows:      []pay.Flow{pay.FlowRedirect},
		Currencies: []pay.CurrencySpec{{Currency: pay.KZT, Step: 1, Min: 1}},
		Egress: []pay.EgressRule{
			{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: "/payments"},
			{Origin: "base_url", Methods: []string{"GET"}, PathPrefix: "/payments", Read: true},
		},
		Secrets: []pay.SecretSpec{{
			Name: "api_token", Title: "API token", Required: true, Slots: []pay.Slot{pay.SlotBearer},
		}},
		BatchSize:      1,
		SettingsSchema: `{"type": "object", "properties": {"shop": {"type": "string"}}, "required": ["shop"]}`,
	}
}

func (acme) CheckConfig(h *sdk.Host) []pay.Problem {
	if strings.Contains(h.Setting("shop", ""), " ") {
		return []pay.Problem{{Field: "settings.shop", Message: "holds a space"}}
	}
	return nil
}

func (acme) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	var w json.Writer
	w.Object("")
	w.String("key", r.ProviderKey)
	w.String("shop", h.Setting("shop", ""))
	w.String("order", r.OrderID)
	w.Money("amount", r.Amount)
	w.End()
	request := sdk.PostJSON("/payments", &w, sdk.Money)
	request.Auth = sdk.Bearer("api_token")
	response, err := h.Send(request)
	if err != nil {
		return nil, err
	}
	body, err := json.Parse(response.Body)
	switch {
	case err != nil || response.Status >= 500:
		return nil, &pay.Error{Class: pay.ClassProtocol, Message: "answer can't be understood"}
	case response.Status != 200:
		return nil, &pay.Error{
			Class: pay.ClassDeclined, Reason: pay.DeclinedOther, ProviderCode: body.Get("error").Str(),
		}
	}
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: body.Get("id").Str(),
		Next: pay.NextAction{Type: pay.NextRedirect, URL: body.Get("page").Str()},
	}, nil
}

func (acme) Status(h *sdk.Host, payments []pay.Ref) ([]pay.StatusItem, error) {
	request := sdk.GetJSON("/payments/" + payments[0].ProviderRef)
	request.Auth = sdk.Bearer("api_token")
	response, err := h.Send(request)
	if err != nil {
		return nil, err
	}
	body, _ := json.Parse(response.Body)
	seen := pay.Observation{Subject: pay.SubjectPayment, ProviderState: body.Get("state").Str()}
	switch seen.ProviderState {
	case "paid":
		seen.Payment = pay.PaymentSucceeded
	case "open":
		seen.Payment = pay.PaymentPending
	default: // no information, and a line for whoever keeps the plugin
		h.Log(sdk.Warn, "unknown state", "state", seen.ProviderState)
		return nil, nil
	}
	item := pay.StatusItem{ID: payments[0].ID, Found: pay.FoundObserved, Observations: []pay.Observation{seen}}
	return []pay.StatusItem{item}, nil
}

func newAcme(t testing.TB) *sdktest.Plugin {
	t.Helper()
	return sdktest.New(t, acme{}, sdktest.Config{Settings: `{"shop": "42"}`, Secrets: []string{"api_token"}})
}

func TestAcmeCreate(t *testing.T) {
	t.Parallel()
	request := pay.CreateRequest{OrderID: "100500", Amount: pay.New(250050, pay.KZT)}
	tests := map[string]struct {
		want *pay.Result
		err  *pay.Error
	}{
		"created": {want: &pay.Result{
			Outcome: pay.OutcomeApplied, ProviderRef: "p-7",
			Next: pay.NextAction{Type: pay.NextRedirect, URL: "https://pay.acme.test/p-7"},
		}},
		"declined": {err: &pay.Error{
			Class: pay.ClassDeclined, Operation: pay.OpCreate, Reason: pay.DeclinedOther, ProviderCode: "limit",
		}},
		"not_json": {err: &pay.Error{
			Class: pay.ClassProtocol, Operation: pay.OpCreate, Message: "answer can't be understood",
		}},
		"not_sent": {err: &pay.Error{
			Class: pay.ClassUnavailable, Operation: pay.OpCreate, Message: "no route to host",
		}},
		"lost": {err: &pay.Error{
			Class: pay.ClassTimeout, Effect: pay.EffectMaybe, Operation: pay.OpCreate,
			Message: "connection reset after the request",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newAcme(t)
			p.Transcript("testdata/acme.txt#" + name)
			got, err := p.Create(request)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.err, pay.AsError(err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAcmeStatus(t *testing.T) {
	t.Parallel()
	p := newAcme(t)
	p.Transcript("testdata/acme.txt#status")
	items, err := p.Status(pay.Ref{ID: "pay_1", ProviderRef: "p-7"}, pay.Ref{ID: "pay_2", ProviderRef: "p-8"})
	if err != nil {
		t.Fatal(err)
	}
	want := []pay.StatusItem{
		{ID: "pay_1", Found: pay.FoundObserved, Observations: []pay.Observation{{
			Subject: pay.SubjectPayment, Payment: pay.PaymentSucceeded, ProviderState: "paid",
		}}},
		{ID: "pay_2"},
	}
	if diff := cmp.Diff(want, items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"warn unknown state state=odd"}, p.Logs()); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
}

func TestAcmeCheckConfig(t *testing.T) {
	t.Parallel()
	if problems := newAcme(t).CheckConfig(); len(problems) != 0 {
		t.Errorf("good settings: %v", problems)
	}
	p := sdktest.New(t, acme{}, sdktest.Config{Settings: `{"shop": "4 2"}`})
	want := []pay.Problem{{Field: "settings.shop", Message: "holds a space"}}
	if diff := cmp.Diff(want, p.CheckConfig()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
