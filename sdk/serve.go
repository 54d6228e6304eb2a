package sdk

import (
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/internal/slab"
	"github.com/payhost/payhost/sdk/pay"
)

// serve answers one call with a fresh handle: it reads the input, runs the
// provider's method and gives the reply.
func serve(m *Methods, h *Host, number, inputLen int32) int32 {
	op := pay.Operation(number)
	if int32(op) != number || !m.has(op) { // a number that does not fit is no operation
		return int32(abi.Unsupported)
	}
	if inputLen < 0 || inputLen > abi.MaxMessage {
		return int32(abi.TooLarge)
	}
	input := slab.Bytes(int(inputLen))[:inputLen]
	switch n := h.g.Input(0, input); {
	case n < 0:
		return n
	case n != inputLen:
		return int32(abi.BadArgument)
	}
	reply, err := answer(m, h, op, input)
	if err != nil {
		reply = abi.Reply{Err: asError(err)}
	}
	code := h.g.Reply(abi.AppendReply(slab.Rest(512)[:0], &reply))
	if abi.Code(code) == abi.TooLarge { // say so rather than nothing: money may have moved
		reply = abi.Reply{Err: fault(op.String() + ": the answer is larger than a message may be")}
		code = h.g.Reply(abi.AppendReply(nil, &reply))
	}
	return code
}

// asError keeps a *pay.Error and makes a fault of the plugin of anything else.
func asError(err error) *pay.Error {
	e, ok := err.(*pay.Error) //nolint:errorlint // a wrapped one is no answer of the contract
	switch {
	case !ok:
		return fault(err.Error())
	case e == nil:
		return fault("method returned a nil *pay.Error as an error, which is not nil")
	}
	return e
}

func fault(message string) *pay.Error {
	return &pay.Error{Class: pay.ClassPluginFault, Message: message}
}

func answer(m *Methods, h *Host, op pay.Operation, in []byte) (abi.Reply, error) {
	switch op {
	case pay.OpDescribe:
		manifest := m.Manifest()
		return abi.Reply{Manifest: abi.AppendManifest(nil, &manifest)}, nil
	case pay.OpCheckConfig:
		return abi.Reply{Problems: m.CheckConfig(h)}, nil
	case pay.OpPing:
		return abi.Reply{}, m.Ping(h)
	case pay.OpErrorCatalog:
		entries, err := m.ErrorCatalog(h)
		return abi.Reply{Catalog: entries}, err
	case pay.OpStatus:
		return items(h, in, m.Status)
	case pay.OpRefundStatus:
		return items(h, in, m.RefundStatus)
	case pay.OpNotification:
		return notification(m, h, in)
	}
	return write(m, h, op, in)
}

// write answers the operations whose reply is a Result.
func write(m *Methods, h *Host, op pay.Operation, in []byte) (abi.Reply, error) {
	switch op {
	case pay.OpCreate:
		var err error
		if h.create, err = abi.DecodeCreate(in); err != nil {
			return abi.Reply{}, err
		}
		return whole(m.Create(h, &h.create))
	case pay.OpBind:
		request, err := abi.DecodeBind(in)
		if err != nil {
			return abi.Reply{}, err
		}
		return whole(m.Bind(h, &request))
	case pay.OpRelease:
		return payment(m.Release, h, in)
	case pay.OpConfirm:
		return payment(m.Confirm, h, in)
	case pay.OpCancel:
		return payment(m.Cancel, h, in)
	case pay.OpRefund:
		return refund(m.Refund, h, in)
	case pay.OpConfirmRefund:
		return refund(m.ConfirmRefund, h, in)
	case pay.OpCancelRefund:
		return refund(m.CancelRefund, h, in)
	case pay.OpReceipt:
		request, err := abi.DecodeReceipt(in)
		if err != nil {
			return abi.Reply{}, err
		}
		return whole(m.Receipt(h, &request))
	}
	return abi.Reply{}, abi.Unsupported
}

func payment(method func(*Host, *pay.PaymentRequest) (*pay.Result, error), h *Host, in []byte) (abi.Reply, error) {
	request, err := abi.DecodePayment(in)
	if err != nil {
		return abi.Reply{}, err
	}
	return whole(method(h, &request))
}

func refund(method func(*Host, *pay.RefundRequest) (*pay.Result, error), h *Host, in []byte) (abi.Reply, error) {
	request, err := abi.DecodeRefund(in)
	if err != nil {
		return abi.Reply{}, err
	}
	return whole(method(h, &request))
}

func whole(res *pay.Result, err error) (abi.Reply, error) {
	if err == nil && res == nil {
		err = fault("method returned neither a result nor an error")
	}
	return abi.Reply{Result: res}, err
}

func items(
	h *Host, in []byte, method func(*Host, []pay.Ref) ([]pay.StatusItem, error),
) (abi.Reply, error) {
	refs, err := abi.DecodeRefs(in)
	if err != nil {
		return abi.Reply{}, err
	}
	list, err := method(h, refs)
	return abi.Reply{Items: list}, err
}

func notification(m *Methods, h *Host, in []byte) (abi.Reply, error) {
	request, blob, err := abi.DecodeNotification(in)
	if err != nil {
		return abi.Reply{}, err
	}
	if blob > 0 {
		if request.Body, err = h.readBlob(blob, 0); err != nil {
			return abi.Reply{}, err
		}
	}
	note, err := m.Notification(h, &request)
	if err == nil && note == nil {
		err = fault("method returned neither a notification nor an error")
	}
	return abi.Reply{Notification: note}, err
}
