package daemon_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/cmd/payhost/internal/daemon"
	"github.com/payhost/payhost/internal/rig"
)

// TestCanary runs a revision for half of the payments, by the API: it serves some, shows
// in the list and in the metrics, outlives a restart, and a reload holds connections to it.
func TestCanary(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "yeniltoleg.wasm")
	if err := os.WriteFile(path, rig.Module(t, "../../../../plugins/yeniltoleg/wasm"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := edited(settings(t), func(n *config.Config) { n.Plugins["yeniltoleg"] = config.Plugin{Path: path} })
	begin := func() *process {
		t.Helper()
		d, err := daemon.New(t.Context(), daemon.Options{Config: c, CacheDir: rig.Cache(t), Logger: hclog.NewNullLogger()})
		if err != nil {
			t.Fatal(err)
		}
		return run(t, d)
	}
	p := begin()
	do := func(path string, body, into any) {
		t.Helper()
		answer, err := p.client.Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/v1/plugins/yeniltoleg" + path, Body: body})
		if err == nil {
			err = answer.Into(into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var revision client.Revision
	var done client.Activation
	do("/revisions", client.Raw(rig.Module(t, "../../../../plugins/yeniltoleg/wasm", "-buildid=canary")), &revision)
	do("/activate", map[string]any{"digest": revision.Digest, "canary_percent": 50}, &done)
	if done.Canary != 50 || done.Digest != revision.Digest {
		t.Errorf("activation %+v", done)
	}
	served := map[string]int{}
	for i := range 12 {
		made, err := p.create(t, "main", fmt.Sprintf("order-%d", i))
		if err != nil {
			t.Fatal(err)
		}
		var payment struct{ Revision string }
		p.get(t, "/v1/payments/"+made.ID, &payment)
		served[payment.Revision]++
	}
	if len(served) != 2 || served[revision.Digest] == 0 {
		t.Errorf("payments by revision: %v", served)
	}
	p.showsCanary(t, revision.Digest)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	p = begin()
	p.showsCanary(t, revision.Digest)
	narrow := edited(c, func(n *config.Config) {
		m := n.Connections["main"]
		m.Settings = map[string]any{"nothing": "known"}
		n.Connections["main"] = m
	})
	if err := p.Reload(t.Context(), narrow); err == nil {
		t.Error("a reload with a connection that fits nothing was taken")
	}
	do("/rollback", nil, &done)
	var list client.Plugins
	if p.get(t, "/v1/plugins", &list); list.Plugins[0].Canary != nil || done.Canary != 100 || done.Digest == revision.Digest {
		t.Errorf("after the rollback: %+v, %+v", done, list)
	}
}

func (p *process) showsCanary(t *testing.T, digest string) {
	t.Helper()
	var list client.Plugins
	p.get(t, "/v1/plugins", &list)
	if got := list.Plugins[0]; got.Canary == nil || got.Canary.Digest != digest || got.Canary.Percent != 50 || got.Digest == digest || got.Problem != "" {
		t.Errorf("listed as %+v", got)
	}
	metrics := string(p.get(t, "/metrics", nil).Body)
	for _, want := range []string{
		`payhost_plugin_canary_percent{digest="` + digest, `payhost_plugin_calls_total{digest="` + digest, `payhost_plugin_up{digest="`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
}
