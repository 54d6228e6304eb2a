package host

import (
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// Supports reports whether the revision in use declares the operation; false once
// the connection is closed.
func (c *Connection) Supports(op pay.Operation) bool {
	s := c.serving.Load()
	if s == nil {
		return false
	}
	_, ok := s.of(c.subject).revision.manifest.Operation(op)
	return ok
}

// Revision returns the digest of the revision in use; empty once the connection is
// closed.
func (c *Connection) Revision() string {
	s := c.serving.Load()
	if s == nil {
		return ""
	}
	return s.of(c.subject).revision.digest
}

// CheckCreate holds a request against the manifest of the revision in use, as
// [Connection.Create] does before it runs the plugin. Nothing is run, nothing is
// sent, no provider key is made, and no key need be given. So do the other checks
// for their operations. Errors are *pay.Error with effect none: invalid_request
// with the field, unsupported, or host_fault once the connection is closed.
//
// That a check passes is no promise: the revision may be another by then.
func (c *Connection) CheckCreate(r pay.CreateRequest) error { return c.check(c.create(&r)) }

// CheckBind is the check of [Connection.Bind]; see [Connection.CheckCreate].
func (c *Connection) CheckBind(r pay.BindRequest) error { return c.check(c.bindCode(&r)) }

// CheckRelease is the check of [Connection.Release]; see [Connection.CheckCreate].
func (c *Connection) CheckRelease(r pay.PaymentRequest) error { return c.check(c.release(&r)) }

// CheckConfirm is the check of [Connection.Confirm]; see [Connection.CheckCreate].
func (c *Connection) CheckConfirm(r pay.PaymentRequest) error {
	return c.check(c.onPayment(pay.OpConfirm, &r))
}

// CheckCancel is the check of [Connection.Cancel]; see [Connection.CheckCreate].
func (c *Connection) CheckCancel(r pay.PaymentRequest) error {
	return c.check(c.onPayment(pay.OpCancel, &r))
}

// CheckRefund is the check of [Connection.Refund]; see [Connection.CheckCreate].
func (c *Connection) CheckRefund(r pay.RefundRequest) error { return c.check(c.refund(&r)) }

// CheckConfirmRefund is the check of [Connection.ConfirmRefund]; see
// [Connection.CheckCreate].
func (c *Connection) CheckConfirmRefund(r pay.RefundRequest) error {
	return c.check(c.onRefund(pay.OpConfirmRefund, &r))
}

// CheckCancelRefund is the check of [Connection.CancelRefund]; see
// [Connection.CheckCreate].
func (c *Connection) CheckCancelRefund(r pay.RefundRequest) error {
	return c.check(c.onRefund(pay.OpCancelRefund, &r))
}

// CheckReceipt is the check of [Connection.Receipt]; see [Connection.CheckCreate].
func (c *Connection) CheckReceipt(r pay.ReceiptRequest) error { return c.check(c.receipt(&r)) }

func (c *Connection) check(w *writing) error {
	b, err := c.acquire()
	if err != nil {
		return refusal(w.op, err)
	}
	defer b.release()
	if _, err := b.valid(w); err != nil {
		return refusal(w.op, err)
	}
	if len(w.encode(nil)) > abi.MaxMessage {
		return refusal(w.op, tooLarge())
	}
	return nil
}

// valid holds a request against the manifest, all but its key.
func (b *binding) valid(w *writing) (pay.OperationSpec, error) {
	spec, ok := b.revision.manifest.Operation(w.op)
	if !ok {
		return spec, unsupported(w.op)
	}
	return spec, w.check(&b.revision.manifest)
}
