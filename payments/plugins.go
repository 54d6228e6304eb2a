package payments

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// What an activation was made by.
const (
	sourceConfig   = "config"
	sourceAPI      = "api"
	sourceRollback = "rollback"
)

// mostActivations is how far back a rollback looks.
const mostActivations = 200

// Plugins keeps the revisions of plugins and which of them runs, durably and for
// every process on the store. Its methods are safe for concurrent use; their errors
// are *pay.Error.
type Plugins struct {
	host  *host.Host
	store store.Store
	log   hclog.Logger
	now   func() time.Time

	mu    sync.Mutex
	known map[string]*managed
}

// managed is one plugin by its name.
type managed struct {
	name   string
	change sync.Mutex // one change at a time, so that what runs and what is recorded agree

	// Guarded by Plugins.mu.
	native  bool   // runs in-process, by the configuration alone
	problem string // why it does not run, or not as it should

	// Guarded by change: a revision that failed is not tried again at every look.
	failed  string
	tryAt   time.Time
	backoff time.Duration
}

// PluginInfo tells of one plugin.
type PluginInfo struct {
	Name    string
	ID      string
	Version string
	Digest  string // of the revision in use
	// Canary is the revision beside it, nil for none.
	Canary *CanaryInfo
	// Problem says why it is not loaded, then ID, Version and Digest are empty; or why
	// it does not run the revision that it should.
	Problem string
}

// CanaryInfo tells of a revision that runs beside the one in use.
type CanaryInfo struct {
	Version string
	Digest  string
	Percent int // of the payments
}

// NewPlugins returns the plugins of a host.
func NewPlugins(h *host.Host, s store.Store, logger hclog.Logger) *Plugins {
	if logger == nil {
		logger = hclog.NewNullLogger()
	}
	return &Plugins{host: h, store: s, log: logger.Named("plugins"), now: time.Now, known: map[string]*managed{}}
}

// List tells of every plugin that was booted, by name.
func (p *Plugins) List() []PluginInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]PluginInfo, 0, len(p.known))
	for _, name := range slices.Sorted(maps.Keys(p.known)) {
		info := PluginInfo{Name: name, Problem: p.known[name].problem}
		if rev, ok := p.host.Revision(name); ok {
			m := rev.Manifest()
			info.ID, info.Version, info.Digest = m.ID, m.Version, rev.Digest()
		}
		if rev, percent, ok := p.host.Canary(name); ok {
			info.Canary = &CanaryInfo{Version: rev.Manifest().Version, Digest: rev.Digest(), Percent: percent}
		}
		list = append(list, info)
	}
	return list
}

// Push stores a revision. It is compiled and described first: a module that would
// not load, or is of another plugin than the one in use, is refused with class
// plugin_fault and nothing is stored. Pushing a revision again returns it as it was
// stored first. not_found if there is no such plugin.
func (p *Plugins) Push(ctx context.Context, by, name string, binary []byte) (store.Revision, error) {
	if _, err := p.find(name); err != nil {
		return store.Revision{}, err
	}
	in, err := p.host.Inspect(ctx, host.Source{Bytes: binary})
	if err != nil {
		return store.Revision{}, refusedModule(err)
	}
	if now, ok := p.host.Revision(name); ok && now.Manifest().ID != in.Manifest.ID {
		return store.Revision{}, fault(pay.ClassPluginFault,
			"module is of plugin "+in.Manifest.ID+", and "+name+" runs "+now.Manifest().ID)
	}
	rev, err := p.keep(ctx, by, name, in.Digest, in.Manifest.Version, binary)
	if err == nil {
		p.log.Info("revision stored", "plugin", name, "version", rev.Version, "digest", rev.Digest, "by", by)
	}
	return rev, err
}

// keep stores a revision and returns it as it is stored.
func (p *Plugins) keep(ctx context.Context, by, name, digest, version string, binary []byte) (store.Revision, error) {
	r := store.Revision{
		Plugin: name, Digest: digest, Version: version, Size: int64(len(binary)), By: by,
		At: p.now().UTC().Truncate(time.Microsecond),
	}
	if err := p.store.PutRevision(ctx, r, binary); err != nil {
		return store.Revision{}, storeFault(err)
	}
	stored, err := p.revision(ctx, name, digest)
	if pay.ClassOf(err) == pay.ClassNotFound { // the same bytes under another plugin's name
		return store.Revision{}, fault(pay.ClassStateConflict, "the module is stored already as a revision of another plugin")
	}
	return stored, err
}

// Activations lists what was put in place under a plugin's name, newest first, the
// last 200 at most; not_found if there is no such plugin.
func (p *Plugins) Activations(ctx context.Context, name string) ([]store.Activation, error) {
	if _, err := p.find(name); err != nil {
		return nil, err
	}
	return p.activations(ctx, name, mostActivations)
}

// Revisions lists the revisions of a plugin, newest first; not_found if there is no such plugin.
func (p *Plugins) Revisions(ctx context.Context, name string) ([]store.Revision, error) {
	if _, err := p.find(name); err != nil {
		return nil, err
	}
	list, err := p.store.Revisions(ctx, name)
	return list, storeFault(err)
}

func (p *Plugins) revision(ctx context.Context, name, digest string) (store.Revision, error) {
	list, err := p.store.Revisions(ctx, name)
	if err != nil {
		return store.Revision{}, storeFault(err)
	}
	for _, r := range list {
		if r.Digest == digest {
			return r, nil
		}
	}
	e := fault(pay.ClassNotFound, "plugin "+name+" has no revision with this digest: push it first")
	e.Field = "digest"
	return store.Revision{}, e
}

// Activate swaps a stored revision in, here and then in every other process. An
// error leaves the old one in place. Activating the revision that is in place does
// nothing and returns the activation that put it there; but a canary ends by it, as by
// any activation: that of the canary itself gives it all payments.
//
// A revision that lacks what is under way needs is refused with class
// state_conflict, see [Plugins.Unneeded]. With force it is put in place all the
// same, and the activation says for good by whom and what was needed: what can't be
// finished then waits for a revision that can, or for an operator.
func (p *Plugins) Activate(ctx context.Context, by, name, digest string, force bool) (store.Activation, error) {
	m, err := p.changing(ctx, name, digest)
	if err != nil {
		return store.Activation{}, err
	}
	defer m.change.Unlock()
	last, err := p.activations(ctx, name, 1)
	if err != nil {
		return store.Activation{}, err
	}
	if len(last) > 0 && last[0].Digest == digest && last[0].Canary == 0 && p.runs(last[0]) {
		return last[0], nil
	}
	return p.activate(ctx, m, store.Activation{Plugin: name, Digest: digest, Source: sourceAPI, By: by}, force)
}

// Rollback ends a canary, if there is one. Else it swaps in the revision that was in
// place before the one in use; rolling back twice comes back to where it began.
// state_conflict if there was none before, or, without force, if it lacks what is under
// way needs; see [Plugins.Activate].
func (p *Plugins) Rollback(ctx context.Context, by, name string, force bool) (store.Activation, error) {
	m, err := p.changeable(name)
	if err != nil {
		return store.Activation{}, err
	}
	m.change.Lock()
	defer m.change.Unlock()
	list, err := p.activations(ctx, name, mostActivations)
	if err != nil {
		return store.Activation{}, err
	}
	back := store.Activation{Plugin: name, Source: sourceRollback, By: by}
	placed := inPlace(list)
	if len(list) > 0 && len(placed) > 0 && list[0].Canary > 0 {
		back.Digest = placed[0].Digest
		return p.activate(ctx, m, back, force)
	}
	for _, a := range placed {
		if a.Digest != placed[0].Digest {
			back.Digest = a.Digest
			return p.activate(ctx, m, back, force)
		}
	}
	return store.Activation{}, fault(pay.ClassStateConflict, "plugin "+name+" has had no other revision in place before")
}

// activate has a stored revision run as an activation says, and records it. Running
// comes first: what does not run here is not asked of other processes. If recording it
// fails, nobody knows whether it was recorded; Follow brings this process to what was.
// The caller holds m.change.
func (p *Plugins) activate(ctx context.Context, m *managed, a store.Activation, force bool) (store.Activation, error) {
	if err := p.put(ctx, a, p.agreed(ctx, &a, force)); err != nil {
		return store.Activation{}, err
	}
	return p.record(ctx, m, a)
}

// put has a stored revision run as an activation says: in place, or as a canary. Where it
// is in place already, the canary beside it ends.
func (p *Plugins) put(ctx context.Context, a store.Activation, agree func(host.Losses) error) error {
	if a.Canary == 0 && p.digest(a.Plugin) == a.Digest {
		return asError(p.host.EndCanary(a.Plugin, agree))
	}
	binary, err := p.store.Binary(ctx, a.Digest)
	if err != nil {
		return storeFault(err)
	}
	source := host.Source{Bytes: binary, SHA256: a.Digest}
	if a.Canary == 0 {
		return asError(p.swap(ctx, a.Plugin, source, agree))
	}
	_, err = p.host.StartCanary(ctx, a.Plugin, source, a.Canary, agree)
	return asError(err)
}

// asError is pay.AsError, and nil for nil.
func asError(err error) error {
	if err == nil {
		return nil
	}
	return pay.AsError(err)
}

// record writes an activation down that runs here already.
func (p *Plugins) record(ctx context.Context, m *managed, a store.Activation) (store.Activation, error) {
	a.At = p.now().UTC().Truncate(time.Microsecond)
	if err := p.store.Activate(ctx, &a); err != nil {
		return store.Activation{}, storeFault(err)
	}
	m.failed, m.backoff = "", 0
	p.note(m, "")
	p.log.Info("revision activated", "plugin", m.name, "digest", a.Digest, "source", a.Source, "by", a.By,
		"forced", a.Forced, "canary_percent", a.Canary)
	return a, nil
}

// anyLoss agrees to whatever a swap loses: it was agreed to where it was activated, or
// nobody can be asked.
func anyLoss(host.Losses) error { return nil }

// swap puts a source under a name: the first one, or in place of what runs.
func (p *Plugins) swap(ctx context.Context, name string, source host.Source, agree func(host.Losses) error) error {
	var err error
	if _, ok := p.host.Revision(name); ok {
		_, err = p.host.SwapIf(ctx, name, source, agree)
	} else {
		_, err = p.host.Load(ctx, name, source)
	}
	return err
}

// digest returns the digest of what runs under a name, "" if nothing does.
func (p *Plugins) digest(name string) string {
	if rev, ok := p.host.Revision(name); ok {
		return rev.Digest()
	}
	return ""
}

func (p *Plugins) activations(ctx context.Context, name string, limit int) ([]store.Activation, error) {
	list, err := p.store.Activations(ctx, name, limit)
	return list, storeFault(err)
}

func (p *Plugins) find(name string) (*managed, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.known[name]
	if m == nil {
		return nil, fault(pay.ClassNotFound, "no such plugin: it must stand under plugins in the configuration")
	}
	return m, nil
}

// changeable is find for a plugin that can run what is stored: state_conflict for one that
// runs in-process, which a restart would bring back.
func (p *Plugins) changeable(name string) (*managed, error) {
	m, err := p.find(name)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.native {
		return nil, fault(pay.ClassStateConflict, "plugin "+name+" runs in-process, by the configuration alone: give it a path there")
	}
	return m, nil
}

// changing is changeable for a stored revision that is to run. What it returns is locked
// for the change.
func (p *Plugins) changing(ctx context.Context, name, digest string) (*managed, error) {
	m, err := p.changeable(name)
	if err != nil {
		return nil, err
	}
	m.change.Lock()
	if _, err := p.revision(ctx, name, digest); err != nil {
		m.change.Unlock()
		return nil, err
	}
	return m, nil
}

// note keeps what is wrong with a plugin for whoever lists it.
func (p *Plugins) note(m *managed, problem string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.problem = problem
}

func fault(class pay.Class, message string) *pay.Error {
	return (&pay.Error{Class: class, Effect: pay.EffectNone, Message: message}).Fill()
}

// storeFault turns an error of the store into one for callers; nil stays nil.
func storeFault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNotFound):
		return fault(pay.ClassNotFound, "no such revision")
	}
	e := fault(pay.ClassHostFault, "store is not available")
	e.Err = err
	return e
}

// refusedModule is an error of the host about a module that was handed in: whatever
// the host calls it, the module is at fault.
func refusedModule(err error) error {
	e := *pay.AsError(err)
	if e.Class == pay.ClassConfig {
		e.Class, e.Field = pay.ClassPluginFault, ""
	}
	e.Message = cmp.Or(e.Message, "module can't be loaded")
	return e.Fill()
}
