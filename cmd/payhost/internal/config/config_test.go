package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/cmd/payhost/internal/config"
)

const good = `
plugins: {rahmet: {path: rahmet.wasm}}
auth: {tokens: [{name: shop, token: t, scopes: [payments]}]}
connections:
  main:
    plugin: rahmet
    base_url: https://pay.example
    settings: {branch_token: "file:BRANCH", nested: {list: ["env:CONFIG_TEST_VALUE"]}}
    secrets: {client_id: plain}
    keys: {qr: {private_key_file: qr.pem, alg: "RSA-OAEP-256, RSA1_5"}}
limits: {memory: 128MiB}
`

func load(t *testing.T, text string, flags map[string]any) (*config.Config, error) {
	t.Helper()
	dir := t.TempDir()
	branch := filepath.Join(dir, "branch")
	if err := os.WriteFile(branch, []byte("b-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "payhost.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "BRANCH", branch)), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(path, flags)
}

// TestLoad reads a file, the environment and flags, in this order. It sets the
// environment, so it does not run beside others.
func TestLoad(t *testing.T) {
	t.Setenv("CONFIG_TEST_VALUE", "from the environment")
	t.Setenv("PAYHOST_LIMITS_CALL_TIMEOUT", "3s")
	t.Setenv("PAYHOST_LOG_LEVEL", "warn")
	t.Setenv("PAYHOST_TOKEN", "not a key of the configuration")
	c, err := load(t, good, map[string]any{"log.level": "debug"})
	if err != nil {
		t.Fatal(err)
	}
	main := c.Connections["main"]
	nested, _ := main.Settings["nested"].(map[string]any)
	list, _ := nested["list"].([]any)
	if main.Settings["branch_token"] != "b-1" || len(list) != 1 || list[0] != "from the environment" {
		t.Errorf("settings %v", main.Settings)
	}
	if c.Limits.CallTimeout != 3*time.Second || c.Log.Level != "debug" || c.Limits.Memory != 128<<20 || c.Listen != "127.0.0.1:8080" {
		t.Errorf("limits %+v, log %+v, listen %s", c.Limits, c.Log, c.Listen)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ from, to, want string }{
		"unknown key":       {"base_url:", "base_ulr:", "connections.main.base_ulr: unknown key"},
		"unknown top key":   {"limits:", "limit:", "limit: unknown key"},
		"unset variable":    {"plain", "env:CONFIG_TEST_UNSET", "connections.main.secrets.client_id: environment variable CONFIG_TEST_UNSET is not set"},
		"missing file":      {"file:BRANCH", "file:/none", "connections.main.settings.branch_token: file /none"},
		"no such plugin":    {"plugin: rahmet", "plugin: visa", `connections.main.plugin: plugin "visa" is not under plugins`},
		"no path":           {"path: rahmet.wasm", "sha256: abc", "plugins.rahmet.path: is missing"},
		"size":              {"128MiB", "many", "limits.memory"},
		"wrong type":        {"base_url: https://pay.example", "base_url: [1]", "connections.main.base_url"},
		"token without one": {"token: t,", "", "auth.tokens.0: needs a name and a token"},
		"log level":         {"limits:", "log: {level: loud}\nlimits:", "log.level"},
		"not YAML":          {"limits:", "limits: [", "config file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(strings.Replace(good, "env:CONFIG_TEST_VALUE", "x", 1), tt.from, tt.to, 1)
			_, err := load(t, text, nil)
			var list config.Errors
			if !errors.As(err, &list) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
