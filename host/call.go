package host

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// grace is how long before the hard deadline a call's own deadline lies, so that
// a plugin whose request timed out can still answer.
const grace = 250 * time.Millisecond

// call is the host's side of one call of a plugin: what the imports answer, what
// they have used up, and what the wire has shown. It serves one guest, which is
// single-threaded; no lock is needed.
type call struct {
	host    *Host
	binding *binding // nil for describe
	op      pay.Operation
	spec    pay.OperationSpec
	log     hclog.Logger

	ctx      context.Context // ends at the soft deadline
	cancel   context.CancelFunc
	deadline time.Time // soft

	providerKey string // the operation's key at the provider
	journal     Journal
	unwritten   error // why the journal let an outbound call not be sent
	input       []byte
	reply       []byte
	replied     int // how often the guest has replied
	lastErr     []byte

	blobs   blobs
	wire    wire
	logLeft int
	spans   []span

	recorder *recorder   // nil if nothing is recorded
	instead  abi.Imports // what the guest is given in a replay; nil otherwise
}

var _ abi.Imports = (*call)(nil)

func newCall(h *Host, b *binding, op pay.Operation) *call {
	c := &call{host: h, binding: b, op: op, log: h.config.Logger, logLeft: h.config.Limits.LogBytes}
	c.blobs.left = h.config.Limits.BlobBytes
	if b != nil {
		c.log = b.log
		c.spec, _ = b.revision.manifest.Operation(op)
	}
	if h.config.Record != nil {
		c.recorder = newRecorder(c)
	}
	return c
}

// start sets the clock of the call going.
func (c *call) start(ctx context.Context, hard time.Time) {
	left := time.Until(hard)
	c.deadline = hard.Add(-min(grace, left/4))
	c.ctx, c.cancel = context.WithDeadline(ctx, c.deadline)
}

// finish frees what the call held.
func (c *call) finish() {
	c.cancel()
	c.blobs = blobs{}
}

// outcome reads the guest's reply after it came back with a code.
func (c *call) outcome(code int32, fault *pay.Error) (abi.Reply, *pay.Error) {
	switch {
	case fault != nil:
		return abi.Reply{}, fault
	case abi.Code(code) == abi.Unsupported:
		return abi.Reply{}, &pay.Error{Class: pay.ClassUnsupported, Message: "plugin does not implement the operation"}
	case code != 0:
		return abi.Reply{}, pluginError("plugin ended without an answer: " + abi.Code(code).String())
	case c.replied == 0:
		return abi.Reply{}, pluginError("plugin gave no reply")
	case c.replied > 1:
		return abi.Reply{}, pluginError("plugin replied more than once")
	}
	reply, err := abi.DecodeReply(c.reply)
	if err != nil {
		return abi.Reply{}, pluginError("reply: " + err.Error())
	}
	return reply, nil
}

// fail notes why an import says no, for last_error, and returns the code.
func (c *call) fail(code abi.Code, class pay.Class, message string) int32 {
	return c.failWith(code, &pay.Error{Class: class, Message: message})
}

func (c *call) failWith(code abi.Code, e *pay.Error) int32 {
	if c.wire.seen.Wire == pay.WireAnswered {
		c.wire.late = append(c.wire.late, e)
	}
	c.lastErr = abi.AppendError(c.lastErr[:0], e)
	return int32(code)
}

// bad is a mistake of the plugin in using an import.
func (c *call) bad(code abi.Code, message string) int32 {
	return c.fail(code, pay.ClassPluginFault, message)
}

// over reports whether the call's own time is up.
func (c *call) over() bool { return c.ctx.Err() != nil }

func (c *call) late() int32 {
	return c.fail(abi.Deadline, pay.ClassTimeout, "the call's time is over")
}

// Input copies the input message.
func (c *call) Input(off uint32, p []byte) int32 {
	if uint64(off) > uint64(len(c.input)) {
		return c.bad(abi.BadArgument, "input: offset behind the end")
	}
	return int32(copy(p, c.input[off:]))
}

// Reply keeps the reply message.
func (c *call) Reply(p []byte) int32 {
	c.replied++
	switch {
	case c.replied > 1:
		return c.bad(abi.Conflict, "reply: given already")
	case len(p) > abi.MaxMessage:
		c.replied = 0
		return c.bad(abi.TooLarge, "reply: larger than a message may be")
	}
	c.reply = append(c.reply[:0], p...)
	return 0
}

// LastError copies the error that explains the last negative code.
func (c *call) LastError(p []byte) int32 {
	copy(p, c.lastErr)
	return int32(len(c.lastErr))
}

// Features copies what this host can do.
func (c *call) Features(p []byte) int32 {
	limits := c.host.config.Limits
	return give(p, abi.AppendFeatures(nil, &abi.Features{
		Host: "payhost " + Version, ABIMinor: ABIMinor, MaxCalls: limits.HTTPCalls, MaxMemory: limits.MemoryBytes,
	}))
}

// Config copies the connection as the plugin may see it.
func (c *call) Config(p []byte) int32 {
	if c.binding == nil {
		return c.bad(abi.Denied, "config: describe has no connection")
	}
	return give(p, c.binding.config)
}

func give(p, message []byte) int32 {
	copy(p, message)
	return int32(len(message))
}

// NowNS is the host's clock.
func (c *call) NowNS() int64 { return c.host.config.Now().UnixNano() }

// DeadlineNS is how long the call has left.
func (c *call) DeadlineNS() int64 { return max(0, int64(time.Until(c.deadline))) }

// Sleep waits for a native plugin as WASI does for a module: no longer than the
// call lasts.
func (c *call) Sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.ctx.Done():
	}
}

// Random fills p.
func (c *call) Random(p []byte) int32 {
	if len(p) > 1<<20 {
		return c.bad(abi.TooLarge, "random: more than 1 MiB")
	}
	n, _ := rand.Read(p) // never fails
	return int32(n)
}
