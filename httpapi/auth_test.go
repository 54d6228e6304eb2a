package httpapi_test

import (
	"strings"
	"testing"

	"github.com/payhost/payhost/httpapi"
)

// TestTokens asks every endpoint without a token, with a wrong one, and with each
// scope.
func TestTokens(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	for _, e := range endpoints() {
		name := e.method + " " + e.path
		for _, bad := range []string{"", "Bearer", "Bearer ", "Bearer nobody", "Bearer " + both + "x", "Bearer " + strings.ToUpper(both), "Token " + both, both} {
			w := send(api, e.request("Authorization: "+bad))
			if e.scope == "" {
				if w.Code != e.status {
					t.Errorf("%s without a token: %d", name, w.Code)
				}
				continue
			}
			if p := problem(t, w, 401); p["class"] != "unauthorized" || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("%s with %q: %v", name, bad, p)
			}
		}
		if e.scope != "" {
			f.untouched(t)
		}
		f.asked = nil
		for token, scope := range map[string]string{shop: "payments", admin: "admin"} {
			w := send(api, e.request("Authorization: bearer "+token))
			if e.scope == "" || e.scope == "any" || e.scope == scope {
				if w.Code != e.status {
					t.Errorf("%s with scope %s: %d %s", name, scope, w.Code, w.Body.String())
				}
				f.asked = nil
				continue
			}
			p := problem(t, w, 403)
			if p["class"] != "forbidden" || !strings.Contains(p["detail"].(string), e.scope) || !strings.Contains(w.Header().Get("WWW-Authenticate"), `scope="`+e.scope+`"`) {
				t.Errorf("%s with scope %s: %v", name, scope, p)
			}
			f.untouched(t)
		}
	}
}

// TestBasicForPages lets a browser in to the document, and to nothing else.
func TestBasicForPages(t *testing.T) {
	t.Parallel()
	api := serve(t, newFake(), nil)
	for path, status := range map[string]int{"/docs": 200, "/openapi.json": 200, "/v1/payments": 401, "/v1/plugins": 401} {
		req := request("GET", path, "")
		req.SetBasicAuth("anybody", admin)
		if w := send(api, req); w.Code != status {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := send(api, request("GET", "/docs", "", "Authorization:")); w.Code != 401 || !strings.Contains(strings.Join(w.Header().Values("WWW-Authenticate"), ";"), "Basic ") {
		t.Errorf("a browser is not asked: %v", w.Header())
	}
}

// TestSetTokens changes the tokens while the API is there.
func TestSetTokens(t *testing.T) {
	t.Parallel()
	api := serve(t, newFake(), func(c *httpapi.Config) { c.Tokens = nil })
	ask := func(token string) int {
		return send(api, request("GET", "/v1/payments", "", "Authorization: Bearer "+token)).Code
	}
	if ask(shop) != 401 || ask("") != 401 {
		t.Error("no token is configured, and one was let in")
	}
	payments := []httpapi.Scope{httpapi.ScopePayments}
	if err := api.SetTokens([]httpapi.Token{{Name: "a", Token: shop, Scopes: payments}}); err != nil {
		t.Fatal(err)
	}
	if ask(shop) != 200 {
		t.Error("the new token is refused")
	}
	for name, bad := range map[string][]httpapi.Token{
		"no name":       {{Token: shop, Scopes: payments}},
		"empty token":   {{Name: "a", Scopes: payments}},
		"token of two":  {{Name: "a", Token: "a b", Scopes: payments}},
		"not ASCII":     {{Name: "a", Token: "ключ", Scopes: payments}},
		"the engine's":  {{Name: "host", Token: shop, Scopes: payments}},
		"no scopes":     {{Name: "a", Token: shop}},
		"unknown scope": {{Name: "a", Token: shop, Scopes: []httpapi.Scope{"root"}}},
		"same name":     {{Name: "a", Token: shop, Scopes: payments}, {Name: "a", Token: admin, Scopes: payments}},
		"same token":    {{Name: "a", Token: shop, Scopes: payments}, {Name: "b", Token: shop, Scopes: payments}},
	} {
		if err := api.SetTokens(bad); err == nil || strings.Contains(err.Error(), shop) {
			t.Errorf("%s: error %v", name, err)
		}
		if ask(shop) != 200 {
			t.Errorf("%s: the old tokens are gone", name)
		}
	}
	if err := api.SetTokens(nil); err != nil || ask(shop) != 401 {
		t.Errorf("a token that was taken away is let in: %v", err)
	}
}

// TestNewRefuses wants a configuration that can't work to be refused.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]httpapi.Config{
		"no engine":    {},
		"bad token":    {Engine: newFake(), Tokens: []httpapi.Token{{}}},
		"limit":        {Engine: newFake(), Limits: httpapi.Limits{Body: -1}},
		"body timeout": {Engine: newFake(), Limits: httpapi.Limits{BodyTimeout: -1}},
	} {
		if _, err := httpapi.New(c); err == nil || !strings.HasPrefix(err.Error(), "httpapi: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := httpapi.New(httpapi.Config{Engine: newFake()}); err != nil {
		t.Errorf("an engine is not enough: %v", err)
	}
}
