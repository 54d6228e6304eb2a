package host

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// ConnectionConfig is one configured use of a plugin.
type ConnectionConfig struct {
	Name     string          // 1 to 64 lowercase letters, digits, dashes, underscores
	Plugin   string          // name of a loaded plugin
	BaseURL  string          // where the provider is: scheme, host, port, path
	Settings json.RawMessage // the plugin's own settings, a JSON object
	Secrets  map[string]vault.Secret
	Keys     map[string]vault.KeyConfig
	TLS      map[string]vault.IdentityConfig // by name; "client" is the connection's own
	Egress   Grant
}

// Grant is what an operator allows a connection beyond the base URL's host over
// https.
type Grant struct {
	AllowPrivate bool     // loopback, private and link-local addresses
	AllowHTTP    bool     // http as well as https
	Hosts        []string // further hosts, "api.example.com" or "api.example.com:8443"
}

// Connection is one configured use of a plugin. Its methods are the operations. Which
// revision runs them while there are two, see [Connection.Of].
type Connection struct {
	host    *Host
	config  *ConnectionConfig
	plugin  *plugin
	vault   *vault.Vault
	serving *atomic.Pointer[serving] // holds nil once closed
	subject string                   // what the calls are about; "" if that is not said
}

// Name returns the connection's name.
func (c *Connection) Name() string { return c.config.Name }

// Plugin returns the name of the plugin that the connection uses.
func (c *Connection) Plugin() string { return c.config.Plugin }

// Manifest returns what the revision in use says of itself.
func (c *Connection) Manifest() (pay.Manifest, error) {
	b, err := c.acquire()
	if err != nil {
		return pay.Manifest{}, err
	}
	defer b.release()
	return b.revision.manifest, nil
}

// Connect checks a connection and makes it ready: its settings against the
// plugin's schema and then by the plugin, its secrets, keys and identities
// against what the plugin needs, and its base URL. Nothing is sent. Errors are
// *pay.Error of class config with the path of the first field at fault; further
// problems stand in the message.
func (h *Host) Connect(ctx context.Context, config ConnectionConfig) (*Connection, error) {
	field := "connections." + config.Name
	if !validName(config.Name) {
		return nil, configError("connections."+config.Name, "name must be 1 to 64 lowercase letters, digits, dashes or underscores")
	}
	h.mu.Lock()
	p := h.plugins[config.Plugin]
	taken := h.connections[config.Name] != nil
	closed := h.closed
	h.mu.Unlock()
	switch {
	case closed:
		return nil, errClosed()
	case taken:
		return nil, configError(field, "is connected already")
	case p == nil:
		return nil, configError(field+".plugin", fmt.Sprintf("plugin %q is not loaded", config.Plugin))
	}
	c := &Connection{host: h, config: &config, plugin: p, serving: new(atomic.Pointer[serving])}
	if err := c.open(); err != nil {
		return nil, under(field, err)
	}
	p.swap.Lock() // so that the revision stays while we bind to it
	defer p.swap.Unlock()
	s, err := c.serve(ctx)
	if err != nil {
		return nil, under(field, err)
	}
	if err := h.register(c, s); err != nil {
		s.close()
		return nil, err
	}
	return c, nil
}

// register gives a connection its name and what serves it, unless the host was closed or
// the name was taken while it was made.
func (h *Host) register(c *Connection, s *serving) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return errClosed()
	case h.connections[c.config.Name] != nil:
		return configError("connections."+c.config.Name, "name was taken while the connection was made")
	}
	c.serving.Store(s)
	h.connections[c.config.Name] = c
	return nil
}

// Disconnect takes a connection away. Calls that run end as they would; later ones
// fail with class host_fault. The name is free again at once. It reports whether
// there was such a connection.
func (h *Host) Disconnect(name string) bool {
	h.mu.Lock()
	c, ok := h.connections[name]
	delete(h.connections, name)
	h.mu.Unlock()
	if !ok {
		return false
	}
	h.mu.Lock()
	p := h.plugins[c.config.Plugin]
	h.mu.Unlock()
	p.swap.Lock() // a swap that has seen the connection gives it its new binding first
	defer p.swap.Unlock()
	c.serving.Swap(nil).retire()
	return true
}

// under puts a field path in front of an error's own.
func under(prefix string, err error) error {
	e := pay.AsError(err)
	out := *e
	out.Field = strings.TrimSuffix(prefix+"."+e.Field, ".")
	return &out
}

// open reads what belongs to the connection whatever the revision: secrets, keys
// and identities.
func (c *Connection) open() error {
	v, err := vault.New(vault.Config{
		Secrets: c.config.Secrets, Keys: c.config.Keys, Identities: c.config.TLS, Now: c.host.config.Now,
		OnReloadError: func(name string, err error) {
			c.host.config.Logger.Error("changed file is not used", "connection", c.config.Name, "name", name, "error", err)
		},
	})
	if err != nil {
		return vaultError(err)
	}
	c.vault = v
	return nil
}

func vaultError(err error) *pay.Error {
	list := vault.FieldErrors(err)
	if len(list) == 0 {
		return configError("", err.Error())
	}
	e := configError(list[0].Field, list[0].Problem)
	for _, more := range list[1:] {
		e.Message += "; " + more.Error()
	}
	return e
}

// bound checks that the operator gave what the plugin requires, and nothing that
// it does not know.
func (c *Connection) bound(m *pay.Manifest) error {
	secrets, keys, identities := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, s := range m.Secrets {
		secrets[s.Name] = true
		if _, ok := c.config.Secrets[s.Name]; s.Required && !ok {
			return configError("secrets."+s.Name, "is missing"+title(s.Title))
		}
	}
	for _, k := range m.Keys {
		keys[k.Name] = true
		key, ok := c.config.Keys[k.Name]
		if k.Required && !ok {
			return configError("keys."+k.Name, "is missing"+title(k.Title))
		}
		for _, alg := range key.Algorithms {
			if !contains(k.Algorithms, string(alg)) {
				return configError("keys."+k.Name+".alg", fmt.Sprintf("plugin does not use %s, only %s",
					alg, strings.Join(k.Algorithms, ", ")))
			}
		}
	}
	for _, i := range m.Identities {
		identities[i.Name] = true
		if _, ok := c.config.TLS[i.Name]; i.Required && !ok {
			return configError("tls", "is missing: the plugin needs the identity "+i.Name+title(i.Title))
		}
	}
	for name := range c.config.Secrets {
		if !secrets[name] {
			return configError("secrets."+name, "is unknown: the plugin has no such secret")
		}
	}
	for name := range c.config.Keys {
		if !keys[name] {
			return configError("keys."+name, "is unknown: the plugin has no such key")
		}
	}
	for name := range c.config.TLS {
		if name != abi.DefaultTLSName && !identities[name] {
			return configError("tls."+name, "is unknown: the plugin has no such identity")
		}
	}
	return nil
}

func title(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

func problemError(list []pay.Problem) *pay.Error {
	e := configError(list[0].Field, list[0].Message)
	for _, more := range list[1:] {
		e.Message += "; " + more.Field + ": " + more.Message
	}
	return e
}

// baseURL parses the base URL and holds it against the grant.
func (c *Connection) baseURL() (*url.URL, error) {
	u, err := url.Parse(c.config.BaseURL)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, configError("base_url", "is not an absolute URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, configError("base_url", "scheme is neither https nor http")
	case u.Scheme == "http" && !c.config.Egress.AllowHTTP:
		return nil, configError("base_url", "is http: grant egress.allow_http to permit it")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, configError("base_url", "may hold no user, query or fragment")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
}
