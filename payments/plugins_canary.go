package payments

import (
	"context"
	"slices"

	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// Canary runs a stored revision beside the one in place, for 1 to 99 percent of the
// payments, here and then in every other process. Which payments, their ids say, those
// that are there already too: all calls about one come to one revision, and a larger
// share takes none away. It is held to what Activate holds a revision to. Another canary
// gives way; activating either revision, or a rollback, ends it. invalid_request
// for another share, state_conflict if nothing is in place, or the revision itself is.
func (p *Plugins) Canary(ctx context.Context, by, name, digest string, percent int, force bool) (store.Activation, error) {
	if percent < 1 || percent > 99 {
		return store.Activation{}, invalid("canary_percent", "must be 1 to 99")
	}
	m, err := p.changing(ctx, name, digest)
	if err != nil {
		return store.Activation{}, err
	}
	defer m.change.Unlock()
	switch p.digest(name) {
	case "":
		return store.Activation{}, fault(pay.ClassStateConflict, "plugin "+name+" has no revision in place that a canary could run beside")
	case digest:
		return store.Activation{}, fault(pay.ClassStateConflict,
			"the revision is in place already and can't be its own canary; to end a canary, activate it without a share, or roll back")
	}
	want, err := p.lastActivated(ctx, name)
	if err != nil {
		return store.Activation{}, err
	}
	if c := want.canary; c != nil && c.Digest == digest && c.Canary == percent && p.runs(*c) {
		return *c, nil
	}
	return p.activate(ctx, m, store.Activation{Plugin: name, Digest: digest, Canary: percent, Source: sourceAPI, By: by}, force)
}

// wanted is what should run by the activations: a revision in place, and perhaps a canary.
type wanted struct {
	base   store.Activation // of no digest if nothing was ever activated
	canary *store.Activation
}

// wantedOf reads it from activations, newest first.
func wantedOf(past []store.Activation) wanted {
	var w wanted
	if placed := inPlace(past); len(placed) > 0 {
		w.base = placed[0]
	}
	if len(past) > 0 && past[0].Canary > 0 {
		w.canary = &past[0]
	}
	return w
}

// inPlace leaves the canaries out.
func inPlace(past []store.Activation) []store.Activation {
	return slices.DeleteFunc(slices.Clone(past), func(a store.Activation) bool { return a.Canary > 0 })
}

// lastActivated asks the store, for one activation as a rule.
func (p *Plugins) lastActivated(ctx context.Context, name string) (wanted, error) {
	for _, limit := range []int{1, mostActivations} {
		past, err := p.activations(ctx, name, limit)
		if err != nil {
			return wanted{}, err
		}
		if w := wantedOf(past); w.base.Digest != "" || len(past) == 0 {
			return w, nil
		}
	}
	return wanted{}, nil // canaries alone, as far back as one looks: what runs may stay
}

// newest is the activation that was made last.
func (w wanted) newest() store.Activation {
	if w.canary != nil {
		return *w.canary
	}
	return w.base
}

// list is what is to be put, in that order.
func (w wanted) list() []store.Activation {
	if w.canary == nil {
		return []store.Activation{w.base}
	}
	return []store.Activation{w.base, *w.canary}
}

// has reports whether all that should run does, and no more.
func (p *Plugins) has(w wanted) bool {
	if w.canary != nil {
		return p.digest(w.base.Plugin) == w.base.Digest && p.runs(*w.canary)
	}
	return p.runs(w.base)
}

// runs reports whether what an activation says runs here: a canary with its share, or a
// revision in place with no canary beside it.
func (p *Plugins) runs(a store.Activation) bool {
	rev, percent, ok := p.host.Canary(a.Plugin)
	if a.Canary > 0 {
		return ok && rev.Digest() == a.Digest && percent == a.Canary
	}
	return !ok && p.digest(a.Plugin) == a.Digest
}
