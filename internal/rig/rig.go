// Package rig is what tests of the engine stand on: the three simulators on
// loopback, a host with the three plugins and a connection to each, an engine over
// a store, and one clock for all of them.
package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/conformance/sim/certs"
	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/smartpay"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/store"
	rahmetplugin "github.com/payhost/payhost/plugins/rahmet"
	smartpayplugin "github.com/payhost/payhost/plugins/smartpay"
	yeniltolegplugin "github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
)

// The connections.
const (
	Rahmet     = "rahmet-main"
	YenilToleg = "yeniltoleg-main"
	SmartPay   = "smartpay-till-1"
)

// Clock is the wall clock, moved forward by what it was advanced.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
}

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

// Advance moves the clock forward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += max(d, 0)
}

// World is the providers.
type World struct {
	Rahmet     *rahmet.Server
	YenilToleg *yeniltoleg.Server
	SmartPay   *smartpay.Server
	Clock      *Clock

	providers Providers
}

// Providers is where the simulators are and what opens them, as another process can
// be told.
type Providers struct {
	Rahmet, YenilToleg, SmartPay string // base URLs
	Files                        smartpay.Files
}

// NewWorld starts the simulators; they stop with the test.
func NewWorld(t testing.TB) *World {
	t.Helper()
	w := &World{Clock: &Clock{}, Rahmet: rahmet.New(rahmet.Options{}), YenilToleg: yeniltoleg.New(yeniltoleg.Options{})}
	keys, err := tillKeys()
	if err != nil {
		t.Fatal(err)
	}
	var stop func()
	if w.providers.Rahmet, stop, err = simkit.Start("127.0.0.1:0", w.Rahmet); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Rahmet.Close(); stop() })
	if w.providers.YenilToleg, stop, err = simkit.Start("127.0.0.1:0", w.YenilToleg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.YenilToleg.Close(); stop() })
	if w.SmartPay, err = smartpay.New(keys); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.SmartPay.Close() })
	w.providers.SmartPay = w.SmartPay.URL()
	if w.providers.Files, err = w.SmartPay.WriteFiles(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return w
}

// tillKeys are the RSA keys of every SmartPay of this process: making them takes longer
// than most tests.
var tillKeys = sync.OnceValues(func() (o smartpay.Options, err error) {
	if o.ServiceKey, err = certs.NewKeyPair(); err != nil {
		return o, err
	}
	o.AppKey, err = certs.NewKeyPair()
	return o, err
})

// Advance moves the clock of payhost and of every provider.
func (w *World) Advance(d time.Duration) {
	w.Clock.Advance(d)
	for _, kit := range w.Kits() {
		kit.Advance(d)
	}
}

// Kits returns the simulators by their connection.
func (w *World) Kits() map[string]*simkit.Kit {
	return map[string]*simkit.Kit{Rahmet: w.Rahmet.Kit, YenilToleg: w.YenilToleg.Kit, SmartPay: w.SmartPay.Kit()}
}

// Payhost is one process' worth of payhost.
type Payhost struct {
	Host   *host.Host
	Engine *payments.Engine
	Store  store.Store
}

// Options change what Open makes.
type Options struct {
	Config      payments.Config // Host, Store and Now are filled in
	Storage     kv.Store        // of the plugins; nil for one in memory
	CallTimeout time.Duration   // default 10 s
	CacheDir    string          // of compiled plugins; "" for none
	Logger      hclog.Logger
	Native      map[string]sdk.Provider // in place of a connection's own plugin
}

// Providers returns where the simulators are.
func (w *World) Providers() Providers { return w.providers }

// Open connects a payhost to the world. It starts no background work; see
// [payments.Engine.Start].
func (w *World) Open(ctx context.Context, s store.Store, o Options) (*Payhost, error) {
	return w.providers.Open(ctx, w.Clock, s, o)
}

// Open connects a payhost to the providers.
func (p Providers) Open(ctx context.Context, clock *Clock, s store.Store, o Options) (*Payhost, error) {
	if o.CallTimeout == 0 {
		o.CallTimeout = 10 * time.Second
	}
	h, err := host.New(host.Config{
		Storage: o.Storage, Now: clock.Now, Logger: o.Logger, CacheDir: o.CacheDir,
		Limits: host.Limits{CallTimeout: o.CallTimeout, Instances: 64},
	})
	if err != nil {
		return nil, err
	}
	if err := p.connect(ctx, h, o.Native); err != nil {
		_ = h.Close()
		return nil, err
	}
	o.Config.Host, o.Config.Store, o.Config.Now, o.Config.Logger = h, s, clock.Now, o.Logger
	o.Config.CallTimeout = o.CallTimeout
	if o.Config.Rates == nil {
		o.Config.Rates = map[string]int{Rahmet: 10_000, YenilToleg: 10_000, SmartPay: 10_000}
	}
	e, err := payments.New(o.Config)
	if err != nil {
		_ = h.Close()
		return nil, err
	}
	return &Payhost{Host: h, Engine: e, Store: s}, nil
}

// Close ends the engine and the host, not the store.
func (p *Payhost) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := p.Engine.Close(ctx); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	return p.Host.Close()
}

func (p Providers) connect(ctx context.Context, h *host.Host, other map[string]sdk.Provider) error {
	plugins := map[string]sdk.Provider{
		Rahmet: rahmetplugin.New(), YenilToleg: yeniltolegplugin.New(), SmartPay: smartpayplugin.New(),
	}
	for name, c := range p.Connections() {
		plugin := plugins[name]
		if other[name] != nil {
			plugin = other[name]
		}
		if _, err := h.Load(ctx, c.Plugin, host.Source{Native: sdk.Native(plugin)}); err != nil {
			return err
		}
		if _, err := h.Connect(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// Connections returns how to connect to each provider.
func (p Providers) Connections() map[string]host.ConnectionConfig {
	private := host.Grant{AllowPrivate: true, AllowHTTP: true}
	return map[string]host.ConnectionConfig{
		Rahmet: {
			Name: Rahmet, Plugin: "rahmet", BaseURL: p.Rahmet, Egress: private,
			Settings: json.RawMessage(`{"branch_token":"` + rahmet.BranchToken + `"}`),
			Secrets: map[string]vault.Secret{
				"client_id": vault.NewSecret(rahmet.ClientID), "client_secret": vault.NewSecret(rahmet.ClientSecret),
			},
		},
		YenilToleg: {
			Name: YenilToleg, Plugin: "yeniltoleg", BaseURL: p.YenilToleg, Egress: private,
			Secrets: map[string]vault.Secret{"access_token": vault.NewSecret(yeniltoleg.AccessToken)},
		},
		SmartPay: {
			Name: SmartPay, Plugin: "smartpay", BaseURL: p.SmartPay, Egress: private,
			Settings: json.RawMessage(`{"till_id":"` + smartpay.DefaultTill + `"}`),
			TLS: map[string]vault.IdentityConfig{
				"client": {CertFile: p.Files.ClientCert, KeyFile: p.Files.ClientKey, CAFile: p.Files.CA},
			},
			Keys: map[string]vault.KeyConfig{
				"qr_decrypt": {PrivateKeyFile: p.Files.QRKey, Algorithms: []vault.Algorithm{vault.RSAOAEP256}},
				"qr_sign":    {PublicKeyFile: p.Files.AppPublic, Algorithms: []vault.Algorithm{vault.RS256}},
			},
		},
	}
}
