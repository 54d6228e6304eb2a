package egress_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/host/vault"
)

// issuer is a provider with a token endpoint: it gives out token-1, token-2 … and refuses all but the latest.
type issuer struct {
	*wire
	fetches atomic.Int32
	gate    chan struct{}               // not nil: a fetch waits for it
	answer  func(n int32) (text string) // the token endpoint's
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	s := &issuer{answer: func(n int32) string {
		return ok(fmt.Sprintf(`{"error_code":0,"data":{"token_type":"bearer","token":%q,"expire_in":100}}`, token(n)))
	}}
	s.wire = &wire{handle: func(c net.Conn, r seen) bool {
		text := answer(401, "")
		switch {
		case r.path == "/token":
			n := s.fetches.Add(1)
			if s.gate != nil {
				<-s.gate
			}
			text = s.answer(n)
		case r.header.Get("Authorization") == "Bearer "+token(s.fetches.Load()):
			text = ok("fine")
		}
		_, err := io.WriteString(c, text)
		return err == nil
	}}
	s.start(t)
	return s
}

func token(n int32) string { return fmt.Sprintf("access-token-number-%d", n) }

// rahmetLike is a profile of the shape that one provider has.
func rahmetLike(base string) egress.OAuth2Profile {
	return egress.OAuth2Profile{
		TokenURL: base + "/token", ClientIDSecret: "user", ClientSecretSecret: "pass",
		TokenPath: "data.token", ExpiresPath: "data.expire_in", TypePath: "data.token_type",
		ErrorPath: "error_code", ErrorOK: "0",
	}
}

func (s *issuer) open(t testing.TB, edits ...func(*egress.OAuth2Profile, *egress.Config)) *egress.Client {
	t.Helper()
	return open(t, s.URL, holding(t, testVault()), func(c *egress.Config) {
		p := rahmetLike(s.URL)
		for _, edit := range edits {
			edit(&p, c)
		}
		c.OAuth2 = map[string]egress.OAuth2Profile{"main": p}
	})
}

func (s *issuer) request() *egress.Request {
	r := pay(s.URL, "/pay")
	r.Auth = &egress.Auth{Kind: egress.OAuth2, Profile: "main"}
	return r
}

func TestTokenRequest(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		edit          func(*egress.OAuth2Profile, *egress.Config)
		authorization string
		form          url.Values
	}{
		"form": {
			func(p *egress.OAuth2Profile, _ *egress.Config) {
				p.Scope, p.ExtraForm = "pay refund", url.Values{"audience": {"a b"}}
			}, "",
			url.Values{
				"grant_type": {"client_credentials"}, "client_id": {testUser}, "client_secret": {testPass},
				"scope": {"pay refund"}, "audience": {"a b"},
			},
		},
		"basic": {
			func(p *egress.OAuth2Profile, _ *egress.Config) { p.Style = egress.BasicStyle },
			"Basic bWVyY2hhbnQtNDcxMTpUcjB1YjRkb3IlMjYzJTJGJTJCJTNE",
			url.Values{"grant_type": {"client_credentials"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newIssuer(t)
			c := s.open(t, tc.edit)
			resp, x, err := c.Do(t.Context(), s.request())
			if err != nil || resp.TokenGeneration != 1 {
				t.Fatalf("%+v, %v", resp, err)
			}
			if x.Token == nil || x.Token.Evidence != egress.Answered || len(x.Attempts) != 1 {
				t.Errorf("journal: %+v", x)
			}
			saw := s.all("/token")[0]
			got, err := url.ParseQuery(saw.body)
			if err != nil || got.Encode() != tc.form.Encode() || saw.method != "POST" {
				t.Errorf("token request: %s %q", saw.method, saw.body)
			}
			if saw.header.Get("Authorization") != tc.authorization {
				t.Errorf("Authorization: %q", saw.header.Get("Authorization"))
			}
		})
	}
}

// TestOneFetchForAll: fifty calls that need a token at once make one token request, also when the one that
// began it gives up.
func TestOneFetchForAll(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	s.gate = make(chan struct{})
	c := s.open(t)

	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	go func() {
		_, x, err := c.Do(ctx, s.request())
		if x.Evidence != egress.NotSent {
			err = fmt.Errorf("evidence %s", x.Evidence)
		}
		gaveUp <- err
	}()
	eventually(t, func() bool { return s.fetches.Load() == 1 })

	var wg sync.WaitGroup
	var waiting atomic.Int32
	for range 50 {
		wg.Go(func() {
			waiting.Add(1)
			if resp, x, err := c.Do(t.Context(), s.request()); err != nil || resp.Status != 200 {
				t.Errorf("%v: %v", x, err)
			}
		})
	}
	eventually(t, func() bool { return waiting.Load() == 50 })
	cancel()
	if err := <-gaveUp; err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("the one that gave up: %v", err)
	}
	close(s.gate)
	wg.Wait()
	if got := s.fetches.Load(); got != 1 {
		t.Errorf("%d fetches; want 1", got)
	}
}

// TestWaitersTakeNoSlots: calls that wait for a token must leave room for the token request.
func TestWaitersTakeNoSlots(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	c := s.open(t, func(_ *egress.OAuth2Profile, c *egress.Config) { c.Limits.Concurrent = 1 })
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { mustDo(t, c, s.request()) })
	}
	wg.Wait()
}

func TestTokenLifetime(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		expires string
		lives   time.Duration
	}{
		"number":     {`100`, 90 * time.Second},
		"string":     {`"100"`, 90 * time.Second},
		"short":      {`12`, 6 * time.Second},
		"absent":     {`null`, 290 * time.Second},
		"zero":       {`0`, 290 * time.Second},
		"negative":   {`-5`, 290 * time.Second},
		"fraction":   {`1e9`, 290 * time.Second},
		"endless":    {`999999999999`, 24*time.Hour - 10*time.Second},
		"an object":  {`{}`, 290 * time.Second},
		"not a time": {`"soon"`, 290 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newIssuer(t)
			s.answer = func(n int32) string {
				return ok(fmt.Sprintf(`{"error_code":"0","data":{"token":%q,"expire_in":%s}}`, token(n), tc.expires))
			}
			var now atomic.Int64
			began := time.Now()
			c := s.open(t, func(p *egress.OAuth2Profile, c *egress.Config) {
				p.Leeway = 10 * time.Second
				c.Now = func() time.Time { return began.Add(time.Duration(now.Load())) }
			})
			for _, step := range []struct {
				at      time.Duration
				fetches int32
			}{{0, 1}, {tc.lives - 1, 1}, {tc.lives, 2}} {
				now.Store(int64(step.at))
				if resp := mustDo(t, c, s.request()); resp.Status != 200 {
					t.Fatalf("status %d", resp.Status)
				}
				if got := s.fetches.Load(); got != step.fetches {
					t.Errorf("%d fetches after %s; want %d", got, step.at, step.fetches)
				}
			}
		})
	}
}

// TestSameTokenAgain: a provider may answer with the token that it gave before. That is no reflection.
func TestSameTokenAgain(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	s.answer = func(int32) string { return ok(`{"data":{"token":"access-token-number-1","expire_in":100}}`) }
	var late atomic.Bool
	c := s.open(t, func(_ *egress.OAuth2Profile, c *egress.Config) {
		c.Now = func() time.Time {
			if late.Load() {
				return time.Now().Add(time.Hour)
			}
			return time.Now()
		}
	})
	mustDo(t, c, s.request())
	late.Store(true)
	if resp := mustDo(t, c, s.request()); resp.TokenGeneration != 2 {
		t.Errorf("generation %d", resp.TokenGeneration)
	}
}

// TestRenewal: a refused token is replaced once, by however many calls that met the refusal, and by no other
// call.
func TestRenewal(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	c := s.open(t)
	mustDo(t, c, s.request())
	s.fetches.Add(1) // the provider revokes token 1: only the next is good

	resp := mustDo(t, c, s.request())
	if resp.Status != 401 || resp.TokenGeneration != 1 || len(s.all("/token")) != 1 {
		t.Fatalf("a refusal must reach the caller and start nothing: %+v", resp)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			r := s.request()
			r.Auth.RenewGeneration = 1
			// Told to renew token 1, whoever comes late finds token 2 and keeps it.
			if resp := mustDo(t, c, r); resp.Status != 200 || resp.TokenGeneration != 2 {
				t.Errorf("after renewal: %d, generation %d", resp.Status, resp.TokenGeneration)
			}
		})
	}
	wg.Wait()
	late := s.request()
	late.Auth.RenewGeneration = 1
	mustDo(t, c, late)
	if got := len(s.all("/token")); got != 2 {
		t.Errorf("%d token requests; want 2", got)
	}
}

func TestTokenFailures(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer string
		kind   egress.Kind
		code   string
	}{
		"envelope error, 200": {ok(`{"error_code":4,"status":"error","message":"x","data":null}`), egress.AuthFailed, "4"},
		"envelope error, 401": {answer(401, `{"error_code":4}`), egress.AuthFailed, "4"},
		"envelope error, 500": {answer(500, `{"error_code":500}`), egress.NoToken, "http_500"},
		"status alone":        {answer(403, `<html>`), egress.AuthFailed, "http_403"},
		"rate limit":          {answer(429, ``), egress.NoToken, "http_429"},
		"bad gateway":         {answer(502, `<html>`), egress.NoToken, "http_502"},
		"long code":           {ok(`{"error_code":"` + strings.Repeat("x", 65) + `"}`), egress.AuthFailed, ""},
		"code with text":      {ok(`{"error_code":"no such client: 10.0.0.1"}`), egress.AuthFailed, ""},
		"code is a secret":    {ok(`{"error_code":"` + testUser + `"}`), egress.AuthFailed, ""},
		"not JSON":            {ok(`<html>`), egress.NoToken, ""},
		"empty":               {ok(``), egress.NoToken, ""},
		"no token":            {ok(`{"error_code":0,"data":{}}`), egress.NoToken, ""},
		"token not a string":  {ok(`{"error_code":0,"data":{"token":5}}`), egress.NoToken, ""},
		"token with a line":   {ok(`{"error_code":0,"data":{"token":"a\r\nX: y"}}`), egress.NoToken, ""},
		"another type":        {ok(`{"error_code":0,"data":{"token":"abcdefghij","token_type":"mac"}}`), egress.NoToken, ""},
		"lost":                {"", egress.NoToken, ""},
		"cut":                 {"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{", egress.NoToken, ""},
		"redirect":            {answer(302, "", "Location: https://evil.example/"), egress.NoToken, "http_302"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newIssuer(t)
			whole := s.handle
			s.handle = func(c net.Conn, r seen) bool {
				return whole(c, r) && !strings.HasPrefix(tc.answer, "HTTP/1.1 200 OK\r\nContent-Length: 90") && tc.answer != ""
			}
			s.answer = func(int32) string { return tc.answer }
			c := s.open(t)
			e, x := mustFail(t, c, s.request(), tc.kind, egress.NotSent)
			if e.Code != tc.code {
				t.Errorf("code %q; want %q", e.Code, tc.code)
			}
			if len(x.Attempts) != 0 || len(s.all("/pay")) != 0 {
				t.Error("the request left without a token")
			}
			if x.Token == nil || len(x.Token.Attempts) == 0 {
				t.Error("the journal lacks the token request")
			}
			if strings.Contains(e.Error(), testUser) || strings.Contains(e.Error(), testPass) {
				t.Errorf("the error tells a secret: %v", e)
			}
		})
	}
}

// TestTokenStaysWhereItBelongs: a token goes to the origin of its endpoint, or where the profile says, only.
func TestTokenStaysWhereItBelongs(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	other := serve(t, nil, say(ok("fine")))
	for _, granted := range []bool{false, true} {
		c := s.open(t, func(p *egress.OAuth2Profile, c *egress.Config) {
			c.Allow = append(c.Allow, origin(t, other.URL))
			if granted {
				p.Audience = []egress.Rule{origin(t, other.URL)}
			}
		})
		here, there := s.request(), s.request()
		there.URL = other.URL + "/pay"
		if granted {
			here, there = there, here
		}
		mustDo(t, c, here)
		mustFail(t, c, there, egress.Refused, egress.NotSent)
	}
}

func TestTokenReflected(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	whole := s.handle
	s.handle = func(c net.Conn, r seen) bool {
		if r.path == "/pay" {
			return say(ok("your token is "+token(1)))(c, r)
		}
		return whole(c, r)
	}
	var scrubber *vault.Scrubber
	c := s.open(t, func(_ *egress.OAuth2Profile, c *egress.Config) { scrubber = c.Scrubber })
	mustFail(t, c, s.request(), egress.Reflected, egress.Answered)
	if got := scrubber.Mask("token " + token(1)); strings.Contains(got, token(1)) {
		t.Errorf("the scrubber was not told of the token: %q", got)
	}
}

func TestCredentialsNeedTheirSlot(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	c := s.open(t, func(_ *egress.OAuth2Profile, c *egress.Config) {
		c.SecretBindings["pass"] = egress.SecretBinding{Slots: []string{"bearer"}, Rules: c.Allow}
	})
	mustFail(t, c, s.request(), egress.Refused, egress.NotSent)
	if s.fetches.Load() != 0 {
		t.Error("the credentials were sent")
	}
}
