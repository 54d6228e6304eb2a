package yeniltoleg_test

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	formTag   = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
	buttonTag = regexp.MustCompile(`<button type="submit" name="action" value="([a-z]+)"[^>]*>`)
)

// look is what a payer sees and where it leads: status, Location, page.
func (b *bench) look(method, address, action string) (int, string, string) {
	b.t.Helper()
	form := url.Values{"action": {action}}.Encode()
	request, err := http.NewRequest(method, address, strings.NewReader(form))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Location"), string(page)
}

// buttons opens a page and lists its buttons.
func (b *bench) buttons(address string) string {
	b.t.Helper()
	_, _, page := b.look("GET", address, "")
	var names []string
	for _, match := range buttonTag.FindAllStringSubmatch(page, -1) {
		names = append(names, match[1])
	}
	return strings.Join(names, " ")
}

// press finds the page's form, presses a button and says where the payer is sent.
func (b *bench) press(address, button string) string {
	b.t.Helper()
	_, _, page := b.look("GET", address, "")
	match := formTag.FindStringSubmatch(page)
	if match == nil {
		b.t.Fatalf("no form on %s:\n%s", address, page)
	}
	status, location, _ := b.look("POST", b.url+html.UnescapeString(match[1]), button)
	if status != http.StatusSeeOther {
		b.t.Errorf("%s gives %d, want 303", button, status)
	}
	return location
}

func TestPaymentPage(t *testing.T) {
	t.Parallel()
	tests := []struct{ button, failURL, state, location string }{
		{"pay", "", "Succeeded", "https://shop.example/paid"},
		{"decline", "https://shop.example/failed?o=1", "Failed", "https://shop.example/failed?o=1"},
		{"expire", "https://shop.example/failed", "Expired", "https://shop.example/failed"},
		{"decline", "", "Failed", ""},
		{"begin", "https://shop.example/failed", "InProgress", ""},
	}
	for _, form := range []string{"checkout", "bank"} {
		for _, test := range tests {
			t.Run(form+" "+test.button, func(t *testing.T) {
				t.Parallel()
				b := start(t)
				b.set("page_form", form)
				fail := ""
				if test.failURL != "" {
					fail = `"` + test.failURL + `"`
				}
				made := b.register("k", "WEE-1", "35.4", "failUrl", fail, "description", `"Две пиццы"`)
				_, _, page := b.look("GET", made.ReturnURL, "")
				for _, want := range []string{"WEE-1", "35.40 TMT", "Две пиццы", `src="data:image/png;`} {
					if !strings.Contains(page, want) {
						t.Errorf("page lacks %q", want)
					}
				}
				if names := b.buttons(made.ReturnURL); names != "pay decline expire begin" {
					t.Errorf("buttons %q", names)
				}
				want := test.location
				if want == "" {
					want = strings.TrimPrefix(made.ReturnURL, b.url)
				}
				if location := b.press(made.ReturnURL, test.button); location != want {
					t.Errorf("the payer is sent to %q, want %q", location, want)
				}
				b.state(made.PaymentID, test.state)
			})
		}
	}
}

func TestPaymentPageAfterTheEnd(t *testing.T) {
	t.Parallel()
	b := start(t)
	made := b.register("k", "1", "35.45")
	b.press(made.ReturnURL, "begin")
	if names := b.buttons(made.ReturnURL); names != "pay decline expire" {
		t.Errorf("buttons in progress: %q", names)
	}
	b.press(made.ReturnURL, "pay")
	_, _, page := b.look("GET", made.ReturnURL, "")
	if !strings.Contains(page, `href="https://shop.example/paid"`) || b.buttons(made.ReturnURL) != "" {
		t.Errorf("a paid page must lead back and have no button:\n%s", page)
	}
	for _, button := range []string{"pay", "decline", "expire", "begin"} {
		b.look("POST", made.ReturnURL, button)
	}
	b.state(made.PaymentID, "Succeeded")
	b.wantEffects("charge 3545")

	late := b.register("k2", "2", "1")
	b.Advance(time.Hour)
	b.look("POST", late.ReturnURL, "pay")
	b.state(late.PaymentID, "Failed")
}

func TestPaymentPageIsSafe(t *testing.T) {
	t.Parallel()
	b := start(t)
	const hostile = `"><script>alert(1)</script>`
	text := string(quote(hostile))
	made := b.register("k", hostile, "1", "description", text, "customer", `{"name":`+text+`}`)
	_, _, page := b.look("GET", made.ReturnURL+"&x="+url.QueryEscape(hostile), "")
	if strings.Contains(page, "<script") || !strings.Contains(page, "&lt;script&gt;") {
		t.Errorf("hostile text reached the page as it was:\n%s", page)
	}
	if status, _, _ := b.look("POST", made.ReturnURL, "steal"); status != http.StatusBadRequest {
		t.Errorf("unknown button: %d", status)
	}
	pages := []string{"/payments/checkout/confirmation/none", "/payment/merchants/online/payment_ru.html"}
	for _, path := range pages {
		for _, method := range []string{"GET", "POST"} {
			if status, _, _ := b.look(method, b.url+path, "pay"); status != http.StatusNotFound {
				t.Errorf("%s %s: %d, want 404", method, path, status)
			}
		}
	}
}
