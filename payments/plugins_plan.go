package payments

import (
	"context"
	"slices"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/store"
)

// Plan returns what [Plugins.Boot] would put in place, with its bytes and digest,
// and changes nothing: a configuration is tried out so before it is taken. That it
// fits, and lacks nothing that is needed, shows when it is swapped in on a stage; see
// [Plugins.Unneeded].
func (p *Plugins) Plan(ctx context.Context, name string, configured host.Source) (host.Source, error) {
	if configured.Native != nil {
		return configured, nil
	}
	binary, digest, err := readSource(configured)
	if err != nil {
		return host.Source{}, err
	}
	past, err := p.activations(ctx, name, mostActivations)
	if err != nil {
		return host.Source{}, err
	}
	base := wantedOf(past).base.Digest
	if base == "" || isNew(past, digest) || base == digest {
		return host.Source{Bytes: binary, SHA256: digest}, nil
	}
	binary, err = p.store.Binary(ctx, base)
	return host.Source{Bytes: binary, SHA256: base}, storeFault(err)
}

// PlanCanary returns the canary that Boot would start beside what Plan returned, and its
// share in percent; 0 for none.
func (p *Plugins) PlanCanary(ctx context.Context, name string, base host.Source) (host.Source, int, error) {
	want, err := p.lastActivated(ctx, name)
	if err != nil || want.canary == nil || want.base.Digest != base.SHA256 {
		return host.Source{}, 0, err
	}
	binary, err := p.store.Binary(ctx, want.canary.Digest)
	return host.Source{Bytes: binary, SHA256: want.canary.Digest}, want.canary.Canary, storeFault(err)
}

// Running returns the stored revision that runs under a plugin's name, and false if
// none does or it is not stored.
func (p *Plugins) Running(ctx context.Context, name string) (host.Source, bool) {
	digest := p.digest(name)
	if digest == "" {
		return host.Source{}, false
	}
	binary, err := p.store.Binary(ctx, digest)
	return host.Source{Bytes: binary, SHA256: digest}, err == nil
}

// isNew reports whether a file's digest is another than the one that the
// configuration brought last.
func isNew(past []store.Activation, digest string) bool {
	i := slices.IndexFunc(past, func(a store.Activation) bool { return a.Source == sourceConfig })
	return i < 0 || past[i].Digest != digest
}
