package soak_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/aurora"
	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/smartpay"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/host/vault"
)

// latency is how long the providers take to answer.
const latency = 5 * time.Millisecond

// station is a provider and a connection to it.
type station struct {
	kit  *simkit.Kit
	conn *host.Connection
	stop func()
}

// world is the host with its plugins, and the providers.
type world struct {
	t       *testing.T
	host    *host.Host
	storage kv.Store
	till    *smartpay.Server

	stations map[string]*station // by connection
}

// openWorld loads the plugins and connects them: the good ones to good providers,
// two of them to broken ones as well, and the hostile one to nobody.
func openWorld(t *testing.T) *world {
	t.Helper()
	// The keys of operations are kept for good, and belong on the disk: in memory they
	// would be what grows.
	storage, err := kv.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "kv.db"), kv.Config{})
	if err != nil {
		t.Fatal(err)
	}
	// No back-off to speak of: every hostile call is to reach its guest.
	limits := host.Limits{Instances: 16, Backoff: time.Millisecond}
	h, err := host.New(host.Config{CacheDir: cacheDir(t), Storage: storage, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, host: h, storage: storage, stations: map[string]*station{}}
	for name, sources := range modules(t) {
		if _, err := h.Load(t.Context(), name, sources[0]); err != nil {
			t.Fatalf("load %s: %v", name, err)
		}
	}
	w.rahmet("rahmet")
	w.rahmet("rahmet-broken")
	w.aurora("aurora")
	w.aurora("aurora-broken")
	w.aurora("aurora-engine")
	w.yenilToleg("yeniltoleg")
	w.smartPay("smartpay")
	w.connect(host.ConnectionConfig{Name: hostile, Plugin: hostile, BaseURL: "http://127.0.0.1:1"}, nil, func() {})
	w.forget()
	return w
}

func (w *world) rahmet(name string) {
	sim := rahmet.New(rahmet.Options{})
	url, stop := w.serve(sim.Kit)
	w.connect(host.ConnectionConfig{
		Name: name, Plugin: "rahmet", BaseURL: url, Settings: json.RawMessage(`{"branch_token":"` + rahmet.BranchToken + `"}`),
		Secrets: map[string]vault.Secret{
			"client_id": vault.NewSecret(rahmet.ClientID), "client_secret": vault.NewSecret(rahmet.ClientSecret),
		},
	}, sim.Kit, stop)
}

func (w *world) aurora(name string) {
	sim := aurora.New(aurora.Options{})
	url, stop := w.serve(sim.Kit)
	w.connect(host.ConnectionConfig{
		Name: name, Plugin: "aurora", BaseURL: url, Settings: json.RawMessage(`{"shop_id":"` + aurora.ShopID + `"}`),
		Secrets: map[string]vault.Secret{"api_key": vault.NewSecret(aurora.APIKey)},
		Keys: map[string]vault.KeyConfig{
			"webhook": {Secret: vault.NewSecret(aurora.WebhookKey), Algorithms: []vault.Algorithm{vault.HS256}},
		},
	}, sim.Kit, stop)
}

func (w *world) yenilToleg(name string) {
	sim := yeniltoleg.New(yeniltoleg.Options{})
	url, stop := w.serve(sim.Kit)
	w.connect(host.ConnectionConfig{
		Name: name, Plugin: "yeniltoleg", BaseURL: url,
		Secrets: map[string]vault.Secret{"access_token": vault.NewSecret(yeniltoleg.AccessToken)},
	}, sim.Kit, stop)
}

func (w *world) smartPay(name string) {
	sim, err := smartpay.New(smartpay.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	paths, err := sim.WriteFiles(w.t.TempDir())
	if err != nil {
		w.t.Fatal(err)
	}
	w.till = sim
	w.connect(host.ConnectionConfig{
		Name: name, Plugin: "smartpay", BaseURL: sim.URL(), Settings: json.RawMessage(`{"till_id":"` + smartpay.DefaultTill + `"}`),
		TLS: map[string]vault.IdentityConfig{"client": {CertFile: paths.ClientCert, KeyFile: paths.ClientKey, CAFile: paths.CA}},
		Keys: map[string]vault.KeyConfig{
			"qr_decrypt": {PrivateKeyFile: paths.QRKey, Algorithms: []vault.Algorithm{vault.RSAOAEP256}},
			"qr_sign":    {PublicKeyFile: paths.AppPublic, Algorithms: []vault.Algorithm{vault.RS256}},
		},
	}, sim.Kit(), func() { _ = sim.Close() })
}

func (w *world) serve(kit *simkit.Kit) (url string, stop func()) {
	url, unlisten, err := simkit.Start("127.0.0.1:0", kit)
	if err != nil {
		w.t.Fatal(err)
	}
	return url, func() { _ = kit.Close(); unlisten() }
}

func (w *world) connect(config host.ConnectionConfig, kit *simkit.Kit, stop func()) {
	config.Egress = host.Grant{AllowPrivate: true, AllowHTTP: true}
	conn, err := w.host.Connect(w.t.Context(), config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.stations[config.Name] = &station{kit: kit, conn: conn, stop: stop}
}

// forget makes the providers as new, so that what they keep does not grow.
func (w *world) forget() {
	for _, s := range w.stations {
		if s.kit == nil {
			continue
		}
		s.kit.Reset()
		slow := simkit.Fault{Path: "/*", Kind: simkit.Slow, DelayMS: int(latency.Milliseconds())}
		if err := s.kit.Fault(slow); err != nil {
			w.t.Error(err)
		}
	}
}

// settled waits until no plugin's instance serves a call or is being put back.
func (w *world) settled() error {
	var last string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		last = ""
		for _, s := range w.host.Stats() {
			if s.Out > 0 {
				last += fmt.Sprintf(" %s: %d", s.Plugin, s.Out)
			}
		}
		if last == "" {
			return nil
		}
	}
	return fmt.Errorf("instances are out, and nobody calls:%s", last)
}

func (w *world) close() {
	if err := w.host.Close(); err != nil {
		w.t.Error(err)
	}
	if err := w.storage.Close(); err != nil {
		w.t.Error(err)
	}
	for _, s := range w.stations {
		s.stop()
	}
}
