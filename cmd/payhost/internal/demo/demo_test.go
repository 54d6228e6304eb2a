package demo_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/cmd/payhost/internal/demo"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/plugins/smartpay"
	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
)

// TestLivesAreEqual takes every provider through its life natively and in Wasm,
// and wants the same steps with the same results, and the same requests at the
// simulators.
func TestLivesAreEqual(t *testing.T) {
	t.Parallel()
	native := map[string]sdk.Provider{
		"rahmet": rahmet.New(), "yeniltoleg": yeniltoleg.New(), "smartpay": smartpay.New(),
	}
	for _, provider := range demo.Providers() {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			inWasm := live(t, provider, host.Source{Bytes: rig.Module(t, "../../../../plugins/"+provider+"/wasm")})
			inProcess := live(t, provider, host.Source{Native: sdk.Native(native[provider])})
			if len(inWasm.writes) < 3 || len(inWasm.reads) == 0 || len(inWasm.steps) < 12 {
				t.Fatalf("only %d writes and %d reads in %d steps", len(inWasm.writes), len(inWasm.reads), len(inWasm.steps))
			}
			if diff := cmp.Diff(inProcess.writes, inWasm.writes); diff != "" {
				t.Errorf("writing requests, native against Wasm:\n%s", diff)
			}
			if diff := cmp.Diff(inProcess.reads, inWasm.reads); diff != "" {
				t.Errorf("forms of reading requests, native against Wasm:\n%s", diff)
			}
			if diff := cmp.Diff(inProcess.steps, inWasm.steps); diff != "" {
				t.Errorf("steps, native against Wasm:\n%s", diff)
			}
		})
	}
}

// transcript is a life, with what differs from run to run taken out. When payhost
// asks for a status, how often, and after how many payments at once is a matter of
// time, so only the forms of those requests are compared.
type transcript struct{ steps, writes, reads []string }

func live(t *testing.T, provider string, source host.Source) transcript {
	t.Helper()
	var tr transcript
	reads := map[string]bool{}
	steps, err := demo.Run(t.Context(), demo.Options{
		Only:    []string{provider},
		Sources: map[string]host.Source{provider: source}, CacheDir: rig.Cache(t),
		Requests: func(_ string, list []simkit.Request) {
			for _, r := range list {
				if reading(r) {
					reads[r.Method+" "+plain(r.Path)+" "+r.Header.Get("Content-Type")] = true
					continue
				}
				tr.writes = append(tr.writes, plain(r.Method+" "+r.Path+" "+r.Query+" "+r.Header.Get("Content-Type")+" "+r.Body))
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	tr.reads = slices.Sorted(maps.Keys(reads))
	for _, s := range steps[1 : len(steps)-1] { // starting and stopping is payhost's
		result := s.Result
		if s.Name == "timeline" || s.Name == "webhooks" { // how often it asked, and what had been sent by then
			result = ""
		}
		tr.steps = append(tr.steps, s.Name+": "+plain(result))
	}
	return tr
}

// reading reports whether a request asks for a status. SmartPay's kassa/status tells
// one.
func reading(r simkit.Request) bool {
	path := strings.ToLower(r.Path)
	return strings.Contains(path, "status") && !strings.Contains(path, "kassa")
}

var changing = regexp.MustCompile(
	`[0-9a-f]{8}-[0-9a-f-]{27}|[A-Za-z0-9+/_%=-]{40,}|127\.0\.0\.1(:|%3A)\d+|\b\d{10}-\d+|\d+ bytes|(pay|ref|op)_[0-9a-z_]+|` +
		`\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+\d\d:\d\d)?`)

// plain takes out ids, keys, codes, times, ports and counts of bytes.
func plain(s string) string { return changing.ReplaceAllString(s, "*") }

// TestStopsAtTheFirstBrokenStep wants the step that failed, and none after it.
func TestStopsAtTheFirstBrokenStep(t *testing.T) {
	t.Parallel()
	steps, err := demo.Run(t.Context(), demo.Options{
		Only:    []string{"rahmet"},
		Sources: map[string]host.Source{"rahmet": {Native: sdk.Native(rahmet.New())}},
		Faults:  []demo.Fault{{Provider: "rahmet", JSON: `{"path":"/orders/v1/preorder/refund","fault":"html"}`}},
	})
	if err == nil || !strings.Contains(err.Error(), "rahmet: refund") {
		t.Fatalf("error %v", err)
	}
	if last := steps[len(steps)-1]; last.Err == "" || slices.ContainsFunc(steps[:len(steps)-1], func(s demo.Step) bool { return s.Err != "" }) {
		t.Errorf("steps %+v", steps)
	}
}

// TestStartWithoutAPlugin wants the provider and the reason when a plugin is not
// there, and payhost up for all that.
func TestStartWithoutAPlugin(t *testing.T) {
	t.Parallel()
	_, err := demo.Run(t.Context(), demo.Options{Only: []string{"yeniltoleg"}, PluginDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "yeniltoleg: connect") ||
		!strings.Contains(err.Error(), "not loaded: path: yeniltoleg.wasm: no such file") {
		t.Errorf("error %v", err)
	}
}
