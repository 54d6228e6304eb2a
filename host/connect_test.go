package host_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// TestConnectRefuses gives a connection each thing wrong in turn: the error is of
// class config and names the field.
func TestConnectRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Native: sdk.Native(probe.New())})
	good := func() host.ConnectionConfig {
		c := r.config
		c.Name = "second"
		return c
	}
	secret := func(pairs ...string) map[string]vault.Secret {
		m := map[string]vault.Secret{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = vault.NewSecret(pairs[i+1])
		}
		return m
	}
	missing := filepath.Join(t.TempDir(), "missing.pem")
	tests := map[string]struct {
		change func(*host.ConnectionConfig)
		field  string
		text   string
	}{
		"name taken":           {func(c *host.ConnectionConfig) { c.Name = "main" }, "connections.main", "already"},
		"bad name":             {func(c *host.ConnectionConfig) { c.Name = "../x" }, "connections.../x", "lowercase"},
		"unknown plugin":       {func(c *host.ConnectionConfig) { c.Plugin = "nope" }, "connections.second.plugin", "not loaded"},
		"no URL":               {func(c *host.ConnectionConfig) { c.BaseURL = "" }, "connections.second.base_url", "absolute"},
		"http":                 {func(c *host.ConnectionConfig) { c.BaseURL = "http://pay.example" }, "connections.second.base_url", "allow_http"},
		"URL with a password":  {func(c *host.ConnectionConfig) { c.BaseURL = "https://u:p@pay.example" }, "connections.second.base_url", "user"},
		"settings not JSON":    {func(c *host.ConnectionConfig) { c.Settings = json.RawMessage(`{`) }, "connections.second.settings", "not JSON"},
		"unknown setting":      {func(c *host.ConnectionConfig) { c.Settings = json.RawMessage(`{"x":1}`) }, "connections.second.settings", "x"},
		"setting out of range": {func(c *host.ConnectionConfig) { c.Settings = json.RawMessage(`{"level":10}`) }, "connections.second.settings.level", "maximum"},
		"setting of wrong type": {
			func(c *host.ConnectionConfig) { c.Settings = json.RawMessage(`{"till_id":7}`) },
			"connections.second.settings.till_id", "string",
		},
		"plugin says no": {
			func(c *host.ConnectionConfig) { c.Settings = json.RawMessage(`{"till_id":"bad"}`) },
			"connections.second.settings.till_id", "is bad",
		},
		"missing secret": {func(c *host.ConnectionConfig) { c.Secrets = nil }, "connections.second.secrets.api_token", "missing"},
		"unknown secret": {
			func(c *host.ConnectionConfig) { c.Secrets = secret("api_token", apiToken, "extra", "12345678") },
			"connections.second.secrets.extra", "unknown",
		},
		"unknown key": {
			func(c *host.ConnectionConfig) {
				c.Keys = map[string]vault.KeyConfig{"x": {Secret: vault.NewSecret(macKey), Algorithms: []vault.Algorithm{vault.HS256}}}
			},
			"connections.second.keys.x", "unknown",
		},
		"algorithm not declared": {
			func(c *host.ConnectionConfig) {
				c.Keys = map[string]vault.KeyConfig{"mac": {Secret: vault.NewSecret(macKey), Algorithms: []vault.Algorithm{vault.HS512}}}
			},
			"connections.second.keys.mac.alg", "HS256",
		},
		"unknown identity": {
			func(c *host.ConnectionConfig) { c.TLS = map[string]vault.IdentityConfig{"x": r.config.TLS["client"]} },
			"connections.second.tls.x", "unknown",
		},
		"no such certificate": {
			func(c *host.ConnectionConfig) {
				c.TLS = map[string]vault.IdentityConfig{"client": {CertFile: missing, KeyFile: missing}}
			},
			"connections.second.tls", "missing.pem",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := good()
			tt.change(&config)
			_, err := r.host.Connect(t.Context(), config)
			e := pay.AsError(err)
			if e == nil || e.Class != pay.ClassConfig || !strings.HasPrefix(e.Field, tt.field) || !strings.Contains(e.Error(), tt.text) {
				t.Errorf("error %v, want field %s and %q", err, tt.field, tt.text)
			}
			if err != nil && strings.Contains(err.Error(), filepath.Dir(missing)) {
				t.Errorf("error %v holds a host path", err)
			}
		})
	}
	if names := r.host.Connections(); len(names) != 1 {
		t.Errorf("connections %q: a refused one was kept", names)
	}
}

// TestRequestRefuses gives an operation each field wrong in turn: nothing is sent.
func TestRequestRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Native: sdk.Native(probe.New())})
	tests := map[string]struct {
		change func(*pay.CreateRequest)
		field  string
	}{
		"no key":            {func(c *pay.CreateRequest) { c.Key = "" }, "key"},
		"no order":          {func(c *pay.CreateRequest) { c.OrderID = "" }, "order_id"},
		"no amount":         {func(c *pay.CreateRequest) { c.Amount = pay.Money{} }, "amount"},
		"zero":              {func(c *pay.CreateRequest) { c.Amount.Minor = 0 }, "amount.value"},
		"negative":          {func(c *pay.CreateRequest) { c.Amount.Minor = -100 }, "amount.value"},
		"too precise":       {func(c *pay.CreateRequest) { c.Amount.Minor = 150 }, "amount.value"},
		"huge":              {func(c *pay.CreateRequest) { c.Amount.Minor = 1 << 60 }, "amount.value"},
		"wrong currency":    {func(c *pay.CreateRequest) { c.Amount.Currency = pay.RUB }, "amount.currency"},
		"no such currency":  {func(c *pay.CreateRequest) { c.Amount.Currency = "ZZZ" }, "amount.currency"},
		"return_url":        {func(c *pay.CreateRequest) { c.ReturnURL = "shop" }, "return_url"},
		"line price":        {func(c *pay.CreateRequest) { c.Lines = []pay.Line{{Name: "x", Quantity: 1, Price: pay.New(1, pay.TMT)}} }, "lines[0].price.currency"},
		"line quantity":     {func(c *pay.CreateRequest) { c.Lines = []pay.Line{{Name: "x", Price: pay.New(1, pay.KZT)}} }, "lines[0].quantity"},
		"a message too big": {func(c *pay.CreateRequest) { c.Customer.Name = strings.Repeat("x", 300<<10) }, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := create("")
			tt.change(&request)
			result, err := r.conn.Create(t.Context(), request)
			e := pay.AsError(err)
			if e == nil || e.Class != pay.ClassInvalidRequest || e.Field != tt.field || e.Effect != pay.EffectNone {
				t.Errorf("error %v, want field %q", err, tt.field)
			}
			if result.Outcome != pay.OutcomeNotApplied {
				t.Errorf("outcome %s", result.Outcome)
			}
		})
	}
	t.Run("refund over the rest", func(t *testing.T) {
		t.Parallel()
		_, err := r.conn.Refund(t.Context(), pay.RefundRequest{
			Intent: pay.Intent{Key: "r"}, Amount: pay.New(600, pay.KZT), Paid: pay.New(1000, pay.KZT), Refunded: pay.New(500, pay.KZT),
		})
		if e := pay.AsError(err); e == nil || e.Field != "amount.value" {
			t.Errorf("error %v", err)
		}
	})
	t.Run("undeclared operation", func(t *testing.T) {
		t.Parallel()
		_, err := r.conn.Bind(t.Context(), pay.BindRequest{Intent: pay.Intent{Key: "b"}, Code: "x"})
		if pay.ClassOf(err) != pay.ClassUnsupported {
			t.Errorf("error %v", err)
		}
	})
	t.Cleanup(func() {
		if len(r.requests()) != 0 {
			t.Errorf("requests were sent: %q", r.requests())
		}
	})
}

// TestLoadRefuses gives Load what is no plugin.
func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	module := probeModule(t)
	dir := t.TempDir()
	good := filepath.Join(dir, "good.wasm")
	if err := os.WriteFile(good, module, 0o600); err != nil {
		t.Fatal(err)
	}
	lying := bytes.Clone(module)
	copy(lying[bytes.LastIndex(lying, []byte("Probe")):], "Prove") // in the section, which stands last
	tests := map[string]struct {
		source host.Source
		want   string
	}{
		"nothing":        {host.Source{}, "sha256"},
		"no file":        {host.Source{Path: filepath.Join(dir, "none.wasm")}, "no such file"},
		"a directory":    {host.Source{Path: dir}, "is a directory"},
		"empty":          {host.Source{Bytes: []byte{}}, "no WebAssembly"},
		"cut short":      {host.Source{Bytes: module[:len(module)/2]}, "cut short"},
		"wrong digest":   {host.Source{Path: good, SHA256: strings.Repeat("0", 64)}, "sha256"},
		"digest unknown": {host.Source{SHA256: strings.Repeat("0", 64)}, "no such file"},
		"not packed":     {host.Source{Bytes: withoutManifest(module)}, "payhost plugin pack"},
		"lying manifest": {host.Source{Bytes: lying}, "differ"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := host.New(host.Config{RevisionDir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			_, err = h.Load(t.Context(), "probe", tt.source)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), dir) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if _, ok := h.Revision("probe"); ok {
				t.Error("the name was taken")
			}
		})
	}
}

// withoutManifest cuts the manifest section, which stands last.
func withoutManifest(module []byte) []byte {
	at := strings.LastIndex(string(module), "payhost.manifest")
	for at--; module[at] != 0; at-- {
		continue
	}
	return module[:at]
}

// TestProviderKey shows the forms of keys: stable for an operation, different for
// another, and stored where they hold a counter.
func TestProviderKey(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Native: sdk.Native(probe.New())})
	key := func(op pay.Operation, from host.KeySource) string {
		k, err := r.conn.ProviderKey(t.Context(), op, from)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	for _, op := range []pay.Operation{pay.OpCreate, pay.OpRefund, pay.OpCancel} {
		a := key(op, host.KeySource{Key: "a", OrderID: "100500"})
		if again := key(op, host.KeySource{Key: "a", OrderID: "100500"}); again != a {
			t.Errorf("%s: %q, then %q", op, a, again)
		}
		if b := key(op, host.KeySource{Key: "b", OrderID: "100500", Sequence: 2}); b == a {
			t.Errorf("%s: another operation has the same key %q", op, b)
		}
	}
	if k := key(pay.OpCreate, host.KeySource{Key: "a", OrderID: "100500", Sequence: 2}); k != "100500-2" {
		t.Errorf("second order key %q", k)
	}
	if k := key(pay.OpCancel, host.KeySource{Key: "a"}); !strings.HasPrefix(k, "t1-") {
		t.Errorf("counter key %q", k)
	}
	if _, err := r.conn.ProviderKey(t.Context(), pay.OpRefund, host.KeySource{}); pay.ClassOf(err) != pay.ClassInvalidRequest {
		t.Errorf("no operation key: %v", err)
	}
}

// TestCounterKeys wants different keys for two operations, even in one second.
func TestCounterKeys(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Native: sdk.Native(counting{probe.New()})})
	seen := map[string]bool{}
	for _, op := range []pay.Operation{pay.OpRefund, pay.OpCancel} {
		for _, from := range []string{"a", "b"} {
			key, err := r.conn.ProviderKey(t.Context(), op, host.KeySource{Key: from})
			if err != nil || seen[key] {
				t.Errorf("%s %s: key %q was there already, or %v", op, from, key, err)
			}
			seen[key] = true
		}
	}
}

// counting is the probe with two operations whose keys hold a counter.
type counting struct{ probe.Provider }

func (c counting) Manifest() pay.Manifest {
	m := c.Provider.Manifest()
	for i := range m.Operations {
		if m.Operations[i].Operation == pay.OpRefund {
			m.Operations[i].KeyForm, m.Operations[i].KeySetting = pay.KeyCounter, "till_id"
		}
	}
	return m
}

// TestStatusBatches asks after more than a batch holds, and after what the
// plugin invents.
func TestStatusBatches(t *testing.T) {
	t.Parallel()
	for name, source := range sources(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, source)
			r.answer(status(200, "b"))
			refs := []pay.Ref{{ID: "a"}, {ID: "b"}}
			items, err := r.conn.Status(t.Context(), refs...)
			if err != nil || len(items) != 2 || items[0].Found != pay.FoundNothing || items[1].Found != pay.FoundObserved {
				t.Fatalf("items %+v, error %v", items, err)
			}
			if _, err := r.conn.Status(t.Context(), append(refs, pay.Ref{ID: "c"})...); pay.ClassOf(err) != pay.ClassPluginFault {
				t.Errorf("an answer for what was not asked: %v", err)
			}
			if n := len(r.requests()); n != 3 {
				t.Errorf("%d requests for two batches after one, want 3", n)
			}
			if _, err := r.conn.Status(t.Context(), pay.Ref{ID: "a"}, pay.Ref{ID: "a"}); pay.ClassOf(err) != pay.ClassInvalidRequest {
				t.Errorf("the same reference twice: %v", err)
			}
		})
	}
}

// singly is the probe for one reference at a time.
type singly struct {
	probe.Provider
	t *testing.T
}

func (s singly) Manifest() pay.Manifest {
	m := s.Provider.Manifest()
	m.BatchSize = 1
	return m
}

func (s singly) Status(h *sdk.Host, refs []pay.Ref) ([]pay.StatusItem, error) {
	if len(refs) > 1 {
		s.t.Errorf("%d references came at once", len(refs))
	}
	return s.Provider.Status(h, refs)
}

// TestStatusBesideASwap swaps to smaller batches between two of one question: all of it
// goes to the revision whose batches they are.
func TestStatusBesideASwap(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Native: sdk.Native(probe.New())})
	asked := 0
	r.answer(func(w http.ResponseWriter, req *http.Request) {
		if asked++; asked == 1 {
			if _, err := r.host.Swap(req.Context(), "probe", host.Source{Native: sdk.Native(singly{probe.New(), t})}); err != nil {
				t.Error(err)
			}
		}
		status(200, "")(w, req)
	})
	if _, err := r.conn.Status(t.Context(), pay.Ref{ID: "a"}, pay.Ref{ID: "b"}, pay.Ref{ID: "c"}, pay.Ref{ID: "d"}); err != nil {
		t.Error(err)
	}
	if m, err := r.conn.Manifest(); err != nil || m.BatchSize != 1 {
		t.Errorf("the swap is not done: %v", err)
	}
}

// TestConnectAtOnce has many give one name to a connection at the same time: one gets it,
// the others are told, and the host goes on.
func TestConnectAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Native: sdk.Native(probe.New())})
	for range 20 {
		errs := atOnce(t, 6, func() error {
			c := r.config
			c.Name = "contended"
			_, err := r.host.Connect(t.Context(), c)
			return err
		})
		for _, err := range errs {
			if err != nil && !strings.HasPrefix(pay.AsError(err).Field, "connections.contended") {
				t.Errorf("a loser is told %v", err)
			}
		}
		if won := len(errs) - failures(errs); won != 1 || !r.host.Disconnect("contended") {
			t.Fatalf("%d connections have one name", won)
		}
	}
}

// TestConnectBesideClose closes a host while connections are made: each is made or told
// that the host is closed, and Close comes to its end.
func TestConnectBesideClose(t *testing.T) {
	t.Parallel()
	for range 20 {
		r := newRig(t, host.Source{Native: sdk.Native(probe.New())})
		var next atomic.Int32
		errs := atOnce(t, 6, func() error {
			n := next.Add(1)
			if n == 4 {
				return r.host.Close()
			}
			c := r.config
			c.Name = fmt.Sprint("c", n)
			_, err := r.host.Connect(t.Context(), c)
			return err
		})
		for _, err := range errs {
			if err != nil && pay.ClassOf(err) != pay.ClassHostFault {
				t.Errorf("beside Close: %v", err)
			}
		}
	}
}

// atOnce calls f n times at once, and returns what it returned. The test fails if one of
// them does not come back.
func atOnce(t *testing.T, n int, f func() error) []error {
	t.Helper()
	results := make(chan error, n)
	begin := make(chan struct{})
	for range n {
		go func() {
			<-begin
			results <- f()
		}()
	}
	close(begin)
	var errs []error
	for range n {
		select {
		case err := <-results:
			errs = append(errs, err)
		case <-time.After(30 * time.Second):
			t.Fatal("a call did not come back")
		}
	}
	return errs
}

func failures(errs []error) int {
	return len(slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil }))
}
