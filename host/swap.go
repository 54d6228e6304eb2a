package host

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/payhost/payhost/sdk/pay"
)

// Swap puts another revision under a plugin's name while calls go on. The new one
// is read, compiled and described beside the old one, and every connection of the
// plugin is checked against it; only if all fit is it put in place, in one step
// per connection. Calls that began on the old revision end on it; it is closed
// after the last. On any error the old revision stays and nothing has changed.
//
// A revision whose stored state the other can't read is refused in both
// directions, so that one can always go back. One that can do less is let in, and
// the log warns of what is lost: whether anybody needs it, only the caller can know,
// see [Host.SwapIf]. A canary, of the same revision or another, ends with the swap; see
// [Host.StartCanary].
func (h *Host) Swap(ctx context.Context, name string, source Source) (*Revision, error) {
	return h.SwapIf(ctx, name, source, func(Losses) error { return nil })
}

// SwapIf is Swap with a last question: when all fits and nothing but the switch is
// left, agree is told what would be lost. An error of it leaves the old revision in
// place and is returned as it is. Calls go on meanwhile, but no connection to the
// plugin can be made; agree must not swap the plugin itself.
//
// If anything would be lost, agree is asked again, and this time nothing can begin (see
// [Connection.Begin]) before the switch: what has begun since it was asked first is
// known by then. So it must not take long, nor begin anything itself.
func (h *Host) SwapIf(ctx context.Context, name string, source Source, agree func(Losses) error) (*Revision, error) {
	p, err := h.loaded(name)
	if err != nil {
		return nil, err
	}
	p.swap.Lock()
	defer p.swap.Unlock()
	return h.replace(ctx, p, source, whole, agree)
}

// whole is the share of a revision that runs alone, in percent.
const whole = 100

// loaded returns the plugin of a name.
func (h *Host) loaded(name string) (*plugin, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.plugins[name]
	if p == nil {
		return nil, configError("plugins."+name, "is not loaded")
	}
	return p, nil
}

// replace puts a source in place of the revision in use, or, for less than the whole,
// beside it. The caller holds p.swap.
func (h *Host) replace(
	ctx context.Context, p *plugin, source Source, percent int, agree func(Losses) error,
) (*Revision, error) {
	next, err := h.prepare(ctx, source, h.isolation(p.name))
	if err != nil {
		return nil, err
	}
	lost, err := h.fits(p, next, percent)
	if err != nil {
		next.release()
		return nil, err
	}
	bindings, err := h.rebind(ctx, p.name, next)
	if err != nil {
		next.release()
		return nil, err
	}
	h.warm(ctx, p, next, percent)
	agreed := false
	defer func() {
		if !agreed { // agree refuses, or panics
			discard(next, bindings)
		}
	}()
	done, err := p.agreed(lost, agree)
	if err != nil {
		return nil, err
	}
	agreed = true
	defer done()
	return next, h.activate(p, next, percent, lost, bindings)
}

// agreed asks about what would be lost, a second time with nothing beginning if anything
// would be. Nothing begins then until done.
func (p *plugin) agreed(lost Losses, agree func(Losses) error) (done func(), err error) {
	if err := agree(lost); err != nil || lost.None() {
		return func() {}, err
	}
	p.beginning.Lock()
	agreed := false
	defer func() {
		if !agreed { // it refuses, or panics
			p.beginning.Unlock()
		}
	}()
	if err := agree(lost); err != nil {
		return nil, err
	}
	agreed = true
	return p.beginning.Unlock, nil
}

// Begin keeps the revision in use from being swapped for one that can do less, until
// done is called, which may be done more than once. Whoever keeps books calls it before
// an operation is decided on, and done when the operation is written down: then the
// swap knows of it, and it was decided on and sent by the same revision. The host's
// own calls need no Begin. It waits while a swap asks for the last time. Begin must
// not be called again before done.
func (c *Connection) Begin() (done func()) {
	c.plugin.beginning.RLock()
	return sync.OnceFunc(c.plugin.beginning.RUnlock)
}

// warm gives the next revision as many instances as the one in use has, or its share of
// them: calls would else wait for each of them, all at once, behind the swap.
func (h *Host) warm(ctx context.Context, p *plugin, next *Revision, percent int) {
	current, ok := h.Revision(p.name)
	if !ok {
		return // the host is being closed
	}
	from, ok := current.engine.(*wasmEngine)
	to, also := next.engine.(*wasmEngine)
	if ok && also {
		s := from.pool.Stats()
		to.pool.Warm(ctx, ((s.Idle+s.Out)*percent+whole-1)/whole)
	}
}

// fits checks what a connection can't: that it is the same plugin, and that the
// stored state can be read both ways. It returns what would be lost: by what comes from
// either revision that runs to the next one, and by what a smaller share leaves to the
// one in use.
func (h *Host) fits(p *plugin, next *Revision, percent int) (Losses, error) {
	var lost Losses
	running := h.running(p)
	if len(running) == 0 {
		return Losses{}, errClosed()
	}
	for _, rev := range running {
		if err := succeeds(&rev.manifest, &next.manifest); err != nil {
			return Losses{}, configError("plugins."+p.name, err.Error())
		}
		lost.add(Lost(&rev.manifest, &next.manifest))
	}
	if canary, share, ok := h.Canary(p.name); ok && percent < share {
		lost.add(Lost(&canary.manifest, &running[0].manifest))
	}
	return lost, nil
}

// running returns the revision in use and the canary, as far as there are such.
func (h *Host) running(p *plugin) []*Revision {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc([]*Revision{p.current, p.canary}, func(r *Revision) bool { return r == nil })
}

// succeeds says why b can't take the place of a.
func succeeds(a, b *pay.Manifest) error {
	stored := a.Storage && b.Storage
	switch {
	case a.ID != b.ID:
		return fmt.Errorf("revision is of plugin %q, not %q", b.ID, a.ID)
	case stored && !slices.Contains(b.State.Reads, a.State.Writes):
		return fmt.Errorf("revision can't read the stored state of the one in use (schema %d)", a.State.Writes)
	case stored && !slices.Contains(a.State.Reads, b.State.Writes):
		return fmt.Errorf("the revision in use could not read stored state of the new one (schema %d), so there would be no way back",
			b.State.Writes)
	}
	return nil
}

// rebinding is a connection, what it is to be bound to, and, once that is done, what
// served it before and serves it now.
type rebinding struct {
	connection *Connection
	next       *binding
	old, now   *serving
}

// rebind joins every connection of a plugin to the next revision, or none.
func (h *Host) rebind(ctx context.Context, name string, next *Revision) ([]rebinding, error) {
	h.mu.Lock()
	var using []*Connection
	for _, c := range h.connections {
		if c.config.Plugin == name {
			using = append(using, c)
		}
	}
	h.mu.Unlock()
	list := make([]rebinding, 0, len(using))
	for _, c := range using {
		b, err := c.bind(ctx, next)
		if err != nil {
			for _, done := range list {
				done.next.close()
			}
			return nil, under("connections."+c.config.Name, err)
		}
		list = append(list, rebinding{connection: c, next: b})
	}
	return list, nil
}

// activate puts the next revision in place, or beside the one in use, and lets what it
// takes the place of go.
func (h *Host) activate(p *plugin, next *Revision, percent int, lost Losses, list []rebinding) error {
	from, gone, ok := h.exchange(p, next, percent, list)
	if !ok {
		discard(next, list)
		return errClosed()
	}
	for _, r := range list {
		r.old.retireBut(r.now)
	}
	for _, rev := range gone {
		h.retireRevision(rev)
	}
	what := "plugin swapped"
	if percent < whole {
		what = "canary started"
	}
	h.config.Logger.Info(what, "plugin", p.name, "version", next.manifest.Version,
		"digest", next.digest, "from", from.digest, "percent", percent, "connections", len(list))
	h.warnOf(lost, p, from, next)
	return nil
}

func (h *Host) warnOf(lost Losses, p *plugin, from, next *Revision) {
	if !lost.None() {
		h.config.Logger.Warn("plugin can do less than before", "plugin", p.name, "version", next.manifest.Version,
			"digest", next.digest, "from", from.digest, "lost", lost.String())
	}
}

// discard frees a revision that is not put in place after all.
func discard(next *Revision, list []rebinding) {
	for _, r := range list {
		r.next.close()
	}
	next.release()
}

// exchange is the switch: an atomic store for each connection, for which no call waits.
// What waits for the lock are a look for a connection by its name, and Close, after
// which nothing may be put in place. It reports false if the host is closed.
func (h *Host) exchange(p *plugin, next *Revision, percent int, list []rebinding) (from *Revision, gone []*Revision, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, nil, false
	}
	from, gone = p.current, []*Revision{p.canary}
	if p.canary, p.percent = next, percent; percent == whole {
		gone = append(gone, p.current)
		p.current, p.canary, p.percent = next, nil, 0
	}
	for i := range list {
		r := &list[i]
		r.old = r.connection.serving.Load() // the holder of p.swap alone changes it, or Close, which has not begun
		r.now = r.old.with(r.next, percent)
		r.connection.serving.Store(r.now)
	}
	return from, gone, true
}
