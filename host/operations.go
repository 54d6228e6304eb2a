package host

import (
	"context"
	"time"

	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// Result is the host's answer to a writing operation: the plugin's result with
// the host's verdict as its Outcome, and what the verdict rests on.
type Result struct {
	pay.Result
	ProviderKey string             // the key that was sent, or would have been
	Evidence    pay.Evidence       // what was seen of this attempt's writing calls
	Calls       []*egress.Exchange // every outbound call, masked
	Revision    string             // digest of the revision that ran
	Took        time.Duration
}

// Create starts a payment. The request needs Key and OrderID, and Amount unless
// the plugin's flow is a till. A ProviderKey that is not given is made as by
// [Connection.ProviderKey].
func (c *Connection) Create(ctx context.Context, r pay.CreateRequest, options ...Option) (Result, error) {
	return c.write(ctx, c.create(&r), options)
}

func (c *Connection) create(r *pay.CreateRequest) *writing {
	return &writing{
		op: pay.OpCreate, intent: &r.Intent, order: r.OrderID,
		check:  func(m *pay.Manifest) error { return checkCreate(m, r, c.host.config.Now()) },
		encode: func(b []byte) []byte { return abi.AppendCreate(b, r) },
	}
}

// Bind submits the code that the payer shows at the till.
func (c *Connection) Bind(ctx context.Context, r pay.BindRequest, options ...Option) (Result, error) {
	return c.write(ctx, c.bindCode(&r), options)
}

func (c *Connection) bindCode(r *pay.BindRequest) *writing {
	return &writing{
		op: pay.OpBind, intent: &r.Intent, order: r.Payment.OrderID,
		check:  func(*pay.Manifest) error { return checkCode(r.Code) },
		encode: func(b []byte) []byte { return abi.AppendBind(b, r) },
	}
}

// Release sends the amount for a bound code.
func (c *Connection) Release(ctx context.Context, r pay.PaymentRequest, options ...Option) (Result, error) {
	return c.write(ctx, c.release(&r), options)
}

func (c *Connection) release(r *pay.PaymentRequest) *writing {
	w := c.onPayment(pay.OpRelease, r)
	w.check = func(m *pay.Manifest) error { return checkAmount(m, "amount", r.Amount) }
	return w
}

// Confirm finishes an authorized payment. It is safe to repeat.
func (c *Connection) Confirm(ctx context.Context, r pay.PaymentRequest, options ...Option) (Result, error) {
	return c.write(ctx, c.onPayment(pay.OpConfirm, &r), options)
}

// Cancel voids, unbinds or withdraws a payment.
func (c *Connection) Cancel(ctx context.Context, r pay.PaymentRequest, options ...Option) (Result, error) {
	return c.write(ctx, c.onPayment(pay.OpCancel, &r), options)
}

func (c *Connection) onPayment(op pay.Operation, r *pay.PaymentRequest) *writing {
	return &writing{
		op: op, intent: &r.Intent, order: r.Payment.OrderID,
		check:  func(*pay.Manifest) error { return nil },
		encode: func(b []byte) []byte { return abi.AppendPayment(b, r) },
	}
}

// Refund gives money back. Amount may not be above Paid less Refunded.
func (c *Connection) Refund(ctx context.Context, r pay.RefundRequest, options ...Option) (Result, error) {
	return c.write(ctx, c.refund(&r), options)
}

func (c *Connection) refund(r *pay.RefundRequest) *writing {
	w := c.onRefund(pay.OpRefund, r)
	w.check = func(m *pay.Manifest) error { return checkRefund(m, r) }
	return w
}

// ConfirmRefund acknowledges a refund at the till.
func (c *Connection) ConfirmRefund(ctx context.Context, r pay.RefundRequest, options ...Option) (Result, error) {
	return c.write(ctx, c.onRefund(pay.OpConfirmRefund, &r), options)
}

// CancelRefund gives up waiting for a refund at the till.
func (c *Connection) CancelRefund(ctx context.Context, r pay.RefundRequest, options ...Option) (Result, error) {
	return c.write(ctx, c.onRefund(pay.OpCancelRefund, &r), options)
}

func (c *Connection) onRefund(op pay.Operation, r *pay.RefundRequest) *writing {
	return &writing{
		op: op, intent: &r.Intent, order: r.Payment.OrderID,
		check:  func(*pay.Manifest) error { return nil },
		encode: func(b []byte) []byte { return abi.AppendRefund(b, r) },
	}
}

// Receipt registers a fiscal receipt.
func (c *Connection) Receipt(ctx context.Context, r pay.ReceiptRequest, options ...Option) (Result, error) {
	return c.write(ctx, c.receipt(&r), options)
}

func (c *Connection) receipt(r *pay.ReceiptRequest) *writing {
	w := &writing{
		op: pay.OpReceipt, intent: &r.Intent,
		check:  func(*pay.Manifest) error { return checkReceipt(r) },
		encode: func(b []byte) []byte { return abi.AppendReceipt(b, r) },
	}
	if r.Payment != nil {
		w.order = r.Payment.OrderID
	}
	return w
}

// writing is one writing operation on its way to the plugin.
type writing struct {
	op     pay.Operation
	intent *pay.Intent
	order  string // the merchant's order id, for keys made of it
	check  func(*pay.Manifest) error
	encode func([]byte) []byte

	journal Journal // nil for none
}

// write checks a writing operation, runs it and gives the verdict.
func (c *Connection) write(ctx context.Context, w *writing, options []Option) (Result, error) {
	began := time.Now()
	for _, option := range options {
		option(w)
	}
	b, err := c.acquire()
	if err != nil {
		return refused(w.op, err)
	}
	defer b.release()
	spec, err := b.ready(ctx, w)
	if err != nil {
		return refused(w.op, err)
	}
	reply, call, fault := b.exchange(ctx, w.op, func(c *call) {
		c.providerKey, c.journal = w.intent.ProviderKey, w.journal
		w.intent.Deadline = c.deadline
		c.input = w.encode(make([]byte, 0, 512))
	})
	j := b.judge(spec, w.intent.Earlier, &reply, call, fault)
	result, err := b.result(w, &j, call, time.Since(began))
	if call.recorder != nil {
		said := result.Result // a copy, so that the result itself stays off the heap where nothing is recorded
		call.record(Verdict{Result: &said, ProviderKey: result.ProviderKey, Evidence: result.Evidence}, err)
	}
	return result, err
}

// judge puts together what the verdict on a call rests on.
func (b *binding) judge(
	spec pay.OperationSpec, earlier pay.Evidence, reply *abi.Reply, call *call, fault *pay.Error,
) judgement {
	j := judgement{
		spec: spec, earlier: earlier, seen: call.wire.seen, retryAfter: call.wire.retryAfter,
		unprocessed: b.revision.manifest.NotProcessed503, result: reply.Result, err: fault,
		unwritten: unwrittenError(call.unwritten),
	}
	if reply.Err != nil {
		j.err, j.result, j.hostMade = reply.Err, nil, call.wire.hostMade(reply.Err)
	}
	if j.err == nil && j.result == nil {
		j.err = pluginError("reply holds neither a result nor an error")
	}
	return j
}

// ready checks the request and gives it its provider key.
func (b *binding) ready(ctx context.Context, w *writing) (pay.OperationSpec, error) {
	spec, err := b.valid(w)
	if err != nil {
		return spec, err
	}
	if w.intent.Key == "" || len(w.intent.Key) > 255 {
		return spec, invalid("key", "must be 1 to 255 bytes: it makes repeats of one operation recognizable")
	}
	w.intent.Attempt = max(1, w.intent.Attempt)
	if w.intent.ProviderKey != "" {
		return spec, nil
	}
	key, err := b.providerKey(ctx, spec, KeySource{Key: w.intent.Key, OrderID: w.order})
	w.intent.ProviderKey = key
	return spec, err
}

func refused(op pay.Operation, err error) (Result, error) {
	return Result{Result: pay.Result{Outcome: pay.OutcomeNotApplied}}, refusal(op, err)
}

// refusal names the operation in an error that came before the plugin was run.
func refusal(op pay.Operation, err error) *pay.Error {
	e := *pay.AsError(err)
	e.Operation = op
	return &e
}

// result puts the verdict into the plugin's result, with every text masked.
func (b *binding) result(w *writing, j *judgement, c *call, took time.Duration) (Result, error) {
	outcome, err := j.verdict()
	out := Result{
		ProviderKey: w.intent.ProviderKey, Evidence: j.seen, Calls: c.wire.exchanges,
		Revision: b.revision.digest, Took: took,
	}
	if j.result != nil {
		out.Result = *j.result
		b.maskResult(&out.Result)
	}
	out.Outcome = outcome
	b.log.Debug("operation", "operation", w.op.String(), "outcome", outcome.String(), "wire", j.seen.Wire.String(),
		"took", took)
	if err == nil {
		return out, nil
	}
	return out, b.masked(w.op, alongside(err, c.unwritten))
}

// masked copies an error with its texts masked and the operation named.
func (b *binding) masked(op pay.Operation, err *pay.Error) *pay.Error {
	e := *err
	e.Operation = op
	e.Message = b.scrubber.Mask(e.Message)
	e.ProviderMessage = b.scrubber.Mask(e.ProviderMessage)
	e.ProviderCode = b.scrubber.Mask(e.ProviderCode)
	return &e
}

func (b *binding) maskResult(r *pay.Result) {
	r.ProviderMessage = b.scrubber.Mask(r.ProviderMessage)
	r.PayerHint = b.scrubber.Mask(r.PayerHint)
	for i := range r.Observations {
		r.Observations[i].Detail = b.scrubber.Mask(r.Observations[i].Detail)
	}
}
