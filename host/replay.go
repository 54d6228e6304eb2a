package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// Replayed is what a revision made of a recorded call.
type Replayed struct {
	Digest string // of the revision
	// Differences between the recording and what the revision did, a line each: requests,
	// uses of keys and storage, the reply, the verdict. None means the same.
	Differences []string
	Reply       *abi.Reply
	Fault       *pay.Error // why there was no reply
	Verdict     Verdict
}

// Same reports whether the revision did what the recording has.
func (r *Replayed) Same() bool { return len(r.Differences) == 0 }

// ReplayConfig changes how recordings are replayed. The zero value works.
type ReplayConfig struct {
	CacheDir string // as in [Config]
	Limits   Limits // as in [Config]; they hold for a replay too
}

// Replayer runs one revision against recordings: with no network, no storage, no
// keys and no clock but what a recording holds.
type Replayer struct {
	host *Host
	rev  *Revision

	mu  sync.Mutex // one replay at a time, since the clock is the recording's
	now time.Time
}

// NewReplayer loads a revision; its errors are those of [Host.Load].
func NewReplayer(ctx context.Context, source Source, config ReplayConfig) (*Replayer, error) {
	p := &Replayer{now: time.Now()}
	var err error
	p.host, err = New(Config{CacheDir: config.CacheDir, Limits: config.Limits, Now: func() time.Time { return p.now }})
	if err != nil {
		return nil, err
	}
	if p.rev, err = p.host.prepare(ctx, source, isolateIfPossible); err != nil {
		_ = p.host.Close()
		return nil, err
	}
	return p, nil
}

// Close frees the revision.
func (p *Replayer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rev.release()
	return p.host.Close()
}

// Replay is [Replayer.Replay] of one recording.
func Replay(ctx context.Context, source Source, r *Recording) (*Replayed, error) {
	p, err := NewReplayer(ctx, source, ReplayConfig{})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return p.Replay(ctx, r)
}

// Replay runs the recorded operation and compares. Imports are answered from the
// recording. A request is matched by its order among those of its method and path;
// one that the recording does not have is answered "not sent". What is written to
// storage is kept in memory. The clock of WASI, which a module may read past the
// ABI, is the real one.
//
// An error is for a recording that can't be replayed; a revision that fails is a
// difference.
func (p *Replayer) Replay(ctx context.Context, r *Recording) (*Replayed, error) {
	if err := r.replayable(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = r.Began
	b, err := p.bind(r)
	if err != nil {
		return nil, err
	}
	out := &Replayed{Digest: p.rev.digest}
	d := &differing{masked: r.Masked}
	if _, wrong := p.rev.schema.check(r.Seen.Settings); len(wrong) > 0 {
		d.add("settings: the revision refuses them: " + problemError(wrong).Error())
	}
	t := newReplaying(r, d)
	if w := r.writing(&Connection{host: p.host}); w != nil {
		p.write(ctx, b, t, w, out)
	} else {
		p.ask(ctx, b, t, out)
	}
	t.missing()
	d.outcome(r, out)
	out.Differences = d.lines
	return out, nil
}

// replayable says why a recording can't be replayed.
func (r *Recording) replayable() error {
	in := &r.Input
	given := map[pay.Operation]bool{
		pay.OpCreate: in.Create != nil, pay.OpBind: in.Bind != nil, pay.OpReceipt: in.Receipt != nil,
		pay.OpRelease: in.Payment != nil, pay.OpConfirm: in.Payment != nil, pay.OpCancel: in.Payment != nil,
		pay.OpRefund: in.Refund != nil, pay.OpConfirmRefund: in.Refund != nil, pay.OpCancelRefund: in.Refund != nil,
		pay.OpStatus: in.Refs != nil, pay.OpRefundStatus: in.Refs != nil, pay.OpNotification: in.Notification != nil,
		pay.OpPing: true, pay.OpCheckConfig: true, pay.OpErrorCatalog: true,
	}
	has, known := given[r.Operation]
	switch {
	case r.Cut:
		return errors.New("host: replay: the recording is cut: the call did more than fits")
	case !known:
		return fmt.Errorf("host: replay: %s can't be replayed", r.Operation)
	case !has:
		return fmt.Errorf("host: replay: the recording has no input of %s", r.Operation)
	}
	return nil
}

// bind joins the recorded connection to the revision: only what a plugin sees of
// one.
func (p *Replayer) bind(r *Recording) (*binding, error) {
	base, err := url.Parse(r.Seen.BaseURL)
	if err != nil {
		return nil, errors.New("host: replay: seen.base_url: is no URL")
	}
	return &binding{
		host: p.host, name: r.Connection, plugin: r.Plugin, revision: p.rev, log: hclog.NewNullLogger(),
		scrubber: vault.NewScrubber(nil), reads: p.rev.manifest.Egress, settings: r.Seen.Settings,
		origin: originOf(base), basePath: strings.TrimRight(base.Path, "/"),
		config: abi.AppendConnectionConfig(nil, &abi.ConnectionConfig{
			Connection: r.Connection, BaseURL: r.Seen.BaseURL, Settings: r.Seen.Settings,
			Keys: r.Seen.Keys, Secrets: r.Seen.Secrets, Identities: r.Seen.Identities,
		}),
	}, nil
}

// run is one call of the plugin with a recording in the host's place. What the host
// makes of the reply must not change the one that is compared, so that is a copy.
func (p *Replayer) run(
	ctx context.Context, b *binding, t *replaying, out *Replayed, prepare func(*call),
) (abi.Reply, *call, *pay.Error) {
	op := t.rec.Operation
	c := newCall(p.host, b, op)
	t.call, c.instead = c, t
	deadline := time.Now().Add(p.host.config.Limits.CallTimeout)
	c.start(ctx, deadline)
	defer c.finish()
	prepare(c)
	code, fault := p.rev.engine.run(ctx, c, op, deadline)
	reply, fault := c.outcome(code, fault)
	if fault != nil {
		out.Fault = copied(fault)
		fault.Operation = op
	} else if said, err := abi.DecodeReply(bytes.Clone(c.reply)); err == nil {
		out.Reply = &said
	}
	return reply, c, fault
}

func (p *Replayer) write(ctx context.Context, b *binding, t *replaying, w *writing, out *Replayed) {
	var result Result
	spec, err := b.valid(w)
	if err == nil {
		reply, c, fault := p.run(ctx, b, t, out, func(c *call) {
			c.providerKey, c.input = w.intent.ProviderKey, w.encode(nil)
		})
		j := b.judge(spec, w.intent.Earlier, &reply, c, fault)
		result, err = b.result(w, &j, c, 0)
	} else {
		result, err = refused(w.op, err)
	}
	v := Verdict{Result: &result.Result, ProviderKey: w.intent.ProviderKey, Evidence: result.Evidence}
	out.Verdict = v.clone(pay.AsError(err))
}

// writing is the recorded operation on its way to the plugin; nil if it does not
// write. Requests are copied, since checks fill them in.
func (r *Recording) writing(c *Connection) *writing {
	in := r.Input
	switch r.Operation {
	case pay.OpCreate:
		return c.create(copied(in.Create))
	case pay.OpBind:
		return c.bindCode(copied(in.Bind))
	case pay.OpRelease:
		return c.release(copied(in.Payment))
	case pay.OpConfirm, pay.OpCancel:
		return c.onPayment(r.Operation, copied(in.Payment))
	case pay.OpRefund:
		return c.refund(copied(in.Refund))
	case pay.OpConfirmRefund, pay.OpCancelRefund:
		return c.onRefund(r.Operation, copied(in.Refund))
	case pay.OpReceipt:
		return c.receipt(copied(in.Receipt))
	}
	return nil
}

func copied[T any](m *T) *T {
	out := *m
	return &out
}

func (p *Replayer) ask(ctx context.Context, b *binding, t *replaying, out *Replayed) {
	op, in := t.rec.Operation, t.rec.Input
	if _, ok := p.rev.manifest.Operation(op); !ok {
		out.Verdict.Err = unsupported(op)
		return
	}
	reply, _, fault := p.run(ctx, b, t, out, func(c *call) {
		switch {
		case in.Refs != nil:
			c.input = abi.AppendRefs(nil, in.Refs)
		case in.Notification != nil:
			var body int32
			if len(in.Notification.Body) > 0 {
				body, _ = c.blobs.add(slices.Clip(in.Notification.Body)) // as it is in use
			}
			c.input = abi.AppendNotification(nil, in.Notification, body)
		}
	})
	var err error
	if op == pay.OpCheckConfig {
		err = configVerdict(&reply, fault)
	} else if reply, fault = b.answer(op, reply, fault); fault != nil {
		err, reply = fault, abi.Reply{}
	}
	v := Verdict{Items: reply.Items, Notification: reply.Notification, Problems: reply.Problems, Catalog: reply.Catalog}
	out.Verdict = v.clone(pay.AsError(err))
}
