package daemon_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/cmd/payhost/internal/daemon"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/pgtest"
	plugin "github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
)

const token = "a-token-of-the-test"

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("os/exec.(*Cmd).watchCtx.func1"))
}

// process is a daemon that runs.
type process struct {
	*daemon.Daemon
	client client.Client
	stop   func() error
}

// settings is a good configuration with one connection to a simulator.
func settings(t *testing.T) *config.Config {
	t.Helper()
	sim := yeniltoleg.New(yeniltoleg.Options{})
	url, stop, err := simkit.Start("127.0.0.1:0", sim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close(); stop() })
	return &config.Config{
		Listen: "127.0.0.1:0", DataDir: filepath.Join(t.TempDir(), "data"), Log: config.Log{Level: "info", Format: "text"},
		Auth:        config.Auth{Tokens: []config.Token{{Name: "shop", Token: token, Scopes: []string{"payments", "admin"}}}},
		Plugins:     map[string]config.Plugin{"yeniltoleg": {Path: "native"}},
		Connections: map[string]config.Connection{"main": connection(url)},
		Limits:      config.Limits{CallTimeout: 5 * time.Second, Memory: 64 << 20},
	}
}

func connection(url string) config.Connection {
	return config.Connection{
		Plugin: "yeniltoleg", BaseURL: url, Secrets: map[string]string{"access_token": yeniltoleg.AccessToken},
		Egress: config.Egress{AllowHTTP: true, AllowPrivate: true},
	}
}

// edited is a copy of a configuration with its own maps.
func edited(c *config.Config, edit func(*config.Config)) *config.Config {
	next := *c
	next.Connections, next.Plugins = map[string]config.Connection{}, map[string]config.Plugin{}
	for name, conn := range c.Connections {
		next.Connections[name] = conn
	}
	for name, p := range c.Plugins {
		next.Plugins[name] = p
	}
	edit(&next)
	return &next
}

func newDaemon(t *testing.T, c *config.Config) (*daemon.Daemon, error) {
	t.Helper()
	return daemon.New(t.Context(), daemon.Options{
		Config: c, Sources: map[string]host.Source{"yeniltoleg": {Native: sdk.Native(plugin.New())}},
		Logger: hclog.New(&hclog.LoggerOptions{Output: io.Discard}),
	})
}

func start(t *testing.T, c *config.Config) *process {
	t.Helper()
	d, err := newDaemon(t, c)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, d)
}

// run runs a daemon until the test ends.
func run(t *testing.T, d *daemon.Daemon) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ran := make(chan error, 1)
	go func() { ran <- d.Run(ctx) }()
	stopped := false
	p := &process{Daemon: d, client: client.Client{URL: d.URL(), Token: token, HTTP: &http.Client{Transport: &http.Transport{}}}}
	p.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		p.client.HTTP.CloseIdleConnections()
		cancel()
		return <-ran
	}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *process) get(t *testing.T, path string, into any) client.Answer {
	t.Helper()
	answer, err := p.client.Do(t.Context(), client.Request{Method: http.MethodGet, Path: path})
	if err == nil && into != nil {
		err = answer.Into(into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return answer
}

func (p *process) create(t *testing.T, connection, order string) (client.Payment, error) {
	t.Helper()
	var out client.Payment
	answer, err := p.client.Do(t.Context(), client.Request{
		Method: http.MethodPost, Path: "/v1/payments", Key: order, Body: map[string]any{
			"connection": connection, "order_id": order, "amount": client.Money{Value: "1000", Currency: "TMT"},
			"description": "test", "return_url": "https://shop.example", "fail_url": "https://shop.example",
			"customer": map[string]string{"name": "Test"}, "locale": "ru",
			"lines": []map[string]any{{"name": "x", "quantity": 1, "price": client.Money{Value: "1000", Currency: "TMT"}}},
		},
	})
	if err == nil {
		err = answer.Into(&out)
	}
	return out, err
}

// problems returns what is wrong with connections, by their names.
func (p *process) problems(t *testing.T) map[string]string {
	t.Helper()
	var list client.Connections
	p.get(t, "/v1/connections", &list)
	out := map[string]string{}
	for _, c := range list.Connections {
		out[c.Name] = c.Problem
	}
	return out
}

// TestLife starts, takes a payment, tells of it in metrics, stops, and goes on from
// the same data at the next start, on both stores.
func TestLife(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*testing.T, *config.Config){
		"sqlite":     func(*testing.T, *config.Config) {},
		"postgresql": func(t *testing.T, c *config.Config) { c.DatabaseURL = pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := settings(t)
			edit(t, c)
			p := start(t, c)
			for _, path := range []string{"/healthz", "/readyz", "/openapi.json"} {
				p.get(t, path, nil)
			}
			made, err := p.create(t, "main", "order-1")
			if err != nil || made.Status != "pending" {
				t.Fatalf("%+v, %v", made, err)
			}
			text := string(p.get(t, "/metrics", nil).Body)
			for _, want := range []string{
				`payhost_operations_total{class="",connection="main",digest="native",operation="create",outcome="applied"} 1`,
				`payhost_in_doubt{connection="main"} 0`, `payhost_connection_up{connection="main",plugin="yeniltoleg"} 1`,
				`payhost_store_up 1`, `payhost_in_doubt_oldest_seconds 0`, `payhost_store_commit_seconds_count`,
				`payhost_http_request_seconds_count{code="201",method="POST",route="/v1/payments"} 1`, `go_goroutines`, `payhost_build_info`,
			} {
				if !strings.Contains(text, want) {
					t.Errorf("metrics have no %s", want)
				}
			}
			if err := p.stop(); err != nil {
				t.Fatal(err)
			}
			again := start(t, c)
			var read client.Payment
			if again.get(t, "/v1/payments/"+made.ID, &read); read.Status != "pending" || read.OrderID != "order-1" {
				t.Errorf("%+v", read)
			}
			if replayed, err := again.create(t, "main", "order-1"); err != nil || replayed.ID != made.ID {
				t.Errorf("the same key after a restart: %+v, %v", replayed, err)
			}
		})
	}
}

// TestStopsInOrder lets an operation run into a stop: it ends well and its caller is
// told.
func TestStopsInOrder(t *testing.T) {
	t.Parallel()
	c := settings(t)
	sim := c.Connections["main"].BaseURL
	p := start(t, c)
	resp, err := http.Post(sim+"/_sim/faults", "application/json", strings.NewReader(
		`{"path":"/api/v1/payment/register","fault":"slow","delay_ms":1500,"count":1}`))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	created := make(chan error, 1)
	go func() {
		made, err := p.create(t, "main", "order-1")
		if err == nil && made.Status != "pending" {
			err = errors.New("payment is " + made.Status)
		}
		created <- err
	}()
	for { // until the operation has reached the provider
		var list struct{ Requests []simkit.Request }
		resp, err := http.Get(sim + "/_sim/requests")
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(resp.Body).Decode(&list)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Requests) > 0 {
			break
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if err := errors.Join(p.stop(), <-created); err != nil {
		t.Error(err)
	}
	if err := p.Reload(t.Context(), c); err == nil {
		t.Error("reloaded after the stop")
	}
}

// TestFolder wants the data folder closed to others, and refuses one that is open.
func TestFolder(t *testing.T) {
	t.Parallel()
	c := settings(t)
	start(t, c)
	info, err := os.Stat(c.DataDir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	_, err = daemon.New(t.Context(), daemon.Options{Config: edited(c, func(c *config.Config) { c.DataDir = open })})
	if err == nil || !strings.Contains(err.Error(), "data_dir: others may write") {
		t.Errorf("error %v", err)
	}
}

// TestNobodyIsLetIn wants a configuration without tokens told of: everything but the
// health checks answers 401.
func TestNobodyIsLetIn(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	d, err := daemon.New(t.Context(), daemon.Options{
		Config: edited(settings(t), func(n *config.Config) { n.Auth.Tokens, n.Connections, n.Plugins = nil, nil, nil }),
		Logger: hclog.New(&hclog.LoggerOptions{Output: &log}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "auth.tokens is empty") {
		t.Errorf("log has no word of it:\n%s", log.String())
	}
}

// TestOneBroken wants a broken plugin and a broken connection shown, and the good one
// at work.
func TestOneBroken(t *testing.T) {
	t.Parallel()
	c := settings(t)
	c.Plugins["gone"] = config.Plugin{Path: "gone.wasm"}
	c.Connections["of-gone"] = config.Connection{Plugin: "gone", BaseURL: "https://pay.example"}
	bad := c.Connections["main"]
	bad.TLS = config.TLS{CertFile: "gone.pem", KeyFile: "gone.pem"}
	c.Connections["no-file"] = bad
	p := start(t, c)
	problems := p.problems(t)
	if problems["main"] != "" || !strings.Contains(problems["of-gone"], "not loaded") || !strings.Contains(problems["no-file"], "tls.client_cert_file") {
		t.Errorf("%v", problems)
	}
	var list client.Plugins
	p.get(t, "/v1/plugins", &list)
	for _, x := range list.Plugins {
		if (x.Problem != "") != (x.Name == "gone") {
			t.Errorf("%+v", x)
		}
	}
	if _, err := p.create(t, "main", "order-1"); err != nil {
		t.Error(err)
	}
	p.get(t, "/readyz", nil)
}

// TestMistakes wants a start stopped by what the configuration of a connection says
// wrong, every mistake by its field, though another connection is good.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for want, edit := range map[string]func(*config.Connection){
		"connections.bad.secrets.access_token: is missing": func(c *config.Connection) { c.Secrets = nil },
		"connections.bad.secrets.other":                    func(c *config.Connection) { c.Secrets["other"] = "x" },
		"connections.bad.settings.tint: is no setting": func(c *config.Connection) {
			c.Settings = map[string]any{"tint": "red"}
		},
		"connections.bad.settings.time_zone": func(c *config.Connection) {
			c.Settings = map[string]any{"time_zone": "Mars/Olympus"}
		},
		"connections.bad.base_url: ": func(c *config.Connection) { c.Egress.AllowHTTP = false },
	} {
		c := settings(t)
		bad := connection(c.Connections["main"].BaseURL)
		edit(&bad)
		c.Connections["bad"], c.Connections["bad-too"] = bad, config.Connection{Plugin: "yeniltoleg", BaseURL: "nowhere"}
		_, err := newDaemon(t, c)
		var list config.Errors
		if !errors.As(err, &list) || len(list) != 2 || !strings.HasPrefix(list[0], want) || !strings.HasPrefix(list[1], "connections.bad-too.secrets.access_token") {
			t.Errorf("error %v, want %q and one of bad-too", err, want)
		}
	}
}

// TestReload changes what can be changed while payhost runs.
func TestReload(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := start(t, c)
	next := edited(c, func(n *config.Config) {
		n.Connections["second"] = n.Connections["main"]
		n.Auth.Tokens = []config.Token{{Name: "shop", Token: "another-token-of-it", Scopes: []string{"payments"}}}
		n.Webhooks = []config.Webhook{{URL: "http://127.0.0.1:1/hooks", Secret: "0123456789abcdef"}}
	})
	if err := p.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	var problem *client.Problem
	if _, err := p.create(t, "main", "order-1"); !errors.As(err, &problem) || problem.Status != http.StatusUnauthorized {
		t.Errorf("the old token: %v", err)
	}
	p.client.Token = "another-token-of-it"
	for _, name := range []string{"main", "second"} {
		if _, err := p.create(t, name, "order-"+name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := p.Reload(t.Context(), edited(next, func(n *config.Config) { delete(n.Connections, "main") })); err != nil {
		t.Fatal(err)
	}
	if _, err := p.create(t, "main", "order-2"); err == nil {
		t.Error("the connection that was taken away took a payment")
	}
	if _, err := p.create(t, "second", "order-2"); err != nil {
		t.Error(err)
	}
}

// TestReloadRefuses leaves all as it was when anything is wrong.
func TestReloadRefuses(t *testing.T) {
	t.Parallel()
	c := settings(t)
	p := start(t, c)
	change := func(n *config.Config, edit func(*config.Connection)) {
		conn := n.Connections["main"]
		edit(&conn)
		n.Connections["main"] = conn
	}
	for name, tt := range map[string]struct {
		edit func(*config.Config)
		want string
	}{
		"listen":       {func(n *config.Config) { n.Listen = "127.0.0.1:1" }, "listen: can't be changed"},
		"data_dir":     {func(n *config.Config) { n.DataDir = "elsewhere" }, "data_dir: can't be changed"},
		"database_url": {func(n *config.Config) { n.DatabaseURL = "postgres://x" }, "database_url: can't be changed"},
		"limits":       {func(n *config.Config) { n.Limits.Memory = 1 << 20 }, "limits: can't be changed"},
		"secret": {
			func(n *config.Config) { change(n, func(c *config.Connection) { c.Secrets = nil }) },
			"connections.main.secrets.access_token: is missing",
		},
		"setting": {
			func(n *config.Config) {
				change(n, func(c *config.Connection) { c.Settings = map[string]any{"time_zone": "Mars/Olympus"} })
			}, "connections.main.settings",
		},
		"a new one": {
			func(n *config.Config) {
				n.Connections["second"] = config.Connection{Plugin: "yeniltoleg", BaseURL: "http://pay.example"}
			}, "connections.second.",
		},
		"a new plugin": {
			func(n *config.Config) { n.Plugins["gone"] = config.Plugin{Path: "gone.wasm"} }, "plugins.gone: path: gone.wasm",
		},
	} {
		next := edited(c, tt.edit)
		next.Auth.Tokens = nil // would lock the caller out, if it were taken
		err := p.Reload(t.Context(), next)
		var list config.Errors
		if !errors.As(err, &list) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
		if _, err := p.create(t, "main", "order-"+strings.ReplaceAll(name, " ", "-")); err != nil {
			t.Errorf("%s: a payment after it: %v", name, err)
		}
	}
}
