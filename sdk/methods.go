package sdk

import "github.com/payhost/payhost/sdk/pay"

// Methods are a provider's methods, for [RegisterMethods]. The first four must be
// there; the others are nil where the provider has none.
type Methods struct {
	Manifest    func() pay.Manifest
	CheckConfig func(*Host) []pay.Problem
	Create      func(*Host, *pay.CreateRequest) (*pay.Result, error)
	Status      func(*Host, []pay.Ref) ([]pay.StatusItem, error)

	Ping          func(*Host) error
	Bind          func(*Host, *pay.BindRequest) (*pay.Result, error)
	Release       func(*Host, *pay.PaymentRequest) (*pay.Result, error)
	Confirm       func(*Host, *pay.PaymentRequest) (*pay.Result, error)
	Cancel        func(*Host, *pay.PaymentRequest) (*pay.Result, error)
	Refund        func(*Host, *pay.RefundRequest) (*pay.Result, error)
	RefundStatus  func(*Host, []pay.Ref) ([]pay.StatusItem, error)
	ConfirmRefund func(*Host, *pay.RefundRequest) (*pay.Result, error)
	CancelRefund  func(*Host, *pay.RefundRequest) (*pay.Result, error)
	Receipt       func(*Host, *pay.ReceiptRequest) (*pay.Result, error)
	Notification  func(*Host, *pay.NotificationRequest) (*pay.Notification, error)
	ErrorCatalog  func(*Host) ([]pay.CatalogEntry, error)
}

// MethodsOf returns the methods that a provider has.
func MethodsOf(p Provider) Methods {
	m := Methods{Manifest: p.Manifest, CheckConfig: p.CheckConfig, Create: p.Create, Status: p.Status}
	if p, ok := p.(Pinger); ok {
		m.Ping = p.Ping
	}
	if p, ok := p.(Binder); ok {
		m.Bind = p.Bind
	}
	if p, ok := p.(Releaser); ok {
		m.Release = p.Release
	}
	if p, ok := p.(Confirmer); ok {
		m.Confirm = p.Confirm
	}
	if p, ok := p.(Canceler); ok {
		m.Cancel = p.Cancel
	}
	if p, ok := p.(Refunder); ok {
		m.Refund = p.Refund
	}
	if p, ok := p.(RefundProber); ok {
		m.RefundStatus = p.RefundStatus
	}
	if p, ok := p.(RefundCloser); ok {
		m.ConfirmRefund, m.CancelRefund = p.ConfirmRefund, p.CancelRefund
	}
	if p, ok := p.(Receipter); ok {
		m.Receipt = p.Receipt
	}
	if p, ok := p.(Notifiee); ok {
		m.Notification = p.Notification
	}
	if p, ok := p.(ErrorCataloger); ok {
		m.ErrorCatalog = p.ErrorCatalog
	}
	return m
}

// has reports whether the methods cover an operation.
func (m *Methods) has(op pay.Operation) bool {
	switch op {
	case pay.OpDescribe, pay.OpCheckConfig, pay.OpCreate, pay.OpStatus:
		return true
	case pay.OpPing:
		return m.Ping != nil
	case pay.OpBind:
		return m.Bind != nil
	case pay.OpRelease:
		return m.Release != nil
	case pay.OpConfirm:
		return m.Confirm != nil
	case pay.OpCancel:
		return m.Cancel != nil
	case pay.OpRefund:
		return m.Refund != nil
	case pay.OpRefundStatus:
		return m.RefundStatus != nil
	case pay.OpConfirmRefund:
		return m.ConfirmRefund != nil
	case pay.OpCancelRefund:
		return m.CancelRefund != nil
	case pay.OpReceipt:
		return m.Receipt != nil
	case pay.OpNotification:
		return m.Notification != nil
	case pay.OpErrorCatalog:
		return m.ErrorCatalog != nil
	}
	return false
}
