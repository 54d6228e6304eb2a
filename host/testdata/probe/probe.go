// Package probe is a provider for the host's own tests: it does what the test
// asks for by the option "do" of create, good or bad, natively and in Wasm.
package probe

import (
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/form"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// Provider is the probe. Version changes its manifest, for swaps.
type Provider struct {
	Version string
	Reads   []int // state schemas
	Writes  int
}

// New returns a probe of version 1.0.0.
func New() Provider { return Provider{Version: "1.0.0", Reads: []int{1}, Writes: 1} }

// Manifest declares a bit of everything.
func (p Provider) Manifest() pay.Manifest {
	return pay.Manifest{
		ID: "probe", Version: p.Version, Title: "Probe",
		Operations: []pay.OperationSpec{
			{Operation: pay.OpDescribe},
			{Operation: pay.OpCheckConfig},
			{Operation: pay.OpStatus},
			{Operation: pay.OpPing},
			{Operation: pay.OpNotification},
			{Operation: pay.OpCreate, Idempotency: pay.IdempotencyLookup, KeyForm: pay.KeyOrder, MoneyCalls: 2},
			{Operation: pay.OpRefund, Idempotency: pay.IdempotencyNative, KeyForm: pay.KeyUUID, MoneyCalls: 1},
			{
				Operation: pay.OpCancel, Idempotency: pay.IdempotencyNone, KeyForm: pay.KeyCounter,
				KeySetting: "till_id", MoneyCalls: 1,
			},
		},
		Flows:      []pay.Flow{pay.FlowRedirect},
		Currencies: []pay.CurrencySpec{{Currency: pay.KZT, Step: 100, Min: 100, Max: 100_000_000}},
		Egress: []pay.EgressRule{
			{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: "/pay"},
			{Origin: "base_url", Methods: []string{"GET", "POST"}, PathPrefix: "/read", Read: true},
		},
		Secrets: []pay.SecretSpec{
			{Name: "api_token", Title: "API token", Required: true, Slots: []pay.Slot{pay.SlotBearer}},
			{Name: "form_secret", Slots: []pay.Slot{pay.SlotForm}},
		},
		Keys:       []pay.KeySpec{{Name: "mac", Algorithms: []string{"HS256"}}},
		Identities: []pay.IdentitySpec{{Name: "client"}},
		BatchSize:  2, Notification: pay.AuthenticityStrong,
		Storage: true,
		State:   pay.StateSchema{Writes: p.Writes, Reads: p.Reads},
		SettingsSchema: `{"type":"object","additionalProperties":false,"properties":{
			"till_id":{"type":"string","pattern":"^[a-z0-9]+$"},"level":{"type":"integer","maximum":9}}}`,
	}
}

// CheckConfig refuses the till "bad".
func (Provider) CheckConfig(h *sdk.Host) []pay.Problem {
	if h.Setting("till_id", "") == "bad" {
		return []pay.Problem{{Field: "settings.till_id", Message: "is bad"}}
	}
	return nil
}

// Ping reads.
func (Provider) Ping(h *sdk.Host) error {
	_, err := h.Send(sdk.GetJSON("/read/ping"))
	return err
}

// Status answers from the provider's body, one item a line: "id word".
func (Provider) Status(h *sdk.Host, refs []pay.Ref) ([]pay.StatusItem, error) {
	var w form.Writer
	for _, r := range refs {
		w.Add("id", r.ID)
	}
	resp, err := h.Send(sdk.PostForm("/read/status", &w, sdk.Read))
	if err != nil {
		return nil, err
	}
	var items []pay.StatusItem
	for _, line := range strings.Fields(string(resp.Body)) {
		items = append(items, pay.StatusItem{ID: line, Found: pay.FoundObserved, Observations: []pay.Observation{
			{Subject: pay.SubjectPayment, Payment: pay.PaymentPending},
		}})
	}
	return items, nil
}

// Notification checks a MAC over the body.
func (Provider) Notification(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
	sig, err := hex.DecodeString(r.Query)
	ok := false
	if err == nil {
		if ok, err = h.Verify("HS256", "mac", r.Body, sig); err != nil {
			return nil, err
		}
	}
	n := &pay.Notification{Authenticity: pay.AuthenticityNone, Ack: pay.Ack{Status: 401}}
	if ok {
		n.Authenticity, n.Ack.Status = pay.AuthenticityStrong, 200
	}
	return n, nil
}

// Refund sends a keyed write.
func (Provider) Refund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	var w form.Writer
	w.Add("amount", r.Amount.Decimal())
	req := sdk.PostForm("/pay/refund", &w, sdk.Money)
	req.Header = append(req.Header, pay.Field{Name: "X-Idempotency-Key", Value: r.ProviderKey})
	return classify(h.Send(req))
}

// Cancel sends an unkeyed write.
func (Provider) Cancel(h *sdk.Host, _ *pay.PaymentRequest) (*pay.Result, error) {
	return classify(h.Send(sdk.PostForm("/pay/cancel", &form.Writer{}, sdk.Money)))
}

// classify reads an answer in the way most providers answer.
func classify(resp *sdk.Response, err error) (*pay.Result, error) {
	if err != nil {
		return nil, err
	}
	v, bad := json.Parse(resp.Body)
	switch {
	case bad != nil:
		return nil, &pay.Error{Class: pay.ClassProtocol, Message: "answer is not JSON"}
	case resp.Status == 402:
		return nil, &pay.Error{Class: pay.ClassDeclined, Reason: pay.DeclinedInsufficientFunds}
	case resp.Status >= 400:
		return nil, &pay.Error{
			Class: pay.ClassInvalidRequest, Field: v.Get("field").Str(),
			ProviderMessage: v.Get("message").Str(), Message: "provider refused",
		}
	case v.Get("id").Str() == "":
		return nil, &pay.Error{Class: pay.ClassProtocol, Message: "answer has no id"}
	}
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: v.Get("id").Str(), ProviderMessage: v.Get("message").Str(),
		Next: pay.NextAction{Type: pay.NextRedirect, URL: v.Get("url").Str()},
	}, nil
}

// Create does what the option "do" says.
func (p Provider) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	do, arg, _ := strings.Cut(r.Option("do"), " ")
	if f, ok := actions()[do]; ok {
		return f(h, r, arg)
	}
	return send(h, r, "")
}

type action func(h *sdk.Host, r *pay.CreateRequest, arg string) (*pay.Result, error)

func send(h *sdk.Host, r *pay.CreateRequest, path string) (*pay.Result, error) {
	if path == "" {
		path = "/pay/create"
	}
	var w form.Writer
	w.Add("order", r.ProviderKey)
	w.Add("amount", r.Amount.Decimal())
	req := sdk.PostForm(path, &w, sdk.Money)
	req.Auth = sdk.Bearer("api_token")
	return classify(h.Send(req))
}

var applied = pay.Result{Outcome: pay.OutcomeApplied, ProviderRef: "x"}

func actions() map[string]action {
	return map[string]action{
		"path": send,
		"url": func(h *sdk.Host, _ *pay.CreateRequest, url string) (*pay.Result, error) {
			return classify(h.Send(&sdk.Request{Method: "POST", URL: url, Effect: sdk.Money}))
		},
		"claim": func(*sdk.Host, *pay.CreateRequest, string) (*pay.Result, error) { return &applied, nil },
		"claim-after-loss": func(h *sdk.Host, r *pay.CreateRequest, _ string) (*pay.Result, error) {
			_, _ = send(h, r, "")
			return &applied, nil
		},
		"decline-after-loss": func(h *sdk.Host, r *pay.CreateRequest, _ string) (*pay.Result, error) {
			_, _ = send(h, r, "")
			return &pay.Result{Outcome: pay.OutcomeDeclined}, nil
		},
		"lie-read": func(h *sdk.Host, _ *pay.CreateRequest, _ string) (*pay.Result, error) {
			return classify(h.Send(&sdk.Request{Method: "POST", URL: "/pay/create", Effect: sdk.Read}))
		},
		"trap-after-send": func(h *sdk.Host, r *pay.CreateRequest, _ string) (*pay.Result, error) {
			_, _ = send(h, r, "")
			panic("boom 4111111111111111")
		},
		"trap": func(*sdk.Host, *pay.CreateRequest, string) (*pay.Result, error) { panic("boom") },
		"many": func(h *sdk.Host, r *pay.CreateRequest, _ string) (*pay.Result, error) {
			var res *pay.Result
			var err error
			for range 3 {
				res, err = send(h, r, "")
			}
			return res, err
		},
		"twice": func(h *sdk.Host, r *pay.CreateRequest, _ string) (*pay.Result, error) {
			_, _ = send(h, r, "")
			return send(h, r, "")
		},
		"lost-after-answer": func(h *sdk.Host, r *pay.CreateRequest, _ string) (*pay.Result, error) {
			if _, err := send(h, r, ""); err != nil {
				return nil, err
			}
			for {
				if _, err := h.Send(sdk.GetJSON("/read/x")); err != nil {
					return nil, err
				}
			}
		},
		"denied-after-answer": func(h *sdk.Host, r *pay.CreateRequest, _ string) (*pay.Result, error) {
			if _, err := send(h, r, ""); err != nil {
				return nil, err
			}
			return send(h, r, "/elsewhere")
		},
		"reads": func(h *sdk.Host, _ *pay.CreateRequest, _ string) (*pay.Result, error) {
			for {
				if _, err := h.Send(sdk.GetJSON("/read/x")); err != nil {
					return nil, err
				}
			}
		},
		"log": func(h *sdk.Host, _ *pay.CreateRequest, text string) (*pay.Result, error) {
			h.Log(sdk.Error, text)
			return &pay.Result{Outcome: pay.OutcomeDeclined, ProviderMessage: text}, nil
		},
		"flood": func(h *sdk.Host, _ *pay.CreateRequest, _ string) (*pay.Result, error) {
			for range 1000 {
				h.Log(sdk.Info, strings.Repeat("x", 1000))
			}
			return &pay.Result{Outcome: pay.OutcomeDeclined}, nil
		},
		"basic": func(h *sdk.Host, _ *pay.CreateRequest, _ string) (*pay.Result, error) {
			req := &sdk.Request{Method: "POST", URL: "/pay/create", Auth: sdk.Basic("api_token", "api_token")}
			return classify(h.Send(req))
		},
		"counter": func(h *sdk.Host, _ *pay.CreateRequest, _ string) (*pay.Result, error) {
			n, err := h.Incr("count", 1, 0)
			if err != nil {
				return nil, err
			}
			return &pay.Result{Outcome: pay.OutcomeDeclined, ProviderCode: strings.Repeat("i", int(n))}, nil
		},
		"sleep": func(h *sdk.Host, _ *pay.CreateRequest, _ string) (*pay.Result, error) {
			h.Sleep(time.Hour)
			return nil, errors.New("woke")
		},
		"remember": func(_ *sdk.Host, _ *pay.CreateRequest, text string) (*pay.Result, error) {
			before := strings.Join(remembered, ",")
			remembered = append(remembered, text)
			return &pay.Result{Outcome: pay.OutcomeDeclined, ProviderMessage: before}, nil
		},
		"random": func(h *sdk.Host, _ *pay.CreateRequest, _ string) (*pay.Result, error) {
			var p [16]byte
			if err := h.Random(p[:]); err != nil {
				return nil, err
			}
			return &pay.Result{Outcome: pay.OutcomeDeclined, ProviderCode: hex.EncodeToString(p[:])}, nil
		},
		"loop":  func(*sdk.Host, *pay.CreateRequest, string) (*pay.Result, error) { return spin() },
		"grow":  func(*sdk.Host, *pay.CreateRequest, string) (*pay.Result, error) { return grow() },
		"nil":   func(*sdk.Host, *pay.CreateRequest, string) (*pay.Result, error) { return nil, nil },
		"plain": func(*sdk.Host, *pay.CreateRequest, string) (*pay.Result, error) { return nil, errors.New("plain") },
		"odd": func(*sdk.Host, *pay.CreateRequest, string) (*pay.Result, error) {
			return &pay.Result{Outcome: pay.OutcomePrepared}, nil
		},
	}
}

// remembered is what no plugin should have: the words of the calls before.
var remembered []string

func spin() (*pay.Result, error) {
	n := 0
	for {
		n++
		if n < 0 {
			return nil, errors.New("overflow")
		}
	}
}

func grow() (*pay.Result, error) {
	var keep [][]byte
	for {
		keep = append(keep, make([]byte, 1<<20))
		keep[len(keep)-1][0] = 1
	}
}
