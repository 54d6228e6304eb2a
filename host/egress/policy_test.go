package egress_test

import (
	"strings"
	"testing"

	"github.com/payhost/payhost/host/egress"
)

func TestAllowList(t *testing.T) {
	t.Parallel()
	w := serve(t, nil, say(ok("fine")))
	home := origin(t, w.URL)
	c := open(t, w.URL, func(c *egress.Config) {
		api, pay := home, home
		api.PathPrefix, api.Methods = "/api", []string{"GET"}
		pay.PathPrefix, pay.Methods = "/pay/", []string{"POST", "GET"}
		c.Allow = []egress.Rule{api, pay}
	})
	cases := []struct {
		method, url string
		allowed     bool
	}{
		{"GET", w.URL + "/api", true},
		{"GET", w.URL + "/api/", true},
		{"GET", w.URL + "/api/x?y=z", true},
		{"GET", w.URL + "/%61pi/x", true}, // the same path, spelled otherwise
		{"POST", w.URL + "/pay/1", true},
		{"GET", w.URL + "/pay/", true},
		{"POST", w.URL + "/api", false},
		{"HEAD", w.URL + "/api", false},
		{"GET", w.URL + "/apix", false},
		{"GET", w.URL + "/API", false},
		{"GET", w.URL + "/pay", false},
		{"GET", w.URL + "/", false},
		{"GET", w.URL + "/api/../pay2", false},
		{"GET", strings.Replace(w.URL, "http:", "https:", 1) + "/api", false},
		{"GET", "http://127.0.0.1/api", false},
		{"GET", "http://localhost:" + w.URL[strings.LastIndex(w.URL, ":")+1:] + "/api", false},
		{"get", w.URL + "/api", false},
		{"", w.URL + "/api", false},
		{"GET /api HTTP/1.1\r\nX: y", w.URL + "/api", false},
		{"CONNECT", w.URL + "/api", false},
		{"TRACE", w.URL + "/api", false},
	}
	for _, tc := range cases {
		r := &egress.Request{Method: tc.method, URL: tc.url, Effect: egress.Read}
		if tc.allowed {
			mustDo(t, c, r)
			continue
		}
		_, x := mustFail(t, c, r, egress.Refused, egress.NotSent)
		if len(x.Attempts) != 0 {
			t.Errorf("%s %s: %d attempts", tc.method, tc.url, len(x.Attempts))
		}
	}
	if got := len(w.all("")); got != 6 {
		t.Errorf("the server saw %d requests; want the 6 that are allowed", got)
	}
}

func TestHeaderRules(t *testing.T) {
	t.Parallel()
	w := serve(t, nil, say(ok("fine")))
	c := open(t, w.URL, func(c *egress.Config) { c.Limits.Headers, c.Limits.HeaderBytes = 5, 2000 })
	for _, name := range []string{
		"Host", "host", "Content-Length", "Transfer-Encoding", "TE", "Trailer", "Connection", "Keep-Alive", "Upgrade",
		"Proxy-Authorization", "proxy-connection", "Expect", "Accept-Encoding", "HTTP2-Settings",
		"", "X Y", "X:", "X\r\nY", "Ключ", "X\x00",
	} {
		r := get(w.URL, "/")
		r.Header = []egress.Field{{Name: name, Value: "v"}}
		mustFail(t, c, r, egress.Refused, egress.NotSent)
	}
	for _, value := range []string{"a\r\nX: y", "a\n", "a\rb", "\x00", "a\x7f", "a\x1bb"} {
		r := get(w.URL, "/")
		r.Header = []egress.Field{{Name: "X-Note", Value: value}}
		mustFail(t, c, r, egress.Refused, egress.NotSent)
	}
	for name, fields := range map[string][]egress.Field{
		"two types": {{"Content-Type", "a/b"}, {"content-type", "c/d"}},
		"two keys":  {{"Idempotency-Key", "a"}, {"Idempotency-Key", "b"}},
		"many":      {{"A", ""}, {"B", ""}, {"C", ""}, {"D", ""}, {"E", ""}, {"F", ""}},
		"large":     {{"X-Note", strings.Repeat("x", 2000)}},
	} {
		r := get(w.URL, "/")
		r.Header = fields
		if _, _, err := c.Do(t.Context(), r); err == nil {
			t.Errorf("%s: allowed", name)
		}
	}
	if saw := w.all(""); len(saw) != 0 {
		t.Fatalf("the server saw %v", saw)
	}

	r := get(w.URL, "/")
	r.Header = []egress.Field{{"X-Many", "1"}, {"x-many", "2"}, {"Cookie", "a=b"}, {"X-Name", "Zażółć"}}
	mustDo(t, c, r)
	header := w.all("")[0].header
	if got := header.Values("X-Many"); len(got) != 2 || got[0] != "1" || got[1] != "2" {
		t.Errorf("X-Many: %q", got)
	}
	for name, want := range map[string]string{
		"Cookie": "a=b", "X-Name": "Zażółć", "User-Agent": "payhost/1", "Accept-Encoding": "gzip",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q; want %q", name, got, want)
		}
	}
}

func TestRequestRules(t *testing.T) {
	t.Parallel()
	w := serve(t, nil, say(ok("fine")))
	c := open(t, w.URL, func(c *egress.Config) { c.Limits.RequestBytes = 100 })
	for name, edit := range map[string]func(*egress.Request){
		"body too large":         func(r *egress.Request) { r.Body = make([]byte, 101) },
		"money repeated as read": func(r *egress.Request) { r.Retry = egress.RepeatRead },
		"key not given":          func(r *egress.Request) { r.Retry = egress.SameKey },
		"key not carried":        func(r *egress.Request) { r.Retry, r.Key = egress.SameKey, "k-77" },
		"unknown class":          func(r *egress.Request) { r.Retry = 9 },
		"unknown effect":         func(r *egress.Request) { r.Effect = 9 },
		"unknown identity":       func(r *egress.Request) { r.Identity = "till" },
		"unknown auth":           func(r *egress.Request) { r.Auth = &egress.Auth{Kind: "digest"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := pay(w.URL, "/pay")
			edit(r)
			mustFail(t, c, r, egress.Refused, egress.NotSent)
		})
	}
	t.Cleanup(func() {
		if saw := w.all(""); len(saw) != 0 {
			t.Errorf("the server saw %v", saw)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	rule := egress.Rule{Host: "pay.example"}
	profile := func(url string, edit func(*egress.OAuth2Profile)) egress.Config {
		p := egress.OAuth2Profile{TokenURL: url}
		if edit != nil {
			edit(&p)
		}
		return egress.Config{Allow: []egress.Rule{rule}, OAuth2: map[string]egress.OAuth2Profile{"p": p}}
	}
	for want, config := range map[string]egress.Config{
		"allow[0].scheme":             {Allow: []egress.Rule{{Scheme: "ftp", Host: "pay.example"}}},
		"allow[1].host":               {Allow: []egress.Rule{rule, {Host: "*.example"}}},
		"allow[0].methods[1]":         {Allow: []egress.Rule{{Host: "a", Methods: []string{"GET", "post"}}}},
		"allow[0].path_prefix":        {Allow: []egress.Rule{{Host: "a", PathPrefix: "/a/../b"}}},
		"limits.headers":              {Limits: egress.Limits{Headers: -1}},
		"retry.max_wait":              {Retry: egress.Retrying{MinWait: 10, MaxWait: 5}},
		"secret_bindings.s.slots":     {SecretBindings: map[string]egress.SecretBinding{"s": {Slots: []string{"url"}}}},
		"identity_bindings.i[0].host": {IdentityBindings: map[string][]egress.Rule{"i": {{}}}},
		"oauth2.p.token_url: is not":  profile("https://other.example/token", nil),
		"oauth2.p.token_url: the":     profile("ftp://pay.example/token", nil),
		"oauth2.p.style": profile("https://pay.example/token", func(p *egress.OAuth2Profile) {
			p.Style = "header"
		}),
		"oauth2.p.audience[0].host": profile("https://pay.example/token", func(p *egress.OAuth2Profile) {
			p.Audience = []egress.Rule{{}}
		}),
	} {
		c, err := egress.New(config)
		if err == nil {
			c.Close()
			t.Errorf("%s: no error", want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not name %s", err, want)
		}
	}
}
