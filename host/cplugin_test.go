package host_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/pay"
)

// TestPluginInC runs the C plugin of docs/abi.md, as printed there, in the real
// host: the document is enough to write one.
func TestPluginInC(t *testing.T) {
	t.Parallel()
	raw := compileC(t)
	r := newRig(t, host.Source{Bytes: probeModule(t)})
	packed, err := r.host.Pack(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.host.Load(t.Context(), "acme", host.Source{Bytes: packed}); err != nil {
		t.Fatal(err)
	}
	config := host.ConnectionConfig{
		Name: "acme", Plugin: "acme", BaseURL: r.server.URL, Settings: json.RawMessage(`{"shop":""}`),
		Secrets: map[string]vault.Secret{"token": vault.NewSecret(apiToken)}, TLS: r.config.TLS, Egress: r.config.Egress,
	}
	if _, err := r.host.Connect(t.Context(), config); pay.AsError(err) == nil || pay.AsError(err).Field != "connections.acme.settings.shop" {
		t.Errorf("an empty shop: %v", err)
	}
	config.Settings = json.RawMessage(`{"shop":"s 1"}`)
	conn, err := r.host.Connect(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		answer  http.HandlerFunc
		outcome pay.Outcome
	}{
		"created":  {status(201, `{"id":"p1","url":"https://acme.example/p1"}`), pay.OutcomeAccepted},
		"declined": {status(402, `{"code":"no_money"}`), pay.OutcomeDeclined},
		"HTML":     {status(200, `<html>`), pay.OutcomeInDoubt},
		"500":      {status(500, `{}`), pay.OutcomeInDoubt},
		"lost":     {hangUp, pay.OutcomeInDoubt},
	}
	for name, tt := range tests { // in turn: they share the provider
		r.answer(tt.answer)
		result, err := conn.Create(t.Context(), create(""))
		if result.Outcome != tt.outcome {
			t.Errorf("%s: outcome %s, error %v, want %s", name, result.Outcome, err, tt.outcome)
		}
	}
	r.answer(status(200, `{"id":"p1","state":"paid","amount":250000,"currency":"KZT"}`))
	items, err := conn.Status(t.Context(), pay.Ref{ID: "pay_1", ProviderRef: "p1"})
	if err != nil || items[0].Found != pay.FoundObserved || items[0].Observations[0].Payment != pay.PaymentSucceeded {
		t.Errorf("status %+v, error %v", items, err)
	}
	if first := r.requests()[0]; first != "POST /v1/payments shop=s+1&order=100500&amount=2500.00&currency=KZT" {
		t.Logf("first request %q", first)
	}
}

// compileC extracts the two C files of docs/abi.md and compiles them.
func compileC(t *testing.T) []byte {
	t.Helper()
	for _, tool := range []string{"clang", "wasm-ld"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed (Debian: clang, lld); CI installs it", tool)
		}
	}
	page, err := os.ReadFile("../docs/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"payhost.h", "plugin.c"} {
		_, code, _ := strings.Cut(string(page), "```c "+name+"\n")
		code, _, found := strings.Cut(code, "\n```")
		if !found {
			t.Fatalf("docs/abi.md has no %s", name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(code+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("clang", "--target=wasm32", "-O2", "-ffreestanding", "-nostdlib", "-Wl,--no-entry", "-o", "plugin.wasm", "plugin.c")
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "plugin.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
