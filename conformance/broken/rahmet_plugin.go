package broken

import (
	"strconv"

	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/form"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// rahmetPlugin is RahmetPay's plugin with something changed: each field that is set
// stands in a method's place.
type rahmetPlugin struct {
	*rahmet.Provider
	manifest func(m *pay.Manifest)
	pinged   func(err error) error
	create   func(p *rahmet.Provider, h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error)
	status   func(h *sdk.Host, payments []pay.Ref, items []pay.StatusItem) []pay.StatusItem
	refund   func(p *rahmet.Provider, h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error)
	noted    func(r *pay.NotificationRequest, n *pay.Notification)
}

// brokenRahmet lists a plugin of RahmetPay.
func brokenRahmet(name, does string, p rahmetPlugin, fails ...string) Plugin {
	p.Provider = rahmet.New()
	return Plugin{Name: name, Does: does, Provider: "rahmet", Fails: fails, New: func() sdk.Provider { return &p }}
}

// Manifest is the plugin's, changed.
func (p *rahmetPlugin) Manifest() pay.Manifest {
	m := p.Provider.Manifest()
	if p.manifest != nil {
		p.manifest(&m)
	}
	return m
}

// Ping is the plugin's, read otherwise.
func (p *rahmetPlugin) Ping(h *sdk.Host) error {
	err := p.Provider.Ping(h)
	if p.pinged != nil {
		return p.pinged(err)
	}
	return err
}

// Create is the plugin's, or another.
func (p *rahmetPlugin) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	if p.create != nil {
		return p.create(p.Provider, h, r)
	}
	return p.Provider.Create(h, r)
}

// Status is the plugin's, read otherwise.
func (p *rahmetPlugin) Status(h *sdk.Host, payments []pay.Ref) ([]pay.StatusItem, error) {
	items, err := p.Provider.Status(h, payments)
	if err == nil && p.status != nil {
		items = p.status(h, payments, items)
	}
	return items, err
}

// Refund is the plugin's, or another.
func (p *rahmetPlugin) Refund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	if p.refund != nil {
		return p.refund(p.Provider, h, r)
	}
	return p.Provider.Refund(h, r)
}

// Notification is the plugin's, read otherwise.
func (p *rahmetPlugin) Notification(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
	n, err := p.Provider.Notification(h, r)
	if err == nil && p.noted != nil {
		p.noted(r, n)
	}
	return n, err
}

// rahmetAnswer is an answer of the provider.
type rahmetAnswer struct {
	status  int
	token   int64 // generation of the token that was sent
	code    string
	message string
	data    json.Value
}

func (a *rahmetAnswer) tokenRefused() bool { return a.status == 401 || a.code == "4" || a.code == "9" }

// rahmetSend posts a form with an access token, which is renewed if it was refused, as
// often as is said.
func rahmetSend(h *sdk.Host, request *sdk.Request, renewals int) (*rahmetAnswer, error) {
	request.Auth = sdk.OAuth2("rahmet", 0)
	for {
		response, err := h.Send(request)
		if err != nil {
			return nil, err
		}
		a := &rahmetAnswer{status: response.Status, token: response.TokenGeneration}
		if body, err := json.Parse(response.Body); err == nil {
			a.code, _ = body.Get("error_code").Decimal()
			a.message, a.data = body.Get("message").Str(), body.Get("data")
		}
		if renewals == 0 || !a.tokenRefused() {
			return a, nil
		}
		renewals--
		request.Auth = sdk.OAuth2("rahmet", a.token)
	}
}

// wrong is the error of an answer that is no success, as the plugin makes it.
func (a *rahmetAnswer) wrong() error {
	e := &pay.Error{Class: pay.ClassProtocol, ProviderCode: a.code, ProviderMessage: a.message, Message: "not a success"}
	if a.status == 401 || a.code == "4" {
		e.Class = pay.ClassAuth
	}
	return e
}

// rahmetOwn is a refund as an author would write it anew.
type rahmetOwn struct {
	renewals int
	path     string                     // empty for the right one
	change   func(request *sdk.Request) // before it is sent
	success  func(a *rahmetAnswer) bool // nil for error_code 0
}

func (o rahmetOwn) refund(p *rahmet.Provider, h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	if _, whole := r.Amount.Whole(); !whole || len(r.Payment.Keys) != 1 {
		return p.Refund(h, r)
	}
	path := o.path
	if path == "" {
		path = "/orders/v1/preorder/refund"
	}
	body := &form.Writer{}
	body.Add("merchant_order_id", r.Payment.Keys[0])
	tenge, _ := r.Amount.Whole()
	body.AddInt("amount", tenge)
	request := sdk.PostForm(path, body, sdk.Money)
	request.Header = append(request.Header, pay.Field{Name: "X-Idempotency-Key", Value: r.ProviderKey})
	if o.change != nil {
		o.change(request)
	}
	a, err := rahmetSend(h, request, o.renewals)
	if err != nil {
		return nil, err
	}
	success := a.code == "0" && a.status < 500
	if o.success != nil {
		success = o.success(a)
	}
	if !success {
		return nil, a.wrong()
	}
	id, _ := a.data.Get("id").Decimal()
	seen := pay.Observation{Subject: pay.SubjectRefund, Refund: pay.RefundPending, ProviderRef: id, ProviderKey: r.ProviderKey}
	if amount, ok := a.data.Get("amount").Decimal(); ok && amount != strconv.FormatInt(tenge, 10) {
		seen.Detail = "provider names " + amount + ".00"
	}
	return &pay.Result{Outcome: pay.OutcomeAccepted, ProviderRef: id, Observations: []pay.Observation{seen}}, nil
}

// rahmetPlace is a first create as an author would write it anew, for a connection with
// the default settings; every other is the plugin's.
func rahmetPlace(p *rahmet.Provider, h *sdk.Host, r *pay.CreateRequest, renewals int, more func(w *form.Writer)) (*pay.Result, error) {
	tenge, whole := r.Amount.Whole()
	plain := h.Setting("api_version", "v1") == "v1" && !h.Settings().Get("image_size").Exists()
	if r.Attempt > 1 || !whole || tenge < 1 || r.Amount.Currency != pay.KZT || !plain || len(r.Options) > 0 || !r.ExpiresAt.IsZero() {
		return p.Create(h, r)
	}
	body := &form.Writer{}
	body.Add("merchant_order_id", r.ProviderKey)
	body.AddInt("amount", tenge)
	body.Add("token", h.Setting("branch_token", ""))
	body.AddIf("backlink", r.ReturnURL)
	if r.NotificationURL != "" {
		body.Add("postlink", r.NotificationURL+"?event=paid")
		body.Add("failed_postlink", r.NotificationURL+"?event=failed")
	}
	if more != nil {
		more(body)
	}
	a, err := rahmetSend(h, sdk.PostForm("/orders/v1/preorder/create", body, sdk.Money), renewals)
	if err != nil {
		return nil, err
	}
	id, _ := a.data.Get("preorder_id").Decimal()
	link, isLink := a.data.Get("url").Text()
	if a.code != "0" || a.status >= 500 || id == "" || !isLink || link == "" {
		return nil, a.wrong()
	}
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: id, Next: pay.NextAction{Type: pay.NextRedirect, URL: link},
	}, nil
}
