package sdktest

import (
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// Config is the connection that the plugin runs on, and the world around it. The
// zero value is a connection without settings, secrets or keys.
type Config struct {
	Connection string // name; "test" if empty
	BaseURL    string // without a slash at its end; https://provider.test if empty
	Settings   string // JSON object; "{}" if empty
	// Secrets are the names that are bound. A secret has no value here: the plugin
	// never sees one, and the transcript compares the name.
	Secrets []string
	// Keys are the keys that are bound, by name: RSA, ECDSA or Ed25519, private or
	// public, as package crypto has them, or []byte for HMAC.
	Keys       map[string]any
	Identities []string      // names of the TLS identities that are bound
	Now        time.Time     // where the clock begins; 2026-01-15 10:00:00 UTC if zero
	Timeout    time.Duration // how long one call may take by the fake clock; 10 s if zero
	Seed       uint64        // of the random source
}

// Plugin is a provider on one connection of a host that exists for the test only.
// It is for one goroutine.
type Plugin struct {
	t        testing.TB
	guest    abi.Guest
	manifest pay.Manifest
	config   Config
	base     *url.URL

	now    time.Time
	random *rand.ChaCha8
	store  store
	tokens map[string]int64 // generation of the OAuth2 token, by profile
	logs   []string

	script script
}

// New puts a provider on a connection. The test fails if the provider's methods
// and the operations it declares differ, and at its end if exchanges of the
// transcript are left over.
func New(t testing.TB, p sdk.Provider, config Config) *Plugin {
	t.Helper()
	config = config.withDefaults()
	base, err := url.Parse(config.BaseURL)
	if err != nil || base.Host == "" || strings.HasSuffix(config.BaseURL, "/") {
		t.Fatalf("sdktest: base URL %q is not absolute, or ends in a slash", config.BaseURL)
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(config.Settings), &object); err != nil {
		t.Fatalf("sdktest: settings are not a JSON object: %v", err)
	}
	for _, problem := range sdk.Mismatch(p) {
		t.Errorf("sdktest: plugin %s", problem)
	}
	var seed [32]byte
	for i := range 8 {
		seed[i] = byte(config.Seed >> (8 * i))
	}
	plugin := &Plugin{
		t: t, guest: sdk.Native(p), manifest: p.Manifest(), config: config, base: base,
		now: config.Now.UTC(), random: rand.NewChaCha8(seed),
		store: store{}, tokens: map[string]int64{},
	}
	t.Cleanup(plugin.finish)
	return plugin
}

// Transcript adds exchanges to those that are expected: a file, one section of a
// file as "file#name", or the text itself if it has more than one line. The test
// stops if it can't be read.
func (p *Plugin) Transcript(source string) {
	p.t.Helper()
	exchanges, err := load(source)
	if err != nil {
		p.t.Fatalf("sdktest: %v", err)
	}
	p.script.exchanges = append(p.script.exchanges, exchanges...)
}

// Now returns the fake clock.
func (p *Plugin) Now() time.Time { return p.now }

// Advance moves the fake clock. Stored values whose time is over are gone.
func (p *Plugin) Advance(d time.Duration) { p.now = p.now.Add(d) }

// Logs returns the plugin's log lines so far, each after its level, as
// "warn unknown status word=Odd".
func (p *Plugin) Logs() []string { return p.logs }

// Stored returns what the plugin keeps under a storage key, and whether it is
// there.
func (p *Plugin) Stored(key string) ([]byte, bool) {
	e, ok := p.store.get(key, p.now)
	return e.value, ok
}

// Store puts a value into the plugin's storage, for ttl or, if that is 0, for good.
func (p *Plugin) Store(key string, value []byte, ttl time.Duration) {
	p.store.set(key, value, after(p.now, ttl))
}

// Manifest returns what the plugin answers to describe.
func (p *Plugin) Manifest() pay.Manifest {
	p.t.Helper()
	reply, err := p.call(pay.OpDescribe, "", nil)
	if err != nil {
		p.t.Errorf("sdktest: %v", err)
		return pay.Manifest{}
	}
	manifest, decodeErr := abi.DecodeManifest(reply.Manifest)
	if decodeErr != nil {
		p.t.Errorf("sdktest: describe: %v", decodeErr)
	}
	return manifest
}

// finish runs at the end of the test.
func (p *Plugin) finish() {
	p.t.Helper()
	if left := p.script.left(); left != "" {
		p.t.Errorf("sdktest: %s", left)
	}
}

func (c Config) withDefaults() Config {
	if c.Connection == "" {
		c.Connection = "test"
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://provider.test"
	}
	if c.Settings == "" {
		c.Settings = "{}"
	}
	if c.Now.IsZero() {
		c.Now = time.Date(2026, time.January, 15, 10, 0, 0, 0, time.UTC)
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	return c
}
