package host_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// oneSlot has all calls of a plugin share one instance.
func oneSlot(c *host.Config, _ *host.ConnectionConfig) { c.Limits.Instances = 1 }

// merchants connects two of them to the rig's plugin.
func merchants(t *testing.T, r *rig) [2]*host.Connection {
	t.Helper()
	var list [2]*host.Connection
	for n := range list {
		c := r.config
		c.Name = fmt.Sprintf("merchant-%d", n)
		c.Secrets = map[string]vault.Secret{"api_token": vault.NewSecret(fmt.Sprintf("token-of-merchant-%d", n))}
		var err error
		if list[n], err = r.host.Connect(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// TestOneMerchantCannotSeeAnother has a plugin remember what it is told by two
// merchants through one slot. The control shows that it would find it.
func TestOneMerchantCannotSeeAnother(t *testing.T) {
	t.Parallel()
	for _, mode := range []host.Isolation{host.IsolateEveryCall, host.IsolateNever} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, host.Source{Bytes: probeModule(t)}, oneSlot, func(c *host.Config, _ *host.ConnectionConfig) {
				c.Isolation = func(plugin string) host.Isolation {
					if plugin != "probe" {
						t.Errorf("isolation was asked for plugin %q", plugin)
					}
					return mode
				}
			})
			both := merchants(t, r)
			var seen string
			for n := range 40 {
				result, err := both[n%2].Create(t.Context(), create(fmt.Sprintf("remember secret-%d", n)))
				if pay.ClassOf(err) != pay.ClassDeclined {
					t.Fatal(err)
				}
				seen = result.ProviderMessage
				if mode == host.IsolateEveryCall && seen != "" {
					t.Fatalf("call %d sees %q of a call before", n, seen)
				}
			}
			if mode == host.IsolateNever && !strings.Contains(seen, "secret-38") {
				t.Errorf("without isolation the plugin found %q: the test would see nothing", seen)
			}
			stats := r.host.Stats()
			if len(stats) != 1 || stats[0].Plugin != "probe" || stats[0].Isolation != mode || stats[0].Calls < 40 {
				t.Errorf("stats are %+v", stats)
			}
		})
	}
}

// TestRandomnessNeverRepeats asks for chance in calls that all begin with one image.
func TestRandomnessNeverRepeats(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Bytes: probeModule(t)}, oneSlot)
	seen := map[string]bool{}
	calls := 300
	if testing.Short() {
		calls = 60
	}
	for range calls {
		result, err := r.conn.Create(t.Context(), create("random"))
		if pay.ClassOf(err) != pay.ClassDeclined {
			t.Fatal(err)
		}
		code := result.ProviderCode
		if raw, err := hex.DecodeString(code); err != nil || len(raw) != 16 || seen[code] {
			t.Fatalf("%q is no 16 bytes that never came before", code)
		}
		seen[code] = true
	}
}

// TestIsolatedCallsAnswerAsNative makes the same calls, good and bad, of the probe in
// Wasm through one slot and in-process, and compares all that comes out.
func TestIsolatedCallsAnswerAsNative(t *testing.T) {
	t.Parallel()
	answers := func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/pay/declined":
			status(402, `{}`)(w, req)
		case "/pay/refused":
			status(400, `{"field":"amount","message":"too small"}`)(w, req)
		case "/pay/words":
			status(200, `not JSON`)(w, req)
		default:
			status(200, `{"id":"p1","url":"https://pay.example/p1","message":"placed"}`)(w, req)
		}
	}
	inWasm := newRig(t, host.Source{Bytes: probeModule(t)}, oneSlot)
	inProcess := newRig(t, host.Source{Native: sdk.Native(probe.New())})
	inWasm.answer(answers)
	inProcess.answer(answers)
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same calls in every run
	actions := []string{
		"", "", "", "path /pay/declined", "path /pay/refused", "path /pay/words", "claim", "many", "trap", "nil", "plain", "odd",
		"denied-after-answer", "basic", "lie-read", "log one line of text",
	}
	calls := 250
	if testing.Short() {
		calls = 60
	}
	for n := range calls {
		do := actions[random.IntN(len(actions))]
		request := create(do)
		request.Amount = pay.New(int64(100+100*random.IntN(1000)), pay.KZT)
		request.OrderID = strings.Repeat("9", 1+random.IntN(40))
		request.Description = strings.Repeat("я", random.IntN(2000))
		want, wantErr := inProcess.conn.Create(t.Context(), request)
		got, gotErr := inWasm.conn.Create(t.Context(), request)
		if diff := cmp.Diff(want.Result, got.Result); diff != "" {
			t.Fatalf("call %d, %q: result (-native +wasm):\n%s", n, do, diff)
		}
		if addressless(wantErr, inProcess) != addressless(gotErr, inWasm) || pay.ClassOf(wantErr) != pay.ClassOf(gotErr) {
			t.Fatalf("call %d, %q: native %v, wasm %v", n, do, wantErr, gotErr)
		}
		if want.ProviderKey != got.ProviderKey || want.Evidence.Wire != got.Evidence.Wire || want.Evidence.Calls != got.Evidence.Calls {
			t.Fatalf("call %d, %q: evidence %+v, %+v", n, do, want.Evidence, got.Evidence)
		}
	}
	if diff := cmp.Diff(inProcess.requests(), inWasm.requests()); diff != "" {
		t.Errorf("the provider got (-native +wasm):\n%s", diff)
	}
}

// addressless is an error's text without the port of the rig's provider.
func addressless(err error, r *rig) string {
	return strings.ReplaceAll(fmt.Sprint(err), strings.TrimPrefix(r.server.URL, "https://"), "provider")
}

func TestParseIsolation(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]host.Isolation{"": host.IsolateEveryCall, "every_call": host.IsolateEveryCall, "never": host.IsolateNever} {
		if got, err := host.ParseIsolation(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if _, err := host.ParseIsolation("sometimes"); err == nil || !strings.Contains(err.Error(), "sometimes") {
		t.Errorf("error is %v, want one that names the word", err)
	}
}
