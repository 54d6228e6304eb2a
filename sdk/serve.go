package sdk

import (
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/internal/slab"
	"github.com/payhost/payhost/sdk/pay"
)

// serve answers one call with a fresh handle: it reads the input, runs the provider's method and
// gives the reply.
func serve(p Provider, h *Host, number, inputLen int32) int32 {
	op := pay.Operation(number)
	if int32(op) != number || !has(p, op) { // a number that does not fit is no operation
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
	reply, err := answer(p, h, op, input)
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

func answer(p Provider, h *Host, op pay.Operation, in []byte) (abi.Reply, error) {
	switch op {
	case pay.OpDescribe:
		manifest := p.Manifest()
		return abi.Reply{Manifest: abi.AppendManifest(nil, &manifest)}, nil
	case pay.OpCheckConfig:
		return abi.Reply{Problems: p.CheckConfig(h)}, nil
	case pay.OpPing:
		return abi.Reply{}, p.(Pinger).Ping(h)
	case pay.OpErrorCatalog:
		entries, err := p.(ErrorCataloger).ErrorCatalog(h)
		return abi.Reply{Catalog: entries}, err
	case pay.OpStatus:
		return items(h, in, p.Status)
	case pay.OpRefundStatus:
		return items(h, in, p.(RefundProber).RefundStatus)
	case pay.OpNotification:
		return notification(p.(Notifiee), h, in)
	}
	return write(p, h, op, in)
}

// write answers the operations whose reply is a Result.
func write(p Provider, h *Host, op pay.Operation, in []byte) (abi.Reply, error) {
	switch op {
	case pay.OpCreate:
		var err error
		if h.create, err = abi.DecodeCreate(in); err != nil {
			return abi.Reply{}, err
		}
		res, err := p.Create(h, &h.create)
		return whole(res, err)
	case pay.OpBind:
		return result(h, in, abi.DecodeBind, p.(Binder).Bind)
	case pay.OpRelease:
		return result(h, in, abi.DecodePayment, p.(Releaser).Release)
	case pay.OpConfirm:
		return result(h, in, abi.DecodePayment, p.(Confirmer).Confirm)
	case pay.OpCancel:
		return result(h, in, abi.DecodePayment, p.(Canceler).Cancel)
	case pay.OpRefund:
		return result(h, in, abi.DecodeRefund, p.(Refunder).Refund)
	case pay.OpConfirmRefund:
		return result(h, in, abi.DecodeRefund, p.(RefundCloser).ConfirmRefund)
	case pay.OpCancelRefund:
		return result(h, in, abi.DecodeRefund, p.(RefundCloser).CancelRefund)
	case pay.OpReceipt:
		return result(h, in, abi.DecodeReceipt, p.(Receipter).Receipt)
	}
	return abi.Reply{}, abi.Unsupported
}

func result[T any](
	h *Host, in []byte, decode func([]byte) (T, error), method func(*Host, *T) (*pay.Result, error),
) (abi.Reply, error) {
	request, err := decode(in)
	if err != nil {
		return abi.Reply{}, err
	}
	res, err := method(h, &request)
	return whole(res, err)
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

func notification(p Notifiee, h *Host, in []byte) (abi.Reply, error) {
	request, blob, err := abi.DecodeNotification(in)
	if err != nil {
		return abi.Reply{}, err
	}
	if blob > 0 {
		if request.Body, err = h.readBlob(blob, 0); err != nil {
			return abi.Reply{}, err
		}
	}
	note, err := p.Notification(h, &request)
	if err == nil && note == nil {
		err = fault("method returned neither a notification nor an error")
	}
	return abi.Reply{Notification: note}, err
}
