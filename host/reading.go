package host

import (
	"context"
	"slices"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// Ping asks whether the provider is there.
func (c *Connection) Ping(ctx context.Context) error {
	_, err := c.ask(ctx, pay.OpPing, nil)
	return err
}

// ErrorCatalog reads the provider's own list of error codes.
func (c *Connection) ErrorCatalog(ctx context.Context) ([]pay.CatalogEntry, error) {
	reply, err := c.ask(ctx, pay.OpErrorCatalog, nil)
	return reply.Catalog, err
}

// Status asks after payments, in batches of the size that the plugin declares.
// The answer has one item per reference, in their order; what the plugin says
// nothing of is FoundNothing. An error means that a whole batch had no answer.
func (c *Connection) Status(ctx context.Context, payments ...pay.Ref) ([]pay.StatusItem, error) {
	return c.lookup(ctx, pay.OpStatus, payments)
}

// RefundStatus asks after refunds; see [Connection.Status].
func (c *Connection) RefundStatus(ctx context.Context, refunds ...pay.Ref) ([]pay.StatusItem, error) {
	return c.lookup(ctx, pay.OpRefundStatus, refunds)
}

// Notification lets the plugin parse an inbound call. It sends nothing and
// changes nothing: what is done with the answer is the caller's. A notification is
// trusted no further than the manifest declares, whatever the plugin says of it.
func (c *Connection) Notification(ctx context.Context, r pay.NotificationRequest) (pay.Notification, error) {
	if int64(len(r.Body)) > c.host.config.Limits.BlobBytes {
		return pay.Notification{}, invalid("body", "is larger than limits.blob_bytes")
	}
	reply, err := c.ask(ctx, pay.OpNotification, func(call *call) {
		var body int32
		if len(r.Body) > 0 {
			body, _ = call.blobs.add(slices.Clip(r.Body)) // what lies behind it is the caller's
		}
		call.input = abi.AppendNotification(nil, &r, body)
	})
	if err != nil {
		return pay.Notification{}, err
	}
	if reply.Notification == nil {
		return pay.Notification{}, pluginError("notification: reply holds no notification")
	}
	return *reply.Notification, nil
}

func (c *Connection) lookup(ctx context.Context, op pay.Operation, refs []pay.Ref) ([]pay.StatusItem, error) {
	if len(refs) == 0 {
		return nil, invalid("payments", "there is none to ask after")
	}
	seen := make(map[string]int, len(refs))
	for i, ref := range refs {
		if _, twice := seen[ref.ID]; ref.ID == "" || twice {
			return nil, invalid("id", "must be given, and once per reference")
		}
		seen[ref.ID] = i
	}
	b, err := c.acquire() // for all batches: another revision may take smaller ones
	if err != nil {
		return nil, err
	}
	defer b.release()
	items := make([]pay.StatusItem, len(refs))
	for i, ref := range refs {
		items[i].ID = ref.ID
	}
	size := b.revision.manifest.BatchSize
	for from := 0; from < len(refs); from += size {
		batch := refs[from:min(from+size, len(refs))]
		reply, err := b.ask(ctx, op, func(call *call) { call.input = abi.AppendRefs(nil, batch) })
		if err != nil {
			return nil, err
		}
		for _, item := range reply.Items {
			i, asked := seen[item.ID]
			if !asked || i < from || i >= from+len(batch) {
				return nil, faultOf(op, "answers for a reference that was not asked after")
			}
			items[i] = item
		}
	}
	return items, nil
}

func faultOf(op pay.Operation, message string) *pay.Error {
	e := pluginError(message)
	e.Operation = op
	return e
}

// ask runs a reading or pure operation.
func (c *Connection) ask(ctx context.Context, op pay.Operation, prepare func(*call)) (abi.Reply, error) {
	b, err := c.acquire()
	if err != nil {
		return abi.Reply{}, err
	}
	defer b.release()
	return b.ask(ctx, op, prepare)
}

// ask is [Connection.ask] of one revision.
func (b *binding) ask(ctx context.Context, op pay.Operation, prepare func(*call)) (abi.Reply, error) {
	if _, ok := b.revision.manifest.Operation(op); !ok {
		return abi.Reply{}, unsupported(op)
	}
	reply, call, fault := b.exchange(ctx, op, prepare)
	if reply, fault = b.answer(op, reply, fault); fault != nil {
		call.record(Verdict{}, fault)
		return abi.Reply{}, fault
	}
	call.record(Verdict{Items: reply.Items, Notification: reply.Notification, Catalog: reply.Catalog}, nil)
	return reply, nil
}

// answer is a reading or pure operation's reply as the caller gets it.
func (b *binding) answer(op pay.Operation, reply abi.Reply, fault *pay.Error) (abi.Reply, *pay.Error) {
	if fault == nil {
		fault = reply.Err
	}
	if fault != nil {
		fault.Effect = pay.EffectNone // nothing was asked for that could change anything
		return abi.Reply{}, b.masked(op, fault.Fill())
	}
	if n := reply.Notification; n != nil && n.Authenticity > b.revision.manifest.Notification {
		b.log.Warn("plugin trusts a notification more than its manifest allows", "says", n.Authenticity.String(),
			"declared", b.revision.manifest.Notification.String())
		n.Authenticity = b.revision.manifest.Notification
	}
	for i := range reply.Items {
		b.maskItem(op, &reply.Items[i])
	}
	return reply, nil
}

func (b *binding) maskItem(op pay.Operation, item *pay.StatusItem) {
	for i := range item.Observations {
		item.Observations[i].Detail = b.scrubber.Mask(item.Observations[i].Detail)
	}
	if item.Err != nil {
		item.Err.Effect = pay.EffectNone
		item.Err = b.masked(op, item.Err.Fill())
	}
}
