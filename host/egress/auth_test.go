package egress_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/host/vault"
)

// Invented secrets.
const (
	testUser  = "merchant-4711"
	testPass  = "Tr0ub4dor&3/+="
	testToken = "static-token-a8f3e1"
	testHMAC  = "shared-hmac-key-for-tests-0123456789"
)

func testVault() vault.Config {
	return vault.Config{
		Secrets: map[string]vault.Secret{
			"user": vault.NewSecret(testUser), "pass": vault.NewSecret(testPass),
			"token": vault.NewSecret(testToken), "torn": vault.NewSecret("two\r\nlines-here"),
			"colon": vault.NewSecret("with:colon-in-it"),
		},
		Keys: map[string]vault.KeyConfig{
			"hook": {Secret: vault.NewSecret(testHMAC), Algorithms: []vault.Algorithm{vault.HS256}},
		},
	}
}

func TestAuthSlots(t *testing.T) {
	t.Parallel()
	mac := hmac.New(sha256.New, []byte(testHMAC))
	mac.Write([]byte("POST\n/pay\n1"))
	sum := mac.Sum(nil)
	signing := func(name, prefix string, encoding egress.Encoding) *egress.Auth {
		return &egress.Auth{
			Kind: egress.HMAC, Key: "hook", Algorithm: vault.HS256, Name: name, Prefix: prefix,
			Encoding: encoding, Message: []byte("POST\n/pay\n1"),
		}
	}
	for name, tc := range map[string]struct {
		auth         *egress.Auth
		header, want string
	}{
		"basic": {
			&egress.Auth{Kind: egress.Basic, User: "user", Pass: "pass"}, "Authorization",
			"Basic " + base64.StdEncoding.EncodeToString([]byte(testUser+":"+testPass)),
		},
		"bearer": {&egress.Auth{Kind: egress.Bearer, Secret: "token"}, "Authorization", "Bearer " + testToken},
		"header": {&egress.Auth{Kind: egress.Header, Name: "x-api-key", Secret: "token"}, "X-Api-Key", testToken},
		"header with a prefix": {
			&egress.Auth{Kind: egress.Header, Prefix: "Token ", Secret: "token"},
			"Authorization", "Token " + testToken,
		},
		"hmac hex":       {signing("X-Signature", "sha256=", egress.Hex), "X-Signature", "sha256=" + hex.EncodeToString(sum)},
		"hmac base64":    {signing("", "HMAC ", egress.Base64), "Authorization", "HMAC " + base64.StdEncoding.EncodeToString(sum)},
		"hmac base64url": {signing("X-S", "", egress.Base64URL), "X-S", base64.RawURLEncoding.EncodeToString(sum)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(t, nil, say(ok("fine")))
			c := open(t, w.URL, holding(t, testVault()))
			r := pay(w.URL, "/pay")
			r.Auth = tc.auth
			mustDo(t, c, r)
			if got := w.all("")[0].header.Get(tc.header); got != tc.want {
				t.Errorf("%s: %q; want %q", tc.header, got, tc.want)
			}
		})
	}
}

func TestFormSecrets(t *testing.T) {
	t.Parallel()
	w := serve(t, nil, say(ok("fine")))
	c := open(t, w.URL, holding(t, testVault()))
	for _, body := range []string{"", "amount=100&note=a%26b"} {
		r := pay(w.URL, "/pay")
		r.Body = []byte(body)
		r.Header = []egress.Field{{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}}
		r.FormSecrets = []egress.FormSecret{{"login", "user"}, {"pass word", "pass"}}
		mustDo(t, c, r)
		if string(r.Body) != body {
			t.Errorf("the request was changed: %q", r.Body)
		}
	}
	saw := w.all("")
	want := "login=merchant-4711&pass+word=" + url.QueryEscape(testPass)
	if saw[0].body != want || saw[1].body != "amount=100&note=a%26b&"+want {
		t.Errorf("bodies: %q, %q", saw[0].body, saw[1].body)
	}
}

// TestSecretsStayWhereTheyBelong: what a plugin asks for and the operator didn't grant never leaves.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	w := serve(t, nil, say(ok("fine")))
	other := serve(t, nil, say(ok("fine")))
	c := open(t, w.URL, holding(t, testVault()), func(c *egress.Config) {
		c.Allow = append(c.Allow, origin(t, other.URL))
		pay := c.Allow[0]
		pay.PathPrefix, pay.Methods = "/pay", []string{"POST"}
		c.SecretBindings["token"] = egress.SecretBinding{
			Slots: []string{"header:X-Api-Key", "form:api_key"}, Rules: []egress.Rule{pay},
		}
		delete(c.SecretBindings, "user")
	})
	form := []egress.Field{{"Content-Type", "application/x-www-form-urlencoded"}}
	key := func(a egress.Auth) *egress.Auth {
		a.Kind = egress.HMAC
		return &a
	}
	for name, edit := range map[string]func(*egress.Request){
		"another slot":    func(r *egress.Request) { r.Auth = &egress.Auth{Kind: egress.Bearer, Secret: "token"} },
		"another header":  func(r *egress.Request) { r.Auth = &egress.Auth{Kind: egress.Header, Name: "X-Other", Secret: "token"} },
		"a host's header": func(r *egress.Request) { r.Auth = &egress.Auth{Kind: egress.Header, Name: "Host", Secret: "pass"} },
		"a torn header":   func(r *egress.Request) { r.Auth = &egress.Auth{Kind: egress.Header, Name: "X\r\nY", Secret: "pass"} },
		"a torn prefix":   func(r *egress.Request) { r.Auth = &egress.Auth{Kind: egress.Header, Prefix: "a\nb", Secret: "pass"} },
		"a torn secret":   func(r *egress.Request) { r.Auth = &egress.Auth{Kind: egress.Bearer, Secret: "torn"} },
		"another host": func(r *egress.Request) {
			r.URL, r.Auth = other.URL+"/pay", &egress.Auth{Kind: egress.Bearer, Secret: "pass"}
		},
		"another path":     func(r *egress.Request) { r.URL, r.Auth = w.URL+"/echo", apiKey("token") },
		"another method":   func(r *egress.Request) { r.Method, r.Auth = "PUT", apiKey("token") },
		"not granted":      func(r *egress.Request) { r.Auth = &egress.Auth{Kind: egress.Basic, User: "user", Pass: "pass"} },
		"unknown":          func(r *egress.Request) { r.Auth = apiKey("root") },
		"empty name":       func(r *egress.Request) { r.Auth = apiKey("") },
		"colon in a user":  func(r *egress.Request) { r.Auth = &egress.Auth{Kind: egress.Basic, User: "colon", Pass: "pass"} },
		"header given too": func(r *egress.Request) { r.Auth = apiKey("token"); r.Header = []egress.Field{{"x-api-key", "mine"}} },
		"another field": func(r *egress.Request) {
			r.Header = form
			r.Body = nil
			r.FormSecrets = []egress.FormSecret{{"note", "token"}}
		},
		"field twice": func(r *egress.Request) {
			r.Header = form
			r.Body = []byte("api_key=x")
			r.FormSecrets = []egress.FormSecret{{"api_key", "token"}}
		},
		"field two times": func(r *egress.Request) {
			r.Header = form
			r.Body = nil
			r.FormSecrets = []egress.FormSecret{{"api_key", "token"}, {"api_key", "token"}}
		},
		"not a form": func(r *egress.Request) { r.FormSecrets = []egress.FormSecret{{"api_key", "token"}} },
		"a broken form": func(r *egress.Request) {
			r.Header = form
			r.Body = []byte("a=%zz")
			r.FormSecrets = []egress.FormSecret{{"api_key", "token"}}
		},
		"unknown key": func(r *egress.Request) {
			r.Auth = key(egress.Auth{Key: "root", Algorithm: vault.HS256, Encoding: egress.Hex})
		},
		"another algorithm": func(r *egress.Request) {
			r.Auth = key(egress.Auth{Key: "hook", Algorithm: vault.HS512, Encoding: egress.Hex})
		},
		"no encoding":     func(r *egress.Request) { r.Auth = key(egress.Auth{Key: "hook", Algorithm: vault.HS256}) },
		"unknown profile": func(r *egress.Request) { r.Auth = &egress.Auth{Kind: egress.OAuth2, Profile: "main"} },
	} {
		t.Run(name, func(t *testing.T) {
			r := pay(w.URL, "/pay")
			edit(r)
			e, _ := mustFail(t, c, r, egress.Refused, egress.NotSent)
			for _, secret := range []string{testPass, testToken, testHMAC, "lines-here"} {
				if strings.Contains(e.Error(), secret) {
					t.Errorf("the error tells the secret: %v", e)
				}
			}
		})
	}
	if got := len(w.all("")) + len(other.all("")); got != 0 {
		t.Errorf("%d requests were sent", got)
	}

	granted := pay(w.URL, "/pay")
	granted.Auth = apiKey("token")
	granted.Header, granted.Body = form, nil
	granted.FormSecrets = []egress.FormSecret{{"api_key", "token"}}
	mustDo(t, c, granted)
}

func apiKey(secret string) *egress.Auth {
	return &egress.Auth{Kind: egress.Header, Name: "X-API-Key", Secret: secret}
}

// TestReflection: an answer that holds a secret in any dress is withheld; the journal still says that there
// was one.
func TestReflection(t *testing.T) {
	t.Parallel()
	basic := base64.StdEncoding.EncodeToString([]byte(testUser + ":" + testPass))
	mac := hmac.New(sha256.New, []byte(testHMAC))
	mac.Write([]byte("m"))
	signature := hex.EncodeToString(mac.Sum(nil))
	bearer := &egress.Auth{Kind: egress.Bearer, Secret: "token"}
	for name, tc := range map[string]struct {
		auth   *egress.Auth
		answer string
		found  bool
	}{
		"plain in the body":    {bearer, ok(`{"you":"` + testToken + `"}`), true},
		"in a header":          {bearer, answer(200, "", "X-Echo: "+testToken), true},
		"in an error's body":   {bearer, answer(500, "bad token "+testToken), true},
		"in a redirect":        {bearer, answer(302, "", "Location: https://pay.example/?t="+testToken), true},
		"base64":               {bearer, ok(base64.StdEncoding.EncodeToString([]byte("x" + testToken + "y"))), true},
		"URL-encoded":          {bearer, ok(url.QueryEscape(testPass)), true},
		"one not used":         {nil, ok(testPass), true},
		"gzipped":              {bearer, answer(200, zipped(t, testToken), "Content-Encoding: gzip"), true},
		"composed credentials": {&egress.Auth{Kind: egress.Basic, User: "user", Pass: "pass"}, ok("Basic " + basic), true},
		"signature": {&egress.Auth{
			Kind: egress.HMAC, Key: "hook", Algorithm: vault.HS256, Name: "X-S",
			Encoding: egress.Hex, Message: []byte("m"),
		}, ok(signature), true},
		"nothing": {bearer, ok(`{"paid":true}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(t, nil, say(tc.answer))
			c := open(t, w.URL, holding(t, testVault()))
			r := keyed(w.URL) // a reflected answer must not be repeated either
			r.Auth = tc.auth
			if !tc.found {
				mustDo(t, c, r)
				return
			}
			e, x := mustFail(t, c, r, egress.Reflected, egress.Answered)
			if x.Status == 0 || x.Attempts[0].Phase != egress.Done || len(w.all("")) != 1 {
				t.Errorf("journal: %+v", x)
			}
			for _, text := range []string{e.Error(), x.String(), fmt.Sprintf("%+v", x)} {
				for _, secret := range []string{testToken, testPass, basic, signature} {
					if strings.Contains(text, secret) {
						t.Errorf("%q tells the secret", text)
					}
				}
			}
		})
	}
}

// TestErrorsTellNothing: no error names an address or quotes what came over the wire.
func TestErrorsTellNothing(t *testing.T) {
	t.Parallel()
	for name, handle := range map[string]func(net.Conn, seen) bool{
		"not HTTP": sayAndClose("HTTP/9.9 internal-db-7 secret-word\r\n\r\n"),
		"header":   sayAndClose("HTTP/1.1 200 OK\r\nsecret-word\r\n\r\n"),
		"chunk":    sayAndClose(chunked("secret-word\r\n")),
		"reset":    func(c net.Conn, _ seen) bool { reset(c); return false },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(t, nil, handle)
			c := open(t, w.URL)
			_, _, err := c.Do(t.Context(), pay(w.URL, "/pay?order=1"))
			for _, word := range []string{"secret-word", "127.0.0.1", "read tcp", "net/http", "order"} {
				if err == nil || strings.Contains(err.Error(), word) {
					t.Errorf("error: %v", err)
				}
			}
		})
	}
}
