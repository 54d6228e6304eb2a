package smartpay_test

import (
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/payhost/payhost/conformance/sim/qrcode"
	"github.com/payhost/payhost/conformance/sim/smartpay"
)

func page(t *testing.T, srv *smartpay.Server, user string) string {
	t.Helper()
	status, body, header := browse(t, "GET", srv.ControlURL()+"/payer?"+url.Values{"user": {user}}.Encode(), nil)
	if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/html") {
		t.Fatalf("/payer: HTTP %d %s: %s", status, header.Get("Content-Type"), body)
	}
	if !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("content security policy %q", header.Get("Content-Security-Policy"))
	}
	if header.Get("Cache-Control") != "no-store" {
		t.Errorf("the page may be cached: %q", header.Get("Cache-Control"))
	}
	return body
}

// find returns what a pattern's group matches in a page, without HTML escapes.
func find(t *testing.T, page, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(page)
	if match == nil {
		t.Fatalf("%s is not in %s", pattern, page)
	}
	return html.UnescapeString(match[1])
}

func TestPayerPageShowsAFreshCode(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	first, second := page(t, srv, "bob"), page(t, srv, "bob")
	code := find(t, first, `<pre id="code">([^<]*)</pre>`)
	if again := find(t, second, `<pre id="code">([^<]*)</pre>`); again == code {
		t.Error("a reload shows the same code")
	}
	id := till.commit("K", code)
	if _, d := details(t, srv, id); d["user"] != "bob" {
		t.Errorf("the code is of %v, want bob", d["user"])
	}
	picture, err := base64.StdEncoding.DecodeString(find(t, first, `src="data:image/png;base64,([^"]*)"`))
	must(t, err)
	want, err := qrcode.PNG(code, 424)
	must(t, err)
	if string(picture) != string(want) {
		t.Error("the picture is not the code's")
	}
	find(t, first, `(<meta http-equiv="refresh" content="60">)`)
	find(t, first, `(<form method="get" action="/payer"><input type="hidden" name="user" value="bob">)`)
	find(t, first, `(<button type="submit" class="primary">New code</button>)`)
}

func TestPayerPageButtons(t *testing.T) {
	t.Parallel()
	srv := start(t, "payer", "waits")
	till := openTill(t, srv, "1")
	if body := page(t, srv, "bob"); strings.Contains(body, `name="action"`) || !strings.Contains(body, "None.") {
		t.Error("buttons or no word without an open purchase")
	}
	ids := map[string]string{}
	for _, name := range []string{"K-approve", "K-decline", "K-early"} {
		ids[name] = till.commit(name, present(t, srv))
	}
	till.release(ids["K-approve"], 123_45)
	till.release(ids["K-decline"], 700)
	body := page(t, srv, "bob")
	if got := strings.Count(body, `name="action" value="approve"`); got != 2 {
		t.Errorf("%d Approve buttons, want 2: a purchase without an amount has none", got)
	}
	for _, text := range []string{"123.45 ₽", "7.00 ₽", "K-early", "has not asked for an amount yet"} {
		if !strings.Contains(body, text) {
			t.Errorf("%q is not on the page", text)
		}
	}
	for _, tc := range []struct{ name, action, state string }{
		{"K-approve", "approve", "success"}, {"K-decline", "decline", "fail"},
	} {
		action := find(t, body, `<form method="post" action="(/payer/purchases/`+ids[tc.name]+`[^"]*)"`)
		status, _, header := browse(t, "POST", srv.ControlURL()+action, url.Values{"action": {tc.action}})
		if status != http.StatusSeeOther || header.Get("Location") != "/payer?user=bob" {
			t.Errorf("%s: HTTP %d to %q", tc.action, status, header.Get("Location"))
		}
		if got := till.status(ids[tc.name]); got != tc.state {
			t.Errorf("state %s after %s, want %s", got, tc.action, tc.state)
		}
		// An old page cannot change an end.
		status, _, _ = browse(t, "POST", srv.ControlURL()+action, url.Values{"action": {"decline"}})
		if status != http.StatusConflict {
			t.Errorf("%s again: HTTP %d, want 409", tc.name, status)
		}
	}
	wantEffects(t, srv, "charge 12345 K-approve")
}

func TestPayerPageRefusesBadForms(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	id := till.commit("K", present(t, srv))
	for _, tc := range []struct {
		method, path, action string
		want                 int
	}{
		{"POST", "/payer/purchases/" + id, "approve", http.StatusConflict}, // not released
		{"POST", "/payer/purchases/nothing", "approve", http.StatusNotFound},
		{"POST", "/payer/purchases/" + id, "", http.StatusBadRequest},
		{"POST", "/payer/purchases/" + id, "refund", http.StatusBadRequest},
		{"GET", "/payer/purchases/" + id, "approve", http.StatusMethodNotAllowed},
		{"GET", "/payer?user=" + strings.Repeat("x", 121), "", http.StatusBadRequest},
		{"GET", "/elsewhere", "", http.StatusNotFound},
	} {
		status, body, _ := browse(t, tc.method, srv.ControlURL()+tc.path, url.Values{"action": {tc.action}})
		if status != tc.want {
			t.Errorf("%s %s: HTTP %d %s, want %d", tc.method, tc.path, status, body, tc.want)
		}
	}
	if got := till.status(id); got != "committed" {
		t.Errorf("state %s, want committed", got)
	}
	if status, _, header := browse(t, "GET", srv.ControlURL()+"/", nil); status != http.StatusSeeOther ||
		header.Get("Location") != "/payer" {
		t.Errorf("/: HTTP %d to %q", status, header.Get("Location"))
	}
}

func TestPayerPageEscapes(t *testing.T) {
	t.Parallel()
	srv := start(t, "payer", "waits")
	nasty := `"><script>alert(1)</script>&a=b c`
	till := openTill(t, srv, `<img/src=x>`)
	code, err := srv.PresentCode(nasty)
	must(t, err)
	id := till.commit(`<script>alert(2)</script>`, code)
	till.release(id, 100)
	body := page(t, srv, nasty)
	for _, bad := range []string{"<script", "<img/src"} {
		if strings.Contains(body, bad) {
			t.Errorf("%q is on the page as it is", bad)
		}
	}
	if got := find(t, body, `<h1>Code of ([^<]*)</h1>`); got != nasty {
		t.Errorf("the page names %q, want %q", got, nasty)
	}
	action := find(t, body, `<form method="post" action="([^"]*)"`)
	_, _, header := browse(t, "POST", srv.ControlURL()+action, url.Values{"action": {"approve"}})
	location, err := url.Parse(header.Get("Location"))
	must(t, err)
	if location.Path != "/payer" || location.Query().Get("user") != nasty || len(location.Query()) != 1 {
		t.Errorf("the button leads to %q", header.Get("Location"))
	}
}

func TestCodeForScripts(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	for query, want := range map[string]smartpay.Code{
		"":                      0,
		"user=carol":            0,
		"user=carol&age=4m":     0,
		"age=6m":                smartpay.CodeQRExpired,
		"flaw=stale":            smartpay.CodeQRExpired,
		"flaw=forged_signature": smartpay.CodeQRSignature,
	} {
		status, code, header := browse(t, "GET", srv.ControlURL()+"/payer/code?"+query, nil)
		if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "application/json") {
			t.Errorf("%q: HTTP %d %s", query, status, header.Get("Content-Type"))
		}
		if r := till.post(commitPath, commitBody(t, "K-"+url.QueryEscape(query), code)); r.code != want {
			t.Errorf("%q: committing answers %s, want code %d", query, r.raw, want)
		}
	}
	for _, query := range []string{"flaw=bent", "age=old", "user=" + strings.Repeat("x", 121)} {
		if status, body, _ := browse(t, "GET", srv.ControlURL()+"/payer/code?"+query, nil); status != 400 {
			t.Errorf("%q: HTTP %d %s, want 400", query, status, body)
		}
	}
}
