package demo_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/cmd/payhost/internal/demo"
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
			inWasm := live(t, provider, host.Source{Bytes: module(t, provider)})
			inProcess := live(t, provider, host.Source{Native: sdk.Native(native[provider])})
			if len(inWasm.requests) < 5 || len(inWasm.steps) < 8 {
				t.Fatalf("only %d requests in %d steps", len(inWasm.requests), len(inWasm.steps))
			}
			if diff := cmp.Diff(inProcess.requests, inWasm.requests); diff != "" {
				t.Errorf("requests, native against Wasm:\n%s", diff)
			}
			if diff := cmp.Diff(inProcess.steps, inWasm.steps); diff != "" {
				t.Errorf("steps, native against Wasm:\n%s", diff)
			}
		})
	}
}

// transcript is a life, with what differs from run to run taken out.
type transcript struct{ steps, requests []string }

func live(t *testing.T, provider string, source host.Source) transcript {
	t.Helper()
	var tr transcript
	steps, err := demo.Run(t.Context(), demo.Options{
		Only:   []string{provider},
		Source: func(string) host.Source { return source },
		Requests: func(_ string, list []simkit.Request) {
			for _, r := range list {
				line := plain(r.Method + " " + r.Path + " " + r.Query + " " + r.Header.Get("Content-Type") + " " + r.Body)
				if len(tr.requests) == 0 || tr.requests[len(tr.requests)-1] != line { // how often it polls is a matter of time
					tr.requests = append(tr.requests, line)
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps[2:] { // loading says the digest, connecting the port
		result, _, _ := strings.Cut(s.Result, " poll(s)")
		tr.steps = append(tr.steps, s.Name+": "+plain(result))
	}
	return tr
}

var (
	changing = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|[A-Za-z0-9+/_%=-]{40,}|127\.0\.0\.1(:|%3A)\d+|\b\d{10}-\d+|\d+ bytes`)
	polls    = regexp.MustCompile(`after \d+`)
)

// plain takes out ids, keys, codes, ports, counts of bytes and of polls.
func plain(s string) string {
	return polls.ReplaceAllString(changing.ReplaceAllString(s, "*"), "after *")
}

// module builds and packs a plugin.
func module(t *testing.T, provider string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), provider+".wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", out, "../../plugins/"+provider+"/wasm")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", provider, err, text)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.New(host.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	packed, err := h.Pack(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// TestStopsAtTheFirstBrokenStep wants the step that failed, and none after it.
func TestStopsAtTheFirstBrokenStep(t *testing.T) {
	t.Parallel()
	steps, err := demo.Run(t.Context(), demo.Options{
		Only:   []string{"rahmet"},
		Source: func(string) host.Source { return host.Source{Native: sdk.Native(rahmet.New())} },
		Faults: []demo.Fault{{Provider: "rahmet", JSON: `{"path":"/orders/v1/preorder/refund","fault":"cut_after"}`}},
	})
	if err == nil || !strings.Contains(err.Error(), "rahmet: refund") {
		t.Fatalf("error %v", err)
	}
	if last := steps[len(steps)-1]; last.Err == "" || slices.ContainsFunc(steps[:len(steps)-1], func(s demo.Step) bool { return s.Err != "" }) {
		t.Errorf("steps %+v", steps)
	}
}
