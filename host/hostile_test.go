package host_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// TestHostileGuest lets a module do what a module should not, beside a good call
// on the same host: each ends in a precise error, and the host goes on.
func TestHostileGuest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		do      string
		class   pay.Class
		message string
	}{
		{"loop", pay.ClassTimeout, "ran past its deadline"},
		{"sleep", pay.ClassTimeout, "ran past its deadline"},
		{"grow", pay.ClassLimit, "ran out of memory"},
		{"trap", pay.ClassPluginFault, "plugin"},
		{"reads", pay.ClassLimit, "no more are allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.do, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, host.Source{Bytes: probeModule(t)}, func(c *host.Config, _ *host.ConnectionConfig) {
				c.Limits.CallTimeout = 30 * time.Second
				if tt.class == pay.ClassTimeout {
					c.Limits.CallTimeout = 2 * time.Second
				}
			})
			if _, err := r.conn.Create(t.Context(), create("")); err != nil {
				t.Fatalf("good call before: %v", err)
			}
			result, err := r.conn.Create(t.Context(), create(tt.do))
			e := pay.AsError(err)
			if e == nil || e.Class != tt.class || !strings.Contains(e.Message, tt.message) {
				t.Errorf("error %v of class %s, want %s with %q", err, pay.ClassOf(err), tt.class, tt.message)
			}
			if result.Outcome != pay.OutcomeNotApplied {
				t.Errorf("outcome %s", result.Outcome)
			}
			if _, err := r.conn.Create(t.Context(), create("")); err != nil {
				t.Errorf("good call after: %v", err)
			}
		})
	}
}

// TestBackoff refuses a call in time, with nothing sent, if the plugin's calls keep
// failing; a caller with more patience is served.
func TestBackoff(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Bytes: probeModule(t)}, oneSlot)
	refused := false
	for range 16 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		result, err := r.conn.Create(ctx, create("trap"))
		cancel()
		e := pay.AsError(err)
		if result.Outcome != pay.OutcomeNotApplied || e == nil {
			t.Fatalf("outcome %s, error %v", result.Outcome, err)
		}
		if strings.Contains(e.Message, "keep failing") {
			refused = true
			if e.Class != pay.ClassLimit || e.Advice != pay.AdviceRetrySameKey {
				t.Errorf("class %s, advice %s", e.Class, e.Advice)
			}
			break
		}
		_, _ = r.conn.Create(t.Context(), create("trap"))
	}
	if !refused {
		t.Error("no call was refused")
	}
	if s := r.host.Stats(); s[0].Backoff == 0 {
		t.Errorf("stats: %+v", s[0])
	}
	if _, err := r.conn.Create(t.Context(), create("")); err != nil {
		t.Errorf("good call after: %v", err)
	}
}

// TestSpinningGuestLeavesTheCollectorAlone runs collections while a guest spins:
// compiled code that never came up for air would hold each of them, and so the
// process, until the guest ended.
func TestSpinningGuestLeavesTheCollectorAlone(t *testing.T) {
	t.Parallel()
	const deadline = 6 * time.Second
	r := newRig(t, host.Source{Bytes: probeModule(t)}, func(c *host.Config, _ *host.ConnectionConfig) {
		c.Limits.CallTimeout = deadline
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = r.conn.Create(t.Context(), create("loop"))
	}()
	collections := 0
	for {
		select {
		case <-done:
			if collections < 3 {
				t.Errorf("only %d collections while the guest spun", collections)
			}
			return
		default:
			runtime.GC()
			collections++
		}
	}
}

// TestSecretReflection has the provider send back the secret it was given, in
// several coats: the plugin must not get to see it.
func TestSecretReflection(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"plain":       `{"id":"` + apiToken + `"}`,
		"base64":      `{"id":"dG9rLTNjMWY5YTZkZTI1YjQ4"}`,
		"url-encoded": `{"id":"%74%6f%6b%2d%33%63%31%66%39%61%36%64%65%32%35%62%34%38"}`,
	}
	for name, body := range bodies {
		for kind, source := range sources(t) {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, source)
				r.answer(status(200, body))
				result, err := r.conn.Create(t.Context(), create(""))
				e := pay.AsError(err)
				if e == nil || e.Class != pay.ClassIntegrity || result.Outcome != pay.OutcomeInDoubt {
					t.Fatalf("outcome %s, error %v, want in_doubt for integrity", result.Outcome, err)
				}
				if strings.Contains(result.ProviderRef, "tok") || strings.Contains(e.Error(), apiToken) {
					t.Error("the secret came through")
				}
				r.answer(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Echo", apiToken) })
				if _, err := r.conn.Create(t.Context(), create("")); pay.ClassOf(err) != pay.ClassIntegrity {
					t.Errorf("secret in a header: %v", err)
				}
			})
		}
	}
}

// TestNothingSecretIsLogged has a plugin log and answer what it should not.
func TestNothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	for name, source := range sources(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log safeBuffer
			r := newRig(t, source, func(c *host.Config, _ *host.ConnectionConfig) {
				c.Logger = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Debug})
			})
			const text = "log card 4111111111111111 of ada@example.com with " + apiToken
			result, err := r.conn.Create(t.Context(), create(text))
			if pay.ClassOf(err) != pay.ClassDeclined {
				t.Fatal(err)
			}
			r.answer(hangUp)
			_, _ = r.conn.Create(t.Context(), create("trap-after-send"))
			all := log.String() + result.ProviderMessage + err.Error() + pay.AsError(err).ProviderMessage
			for _, leak := range []string{apiToken, "4111111111111111", "ada@example.com"} {
				if strings.Contains(all, leak) {
					t.Errorf("%q came through:\n%s", leak, all)
				}
			}
			if !strings.Contains(log.String(), "411111") {
				t.Error("the line was not logged at all")
			}
		})
	}
}

// TestLogIsCapped floods the log.
func TestLogIsCapped(t *testing.T) {
	t.Parallel()
	var log safeBuffer
	r := newRig(t, host.Source{Bytes: probeModule(t)}, func(c *host.Config, _ *host.ConnectionConfig) {
		c.Logger = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Info})
	})
	_, _ = r.conn.Create(t.Context(), create("flood"))
	if n := len(log.String()); n < 1000 || n > 100<<10 {
		t.Errorf("%d bytes of log", n)
	}
}

// TestHostileAnswers has the provider answer what no provider should.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	huge := func(w http.ResponseWriter, _ *http.Request) {
		line := []byte(strings.Repeat("x", 1<<20))
		for range 64 {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
	}
	truncated := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"id":`))
	}
	tests := map[string]http.HandlerFunc{
		"huge": huge, "truncated": truncated, "empty": status(200, ""), "binary": status(200, "\x00\xff\xfe"),
		"wrong types": status(200, `{"id":{"a":[1]}}`), "deep": status(200, strings.Repeat("[", 100_000)),
		"BOM and nothing": status(200, "\xef\xbb\xbf"), "not UTF-8": status(200, "{\"id\":\"\xff\"}"),
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, host.Source{Bytes: probeModule(t)})
			r.answer(answer)
			result, err := r.conn.Create(t.Context(), create(""))
			if result.Outcome != pay.OutcomeInDoubt || pay.ClassOf(err) != pay.ClassProtocol {
				t.Errorf("outcome %s, error %v of class %s", result.Outcome, err, pay.ClassOf(err))
			}
			r.answer(nil)
			if _, err := r.conn.Create(t.Context(), create("")); err != nil {
				t.Errorf("good call after: %v", err)
			}
		})
	}
}

// boaster declares its notifications weak, and calls them strong all the same.
type boaster struct{ probe.Provider }

func (b boaster) Manifest() pay.Manifest {
	m := b.Provider.Manifest()
	m.Notification = pay.AuthenticityWeak
	return m
}

// TestNotificationIsTrustedAsDeclared: the operator has read the manifest, and knows
// by it what may move a payment.
func TestNotificationIsTrustedAsDeclared(t *testing.T) {
	t.Parallel()
	mac := hmac.New(sha256.New, []byte(macKey))
	mac.Write([]byte("paid"))
	r := newRig(t, host.Source{Native: sdk.Native(boaster{probe.New()})})
	note, err := r.conn.Notification(t.Context(), pay.NotificationRequest{
		Method: "POST", Body: []byte("paid"), Query: hex.EncodeToString(mac.Sum(nil)),
	})
	if err != nil || note.Authenticity != pay.AuthenticityWeak {
		t.Errorf("%+v, %v", note, err)
	}
}

// TestNotificationBodyIsTheCallers has a guest write behind the body that it was given:
// that is not the memory of whoever gave it.
func TestNotificationBodyIsTheCallers(t *testing.T) {
	t.Parallel()
	provider := sdk.Native(probe.New())
	r := newRig(t, host.Source{Native: func(imports abi.Imports, op, length int32) int32 {
		if pay.Operation(op) == pay.OpNotification {
			const body = 1 // the first blob of the call
			if code := imports.BlobWrite(body, []byte("forged")); code < 0 {
				t.Errorf("write to the body: %d", code)
			}
		}
		return provider(imports, op, length)
	}})
	received := []byte("paid, and what came after it")
	if _, err := r.conn.Notification(t.Context(), pay.NotificationRequest{Method: "POST", Body: received[:4]}); err != nil {
		t.Fatal(err)
	}
	if got := string(received); got != "paid, and what came after it" {
		t.Errorf("the caller's memory holds %q", got)
	}
}

// TestNotificationTooLarge gives a plugin more than it may hold: the caller is told, and
// the plugin does not see a call without its body.
func TestNotificationTooLarge(t *testing.T) {
	t.Parallel()
	r := newRig(t, host.Source{Native: sdk.Native(probe.New())}, func(c *host.Config, _ *host.ConnectionConfig) {
		c.Limits.BlobBytes, c.Limits.ResponseBytes = 1024, 1024
	})
	_, err := r.conn.Notification(t.Context(), pay.NotificationRequest{Method: "POST", Path: "/x", Body: make([]byte, 1025)})
	if pay.ClassOf(err) != pay.ClassInvalidRequest || pay.AsError(err).Field != "body" {
		t.Errorf("error %v", err)
	}
}

// TestNotification checks an inbound call by the name of a key, over the exact
// bytes that came.
func TestNotification(t *testing.T) {
	t.Parallel()
	body := []byte("paid\x00 100500")
	mac := hmac.New(sha256.New, []byte(macKey))
	mac.Write(body)
	good := hex.EncodeToString(mac.Sum(nil))
	for name, source := range sources(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, source)
			note, err := r.conn.Notification(t.Context(), pay.NotificationRequest{Method: "POST", Body: body, Query: "forged"})
			if err != nil || note.Authenticity != pay.AuthenticityNone || note.Ack.Status != 401 {
				t.Errorf("forged: %+v, %v", note, err)
			}
			note, err = r.conn.Notification(t.Context(), pay.NotificationRequest{Method: "POST", Body: body, Query: good})
			if err != nil || note.Authenticity != pay.AuthenticityStrong || note.Ack.Status != 200 {
				t.Errorf("genuine: %+v, %v", note, err)
			}
			if len(r.requests()) != 0 {
				t.Errorf("requests %q", r.requests())
			}
		})
	}
}
