package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
)

// TestProblem shows each kind of refusal as one line.
func TestProblem(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		kind, body, want string
		status           int
	}{
		"a problem": {
			"application/problem+json",
			`{"title":"Declined","detail":"declined","class":"declined","effect":"none","advice":"ask_payer",` +
				`"reason":"insufficient_funds","provider_code":"51"}`,
			"declined: declined [reason insufficient_funds, effect none, advice ask_payer, provider code 51]", 402,
		},
		"fields": {
			"application/problem+json",
			`{"detail":"amount: is missing","class":"invalid_request","field":"amount",` +
				`"errors":[{"field":"amount","message":"is missing"},{"field":"locale","message":"is long"}]}`,
			"invalid_request: amount: is missing; locale: is long", 422,
		},
		"a proxy's page": {"text/html", "<h1>Bad Gateway</h1>", "HTTP 502: <h1>Bad Gateway</h1>", 502},
		"nothing":        {"", "", "HTTP 503: Service Unavailable", 503},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.kind)
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			}))
			defer s.Close()
			c := client.Client{URL: s.URL}
			_, err := c.Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/"})
			var p *client.Problem
			if !errors.As(err, &p) || err.Error() != tt.want {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// TestRequest wants the key and the token sent, and each request once.
func TestRequest(t *testing.T) {
	t.Parallel()
	calls := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if r.Header.Get("Idempotency-Key") != "k-1" || r.Header.Get("Authorization") != "Bearer t-1" || r.URL.RawQuery != "" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		panic(http.ErrAbortHandler) // the answer is lost
	}))
	defer s.Close()
	c := client.Client{URL: s.URL + "/", Token: "t-1"}
	_, err := c.Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/v1/payments", Key: "k-1", Body: map[string]string{}})
	if err == nil || strings.Contains(err.Error(), "t-1") || calls != 1 {
		t.Errorf("%d calls, error %v", calls, err)
	}
}

// TestRedirect does not follow a redirect: what was asked for would become a GET, whose
// answer says nothing of it, and the token would go where nobody meant it to.
func TestRedirect(t *testing.T) {
	t.Parallel()
	calls := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if r.URL.Path == "/v1/payments" {
			http.Redirect(w, r, "/there", http.StatusMovedPermanently)
			return
		}
		fmt.Fprint(w, "{}")
	}))
	defer s.Close()
	c := client.Client{URL: s.URL, Token: "t-1"}
	_, err := c.Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/v1/payments", Key: "k-1", Body: map[string]string{}})
	if err == nil || !strings.Contains(err.Error(), "redirects to /there") || calls != 1 {
		t.Errorf("%d calls, error %v", calls, err)
	}
}

// TestURL shows no password of a URL, whether it can be used or not.
func TestURL(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"http://user:pass-word@127.0.0.1:1": "GET http://user:xxxxx@127.0.0.1:1: ",
		"http://user:pass-word@127.0.0.1:x": "url: is not an absolute URL of http or https",
		"http://user:pass-w#ord@127.0.0.1":  "url: is not an absolute URL of http or https",
		"127.0.0.1:8080":                    "url: is not an absolute URL of http or https",
		"ftp://127.0.0.1":                   "url: is not an absolute URL of http or https",
	} {
		c := client.Client{URL: address}
		_, err := c.Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/"})
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "pass-w") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
