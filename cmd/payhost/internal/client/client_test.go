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
