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

// TestLoadPeriods reads what is kept how long, in days too.
func TestLoadPeriods(t *testing.T) {
	t.Parallel()
	text := strings.Replace(good, "env:CONFIG_TEST_VALUE", "x", 1) + "retention: {keys: 500d, requests: 36h}\n"
	c, err := load(t, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if time.Duration(c.Retention.Keys) != 500*24*time.Hour || time.Duration(c.Retention.Requests) != 36*time.Hour {
		t.Errorf("%+v", c.Retention)
	}
}

// TestLoadEmptySections takes a section whose lines are all comments for one that is
// not there, and a key without a value likewise.
func TestLoadEmptySections(t *testing.T) {
	t.Parallel()
	text := strings.Replace(good, "env:CONFIG_TEST_VALUE", "x", 1)
	text = strings.Replace(text, "limits: {memory: 128MiB}", "limits:\n  # memory: 128MiB\nlog: {level: }\ndata_dir:\nretention:\n", 1)
	c, err := load(t, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Limits.CallTimeout != 10*time.Second || c.Limits.Memory != 64<<20 || c.Log.Level != "info" || c.DataDir != "./data" {
		t.Errorf("limits %+v, log %+v, data_dir %q", c.Limits, c.Log, c.DataDir)
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
		"plugin's name":     {"rahmet: {path", "Rahmet Pay: {path", "plugins.Rahmet Pay: name is not 1 to 64 lowercase letters"},
		"connection's name": {"main:", "Main:", "connections.Main: name is not 1 to 64 lowercase letters"},
		"no path":           {"path: rahmet.wasm", "sha256: abc", "plugins.rahmet.path: is missing"},
		"size":              {"128MiB", "many", `limits.memory: "many" is not a size`},
		"wrong type":        {"base_url: https://pay.example", "base_url: [1]", "connections.main.base_url: expected type"},
		"duration":          {"limits: {", "limits: {call_timeout: soon, ", "limits.call_timeout: is not a duration such as 10s"},
		"number of what":    {"limits: {", "limits: {call_timeout: 10, ", "limits.call_timeout: 10 is not a duration such as 10s"},
		"days or seconds":   {"limits:", "retention: {events: 30}\nlimits:", "retention.events: 30 is not a period such as 36h or 400d"},
		"half a call":       {"limits: {", "limits: {requests: 1.5, ", "limits.requests: 1.5 is not a whole number"},
		"half a rate":       {"secrets:", "rate: 0.5\n    secrets:", "connections.main.rate: 0.5 is not a whole number"},
		"a number":          {"client_id: plain", "client_id: 5", "connections.main.secrets.client_id: expected type"},
		"token without one": {"token: t,", "", "auth.tokens.0: needs a name and a token"},
		"token in two":      {"token: t,", "token: t u,", "auth.tokens.0.token: is not all printable ASCII characters without spaces"},
		"a key, not a file": {"_file: qr.pem", `_file: "BEGIN\n/secret-part\n"`, "connections.main.keys.qr.private_key_file: is what stands in a file"},
		"a key for TLS":     {"keys:", `tls: {client_key_file: "BEGIN\n/secret-part"}` + "\n    keys:", "connections.main.tls.client_key_file: is what stands"},
		"log level":         {"limits:", "log: {level: loud}\nlimits:", "log.level"},
		"late success":      {"secrets:", "late_success: maybe\n    secrets:", "connections.main.late_success: is not one of"},
		"rate":              {"secrets:", "rate: -1\n    secrets:", "connections.main.rate: is not from 1"},
		"host with scheme":  {"secrets:", `egress: {hosts: [a.example, "https://b.example"]}` + "\n    secrets:", "connections.main.egress.hosts.1: is not a host"},
		"host in capitals":  {"secrets:", "egress: {hosts: [A.example]}\n    secrets:", "connections.main.egress.hosts.0: is not a host"},
		"scope":             {"[payments]", "[payments, root]", `auth.tokens.0.scopes: "root" is neither payments nor admin`},
		"no scope":          {"[payments]", "[]", "auth.tokens.0.scopes: is empty"},
		"the host's name":   {"name: shop", "name: host", `auth.tokens.0.name: "host" is payhost's own`},
		"two of a name":     {"tokens: [", "tokens: [{name: shop, token: other, scopes: [admin]}, ", `auth.tokens.1.name: "shop" stands twice`},
		"listen":            {"limits:", "listen: everywhere\nlimits:", "listen: is not host:port"},
		"port":              {"limits:", "listen: \":http\"\nlimits:", `listen: port "http"`},
		"public URL":        {"limits:", "public_url: pay.example\nlimits:", "public_url: is not an absolute URL"},
		"database URL":      {"limits:", "database_url: mysql://x:password@y\nlimits:", "database_url: is not a postgres:// URL"},
		"webhook URL":       {"limits:", "webhooks: [{url: /hooks, secret: 0123456789abcdef}]\nlimits:", "webhooks.0.url: is not an absolute URL"},
		"short secret":      {"limits:", "webhooks: [{url: http://h, secret: short}]\nlimits:", "webhooks.0.secret: is shorter than 16 bytes"},
		"whsec":             {"limits:", "webhooks: [{url: http://h, secret: whsec_!}]\nlimits:", "webhooks.0.secret: is not base64"},
		"event pattern":     {"limits:", "webhooks: [{url: http://h, secret: 0123456789abcdef, events: [payment]}]\nlimits:", "webhooks.0.events"},
		"retention":         {"limits:", "retention: {keys: long}\nlimits:", "retention.keys"},
		"digest":            {"path: rahmet.wasm", "path: rahmet.wasm, sha256: abc", "plugins.rahmet.sha256: is not a SHA-256"},
		"record where":      {"limits:", "record: {keep: 5}\nlimits:", "record.dir: is missing"},
		"record whom":       {"limits:", "record: {dir: d, connections: [main, other]}\nlimits:", `record.connections.1: connection "other" is not under`},
		"record what":       {"limits:", "record: {dir: d, operations: [pay]}\nlimits:", `record.operations.0: "pay" is no operation`},
		"record how much":   {"limits:", "record: {dir: d, keep: -1}\nlimits:", "record.keep: is not from 1"},
		"not YAML":          {"limits:", "limits: [", "config file"},
		"keys' retention":   {"limits:", "retention: {keys: 399d}\nlimits:", "retention.keys: is shorter than 400d"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(strings.Replace(good, "env:CONFIG_TEST_VALUE", "x", 1), tt.from, tt.to, 1)
			_, err := load(t, text, nil)
			var list config.Errors
			if !errors.As(err, &list) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret-part") {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestAnotherFile gives a secret's file for the configuration: nothing of it is told.
func TestAnotherFile(t *testing.T) {
	t.Parallel()
	_, err := load(t, "secret-part-of-a-file", nil)
	if err == nil || err.Error() != "config file: holds no keys with values" {
		t.Errorf("error %v", err)
	}
}
