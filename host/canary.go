package host

import (
	"context"
	"hash/fnv"
	"strconv"

	"github.com/payhost/payhost/sdk/pay"
)

// serving is what serves a connection: the revision in use, and beside it perhaps a
// canary. It never changes; a swap makes a new one.
type serving struct {
	stable  *binding
	canary  *binding // nil for none
	percent int      // of what calls are about, by the canary
}

// Of returns the connection for calls that are about one thing, such as a payment, by
// an id of it that never changes. While a canary runs, see [Host.StartCanary], the id
// alone says whether the calls come to it, in every process: all calls about a payment
// come to one revision as long as the share stays, and a larger share takes none away
// from the canary. What is about nothing in particular, "", never comes to it. The
// connection is the same in all else.
func (c *Connection) Of(subject string) *Connection {
	about := *c
	about.subject = subject
	return &about
}

// of returns the binding for calls about a subject.
func (s *serving) of(subject string) *binding {
	if s.canary == nil || subject == "" || shareOf(subject) >= s.percent {
		return s.stable
	}
	return s.canary
}

// shareOf is from 0 to 99, evenly spread over subjects.
func shareOf(subject string) int {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(subject)) // never fails
	return int(sum.Sum64() % whole)
}

// with is a serving by the next binding: alone, or as a canary beside what is in use.
func (s *serving) with(next *binding, percent int) *serving {
	if percent == whole {
		return &serving{stable: next}
	}
	return &serving{stable: s.stable, canary: next, percent: percent}
}

// retireBut lets go of the bindings that are not in use any more, once their calls are
// through.
func (s *serving) retireBut(now *serving) {
	for _, b := range []*binding{s.stable, s.canary} {
		if b != nil && b != now.stable && b != now.canary {
			b.release()
		}
	}
}

// retire lets go of all bindings once their calls are through; nil has none.
func (s *serving) retire() {
	if s != nil {
		s.retireBut(&serving{})
	}
}

// close frees the bindings of a serving that was never in use.
func (s *serving) close() {
	s.stable.close()
	if s.canary != nil {
		s.canary.close()
	}
}

// serve binds the connection to what runs. The caller holds plugin.swap.
func (c *Connection) serve(ctx context.Context) (*serving, error) {
	stable, ok := c.host.Revision(c.config.Plugin)
	if !ok { // the host was closed since somebody saw the plugin
		return nil, errClosed()
	}
	b, err := c.bind(ctx, stable)
	if err != nil {
		return nil, err
	}
	s := &serving{stable: b}
	canary, percent, ok := c.host.Canary(c.config.Plugin)
	if !ok {
		return s, nil
	}
	if s.canary, err = c.bind(ctx, canary); err != nil {
		s.stable.close()
		e := *pay.AsError(err)
		e.Message = "the canary " + short(canary.digest) + " does not take it: " + e.Message
		return nil, &e
	}
	s.percent = percent
	return s, nil
}

// StartCanary runs another revision beside the one in use, for 1 to 99 percent of what
// calls are about; which, says [Connection.Of]. It is checked as [Host.SwapIf] checks a
// revision, and agree is asked the same: what comes to the canary has no more than the
// canary can do. A canary that runs already, of the same revision or of another, gives
// way to it, so that a share is changed by starting it again; a smaller one takes calls
// away from it, and agree is asked about that, too. It ends by [Host.EndCanary],
// or by a swap, also to the same revision: then it has all.
func (h *Host) StartCanary(
	ctx context.Context, name string, source Source, percent int, agree func(Losses) error,
) (*Revision, error) {
	if percent < 1 || percent >= whole {
		return nil, invalid("canary_percent", "must be 1 to 99, and is "+strconv.Itoa(percent))
	}
	p, err := h.loaded(name)
	if err != nil {
		return nil, err
	}
	p.swap.Lock()
	defer p.swap.Unlock()
	return h.replace(ctx, p, source, percent, agree)
}

// EndCanary has the revision in use serve all calls again. Agree is asked as by
// [Host.SwapIf] what would be lost: what only the canary can do. Calls that began on
// the canary end on it. It does nothing where there is none.
func (h *Host) EndCanary(name string, agree func(Losses) error) error {
	p, err := h.loaded(name)
	if err != nil {
		return err
	}
	p.swap.Lock()
	defer p.swap.Unlock()
	stable, _ := h.Revision(name)
	canary, _, ok := h.Canary(name)
	if !ok || stable == nil {
		return nil
	}
	lost := Lost(&canary.manifest, &stable.manifest)
	done, err := p.agreed(lost, agree)
	if err != nil {
		return err
	}
	defer done()
	bindings, ok := h.dropCanary(p)
	if !ok {
		return errClosed()
	}
	for _, b := range bindings {
		b.release()
	}
	h.retireRevision(canary)
	h.config.Logger.Info("canary ended", "plugin", p.name, "version", canary.manifest.Version, "digest", canary.digest)
	h.warnOf(lost, p, canary, stable)
	return nil
}

// dropCanary has the revision in use serve all connections, and returns what is not in
// use any more. It reports false if the host is closed.
func (h *Host) dropCanary(p *plugin) (gone []*binding, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, false
	}
	p.canary, p.percent = nil, 0
	for _, c := range h.connections {
		if s := c.serving.Load(); c.plugin == p && s.canary != nil {
			c.serving.Store(&serving{stable: s.stable})
			gone = append(gone, s.canary)
		}
	}
	return gone, true
}

// Canary returns what runs beside the revision in use under a plugin's name, and its
// share in percent; false if nothing does.
func (h *Host) Canary(name string) (rev *Revision, percent int, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.plugins[name]
	if p == nil || p.canary == nil {
		return nil, 0, false
	}
	return p.canary, p.percent, true
}
