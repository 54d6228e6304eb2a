package host

import (
	"context"
	"fmt"
	"runtime"
	"slices"
)

// Swap puts another revision under a plugin's name while calls go on. The new one
// is read, compiled and described beside the old one, and every connection of the
// plugin is checked against it; only if all fit is it put in place, in one step
// per connection. Calls that began on the old revision end on it; it is closed
// after the last. On any error the old revision stays and nothing has changed.
//
// A revision whose stored state the other can't read is refused in both
// directions, so that one can always go back.
func (h *Host) Swap(ctx context.Context, name string, source Source) (*Revision, error) {
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
	if err := h.fits(p, next); err != nil {
		next.release()
		return nil, err
	}
	bindings, err := h.rebind(ctx, name, next)
	if err != nil {
		next.release()
		return nil, err
	}
	h.warm(ctx, p, next)
	return next, h.activate(p, next, bindings)
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
// stored state can be read both ways.
func (h *Host) fits(p *plugin, next *Revision) error {
	old, ok := h.Revision(p.name)
	if !ok {
		return errClosed()
	}
	a, b := old.manifest, next.manifest
	switch {
	case a.ID != b.ID:
		return configError("plugins."+p.name, fmt.Sprintf("revision is of plugin %q, not %q", b.ID, a.ID))
	case a.Storage && b.Storage && !slices.Contains(b.State.Reads, a.State.Writes):
		return configError("plugins."+p.name,
			fmt.Sprintf("revision can't read the stored state of the one in use (schema %d)", a.State.Writes))
	case a.Storage && b.Storage && !slices.Contains(a.State.Reads, b.State.Writes):
		return configError("plugins."+p.name,
			fmt.Sprintf("the revision in use could not read stored state of the new one (schema %d), so there would be no way back",
				b.State.Writes))
	}
	return nil
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
func (h *Host) activate(p *plugin, next *Revision, list []rebinding) error {
	old, ok := h.exchange(p, next, list)
	if !ok {
		for _, r := range list {
			r.next.close()
		}
		next.release()
		return errClosed()
	}
	for _, r := range list {
		r.connection.retire(r.old)
	}
	h.retireRevision(old)
	h.config.Logger.Info("plugin swapped", "plugin", p.name, "version", next.manifest.Version,
		"digest", next.digest, "from", old.digest, "connections", len(list))
	return nil
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
