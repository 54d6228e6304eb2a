package host

import (
	"context"
	"errors"

	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// Option changes how one writing operation is run.
type Option func(*writing)

// WithJournal has every outbound call of the operation written down before it is
// sent; see [Journal].
func WithJournal(j Journal) Option { return func(w *writing) { w.journal = j } }

// Journal is what the engine above the host writes an operation's outbound calls
// down in. Both methods are called in the operation's own time, one call after
// the other and never at once; they must not panic.
//
// Before is called when nothing but the sending is left to do. If it returns an
// error, nothing is sent, neither this call nor any later one of the operation,
// and the plugin has no say in what becomes of it. As long as no writing call was
// sent before:
//
//   - the outcome is not_applied, whatever the plugin claims. It is in_doubt only
//     where an earlier attempt left a doubt, or where the plugin has read at the
//     provider and is in doubt itself;
//   - the error that the operation returns wraps Before's, so that errors.Is and
//     errors.As find it. If a *pay.Error is in Before's chain, its class, field,
//     message and advice are those of the returned one; otherwise the class is
//     host_fault.
//
// If a writing call was sent before, the verdict is the usual one, and its error,
// if there is one, wraps Before's beside the usual one.
//
// The context of Before is the call's own: it ends with the caller's and with the
// time for the call, so a Before that ends with it leaves nothing sent. Whoever
// goes away after Before returned takes nothing back. After's context never ends,
// since what was sent is to be written down whoever still waits; it must bound
// itself.
//
// After is called for every call that Before allowed, with what the wire has shown
// of it, never nil: also if nothing was sent after all, because the connection's
// policy refused the request, the provider could not be reached or the time was
// up. A login that the host makes for a call is part of that call.
type Journal interface {
	Before(ctx context.Context, call Outbound) error
	After(ctx context.Context, call Outbound, exchange *egress.Exchange)
}

// Outbound is one outbound call of a writing operation, resends of the same bytes
// included.
type Outbound struct {
	Number int    // 1 for the operation's first call
	Money  bool   // a writing call: one that the manifest does not list as reading
	Method string // empty, like URL, if the plugin gave no URL at all
	URL    string // masked: the values of the query are cut out
}

// before has the call written down that is about to be sent. A negative code means
// that it must not be.
func (c *call) before(m *abi.HTTPRequest, money bool) (Outbound, int32) {
	if c.journal == nil {
		return Outbound{}, 0
	}
	out := Outbound{Number: c.wire.calls, Money: money}
	if out.URL = c.binding.scrubber.Mask(egress.MaskURL(m.URL)); out.URL != "" {
		out.Method = m.Method
	}
	if c.unwritten = c.journal.Before(c.ctx, out); c.unwritten == nil {
		return out, 0
	}
	c.log.Error(unwrittenText, "operation", c.op.String(), "call", out.Number, "error", c.unwritten)
	return out, c.refuseUnwritten()
}

// refuseUnwritten tells the guest no more than that there is no use in going on.
func (c *call) refuseUnwritten() int32 {
	return c.fail(abi.Denied, pay.ClassHostFault, unwrittenText)
}

const unwrittenText = "operation could not be written down, nothing was sent"

// after tells the journal what became of a call.
func (c *call) after(out Outbound, x *egress.Exchange) {
	if c.journal != nil {
		c.journal.After(context.WithoutCancel(c.ctx), out, x)
	}
}

// unwrittenError is a journal's error as an operation returns it; nil for nil. The
// journal's own is copied, not filled in: it is the engine's.
func unwrittenError(err error) *pay.Error {
	if err == nil {
		return nil
	}
	out := pay.Error{Class: pay.ClassHostFault, Message: unwrittenText}
	var own *pay.Error
	if errors.As(err, &own) {
		out = *own
	}
	out.Effect, out.Err = 0, err
	return &out
}

// alongside puts a journal's error beside the cause of a verdict's own.
func alongside(verdict *pay.Error, unwritten error) *pay.Error {
	switch {
	case unwritten == nil || verdict == nil || errors.Is(verdict, unwritten):
		return verdict
	case verdict.Err == nil:
		verdict.Err = unwritten
	default:
		verdict.Err = errors.Join(verdict.Err, unwritten)
	}
	return verdict
}
