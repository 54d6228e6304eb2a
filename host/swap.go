package host

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
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
// see [Host.SwapIf].
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
	h.mu.Lock()
	p := h.plugins[name]
	h.mu.Unlock()
	if p == nil {
		return nil, configError("plugins."+name, "is not loaded")
	}
	p.swap.Lock()
	defer p.swap.Unlock()
	next, err := h.prepare(ctx, source, h.isolation(name), halfOfProcessors())
	if err != nil {
		return nil, err
	}
	lost, err := h.fits(p, next)
	if err != nil {
		next.release()
		return nil, err
	}
	bindings, err := h.rebind(ctx, name, next)
	if err != nil {
		next.release()
		return nil, err
	}
	h.warm(ctx, p, next)
	if err := agree(lost); err != nil {
		discard(next, bindings)
		return nil, err
	}
	if !lost.None() {
		p.beginning.Lock()
		defer p.beginning.Unlock()
		if err := agree(lost); err != nil {
			discard(next, bindings)
			return nil, err
		}
	}
	return next, h.activate(p, next, lost, bindings)
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

// warm gives the next revision as many instances as the one in use has: calls would
// else wait for each of them, all at once, behind the swap.
func (h *Host) warm(ctx context.Context, p *plugin, next *Revision) {
	current, ok := h.Revision(p.name)
	if !ok {
		return // the host is being closed
	}
	from, ok := current.engine.(*wasmEngine)
	to, also := next.engine.(*wasmEngine)
	if ok && also {
		s := from.pool.Stats()
		to.pool.Warm(ctx, s.Idle+s.Out)
	}
}

// halfOfProcessors is how many of them compile a revision beside one that serves calls:
// with all of them at it, each call would wait for the compiler at each of its steps.
func halfOfProcessors() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// fits checks what a connection can't: that it is the same plugin, and that the
// stored state can be read both ways. It returns what would be lost.
func (h *Host) fits(p *plugin, next *Revision) (Losses, error) {
	old, ok := h.Revision(p.name)
	if !ok {
		return Losses{}, errClosed()
	}
	a, b := old.manifest, next.manifest
	switch {
	case a.ID != b.ID:
		return Losses{}, configError("plugins."+p.name, fmt.Sprintf("revision is of plugin %q, not %q", b.ID, a.ID))
	case a.Storage && b.Storage && !slices.Contains(b.State.Reads, a.State.Writes):
		return Losses{}, configError("plugins."+p.name,
			fmt.Sprintf("revision can't read the stored state of the one in use (schema %d)", a.State.Writes))
	case a.Storage && b.Storage && !slices.Contains(a.State.Reads, b.State.Writes):
		return Losses{}, configError("plugins."+p.name,
			fmt.Sprintf("the revision in use could not read stored state of the new one (schema %d), so there would be no way back",
				b.State.Writes))
	}
	return Lost(&a, &b), nil
}

// rebinding is a connection, what it is to be bound to, and, once that is done, what it
// was bound to.
type rebinding struct {
	connection *Connection
	next, old  *binding
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

// activate puts the next revision in place and lets the old one go.
func (h *Host) activate(p *plugin, next *Revision, lost Losses, list []rebinding) error {
	old, ok := h.exchange(p, next, list)
	if !ok {
		discard(next, list)
		return errClosed()
	}
	for _, r := range list {
		r.connection.retire(r.old)
	}
	h.retireRevision(old)
	h.config.Logger.Info("plugin swapped", "plugin", p.name, "version", next.manifest.Version,
		"digest", next.digest, "from", old.digest, "connections", len(list))
	if !lost.None() {
		h.config.Logger.Warn("plugin can do less than before", "plugin", p.name, "version", next.manifest.Version,
			"digest", next.digest, "from", old.digest, "lost", lost.String())
	}
	return nil
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
func (h *Host) exchange(p *plugin, next *Revision, list []rebinding) (old *Revision, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, false
	}
	old, p.current = p.current, next
	for i := range list {
		list[i].old = list[i].connection.binding.Swap(list[i].next)
	}
	return old, true
}
