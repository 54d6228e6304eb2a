package host

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/payhost/payhost/host/kv"
)

// Version of payhost, and the minor version of the ABI that it speaks.
const (
	Version  = "0.1.0"
	ABIMinor = 0
)

// Host holds plugins and connections. All its methods are safe for concurrent
// use.
type Host struct {
	config     Config
	ownStorage kv.Store // closed with the host

	mu          sync.Mutex
	closed      bool
	plugins     map[string]*plugin
	connections map[string]*Connection
	bindings    int        // that hold something to free
	drained     *sync.Cond // over mu: a binding was freed
}

// plugin is a name and the revision that runs under it.
type plugin struct {
	name    string
	swap    sync.Mutex // one change at a time
	current *Revision  // guarded by Host.mu, as are the next two
	canary  *Revision  // beside current, nil for none
	percent int        // of what calls are about, by the canary

	beginning sync.RWMutex // held for reading by what begins, see Connection.Begin
}

// New returns a host. It reads nothing and starts nothing yet.
func New(config Config) (*Host, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	h := &Host{config: config, plugins: map[string]*plugin{}, connections: map[string]*Connection{}}
	h.drained = sync.NewCond(&h.mu)
	if config.Storage == nil {
		h.ownStorage = kv.NewMemory(kv.Config{Now: config.Now})
		h.config.Storage = h.ownStorage
	}
	return h, nil
}

// Close waits for the calls that run and gives everything back. Calls that come
// later fail with class host_fault. Closing twice is harmless.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	connections := slices.Collect(maps.Values(h.connections))
	plugins := slices.Collect(maps.Values(h.plugins))
	h.mu.Unlock()
	for _, c := range connections {
		c.serving.Swap(nil).retire()
	}
	h.mu.Lock()
	for _, p := range plugins {
		h.retireRevision(p.current)
		h.retireRevision(p.canary)
		p.current, p.canary, p.percent = nil, nil, 0
	}
	for h.bindings > 0 {
		h.drained.Wait()
	}
	h.mu.Unlock()
	if h.ownStorage != nil {
		return h.ownStorage.Close()
	}
	return nil
}

// Load reads, checks and compiles a plugin and puts it under a name that is not
// taken yet. Errors are *pay.Error: class config for a source that can't be read,
// plugin_fault for a module that breaks a rule.
func (h *Host) Load(ctx context.Context, name string, source Source) (*Revision, error) {
	if err := h.free(name); err != nil {
		return nil, err
	}
	rev, err := h.prepare(ctx, source, h.isolation(name))
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		rev.close()
		return nil, errClosed()
	case h.plugins[name] != nil:
		rev.close()
		return nil, configError("plugins."+name, "name was taken while the plugin loaded")
	}
	h.plugins[name] = &plugin{name: name, current: rev}
	h.config.Logger.Info("plugin loaded", "plugin", name, "id", rev.manifest.ID,
		"version", rev.manifest.Version, "digest", rev.digest)
	return rev, nil
}

func (h *Host) free(name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return errClosed()
	case !validName(name):
		return configError("plugins."+name, "name must be 1 to 64 lowercase letters, digits, dashes or underscores")
	case h.plugins[name] != nil:
		return configError("plugins."+name, "is loaded already: use Swap to replace it")
	}
	return nil
}

// Revision returns what runs under a plugin's name now, and false if there is
// nothing.
func (h *Host) Revision(name string) (*Revision, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.plugins[name]
	if p == nil || p.current == nil {
		return nil, false
	}
	return p.current, true
}

// Connection returns a connection by name.
func (h *Host) Connection(name string) (*Connection, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.connections[name]
	return c, ok
}

// Connections returns the names of the connections, sorted.
func (h *Host) Connections() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.connections))
}

// alive counts the bindings that hold something to free.
func (h *Host) alive(change int) {
	h.mu.Lock()
	h.bindings += change
	h.mu.Unlock()
	h.drained.Broadcast()
}

func validName(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	for _, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}
