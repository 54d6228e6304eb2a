package e2e_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payhost/payhost/bench/peers"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/internal/benchwork"
	"github.com/payhost/payhost/internal/benchwork/plugin"
	"github.com/payhost/payhost/sdk"
)

// variants are the ways to do the work behind the API. Each name stands in the name
// of a benchmark.
func variants() []struct {
	name string
	make func(testing.TB, *httptest.Server) logic
} {
	return []struct {
		name string
		make func(testing.TB, *httptest.Server) logic
	}{
		{"native", native},
		{"payhost", func(tb testing.TB, p *httptest.Server) logic { return payhost(tb, p, host.Config{}, packed()) }},
		{"payhost-not-isolated", func(tb testing.TB, p *httptest.Server) logic {
			never := func(string) host.Isolation { return host.IsolateNever }
			return payhost(tb, p, host.Config{Isolation: never}, packed())
		}},
		{"payhost-in-process", func(tb testing.TB, p *httptest.Server) logic {
			return payhost(tb, p, host.Config{}, host.Source{Native: sdk.Native(plugin.Provider{})})
		}},
		{"extism-json", extism},
	}
}

// TestSame holds every variant to the same result; the API checks it.
func TestSame(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			url := serve(t, v.make(t, provider(t)))
			for range 3 {
				if err := post(http.DefaultClient, url, sample(t)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPay is payments a second and the latency of one, by 64 clients. The
// clients and the provider share the processors with what is measured.
func BenchmarkPay(b *testing.B) {
	for _, v := range variants() {
		b.Run("by="+v.name, func(b *testing.B) { load(b, serve(b, v.make(b, provider(b)))) })
	}
}

// native is the service that a Go programmer would write.
func native(_ testing.TB, provider *httptest.Server) logic {
	client := provider.Client()
	if transport, ok := client.Transport.(*http.Transport); ok {
		transport.MaxIdleConnsPerHost = clients
	}
	return func(ctx context.Context, r *benchwork.Request) (benchwork.Result, error) {
		return benchwork.Create(r, sender(ctx, client, provider.URL))
	}
}

// sender sends to a server that stands for the provider.
func sender(ctx context.Context, client *http.Client, url string) benchwork.Send {
	return func(r *benchwork.HTTPRequest) (benchwork.HTTPResponse, error) {
		target := url + strings.TrimPrefix(r.URL, benchwork.BaseURL)
		request, err := http.NewRequestWithContext(ctx, r.Method, target, bytes.NewReader(r.Body))
		if err != nil {
			return benchwork.HTTPResponse{}, err
		}
		for _, h := range r.Header {
			request.Header.Set(h.Name, h.Value)
		}
		response, err := client.Do(request)
		if err != nil {
			return benchwork.HTTPResponse{}, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		return benchwork.HTTPResponse{Status: response.StatusCode, Body: body}, err
	}
}

// packed is payhost's plugin in Wasm.
func packed() host.Source { return host.Source{Path: filepath.Join(build, "payhost.wasm")} }

// payhost is a host with the plugin and one connection.
func payhost(tb testing.TB, provider *httptest.Server, config host.Config, source host.Source) logic {
	tb.Helper()
	conn := connect(tb, newHost(tb, config, source), provider)
	return func(ctx context.Context, r *benchwork.Request) (benchwork.Result, error) {
		result, err := conn.Create(ctx, *benchwork.CreateRequest(r))
		if err != nil {
			return benchwork.Result{}, err
		}
		return benchwork.FromResult(&result.Result), nil
	}
}

// cacheDir is where payhost keeps what it compiled.
func cacheDir() string { return filepath.Join(build, "cache", "payhost") }

func newHost(tb testing.TB, config host.Config, source host.Source) *host.Host {
	tb.Helper()
	config.Limits.Instances = clients
	config.CacheDir = cacheDir()
	h, err := host.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = h.Close() })
	if _, err := h.Load(tb.Context(), "bench", source); err != nil {
		tb.Fatal(err)
	}
	return h
}

func connect(tb testing.TB, h *host.Host, provider *httptest.Server) *host.Connection {
	tb.Helper()
	conn, err := h.Connect(tb.Context(), host.ConnectionConfig{
		Name: "bench", Plugin: "bench", BaseURL: provider.URL, Egress: host.Grant{AllowPrivate: true},
		Secrets: map[string]vault.Secret{"api_key": vault.NewSecret(benchwork.Token)},
		TLS:     map[string]vault.IdentityConfig{"client": {CAFile: authority(tb, provider)}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return conn
}

// extism is Extism with JSON messages and an instance for each client. A host
// function of Extism has no context of the call's own, so there is none here.
func extism(tb testing.TB, provider *httptest.Server) logic {
	tb.Helper()
	client := provider.Client()
	if transport, ok := client.Transport.(*http.Transport); ok {
		transport.MaxIdleConnsPerHost = clients
	}
	compiled, err := peers.Extism(context.Background(), build, sender(context.Background(), client, provider.URL))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(compiled.Close)
	pool := make(chan func(*benchwork.Request) (benchwork.Result, error), clients)
	for range clients {
		instance, err := compiled.Instance()
		if err != nil {
			tb.Fatal(err)
		}
		pool <- instance
	}
	return func(_ context.Context, r *benchwork.Request) (benchwork.Result, error) {
		instance := <-pool
		defer func() { pool <- instance }()
		return instance(r)
	}
}
