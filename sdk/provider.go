package sdk

import "github.com/payhost/payhost/sdk/pay"

// Provider is what every plugin has. Methods return a *pay.Error for a failure
// they can name; any other error counts as a fault of the plugin.
type Provider interface {
	// Manifest says what the plugin is and needs. It is pure: the same value at
	// every call, with no use of anything outside.
	Manifest() pay.Manifest
	// CheckConfig returns what is wrong with the connection's settings beyond what
	// the settings schema says, or nothing. It may not use the network.
	CheckConfig(h *Host) []pay.Problem
	// Create starts a payment and returns the next action.
	Create(h *Host, r *pay.CreateRequest) (*pay.Result, error)
	// Status asks after 1 to BatchSize payments. A payment with no item in the
	// answer is "no information".
	Status(h *Host, payments []pay.Ref) ([]pay.StatusItem, error)
}

// Pinger asks whether the provider is there. Nil means yes.
type Pinger interface {
	Ping(h *Host) error
}

// Binder submits the code that the payer shows at the till.
type Binder interface {
	Bind(h *Host, r *pay.BindRequest) (*pay.Result, error)
}

// Releaser sends the amount for a bound code.
type Releaser interface {
	Release(h *Host, r *pay.PaymentRequest) (*pay.Result, error)
}

// Confirmer finishes an authorized payment. It must be safe to repeat.
type Confirmer interface {
	Confirm(h *Host, r *pay.PaymentRequest) (*pay.Result, error)
}

// Canceler voids, unbinds or withdraws a payment.
type Canceler interface {
	Cancel(h *Host, r *pay.PaymentRequest) (*pay.Result, error)
}

// Refunder gives money back.
type Refunder interface {
	Refund(h *Host, r *pay.RefundRequest) (*pay.Result, error)
}

// RefundProber asks after refunds that have an id of their own at the provider.
type RefundProber interface {
	RefundStatus(h *Host, refunds []pay.Ref) ([]pay.StatusItem, error)
}

// RefundCloser closes a refund at the till: acknowledges it, or gives up waiting.
type RefundCloser interface {
	ConfirmRefund(h *Host, r *pay.RefundRequest) (*pay.Result, error)
	CancelRefund(h *Host, r *pay.RefundRequest) (*pay.Result, error)
}

// Receipter registers fiscal receipts.
type Receipter interface {
	Receipt(h *Host, r *pay.ReceiptRequest) (*pay.Result, error)
}

// Notifiee parses inbound calls of the provider. It may not use the network.
type Notifiee interface {
	Notification(h *Host, r *pay.NotificationRequest) (*pay.Notification, error)
}

// ErrorCataloger reads the provider's own list of error codes.
type ErrorCataloger interface {
	ErrorCatalog(h *Host) ([]pay.CatalogEntry, error)
}

// Mismatch compares the operations that a provider's manifest declares with the
// methods it has, and returns what differs, as "declared refund, has no method".
// Hosts refuse such a plugin; tests should ask first.
func Mismatch(p Provider) []string {
	manifest, methods := p.Manifest(), MethodsOf(p)
	var out []string
	for _, op := range pay.Operations() {
		_, declared := manifest.Operation(op)
		switch {
		case declared && !methods.has(op):
			out = append(out, "declares "+op.String()+", has no method for it")
		case !declared && methods.has(op):
			out = append(out, "has a method for "+op.String()+", does not declare it")
		}
	}
	return out
}
