package sdk_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/form"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
	"github.com/payhost/payhost/sdk/sdktest"
)

// hosted is a provider whose manifest lets a test use the host.
type hosted struct{ provider }

func (hosted) Manifest() pay.Manifest {
	return pay.Manifest{
		ID: "hosted", Version: "1.0.0", BatchSize: 1, Storage: true,
		Operations: []pay.OperationSpec{
			{Operation: pay.OpDescribe},
			{Operation: pay.OpCheckConfig},
			{Operation: pay.OpStatus},
			{Operation: pay.OpCreate, Idempotency: pay.IdempotencyNone, MoneyCalls: 4},
		},
		Egress: []pay.EgressRule{
			{Origin: "base_url", PathPrefix: "/read", Read: true},
			{Origin: "base_url", PathPrefix: "/pay"},
		},
	}
}

// with runs a function where a provider would use the host.
func with(t *testing.T, config sdktest.Config, transcript string, use func(h *sdk.Host)) *sdktest.Plugin {
	t.Helper()
	p := sdktest.New(t, hosted{provider{create: func(h *sdk.Host, _ *pay.CreateRequest) (*pay.Result, error) {
		use(h)
		return &pay.Result{Outcome: pay.OutcomeApplied}, nil
	}}}, config)
	if transcript != "" {
		p.Transcript(transcript)
	}
	if _, err := p.Create(pay.CreateRequest{}); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestConnection(t *testing.T) {
	t.Parallel()
	config := sdktest.Config{
		Connection: "main", BaseURL: "https://a.example/api", Settings: `{"till": "7", "n": 5}`,
		Secrets: []string{"token"}, Identities: []string{"client"}, Keys: map[string]any{"qr": []byte("k")},
	}
	with(t, config, "", func(h *sdk.Host) {
		got := []any{
			h.Connection(), h.BaseURL(), h.Setting("till", "x"), h.Setting("n", "x"), h.Setting("none", "x"),
			h.HasSecret("token"), h.HasSecret("qr"), h.HasKey("qr"), h.HasKey("token"),
			h.HasIdentity("client"), h.HasIdentity(""),
		}
		want := []any{"main", "https://a.example/api", "7", "x", "x", true, false, true, false, true, false}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if n, ok := h.Settings().Get("n").Int(); n != 5 || !ok {
			t.Errorf("setting n: %d, %v", n, ok)
		}
		if h.TimeLeft() != 10*time.Second || h.Now().Location() != time.UTC {
			t.Errorf("time left %v, zone %v", h.TimeLeft(), h.Now().Location())
		}
	})
}

func TestLog(t *testing.T) {
	t.Parallel()
	p := with(t, sdktest.Config{}, "", func(h *sdk.Host) {
		h.Log(sdk.Debug, "plain")
		h.Log(sdk.Info, "pairs", "a", "1", "b", "2")
		h.Log(sdk.Warn, "odd", "a")
		h.Log(sdk.Error, "")
	})
	want := []string{"debug plain", "info pairs a=1 b=2", "warn odd", "error "}
	if diff := cmp.Diff(want, p.Logs()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	var w json.Writer
	w.Object("")
	w.End()
	var f form.Writer
	f.Add("a", "b c")
	with(t, sdktest.Config{BaseURL: "https://a.example/api"}, `
> GET /read/1?x=y read
> accept: application/json
< 404
< X-One: 1
< x-one: 2
> POST /read money
> content-type: application/json
> accept: application/json
>
> {}
< 200
<
< done
> POST /pay money
> content-type: application/x-www-form-urlencoded
> accept: application/json
>
> a=b+c
< 204
> PUT /pay/raw money
> timeout: 2s
< 500
`, func(h *sdk.Host) {
		send := func(r *sdk.Request) *sdk.Response {
			response, err := h.Send(r)
			if err != nil {
				t.Fatal(err)
			}
			return response
		}
		missing := send(sdk.GetJSON("/read/1?x=y"))
		if missing.Status != 404 || missing.HeaderValue("X-ONE") != "1" || missing.HeaderValue("x") != "" {
			t.Errorf("answer %+v", missing)
		}
		if got := send(sdk.PostJSON("/read", &w, sdk.Money)); string(got.Body) != "done" {
			t.Errorf("body %q", got.Body)
		}
		if got := send(sdk.PostForm("/pay", &f, sdk.Money)); got.Status != 204 || len(got.Body) != 0 {
			t.Errorf("answer %+v", got)
		}
		// Without an effect a request counts as writing.
		send(&sdk.Request{Method: "PUT", URL: "https://a.example/api/pay/raw", Timeout: 2 * time.Second})
	})
}

// mute is a host that gives codes and no explanation.
type mute struct {
	imports
	code int32
}

func (m *mute) KVDel([]byte, int64) int32 { return m.code }

// TestCodes shows what an error is when the host has nothing to say but a code.
func TestCodes(t *testing.T) {
	t.Parallel()
	want := map[abi.Code]pay.Class{
		abi.BadArgument: pay.ClassPluginFault, abi.TooLarge: pay.ClassLimit, abi.NotFound: pay.ClassConfig,
		abi.Conflict: pay.ClassPluginFault, abi.Denied: pay.ClassConfig, abi.Quota: pay.ClassLimit,
		abi.Deadline: pay.ClassTimeout, abi.Unsupported: pay.ClassPluginFault, abi.NotSent: pay.ClassUnavailable,
		abi.OutcomeUnknown: pay.ClassTimeout, abi.BadHandle: pay.ClassPluginFault, abi.Internal: pay.ClassHostFault,
	}
	for code, class := range want {
		p := provider{create: func(h *sdk.Host, _ *pay.CreateRequest) (*pay.Result, error) {
			err := h.Delete("k", sdk.Any)
			e := pay.AsError(err)
			if e == nil || e.Class != class || e.Message != code.Error() {
				t.Errorf("%v: %v, want class %v", code, err, class)
			}
			if sdk.IsNotFound(err) != (code == abi.NotFound) || sdk.IsConflict(err) != (code == abi.Conflict) ||
				sdk.IsBadInput(err) != (code == abi.BadArgument) {
				t.Errorf("%v: not found %v, conflict %v, bad input %v",
					code, sdk.IsNotFound(err), sdk.IsConflict(err), sdk.IsBadInput(err))
			}
			return named("done")
		}}
		m := &mute{code: int32(code)}
		if got := sdk.Native(p)(m, int32(pay.OpCreate), 0); got != 0 {
			t.Errorf("%v: create ended with %d", code, got)
		}
	}
	if sdk.IsNotFound(nil) || sdk.IsNotFound(&pay.Error{Class: pay.ClassNotFound}) {
		t.Error("an error of no storage call is taken for one")
	}
}

// short is a host whose blob ends before the length it says.
type short struct {
	imports
	code int32 // what a read gives at the end
}

func (s *short) BlobLen(int32) int64                 { return 10 }
func (s *short) BlobRead(int32, int64, []byte) int32 { return s.code }

func TestShortBlob(t *testing.T) {
	t.Parallel()
	for code, want := range map[abi.Code]pay.Class{
		abi.OK: pay.ClassHostFault, abi.Deadline: pay.ClassTimeout, abi.Internal: pay.ClassHostFault,
	} {
		s := &short{code: int32(code)}
		s.store = newStorage()
		s.store.entries["k"] = stored{}
		p := provider{create: func(h *sdk.Host, _ *pay.CreateRequest) (*pay.Result, error) {
			_, _, err := h.Get("k")
			if pay.ClassOf(err) != want {
				t.Errorf("code %d: %v, want class %v", code, err, want)
			}
			return named("done")
		}}
		if got := sdk.Native(p)(s, int32(pay.OpCreate), 0); got != 0 {
			t.Errorf("code %d: create ended with %d", code, got)
		}
	}
}
