package broken

import (
	"github.com/payhost/payhost/plugins/smartpay"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// till is SmartPay's plugin with something changed: each field that is set stands in a
// method's place, and is given the true method to call.
type till struct {
	*smartpay.Provider
	manifest      func(m *pay.Manifest)
	checkConfig   func(h *sdk.Host)
	ping          func(h *sdk.Host) error
	errorCatalog  func(list []pay.CatalogEntry)
	bind          func(h *sdk.Host, r *pay.BindRequest, bind bindCall) (*pay.Result, error)
	release       func(h *sdk.Host, r *pay.PaymentRequest, release paymentCall) (*pay.Result, error)
	confirm       func(h *sdk.Host, r *pay.PaymentRequest, confirm paymentCall) (*pay.Result, error)
	cancel        func(h *sdk.Host, r *pay.PaymentRequest, cancel paymentCall) (*pay.Result, error)
	status        func(item *pay.StatusItem)
	cancelsRefund func(h *sdk.Host, r *pay.RefundRequest, cancel refundCall) (*pay.Result, error)
	receipt       func(r *pay.ReceiptRequest)
}

type (
	bindCall    func(*sdk.Host, *pay.BindRequest) (*pay.Result, error)
	paymentCall func(*sdk.Host, *pay.PaymentRequest) (*pay.Result, error)
	refundCall  func(*sdk.Host, *pay.RefundRequest) (*pay.Result, error)
)

// Manifest is the plugin's, changed.
func (t *till) Manifest() pay.Manifest {
	m := t.Provider.Manifest()
	if t.manifest != nil {
		t.manifest(&m)
	}
	return m
}

// CheckConfig is the plugin's.
func (t *till) CheckConfig(h *sdk.Host) []pay.Problem {
	if t.checkConfig != nil {
		t.checkConfig(h)
	}
	return t.Provider.CheckConfig(h)
}

// Ping is the plugin's, or another.
func (t *till) Ping(h *sdk.Host) error {
	if t.ping != nil {
		return t.ping(h)
	}
	return t.Provider.Ping(h)
}

// ErrorCatalog is the plugin's, changed.
func (t *till) ErrorCatalog(h *sdk.Host) ([]pay.CatalogEntry, error) {
	list, err := t.Provider.ErrorCatalog(h)
	if t.errorCatalog != nil {
		t.errorCatalog(list)
	}
	return list, err
}

// Bind is the plugin's, or another.
func (t *till) Bind(h *sdk.Host, r *pay.BindRequest) (*pay.Result, error) {
	if t.bind != nil {
		return t.bind(h, r, t.Provider.Bind)
	}
	return t.Provider.Bind(h, r)
}

// Release is the plugin's, or another.
func (t *till) Release(h *sdk.Host, r *pay.PaymentRequest) (*pay.Result, error) {
	if t.release != nil {
		return t.release(h, r, t.Provider.Release)
	}
	return t.Provider.Release(h, r)
}

// Confirm is the plugin's, or another.
func (t *till) Confirm(h *sdk.Host, r *pay.PaymentRequest) (*pay.Result, error) {
	if t.confirm != nil {
		return t.confirm(h, r, t.Provider.Confirm)
	}
	return t.Provider.Confirm(h, r)
}

// Cancel is the plugin's, or another.
func (t *till) Cancel(h *sdk.Host, r *pay.PaymentRequest) (*pay.Result, error) {
	if t.cancel != nil {
		return t.cancel(h, r, t.Provider.Cancel)
	}
	return t.Provider.Cancel(h, r)
}

// Status is the plugin's, changed.
func (t *till) Status(h *sdk.Host, payments []pay.Ref) ([]pay.StatusItem, error) {
	items, err := t.Provider.Status(h, payments)
	for i := range items {
		if t.status != nil {
			t.status(&items[i])
		}
	}
	return items, err
}

// CancelRefund is the plugin's, or another.
func (t *till) CancelRefund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	if t.cancelsRefund != nil {
		return t.cancelsRefund(h, r, t.Provider.CancelRefund)
	}
	return t.Provider.CancelRefund(h, r)
}

// Receipt is the plugin's, of a changed request.
func (t *till) Receipt(h *sdk.Host, r *pay.ReceiptRequest) (*pay.Result, error) {
	if t.receipt != nil {
		t.receipt(r)
	}
	return t.Provider.Receipt(h, r)
}

// brokenTill is a broken plugin of SmartPay. A new till is made for each: some keep
// things in memory.
func brokenTill(name, does string, make func() *till, fails ...string) Plugin {
	return Plugin{
		Name: name, Does: does, Provider: "smartpay", Fails: fails,
		New: func() sdk.Provider {
			t := make()
			t.Provider = smartpay.New()
			return t
		},
	}
}
