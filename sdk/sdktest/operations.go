package sdktest

import (
	"slices"
	"strconv"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// The operations answer what the plugin answered: a result, or a *pay.Error with
// its Operation set. An operation that the manifest does not declare is an error
// of class unsupported, and the plugin is not asked.
//
// What a host fills in is filled in where a request leaves it empty: Key,
// ProviderKey in the form that the manifest asks for, Attempt and Deadline.

// Create starts a payment.
func (p *Plugin) Create(r pay.CreateRequest) (*pay.Result, error) {
	p.t.Helper()
	p.fill(pay.OpCreate, &r.Intent, r.OrderID)
	return p.write(pay.OpCreate, r.ProviderKey, abi.AppendCreate(nil, &r))
}

// Bind submits the code that the payer shows.
func (p *Plugin) Bind(r pay.BindRequest) (*pay.Result, error) {
	p.t.Helper()
	p.fill(pay.OpBind, &r.Intent, r.Payment.OrderID)
	return p.write(pay.OpBind, r.ProviderKey, abi.AppendBind(nil, &r))
}

// Release sends the amount for a bound code.
func (p *Plugin) Release(r pay.PaymentRequest) (*pay.Result, error) {
	p.t.Helper()
	return p.onPayment(pay.OpRelease, r)
}

// Confirm finishes an authorized payment.
func (p *Plugin) Confirm(r pay.PaymentRequest) (*pay.Result, error) {
	p.t.Helper()
	return p.onPayment(pay.OpConfirm, r)
}

// Cancel voids, unbinds or withdraws a payment.
func (p *Plugin) Cancel(r pay.PaymentRequest) (*pay.Result, error) {
	p.t.Helper()
	return p.onPayment(pay.OpCancel, r)
}

// Refund gives money back.
func (p *Plugin) Refund(r pay.RefundRequest) (*pay.Result, error) {
	p.t.Helper()
	return p.onRefund(pay.OpRefund, r)
}

// ConfirmRefund acknowledges a refund at the till.
func (p *Plugin) ConfirmRefund(r pay.RefundRequest) (*pay.Result, error) {
	p.t.Helper()
	return p.onRefund(pay.OpConfirmRefund, r)
}

// CancelRefund gives up waiting for a refund at the till.
func (p *Plugin) CancelRefund(r pay.RefundRequest) (*pay.Result, error) {
	p.t.Helper()
	return p.onRefund(pay.OpCancelRefund, r)
}

// Receipt registers a fiscal receipt.
func (p *Plugin) Receipt(r pay.ReceiptRequest) (*pay.Result, error) {
	p.t.Helper()
	order := ""
	if r.Payment != nil {
		order = r.Payment.OrderID
	}
	p.fill(pay.OpReceipt, &r.Intent, order)
	return p.write(pay.OpReceipt, r.ProviderKey, abi.AppendReceipt(nil, &r))
}

// Status asks after payments, in batches of the manifest's size as a host does.
// There is one item per reference, in their order; what the plugin says nothing of
// is pay.FoundNothing.
func (p *Plugin) Status(payments ...pay.Ref) ([]pay.StatusItem, error) {
	p.t.Helper()
	return p.lookup(pay.OpStatus, payments)
}

// RefundStatus asks after refunds; see [Plugin.Status].
func (p *Plugin) RefundStatus(refunds ...pay.Ref) ([]pay.StatusItem, error) {
	p.t.Helper()
	return p.lookup(pay.OpRefundStatus, refunds)
}

// Notification lets the plugin parse an inbound call.
func (p *Plugin) Notification(r pay.NotificationRequest) (*pay.Notification, error) {
	p.t.Helper()
	c := p.newCall(pay.OpNotification, "")
	body := int32(0)
	if len(r.Body) > 0 {
		body = c.newBlob(slices.Clone(r.Body))
	}
	c.input = abi.AppendNotification(nil, &r, body)
	reply, err := c.run()
	return reply.Notification, orNil(err)
}

// Ping asks whether the provider is there.
func (p *Plugin) Ping() error {
	p.t.Helper()
	_, err := p.call(pay.OpPing, "", nil)
	return orNil(err)
}

// ErrorCatalog reads the provider's own list of error codes.
func (p *Plugin) ErrorCatalog() ([]pay.CatalogEntry, error) {
	p.t.Helper()
	reply, err := p.call(pay.OpErrorCatalog, "", nil)
	return reply.Catalog, orNil(err)
}

// CheckConfig returns what the plugin finds wrong with the connection's settings.
// The settings schema is the host's to check, not the harness's.
func (p *Plugin) CheckConfig() []pay.Problem {
	p.t.Helper()
	reply, err := p.call(pay.OpCheckConfig, "", nil)
	if err != nil {
		p.t.Errorf("sdktest: %v", err)
	}
	return reply.Problems
}

func (p *Plugin) onPayment(op pay.Operation, r pay.PaymentRequest) (*pay.Result, error) {
	p.t.Helper()
	p.fill(op, &r.Intent, r.Payment.OrderID)
	return p.write(op, r.ProviderKey, abi.AppendPayment(nil, &r))
}

func (p *Plugin) onRefund(op pay.Operation, r pay.RefundRequest) (*pay.Result, error) {
	p.t.Helper()
	p.fill(op, &r.Intent, r.Payment.OrderID)
	return p.write(op, r.ProviderKey, abi.AppendRefund(nil, &r))
}

func (p *Plugin) write(op pay.Operation, key string, input []byte) (*pay.Result, error) {
	p.t.Helper()
	reply, err := p.call(op, key, input)
	return reply.Result, orNil(err)
}

func (p *Plugin) lookup(op pay.Operation, refs []pay.Ref) ([]pay.StatusItem, error) {
	p.t.Helper()
	items := make([]pay.StatusItem, len(refs))
	at := make(map[string]int, len(refs))
	for i, ref := range refs {
		items[i].ID = ref.ID
		at[ref.ID] = i
	}
	if len(at) != len(refs) {
		p.t.Fatalf("sdktest: %s: two references have the same ID", op)
	}
	size := max(1, p.manifest.BatchSize)
	for from := 0; from < len(refs); from += size {
		batch := refs[from:min(from+size, len(refs))]
		reply, err := p.call(op, "", abi.AppendRefs(nil, batch))
		if err != nil {
			return nil, err
		}
		for _, item := range reply.Items {
			i, asked := at[item.ID]
			if !asked || i < from || i >= from+len(batch) {
				p.t.Errorf("sdktest: %s: plugin answers for %q, which was not asked after", op, item.ID)
				continue
			}
			items[i] = item
		}
	}
	return items, nil
}

// fill gives an intent what a host would.
func (p *Plugin) fill(op pay.Operation, intent *pay.Intent, order string) {
	if intent.Key == "" {
		intent.Key = "key-" + op.String()
	}
	intent.Attempt = max(1, intent.Attempt)
	if intent.Deadline.IsZero() {
		intent.Deadline = p.now.Add(p.config.Timeout)
	}
	spec, _ := p.manifest.Operation(op)
	if intent.ProviderKey != "" {
		return
	}
	switch spec.KeyForm {
	case pay.KeyText:
		intent.ProviderKey = intent.Key
	case pay.KeyUUID:
		intent.ProviderKey = "00000000-0000-4000-8000-0000000000" + strconv.Itoa(int(op)+10)
	case pay.KeyOrder:
		intent.ProviderKey = order
	case pay.KeyCounter:
		intent.ProviderKey = p.setting(spec.KeySetting) + "-" + strconv.FormatInt(p.now.Unix(), 10) + "-1"
	}
}

// orNil keeps a nil *pay.Error from becoming an error that is not nil.
func orNil(err *pay.Error) error {
	if err == nil {
		return nil
	}
	return err
}
