package rahmet_test

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

// browse follows redirects as a browser would and gives the page.
func (b *bench) browse(method, address string, values url.Values) (*http.Response, string) {
	b.t.Helper()
	request, err := http.NewRequest(method, address, strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response, string(body)
}

var (
	formTag   = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
	buttonTag = regexp.MustCompile(`<button type="submit" name="action" value="([a-z]+)"[^>]*>`)
)

// buttons lists the buttons of a page; press finds its form and presses one.
func buttons(page string) string {
	var names []string
	for _, match := range buttonTag.FindAllStringSubmatch(page, -1) {
		names = append(names, match[1])
	}
	return strings.Join(names, " ")
}

func (b *bench) press(page, button string) string {
	b.t.Helper()
	match := formTag.FindStringSubmatch(page)
	if match == nil || !strings.Contains(buttons(page), button) {
		b.t.Fatalf("no button %s on the page:\n%s", button, page)
	}
	response, next := b.browse("POST", b.url+html.UnescapeString(match[1]), form("action", button))
	if response.StatusCode != 200 || response.Request.Method != "GET" {
		b.t.Errorf("after %s: %s %d, want the page again by GET",
			button, response.Request.Method, response.StatusCode)
	}
	return next
}

func TestPaymentPage(t *testing.T) {
	t.Parallel()
	b := start(t)
	got := b.create("WEE-1", "2500", "backlink", "https://shop.example/thanks?a=1&b=2",
		"postlink", b.merchant+"/n", "failed_postlink", b.merchant+"/failed")
	response, page := b.browse("GET", got.URL, nil)
	if response.StatusCode != 200 || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		t.Fatalf("page %d %v", response.StatusCode, response.Header)
	}
	for _, want := range []string{"WEE-1", "2500 ₸", "Waiting", `src="data:image/png;base64,iVBOR`} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %q", want)
		}
	}
	if names := buttons(page); names != "pay decline expire" || strings.Contains(page, "shop.example") {
		t.Errorf("buttons %q, and no way back before the payment", names)
	}
	page = b.press(page, "decline")
	if !strings.Contains(page, "Declined") || buttons(page) != "pay decline expire" {
		t.Errorf("after Decline: %s", page)
	}
	page = b.press(page, "expire")
	if !strings.Contains(page, "Expired") || buttons(page) != "pay" {
		t.Errorf("after Let expire: %s", page)
	}
	page = b.press(page, "pay")
	if !strings.Contains(page, `href="https://shop.example/thanks?a=1&amp;b=2"`) || buttons(page) != "" {
		t.Errorf("after Pay: %s", page)
	}
	b.wantEffects("charge 250000")
	if calls := b.called(); len(calls) != 2 || calls[0] != "GET /failed" {
		t.Errorf("calls %q, want a failure and a payment", calls)
	}
	// An old page of the same order, still open in another window.
	for _, button := range []string{"pay", "decline", "expire"} {
		b.browse("POST", got.URL, form("action", button))
	}
	b.wantEffects("charge 250000")
	if o, _ := b.Object("WEE-1"); o.State != "paid" {
		t.Errorf("a button of an old page made a paid order %s", o.State)
	}
}

func TestPaymentPageShowsThePassingOfTime(t *testing.T) {
	t.Parallel()
	b := start(t)
	got := b.create("1", "2500")
	b.Advance(time.Hour)
	if _, page := b.browse("GET", got.URL, nil); !strings.Contains(page, "Pay late") {
		t.Error("an expired order has no late payment")
	}
	b.move("1", "partially_refunded")
	if _, page := b.browse("GET", got.URL, nil); !strings.Contains(page, "refunded in part") {
		t.Error("a partial refund is not shown")
	}
}

func TestPaymentPageIsSafe(t *testing.T) {
	t.Parallel()
	b := start(t)
	const hostile = `"><script>alert(1)</script>`
	got := b.paid(hostile, "2500", "backlink", "javascript:alert(1)")
	_, page := b.browse("GET", got.URL, nil)
	if strings.Contains(page, "<script") || strings.Contains(page, `href="javascript`) {
		t.Errorf("hostile text reached the page as it was:\n%s", page)
	}
	if !strings.Contains(page, html.EscapeString(hostile)) && !strings.Contains(page, "&lt;script&gt;") {
		t.Error("the order id is not shown at all")
	}
	if response, _ := b.browse("GET", b.url+"/pay?id=none", nil); response.StatusCode != 404 {
		t.Errorf("unknown page: %d", response.StatusCode)
	}
	response, _ := b.browse("POST", b.url+"/pay?id=none", form("action", "pay"))
	if response.StatusCode != 404 {
		t.Errorf("button of an unknown page: %d", response.StatusCode)
	}
	if response, _ := b.browse("POST", got.URL, form("action", "steal")); response.StatusCode != 400 {
		t.Errorf("unknown button: %d", response.StatusCode)
	}
}
