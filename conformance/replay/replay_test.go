package replay_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/conformance/replay"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/plugins/smartpay"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// sources are the ways to run a plugin.
func sources(t *testing.T, name string) map[string]host.Source {
	t.Helper()
	plugin := sdk.Provider(rahmet.New())
	if name == "smartpay" {
		plugin = smartpay.New()
	}
	return map[string]host.Source{"wasm": {Bytes: rig.Module(t, "../../plugins/"+name+"/wasm")}, "native": {Native: sdk.Native(plugin)}}
}

// customer is the payer of every recording.
var customer = pay.Customer{Name: "Аян Canary", Email: "ayan.canary@shop.example", Phone: "+77010000777"}

// record does something at a simulator and returns the recordings of it.
func record(t *testing.T, connection string, source host.Source, do func(*rig.World, *host.Connection)) []*host.Recording {
	t.Helper()
	w := rig.NewWorld(t)
	var mu sync.Mutex
	var list []*host.Recording
	h, err := host.New(host.Config{CacheDir: rig.Cache(t), Now: w.Clock.Now, Record: func(r *host.Recording) {
		mu.Lock()
		defer mu.Unlock()
		if r.Operation != pay.OpDescribe && r.Operation != pay.OpCheckConfig {
			list = append(list, r)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	c := w.Providers().Connections()[connection]
	if _, err := h.Load(t.Context(), c.Plugin, source); err != nil {
		t.Fatal(err)
	}
	conn, err := h.Connect(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	do(w, conn)
	if len(list) == 0 {
		t.Fatal("nothing was recorded")
	}
	return list
}

func order(t *testing.T) func(*rig.World, *host.Connection) {
	return func(_ *rig.World, c *host.Connection) {
		_, err := c.Create(t.Context(), pay.CreateRequest{
			Intent: pay.Intent{Key: "op-1"}, PaymentID: "pay_1", OrderID: "100500", Amount: pay.New(250000, pay.KZT),
			Customer: customer, Description: "Tea for " + customer.Name, ReturnURL: "https://shop.example/thanks?to=" + customer.Email,
			NotificationURL: "https://pay.shop.example/n/rahmet-main/pay_1-9f86d081884c7d659a2f",
			Lines:           []pay.Line{{Name: "Canary tea", Quantity: 1, Price: pay.New(250000, pay.KZT)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Status(t.Context(), pay.Ref{ID: "pay_1", OrderID: "100500", Keys: []string{"100500"}, Amount: pay.New(250000, pay.KZT)}); err != nil {
			t.Fatal(err)
		}
	}
}

func till(t *testing.T) func(*rig.World, *host.Connection) {
	return func(w *rig.World, c *host.Connection) {
		created, err := c.Create(t.Context(), pay.CreateRequest{
			Intent: pay.Intent{Key: "op-1"}, PaymentID: "pay_1", OrderID: "7", Customer: customer,
		})
		if err != nil {
			t.Fatal(err)
		}
		code, err := w.SmartPay.PresentCode("user-1")
		if err != nil {
			t.Fatal(err)
		}
		bound, err := c.Bind(t.Context(), pay.BindRequest{
			Intent: pay.Intent{Key: "op-2", ProviderKey: created.ProviderKey}, Payment: pay.Ref{ID: "pay_1", OrderID: "7"}, Code: code,
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Release(t.Context(), pay.PaymentRequest{
			Intent:  pay.Intent{Key: "op-3"},
			Payment: pay.Ref{ID: "pay_1", OrderID: "7", ProviderRef: bound.ProviderRef, Keys: []string{created.ProviderKey}}, Amount: pay.New(129900, pay.RUB),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestRoundTrip records at the simulators, makes cases of the recordings, and runs
// the cases without simulators: in the module and in Go, recorded in either.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for plugin, connection := range map[string]string{"rahmet": rig.Rahmet, "smartpay": rig.SmartPay} {
		for how, source := range sources(t, plugin) {
			t.Run(plugin+" in "+how, func(t *testing.T) {
				t.Parallel()
				do := order(t)
				if plugin == "smartpay" {
					do = till(t)
				}
				list := record(t, connection, source, do)
				dir, player := t.TempDir(), load(t, source)
				for _, r := range list {
					same(t, player, r)
					if r.Operation == pay.OpBind { // what was decrypted is not in a masked one
						continue
					}
					if _, err := replay.Save(dir, "", "", r); err != nil {
						t.Fatal(err)
					}
				}
				cases, err := replay.Load(dir)
				if err != nil || len(cases) == 0 {
					t.Fatalf("%d cases, %v", len(cases), err)
				}
				for other, source := range sources(t, plugin) {
					player := load(t, source)
					for _, c := range cases {
						if diff, err := c.RunOn(t.Context(), player); err != nil || len(diff) > 0 {
							t.Errorf("%s, %s: %v\n%s", other, c.Name, err, strings.Join(diff, "\n"))
						}
					}
				}
				secretless(t, dir)
			})
		}
	}
}

// load loads a plugin once for many replays.
func load(t *testing.T, source host.Source) *host.Replayer {
	t.Helper()
	p, err := host.NewReplayer(t.Context(), source, host.ReplayConfig{CacheDir: rig.Cache(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func same(t *testing.T, p *host.Replayer, r *host.Recording) {
	t.Helper()
	got, err := p.Replay(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Same() {
		t.Errorf("%s:\n%s", r.Operation, strings.Join(got.Differences, "\n"))
	}
}

// secretless looks for what must not be in a case.
func secretless(t *testing.T, dir string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, path))
		for _, canary := range []string{"Canary", "canary", "7010000777", "9f86d081884c7d659a2f", "Аян", "%D0%90"} {
			if bytes.Contains(text, []byte(canary)) {
				t.Errorf("%s holds %q", path, canary)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestBindWithoutThePlaintext: where a plugin needs what was decrypted, the masked
// recording says so by a difference, and the replay ends.
func TestBindWithoutThePlaintext(t *testing.T) {
	t.Parallel()
	source := sources(t, "smartpay")["native"]
	for _, r := range record(t, rig.SmartPay, source, till(t)) {
		if r.Operation != pay.OpBind {
			continue
		}
		c, err := replay.Save(t.TempDir(), "bind", "", r)
		if err != nil {
			t.Fatal(err)
		}
		text := string(c.Recording.Encode())
		if !strings.Contains(text, `"result": "masked-plaintext-`) || !strings.Contains(text, `"length": `) ||
			strings.Contains(text, "user-1") || !strings.Contains(text, "=masked-secret") {
			t.Errorf("case:\n%s", text)
		}
		if diff, err := c.Run(t.Context(), source); err != nil || len(diff) == 0 {
			t.Errorf("%v, differences %q", err, diff)
		}
	}
}

// changed is a plugin that does something else between itself and its host.
type changed struct {
	abi.Imports
	request func(*abi.HTTPRequest)
	body    func(string) string
	before  func(abi.Imports)
	reply   func(*abi.Reply)
}

// HTTPSend changes the request.
func (c changed) HTTPSend(head []byte, body int32) int32 {
	m, err := abi.DecodeHTTPRequest(head)
	if err != nil {
		return int32(abi.BadArgument)
	}
	if c.before != nil {
		c.before(c.Imports)
	}
	if c.request != nil {
		c.request(&m)
	}
	if c.body != nil && body > 0 {
		text := make([]byte, c.BlobLen(body))
		c.BlobRead(body, 0, text)
		body = c.BlobNew(0)
		c.BlobWrite(body, []byte(c.body(string(text))))
	}
	return c.Imports.HTTPSend(abi.AppendHTTPRequest(nil, &m), body)
}

// Reply changes the reply.
func (c changed) Reply(p []byte) int32 {
	m, err := abi.DecodeReply(p)
	if err != nil || c.reply == nil {
		return c.Imports.Reply(p)
	}
	c.reply(&m)
	return c.Imports.Reply(abi.AppendReply(nil, &m))
}

// TestDifferences replays a recorded create against plugins that were changed.
func TestDifferences(t *testing.T) {
	t.Parallel()
	good := sdk.Native(rahmet.New())
	recorded := record(t, rig.Rahmet, host.Source{Native: good}, order(t))[0]
	tests := map[string]struct {
		change changed
		want   []string
	}{
		"an amount": {changed{body: func(s string) string { return strings.Replace(s, "amount=2500", "amount=2501", 1) }}, []string{
			`request 1 (POST /orders/v1/preorder/create): form amount: was "2500", is "2501"`,
		}},
		"a header": {changed{request: func(m *abi.HTTPRequest) {
			m.Header = append(m.Header, pay.Field{Name: "X-Extra", Value: "1"})
		}}, []string{`request 1 (POST /orders/v1/preorder/create): header x-extra: added, is "1"`}},
		"a query": {changed{request: func(m *abi.HTTPRequest) { m.URL += "?a=b" }}, []string{
			`request 1 (POST /orders/v1/preorder/create): query a: added, is "b"`,
		}},
		"a request more": {changed{before: func(i abi.Imports) {
			i.HTTPSend(abi.AppendHTTPRequest(nil, &abi.HTTPRequest{Method: "GET", URL: recorded.Seen.BaseURL + "/ping", Effect: abi.EffectMoney}), 0)
		}}, []string{
			"request added (GET /ping): the recording does not have it; it is answered as not sent",
		}},
		"another path": {changed{request: func(m *abi.HTTPRequest) { m.URL = strings.Replace(m.URL, "/v1/", "/v9/", 1) }}, []string{
			"request added (POST /orders/v9/preorder/create): the recording does not have it; it is answered as not sent",
			"request 1 (POST /orders/v1/preorder/create): missing",
		}},
		"another outcome": {changed{reply: func(m *abi.Reply) { m.Result.Outcome = pay.OutcomeInDoubt }}, []string{
			`reply.result.outcome: was "applied", is "in_doubt"`,
			`verdict: outcome: was "applied", is "in_doubt"`,
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := replay.Case{Name: name, Recording: recorded}
			got, err := c.Run(t.Context(), host.Source{Native: func(i abi.Imports, op, n int32) int32 {
				change := tt.change
				change.Imports = i
				if pay.Operation(op) != pay.OpCreate {
					return good(i, op, n)
				}
				return good(change, op, n)
			}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got[:min(len(got), len(tt.want))]); diff != "" {
				t.Errorf("differences (-want +got):\n%s\nall:\n%s", diff, strings.Join(got, "\n"))
			}
			if name == "an amount" || name == "a header" || name == "a query" {
				if len(got) != len(tt.want) {
					t.Errorf("more differences than changes:\n%s", strings.Join(got, "\n"))
				}
			}
		})
	}
}

// TestSave refuses what is no case, and does not overwrite one.
func TestSave(t *testing.T) {
	t.Parallel()
	r := record(t, rig.Rahmet, host.Source{Native: sdk.Native(rahmet.New())}, order(t))[0]
	dir := filepath.Join(t.TempDir(), "cases")
	c, err := replay.Save(dir, "", "", r)
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "create-applied" || c.Sentence != "create: POST /orders/v1/preorder/create 200, then applied." {
		t.Errorf("%q: %q", c.Name, c.Sentence)
	}
	if c, err = replay.Save(dir, "", "", r); err != nil || c.Name != "create-applied-2" {
		t.Errorf("%q, %v", c.Name, err)
	}
	if _, err := replay.Save(dir, "create-applied", "", r); err == nil {
		t.Error("a case was overwritten")
	}
	if _, err := replay.Save(dir, "../out", "", r); err == nil {
		t.Error("a name led out of the folder")
	}
	if _, err := replay.Save(dir, "cut", "", &host.Recording{Cut: true}); err == nil {
		t.Error("half a recording was made a case")
	}
	if err := os.WriteFile(filepath.Join(dir, "bad"+replay.Extension), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := replay.Load(dir); err == nil || !strings.Contains(err.Error(), "bad.recording.json") {
		t.Errorf("error %v", err)
	}
}
