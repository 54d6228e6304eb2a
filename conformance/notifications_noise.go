package conformance

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"

	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// liveUnknown calls addresses that nobody was given. Of a plugin whose provider makes
// no calls, every address is one.
func liveUnknown(l *Life) {
	p := l.Begin()
	was, kept := l.stored(p), len(l.noted.all())
	l.Step("calls to nowhere")
	own := "/n/" + l.Connection + "/"
	addresses := []string{
		own + was.ID + "-nothing", own + was.ID, own + strings.Repeat("0", 26) + "-nothing", own + "x", own + strings.Repeat("y", 2000),
		"/n/nobody/" + nonceOf(was), "/n/" + strings.ToUpper(l.Connection) + "/" + nonceOf(was), "/n/nobody", "/n/",
	}
	if !l.Has(pay.OpNotification) {
		addresses = append(addresses, own+nonceOf(was))
	}
	for _, address := range addresses {
		for _, in := range []Inbound{
			{Method: http.MethodGet, URI: address},
			{Method: http.MethodGet, URI: address + "?event=paid&amount=1"},
			{Method: http.MethodPost, URI: address, Body: []byte(`{"id":"1","state":"paid"}`)},
		} {
			if status := l.hostile("a call to "+cut(address), in); status/100 != 4 && status != 0 && status < 500 {
				l.Failf("a call to %s, which nobody was given, is answered %d", cut(address), status)
			}
		}
	}
	l.calm()
	if n := len(l.noted.all()); n != kept {
		l.Failf("%d calls to addresses that nobody was given are kept: anybody can fill the disk", n-kept)
	}
	l.unmoved("a call to nowhere", p, was)
	if l.Terms.Outcomes.Paid != "" && !l.Till() {
		l.goOn(p)
	}
}

// liveScanned follows the payment's address as scanners of links do.
func liveScanned(l *Life) {
	paid := l.Begin()
	genuine := l.paidCall(paid)
	p := l.Begin()
	was := l.stored(p)
	address := l.address(p)
	uris := []string{address, address + "?", address + "?utm_source=mail", l.about(genuine, paid, p).URI}
	scanner := http.Header{"User-Agent": {"Mozilla/5.0 (compatible; LinkScanner/1.0; +https://scanner.example)"}, "Accept": {"text/html"}}
	l.Step("scanners")
	for _, method := range []string{
		http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodPost,
	} {
		for _, uri := range uris {
			in := Inbound{Method: method, URI: uri, Header: scanner}
			l.hostile(fmt.Sprintf("%s of the payment's address", method), in)
		}
	}
	l.calm()
	l.unmoved("a scanner", p, was)
	l.goOn(p)
}

// liveGarbage sends bytes that mean nothing.
func liveGarbage(l *Life) {
	p := l.Begin()
	was := l.stored(p)
	l.Step("garbage")
	for _, f := range garbage(l.address(p)) {
		status := l.hostile(f.what, f.call)
		if l.strong() && status/100 != 4 && status != 0 && status < 500 {
			l.Failf("%s is answered %d, and is nothing that the provider has proven", f.what, status)
		}
		if !l.unmoved(f.what, p, was) {
			break
		}
	}
	l.calm()
	if n := l.became(store.NotificationApplied); n > 0 {
		l.Failf("%d calls that mean nothing are taken for the provider's", n)
	}
	l.unmoved("garbage", p, was)
	l.goOn(p)
}

func garbage(address string) []fake {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(bytes.Repeat([]byte(`{"state":"paid"}`), 4096))
	_ = w.Close()
	flood := http.Header{}
	for i := range 10_000 {
		flood.Set(fmt.Sprintf("X-Flood-%d", i), "1")
	}
	kind := func(value string) http.Header { return http.Header{"Content-Type": {value}} }
	post := func(what string, header http.Header, body []byte) fake {
		return fake{what, Inbound{Method: http.MethodPost, URI: address, Header: header, Body: body}}
	}
	get := func(what, query string) fake {
		return fake{what, Inbound{Method: http.MethodGet, URI: address + "?" + query}}
	}
	return []fake{
		post("an empty call", nil, nil),
		post("a call over the limit", kind("application/json"), bytes.Repeat([]byte("a"), 300<<10)),
		post("a call as long as may be", kind("application/json"), bytes.Repeat([]byte("["), 250<<10)),
		post("a call that is no UTF-8", kind("application/json"), []byte("{\"state\":\"\xff\xfe\x00\"}")),
		post("a call of another type", kind("image/png"), []byte("\x89PNG\r\n\x1a\n")),
		post("a call of no type", kind(";;"), []byte(`{}`)),
		post("a form without sense", kind("application/x-www-form-urlencoded"), []byte("%zz=%&&&==\x00")),
		post("a null", kind("application/json"), []byte("null")),
		post("a call that is packed", http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}, packed.Bytes()),
		post("a call with 10,000 header fields", flood, []byte(`{"state":"paid"}`)),
		get("a query without sense", "%zz&&&===%00%ff"),
		get("a query without end", strings.Repeat("amount=9&", 4000)),
		get("a query that is no UTF-8", "event=%ff%fe&reference=%c3%28"),
	}
}
