package sdktest_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
	"github.com/payhost/payhost/sdk/sdktest"
)

// runs lets a function use the host as create would.
func runs(t *testing.T, config sdktest.Config, use func(h *sdk.Host) error) *sdktest.Plugin {
	t.Helper()
	p := createStub(t, config, func(h *sdk.Host, _ *pay.CreateRequest) (*pay.Result, error) {
		return &pay.Result{Outcome: pay.OutcomeApplied}, use(h)
	})
	if _, err := p.Create(pay.CreateRequest{}); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestStorage(t *testing.T) {
	t.Parallel()
	step := 0
	var version int64
	p := createStub(t, sdktest.Config{}, func(h *sdk.Host, _ *pay.CreateRequest) (*pay.Result, error) {
		step++
		var err error
		switch step {
		case 1:
			if _, _, err := h.Get("k"); !sdk.IsNotFound(err) {
				t.Errorf("get of nothing: %v", err)
			}
			if version, err = h.Put("k", []byte("one"), time.Minute, sdk.Absent); err != nil {
				t.Errorf("put: %v", err)
			}
			if _, err = h.Put("k", nil, 0, sdk.Absent); !sdk.IsConflict(err) {
				t.Errorf("put where something is: %v", err)
			}
			if _, err = h.Put("k", []byte("two"), time.Minute, version); err != nil {
				t.Errorf("put by version: %v", err)
			}
			if err = h.Delete("k", version); !sdk.IsConflict(err) {
				t.Errorf("delete by an old version: %v", err)
			}
		case 2: // another call: the value is kept
			value, _, err := h.Get("k")
			if string(value) != "two" || err != nil {
				t.Errorf("get: %q, %v", value, err)
			}
		case 3: // after the time to live
			if _, _, err := h.Get("k"); !sdk.IsNotFound(err) {
				t.Errorf("get after its time: %v", err)
			}
			for range 2 {
				_, err = h.Incr("n", 5, 0)
			}
			if n, err2 := h.Incr("n", 1, 0); n != 11 || err != nil || err2 != nil {
				t.Errorf("incr: %d, %v, %v", n, err, err2)
			}
			_, _ = h.Put("na", nil, 0, sdk.Any)
			keys, cursor, err := h.Keys("n", "", 1)
			if diff := cmp.Diff([]string{"n"}, keys); diff != "" || cursor == "" || err != nil {
				t.Errorf("first page: %s cursor %q, %v", diff, cursor, err)
			}
			keys, cursor, err = h.Keys("n", cursor, 1)
			if diff := cmp.Diff([]string{"na"}, keys); diff != "" || cursor != "" || err != nil {
				t.Errorf("last page: %s cursor %q, %v", diff, cursor, err)
			}
			if err := h.Delete("n", sdk.Any); err != nil {
				t.Errorf("delete: %v", err)
			}
		}
		return &pay.Result{Outcome: pay.OutcomeApplied}, nil
	})
	for i := range 3 {
		if i == 2 {
			p.Advance(time.Minute)
		}
		if _, err := p.Create(pay.CreateRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	p.Store("cookie", []byte("c"), time.Second)
	if value, ok := p.Stored("cookie"); !ok || string(value) != "c" {
		t.Errorf("stored: %q, %v", value, ok)
	}
	if _, ok := p.Stored("n"); ok {
		t.Error("a deleted counter is still there")
	}
}

// TestStorageRules holds the storage to what docs/abi.md says and a host does.
func TestStorageRules(t *testing.T) {
	t.Parallel()
	p := runs(t, sdktest.Config{}, func(h *sdk.Host) error {
		if _, err := h.Incr("minute", 1, time.Minute); err != nil {
			t.Error(err)
		}
		h.Sleep(time.Second)
		if n, err := h.Incr("minute", 1, time.Hour); n != 2 || err != nil {
			t.Errorf("incr: %d, %v", n, err)
		}
		return nil
	})
	p.Advance(time.Minute - time.Second)
	if value, ok := p.Stored("minute"); ok {
		t.Errorf("a counter outlives the time that it was begun with: %q", value)
	}
	const century = 100 * 365 * 24 * time.Hour
	for name, test := range map[string]struct {
		use  func(h *sdk.Host) error
		want abi.Code
	}{
		"no such key":         {func(h *sdk.Host) error { return h.Delete("none", sdk.Any) }, abi.NotFound},
		"no such version":     {func(h *sdk.Host) error { return h.Delete("none", 7) }, abi.NotFound},
		"beyond 64 bits":      {func(h *sdk.Host) error { _, err := h.Incr("most", 1, 0); return err }, abi.BadArgument},
		"leading zeros":       {func(h *sdk.Host) error { _, err := h.Incr("zeros", 1, 0); return err }, abi.BadArgument},
		"empty key":           {func(h *sdk.Host) error { _, _, err := h.Get(""); return err }, abi.BadArgument},
		"key that is no text": {func(h *sdk.Host) error { _, _, err := h.Get("\xff"); return err }, abi.BadArgument},
		"long key":            {func(h *sdk.Host) error { _, _, err := h.Get(strings.Repeat("k", 257)); return err }, abi.TooLarge},
		"a century":           {func(h *sdk.Host) error { _, err := h.Put("k", nil, century, sdk.Any); return err }, abi.BadArgument},
		"counted a century":   {func(h *sdk.Host) error { _, err := h.Incr("k", 1, century); return err }, abi.BadArgument},
		"expectation":         {func(h *sdk.Host) error { _, err := h.Put("k", nil, 0, -2); return err }, abi.BadArgument},
		"page of 1001":        {func(h *sdk.Host) error { _, _, err := h.Keys("", "", 1001); return err }, abi.BadArgument},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runs(t, sdktest.Config{}, func(h *sdk.Host) error {
				_, most := h.Put("most", []byte("9223372036854775807"), 0, sdk.Any)
				_, zeros := h.Put("zeros", []byte("007"), 0, sdk.Any)
				var code abi.Code
				if err := test.use(h); !errors.As(err, &code) || code != test.want || most != nil || zeros != nil {
					t.Errorf("%v, want %v", err, test.want)
				}
				return nil
			})
		})
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	began := time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	p := runs(t, sdktest.Config{Now: began, Timeout: 5 * time.Second}, func(h *sdk.Host) error {
		h.Sleep(3 * time.Second)
		if now := h.Now(); now.Sub(began) != 3*time.Second {
			t.Errorf("after a sleep of 3s it is %v later", now.Sub(began))
		}
		h.Sleep(time.Hour) // the host ends it with the call
		if left := h.TimeLeft(); left != 0 {
			t.Errorf("time left: %v", left)
		}
		_, err := h.Send(&sdk.Request{Method: "POST", URL: "/pay"})
		if pay.ClassOf(err) != pay.ClassTimeout {
			t.Errorf("send after the end: %v", err)
		}
		return nil
	})
	if got := p.Now().Sub(began); got != 5*time.Second {
		t.Errorf("the clock went %v", got)
	}
}

func TestRandomIsSeeded(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64) string {
		var b [16]byte
		runs(t, sdktest.Config{Seed: seed}, func(h *sdk.Host) error { return h.Random(b[:]) })
		return hex.EncodeToString(b[:])
	}
	if first := draw(1); first != draw(1) || first == draw(2) {
		t.Error("the random source does not follow the seed")
	}
}

func TestDigests(t *testing.T) {
	t.Parallel()
	want := map[abi.DigestAlgorithm]string{ // of "abc", from FIPS 180-4, RFC 3174, RFC 1321
		abi.SHA256: "ba7816bf8f01cfea", abi.SHA384: "cb00753f45a35e8b", abi.SHA512: "ddaf35a193617aba",
		abi.SHA1: "a9993e364706816a", abi.MD5: "900150983cd24fb0",
	}
	runs(t, sdktest.Config{}, func(h *sdk.Host) error {
		for alg, begin := range want {
			sum, err := h.Digest(alg, []byte("abc"))
			if got := hex.EncodeToString(sum); !strings.HasPrefix(got, begin) || err != nil {
				t.Errorf("digest %d: %s, %v", alg, got, err)
			}
		}
		if _, err := h.Digest(99, nil); err == nil {
			t.Error("an unknown digest is no error")
		}
		return nil
	})
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		algorithm       string
		private, public any
	}{
		{"HS256", []byte("secret"), []byte("secret")},
		{"EdDSA", edKey, edPublic},
		{"RS256", rsaKey, &rsaKey.PublicKey},
		{"PS256", rsaKey, &rsaKey.PublicKey},
		{"ES256", ecKey, &ecKey.PublicKey},
		{"ES256-DER", ecKey, &ecKey.PublicKey},
	}
	for _, test := range tests {
		t.Run(test.algorithm, func(t *testing.T) {
			t.Parallel()
			var sig []byte
			runs(t, sdktest.Config{Keys: map[string]any{"sign": test.private}}, func(h *sdk.Host) (err error) {
				sig, err = h.Sign(test.algorithm, "sign", []byte("text"))
				return err
			})
			runs(t, sdktest.Config{Keys: map[string]any{"sign": test.public}}, func(h *sdk.Host) error {
				if ok, err := h.Verify(test.algorithm, "sign", []byte("text"), sig); !ok || err != nil {
					t.Errorf("verify: %v, %v", ok, err)
				}
				if ok, err := h.Verify(test.algorithm, "sign", []byte("other"), sig); ok || err != nil {
					t.Errorf("verify of another text: %v, %v", ok, err)
				}
				if ok, err := h.Verify(test.algorithm, "sign", []byte("text"), sig[1:]); ok || err != nil {
					t.Errorf("verify of a short signature: %v, %v", ok, err)
				}
				_, err := h.Sign(test.algorithm, "sign", nil)
				if (err == nil) != (test.algorithm == "HS256") {
					t.Errorf("sign with a public key: %v", err)
				}
				return nil
			})
		})
	}
	runs(t, sdktest.Config{Keys: map[string]any{"sign": rsaKey}}, func(h *sdk.Host) error {
		sealed, err := h.Encrypt("RSA-OAEP-256", "sign", []byte("otp"))
		if err != nil {
			return err
		}
		if plain, err := h.Decrypt("RSA-OAEP-256", "sign", sealed); string(plain) != "otp" || err != nil {
			t.Errorf("decrypt: %q, %v", plain, err)
		}
		sealed[0] ^= 1
		if _, err := h.Decrypt("RSA-OAEP-256", "sign", sealed); !sdk.IsBadInput(err) {
			t.Errorf("decrypt of a changed text: %v", err)
		}
		if _, err := h.Sign("EdDSA", "sign", nil); pay.ClassOf(err) != pay.ClassConfig {
			t.Errorf("algorithm of another key: %v", err)
		}
		return nil
	})
}

// TestUnbound shows what a plugin meets when the operator has not bound a name
// that the manifest declares: an error, not a failed test.
func TestUnbound(t *testing.T) {
	t.Parallel()
	runs(t, sdktest.Config{}, func(h *sdk.Host) error {
		if h.HasSecret("token") || h.HasKey("sign") || h.HasIdentity("client") {
			t.Error("the connection has names that are not bound")
		}
		for name, r := range map[string]*sdk.Request{
			"secret":   {Method: "POST", URL: "/pay", Auth: sdk.Bearer("token")},
			"key":      {Method: "POST", URL: "/pay", Auth: sdk.HMAC("sign", "HS256", "X", "hex", nil)},
			"identity": {Method: "POST", URL: "/pay", TLS: "client"},
		} {
			if _, err := h.Send(r); pay.ClassOf(err) != pay.ClassConfig {
				t.Errorf("%s: %v", name, err)
			}
		}
		return nil
	})
}

// TestAuths writes every auth down as a transcript does.
func TestAuths(t *testing.T) {
	t.Parallel()
	const text = `
> GET /ask read
> auth: oauth2 main
> tls: client
> form-secret: t=field
< 401
> GET /ask?again read
> auth: oauth2 main renew 1
< 200
> GET /ask read
> auth: hmac sign HS256 X-Sign hex
< 200
> GET https://other.test/x/y read
> auth: none
> tls: client
< !auth invalid_client
`
	var codes []int
	config := sdktest.Config{
		Secrets: []string{"id", "field"}, Identities: []string{"client"},
		Keys: map[string]any{"sign": []byte("secret")},
	}
	p := createStub(t, config, func(h *sdk.Host, _ *pay.CreateRequest) (*pay.Result, error) {
		send := func(r *sdk.Request) *sdk.Response {
			r.Method, r.Effect = "GET", sdk.Read
			response, err := h.Send(r)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, response.Status)
			return response
		}
		refused := send(&sdk.Request{
			URL: "/ask", Auth: sdk.OAuth2("main", 0), Secrets: []sdk.FormSecret{{Field: "t", Secret: "field"}},
		})
		fresh := send(&sdk.Request{URL: "/ask?again", Auth: sdk.OAuth2("main", refused.TokenGeneration)})
		if fresh.TokenGeneration != refused.TokenGeneration+1 {
			t.Errorf("generation %d after %d", fresh.TokenGeneration, refused.TokenGeneration)
		}
		send(&sdk.Request{URL: "/ask", Auth: sdk.HMAC("sign", "HS256", "X-Sign", "hex", []byte("m"))})
		_, err := h.Send(&sdk.Request{Method: "GET", URL: "https://other.test/x/y", Effect: sdk.Read})
		return nil, err
	})
	p.Transcript(text)
	_, err := p.Create(pay.CreateRequest{})
	want := &pay.Error{
		Class: pay.ClassAuth, Operation: pay.OpCreate, Message: "no access token", ProviderCode: "invalid_client",
	}
	if diff := cmp.Diff(want, pay.AsError(err)); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{401, 200, 200}, codes); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

// TestFilled shows what the harness puts into a request as a host does.
func TestFilled(t *testing.T) {
	t.Parallel()
	var seen pay.CreateRequest
	p := createStub(t, sdktest.Config{}, func(_ *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
		seen = *r
		return &pay.Result{Outcome: pay.OutcomeApplied}, nil
	})
	if _, err := p.Create(pay.CreateRequest{OrderID: "7"}); err != nil {
		t.Fatal(err)
	}
	want := pay.CreateRequest{OrderID: "7", Intent: pay.Intent{
		Key: "key-create", ProviderKey: "00000000-0000-4000-8000-000000000014", Attempt: 1,
		Deadline: p.Now().Add(10 * time.Second),
	}}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if _, err := p.Refund(pay.RefundRequest{}); pay.ClassOf(err) != pay.ClassUnsupported {
		t.Errorf("an operation that is not declared: %v", err)
	}
}
