package payments

import (
	"context"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/store"
)

// Plugins keeps the revisions of plugins and which of them runs, durably and for
// every process on the store.
type Plugins struct {
	host  *host.Host
	store store.Store
	log   hclog.Logger
}

// PluginInfo tells of one plugin.
type PluginInfo struct {
	Name    string
	ID      string
	Version string
	Digest  string // of the revision in use
	Problem string // why it is not loaded; then ID, Version and Digest may be empty
}

// NewPlugins returns the plugins of a host.
func NewPlugins(h *host.Host, s store.Store, logger hclog.Logger) *Plugins {
	return &Plugins{host: h, store: s, log: logger}
}

// Boot loads a plugin at start: the revision that was last activated, or the file
// of the configuration if that is new since. The file's revision is stored, so that
// one can come back to it.
func (p *Plugins) Boot(ctx context.Context, name string, configured host.Source) error {
	return errNotYet
}

// List tells of every plugin.
func (p *Plugins) List() []PluginInfo { return nil }

// Push stores a revision. It is compiled and described first: a module that would not load is refused with
// class plugin_fault and nothing is stored.
func (p *Plugins) Push(ctx context.Context, by, name string, binary []byte) (store.Revision, error) {
	return store.Revision{}, errNotYet
}

// Revisions lists the revisions of a plugin, newest first; not_found if there is no such plugin.
func (p *Plugins) Revisions(ctx context.Context, name string) ([]store.Revision, error) {
	return nil, errNotYet
}

// Activate swaps a stored revision in, here and then in every other process. An error leaves the
// old one in place.
func (p *Plugins) Activate(ctx context.Context, by, name, digest string) (store.Activation, error) {
	return store.Activation{}, errNotYet
}

// Rollback swaps in the revision that was in place before the one in use.
func (p *Plugins) Rollback(ctx context.Context, by, name string) (store.Activation, error) {
	return store.Activation{}, errNotYet
}

// Follow swaps in what other processes activate, until ctx ends.
func (p *Plugins) Follow(ctx context.Context) {}
