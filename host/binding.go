package host

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// binding joins a connection to one revision of its plugin: what the revision's
// manifest asks for, cut down to what the operator grants. A swap makes a new one.
type binding struct {
	host     *Host
	name     string
	plugin   string // the name that it is loaded under
	revision *Revision
	vault    *vault.Vault
	scrubber *vault.Scrubber
	egress   *egress.Client
	log      hclog.Logger
	settings []byte
	config   []byte // the encoded abi.ConnectionConfig
	space    string // of key-value storage
	reads    []pay.EgressRule
	origin   string // of the base URL
	basePath string // of the base URL, without a slash at its end
	running  atomic.Int64
}

// bind checks the connection against a revision and joins them.
func (c *Connection) bind(ctx context.Context, rev *Revision) (*binding, error) {
	settings, wrong := rev.schema.check(c.config.Settings)
	if len(wrong) > 0 {
		return nil, problemError(wrong)
	}
	if err := c.bound(&rev.manifest); err != nil {
		return nil, err
	}
	base, err := c.baseURL()
	if err != nil {
		return nil, err
	}
	b := &binding{
		host: c.host, name: c.config.Name, plugin: c.config.Plugin, revision: rev, vault: c.vault,
		settings: settings,
		scrubber: vault.NewScrubber(c.vault), reads: rev.manifest.Egress,
		origin: originOf(base), basePath: base.Path,
		space: "plugin/" + c.config.Name + "/" + rev.manifest.ID,
		log: c.host.config.Logger.With("connection", c.config.Name, "plugin", c.config.Plugin,
			"revision", short(rev.digest)),
	}
	if b.egress, err = egress.New(c.egressConfig(b, base)); err != nil {
		return nil, configError("egress", err.Error())
	}
	b.config = abi.AppendConnectionConfig(nil, &abi.ConnectionConfig{
		Connection: c.config.Name, BaseURL: base.String(), Settings: settings,
		Keys: c.vault.KeyNames(), Secrets: c.vault.SecretNames(), Identities: c.vault.IdentityNames(),
	})
	c.host.alive(+1) // before the revision is taken: Close then waits for us, or has retired it
	if !rev.acquire() {
		b.egress.Close()
		c.host.alive(-1)
		return nil, errClosed()
	}
	b.running.Store(1)
	if err := b.checkConfig(ctx); err != nil {
		b.close()
		return nil, err
	}
	for _, name := range b.scrubber.Unsearched() {
		b.log.Warn("secret is too short to be searched for in answers", "secret", name)
	}
	return b, nil
}

// checkConfig lets the plugin look at its settings.
func (b *binding) checkConfig(ctx context.Context) error {
	reply, call, fault := b.exchange(ctx, pay.OpCheckConfig, nil)
	err := configVerdict(&reply, fault)
	call.record(Verdict{Problems: reply.Problems}, err)
	return err
}

func configVerdict(reply *abi.Reply, fault *pay.Error) error {
	switch {
	case fault != nil:
		return fault.Fill()
	case reply.Err != nil:
		e := reply.Err
		e.Class, e.Effect = pay.ClassConfig, pay.EffectNone
		return e.Fill()
	case len(reply.Problems) > 0:
		return problemError(reply.Problems)
	}
	return nil
}

// acquire takes the binding in use for one call.
func (c *Connection) acquire() (*binding, error) {
	for {
		s := c.serving.Load()
		if s == nil {
			return nil, errClosed()
		}
		b := s.of(c.subject)
		n := b.running.Load()
		if n > 0 && b.running.CompareAndSwap(n, n+1) {
			return b, nil
		}
		if n <= 0 && c.serving.Load() == s {
			return nil, errClosed()
		}
	}
}

// release gives the binding back; the last one out of a retired binding closes
// it.
func (b *binding) release() {
	if b.running.Add(-1) == 0 {
		go b.free() // not in the caller's time
	}
}

// close is release for a binding that was never in use.
func (b *binding) close() { b.free() }

func (b *binding) free() {
	b.egress.Close()
	b.revision.release()
	b.host.alive(-1)
}

// retireRevision lets a revision go once no binding uses it.
func (h *Host) retireRevision(r *Revision) {
	if r != nil {
		r.release()
	}
}

func short(digest string) string { return digest[:min(12, len(digest))] }

// exchange runs one call of the plugin and returns its reply and what the wire
// showed. The error is for a call without a reply.
func (b *binding) exchange(
	ctx context.Context, op pay.Operation, prepare func(*call),
) (abi.Reply, *call, *pay.Error) {
	c := newCall(b.host, b, op)
	deadline := time.Now().Add(b.host.config.Limits.CallTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	c.start(ctx, deadline)
	defer c.finish()
	if prepare != nil {
		prepare(c)
	}
	if len(c.input) > abi.MaxMessage {
		return abi.Reply{}, c, tooLarge()
	}
	if c.recorder != nil {
		c.recorder.prepared()
	}
	code, fault := b.revision.engine.run(ctx, c, op, deadline)
	reply, fault := c.outcome(code, fault)
	c.noReply(fault)
	if fault != nil {
		fault.Operation = op
	}
	return reply, c, fault
}
