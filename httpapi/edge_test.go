package httpapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/httpapi"
	"github.com/payhost/payhost/sdk/pay"
)

// TestNotifications passes a call in and the plugin's word out, both as they are.
func TestNotifications(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.ack = pay.Ack{
		Status: 418, Body: []byte("<OK & out>\x00"),
		Header: []pay.Field{
			{Name: "content-type", Value: "text/weird"},
			{Name: "X-A", Value: "1"},
			{Name: "X-A", Value: "2"},
			{Name: "Cache-Control", Value: "max-age=1"},
			{Name: "Content-Length", Value: "9999"},
			{Name: "Transfer-Encoding", Value: "chunked"},
			{Name: "bad name", Value: "x"},
			{Name: "", Value: "x"},
		},
	}
	server := httptest.NewTLSServer(serve(t, f, nil))
	defer server.Close()
	for _, method := range []string{"GET", "POST", "HEAD"} {
		f.asked = nil
		body := "raw \x00 body"
		if method != "POST" {
			body = ""
		}
		req, _ := http.NewRequestWithContext(t.Context(), method, server.URL+"/n/rahmet-main/n0nce%2Da?b=%20&a=1&a=2?c", strings.NewReader(body))
		req.Header["X-Many"] = []string{"2", "1"}
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if want := string(f.ack.Body); method != "HEAD" && string(answer) != want {
			t.Errorf("%s: body %q", method, answer)
		}
		if h := resp.Header; resp.StatusCode != 418 || h.Get("Content-Type") != "text/weird" || fmt.Sprint(h["X-A"]) != "[1 2]" ||
			fmt.Sprint(h["Cache-Control"]) != "[max-age=1]" || h.Get("X-Request-Id") == "" {
			t.Errorf("%s: %d %v", method, resp.StatusCode, h)
		}
		args := f.only(t).args
		r := args[2].(pay.NotificationRequest)
		if args[0] != "rahmet-main" || args[1] != "n0nce-a" || r.Method != method || r.Path != "/n/rahmet-main/n0nce%2Da" || r.Query != "b=%20&a=1&a=2?c" ||
			string(r.Body) != body || r.ReceivedAt.IsZero() || r.PeerCertificate != "" {
			t.Errorf("%s: asked %+v", method, args)
		}
		var many []string
		host := ""
		for _, h := range r.Header {
			switch h.Name {
			case "X-Many":
				many = append(many, h.Value)
			case "Host":
				host = h.Value
			}
		}
		if fmt.Sprint(many) != "[2 1]" || host != strings.TrimPrefix(server.URL, "https://") {
			t.Errorf("%s: header %v", method, r.Header)
		}
	}
}

// TestNotificationEdges are the rest of it.
func TestNotificationEdges(t *testing.T) {
	t.Parallel()
	f := newFake()
	server := httptest.NewUnstartedServer(serve(t, f, nil))
	server.StartTLS()
	defer server.Close()
	api := serve(t, f, nil)
	if w := send(api, request("POST", "/n/c/n", "x")); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "" {
		t.Errorf("an empty ack: %d %v", w.Code, w.Header())
	}
	req := request("POST", "/n/c/n", "x")
	certificate := server.Certificate()
	req.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}}
	f.asked = nil
	send(api, req)
	sum := sha256.Sum256(certificate.Raw)
	if got := f.only(t).args[2].(pay.NotificationRequest).PeerCertificate; got != hex.EncodeToString(sum[:]) {
		t.Errorf("certificate %q", got)
	}
	for status, want := range map[int]int{99: 502, 101: 502, 600: 502, -1: 502, 204: 204, 302: 302, 500: 500} {
		f.ack = pay.Ack{Status: status, Body: []byte("x")}
		if w := send(api, request("GET", "/n/c/n", "")); w.Code != want {
			t.Errorf("ack of status %d: %d", status, w.Code)
		}
	}
	f.asked = nil
	problem(t, send(api, request("POST", "/n/c/n", strings.Repeat("x", 256<<10+1))), 413)
	flood := request("POST", "/n/c/n", "x")
	for i := range 10_000 {
		flood.Header.Set(fmt.Sprintf("X-Flood-%d", i), "1")
	}
	problem(t, send(api, flood), 431)
	long := request("GET", "/n/c/n", "")
	long.Header.Set("X-Long", strings.Repeat("x", 64<<10))
	problem(t, send(api, long), 431)
	for _, path := range []string{"/n/a%20b/n", "/n/a/%2F", "/n/" + strings.Repeat("a", 129) + "/n", "/n/c/" + strings.Repeat("a", 129), "/n/%00/n"} {
		problem(t, send(api, request("GET", path, "")), 404)
	}
	f.untouched(t)
	f.ack = pay.Ack{}
	if w := send(api, request("POST", "/n/c/n", strings.Repeat("x", 256<<10))); w.Code != 200 {
		t.Errorf("256 KiB: %d", w.Code)
	}
	f.err = &pay.Error{Class: pay.ClassHostFault, Message: "store is not available"}
	problem(t, send(api, request("GET", "/n/c/n", "")), 503)
	f.err = &pay.Error{Class: pay.ClassNotFound}
	problem(t, send(api, request("GET", "/n/c/n", "")), 404)
}

// TestBodyLimits wants too much refused, told or not how much it is.
func TestBodyLimits(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, func(c *httpapi.Config) { c.Limits.Plugin = 2 << 20 })
	for _, e := range endpoints() {
		if e.method != "POST" || e.scope == "" {
			continue
		}
		size := 1<<20 + 1
		if e.body == moduleBody {
			size = 2<<20 + 1
		}
		for _, told := range []bool{true, false} {
			req := e.request()
			req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(make([]byte, size))), int64(size)
			if !told {
				req.ContentLength = -1
			}
			if p := problem(t, send(api, req), 413); p["class"] != "limit" {
				t.Errorf("%s: %v", e.path, p)
			}
		}
		if e.body == "" {
			continue
		}
		for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense", "application/json/x"} {
			if p := problem(t, send(api, e.request("Content-Type: "+media)), 415); p["field"] != "Content-Type" {
				t.Errorf("%s as %s: %v", e.path, media, p)
			}
		}
		problem(t, send(api, e.request("Content-Encoding: gzip")), 415)
	}
	f.untouched(t)
	for _, media := range []string{"application/json; charset=utf-8", "Application/JSON", ""} {
		if w := send(api, request("POST", "/v1/payments", createBody, "Content-Type: "+media)); w.Code != 201 {
			t.Errorf("as %q: %d", media, w.Code)
		}
	}
	f.asked = nil
	problem(t, send(api, request("POST", "/v1/plugins/rahmet/revisions", "PK\x03\x04", "Content-Type: application/wasm")), 422)
	problem(t, send(api, request("POST", "/v1/plugins/rahmet/revisions", "", "Content-Type: application/wasm")), 400)
	f.untouched(t)
	if w := send(api, request("POST", "/v1/plugins/rahmet/revisions", "\x00asm"+strings.Repeat("x", 2<<20-4), "Content-Type: application/octet-stream")); w.Code != 201 {
		t.Errorf("a module of the largest size: %d", w.Code)
	}
}

// TestSlowBody wants a client that does not send to be let go, and one that did to
// have its deadline taken away.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	f := newFake()
	canceled := make(chan bool, 1)
	f.hold = func(ctx context.Context) {
		select {
		case <-ctx.Done():
			canceled <- true
		case <-time.After(300 * time.Millisecond): // longer than the deadline of the body
			canceled <- false
		}
	}
	server := httptest.NewServer(serve(t, f, func(c *httpapi.Config) { c.Limits.BodyTimeout = 100 * time.Millisecond }))
	defer server.Close()
	post := func(path string, body io.Reader) *http.Response {
		req := request("POST", path, "")
		out, _ := http.NewRequestWithContext(t.Context(), "POST", server.URL+path, body)
		out.Header = req.Header
		resp, err := http.DefaultClient.Do(out)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	slow, stop := io.Pipe()
	defer stop.Close()
	if resp := post("/v1/payments", slow); resp.StatusCode != 408 {
		t.Errorf("a slow body: %d", resp.StatusCode)
	}
	f.untouched(t)
	if resp := post("/n/c/n", strings.NewReader("x")); resp.StatusCode != 200 || <-canceled {
		t.Errorf("a slow engine was canceled: %d", resp.StatusCode)
	}
}

// TestRates wants 429 once a bucket is empty, for its owner only.
func TestRates(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, func(c *httpapi.Config) {
		c.Limits.Rate, c.Limits.Burst, c.Limits.NotificationRate = 0.001, 2, 0.001
	})
	ask := func(path, token string) *httptest.ResponseRecorder {
		return send(api, request("GET", path, "", "Authorization: Bearer "+token))
	}
	for range 2 {
		if w := ask("/v1/payments", shop); w.Code != 200 {
			t.Fatalf("within the limit: %d", w.Code)
		}
	}
	w := ask("/v1/payments", shop)
	if p := problem(t, w, 429); p["class"] != "rate_limited" || p["advice"] != "retry_same_key" || w.Header().Get("Retry-After") != "1000" {
		t.Errorf("beyond it: %v %v", p, w.Header())
	}
	if w := ask("/v1/payments", both); w.Code != 200 {
		t.Errorf("another token: %d", w.Code)
	}
	if err := api.SetTokens([]httpapi.Token{{Name: "shop", Token: shop, Scopes: []httpapi.Scope{httpapi.ScopePayments}}}); err != nil {
		t.Fatal(err)
	}
	problem(t, ask("/v1/payments", shop), 429) // a reload fills no bucket
	for range 2 {
		if w := ask("/n/a/n", ""); w.Code != 200 {
			t.Fatalf("within the limit: %d", w.Code)
		}
	}
	problem(t, ask("/n/a/n", ""), 429)
	if w := ask("/n/b/n", ""); w.Code != 200 {
		t.Errorf("another connection: %d", w.Code)
	}
	for i := range 2000 {
		ask(fmt.Sprintf("/n/x%d/n", i), "")
	}
	problem(t, ask("/n/new/n", ""), 429) // those beyond share one bucket
}

// TestRequestIDs takes harmless ids and no others.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	for id, kept := range map[string]bool{
		"a": true, "A.b_c-9": true, strings.Repeat("x", 128): true, "": false, strings.Repeat("x", 129): false, "a b": false, "a\nb": false, "ж": false, "<x>": false,
	} {
		f.asked = nil
		req := request("POST", "/v1/payments", createBody)
		req.Header["X-Request-Id"] = []string{id}
		w := send(api, req)
		got := w.Header().Get("X-Request-Id")
		if (got == id) != kept || got == "" || f.only(t).call.RequestID != got {
			t.Errorf("%q: %q, asked with %q", id, got, f.asked[0].call.RequestID)
		}
	}
}

// TestLog wants one line for each request, and nothing of what it said.
func TestLog(t *testing.T) {
	t.Parallel()
	f := newFake()
	var out bytes.Buffer
	var seen []string
	api := serve(t, f, func(c *httpapi.Config) {
		c.Logger = hclog.New(&hclog.LoggerOptions{Output: &out, JSONFormat: true})
		c.Observe = func(route, method string, status int, took time.Duration) {
			seen = append(seen, fmt.Sprint(route, " ", method, " ", status, " ", took > 0))
		}
	})
	send(api, request("POST", "/v1/payments", createBody, "X-Request-Id: r-1"))
	send(api, request("GET", "/v1/payments/"+payment+"?refresh=true", ""))
	send(api, request("GET", "/nowhere?token="+both, ""))
	send(api, request("GET", "/v1/payments", "", "Authorization: Bearer wrong-token"))
	text := out.String()
	if n := strings.Count(text, `"@message":"request"`); n != 4 {
		t.Errorf("%d lines: %s", n, text)
	}
	for _, want := range []string{`"route":"/v1/payments"`, `"status":201`, `"caller":"both"`, `"request_id":"r-1"`, `"route":"/v1/payments/{id}"`, `"route":"unknown"`, `"method":"POST"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	for _, secret := range []string{both, "100500", "refresh", "nowhere", "wrong-token", payment, "key-1"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in the log: %s", secret, text)
		}
	}
	if want := "[/v1/payments POST 201 true /v1/payments/{id} GET 200 true unknown GET 404 true /v1/payments GET 401 true]"; fmt.Sprint(seen) != want {
		t.Errorf("observed %v", seen)
	}
}

// TestPanic answers 500, logs it, and goes on.
func TestPanic(t *testing.T) {
	t.Parallel()
	f := newFake()
	var out bytes.Buffer
	api := serve(t, f, func(c *httpapi.Config) { c.Logger = hclog.New(&hclog.LoggerOptions{Output: &out}) })
	f.hold = func(context.Context) { panic("oh no: " + both) }
	if p := problem(t, send(api, request("POST", "/v1/payments", createBody, "X-Request-Id: r-2")), 500); p["effect"] != "maybe" || p["class"] != "host_fault" || p["request_id"] != "r-2" {
		t.Errorf("an operation: %v", p)
	}
	if p := problem(t, send(api, request("GET", "/v1/payments", "")), 500); p["effect"] != "none" || strings.Contains(fmt.Sprint(p), "oh no") {
		t.Errorf("a read: %v", p)
	}
	if text := out.String(); strings.Count(text, "panic: ") != 2 || !strings.Contains(text, "request_id=r-2") || !strings.Contains(text, "edge_test.go") {
		t.Errorf("log: %s", text)
	}
	f.hold = func(context.Context) { panic(http.ErrAbortHandler) }
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Error("an abort is the server's")
		}
	}()
	send(api, request("GET", "/v1/payments", ""))
}

// TestHealth looks at what needs no token.
func TestHealth(t *testing.T) {
	t.Parallel()
	f := newFake()
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "up 1") })
	api := serve(t, f, func(c *httpapi.Config) { c.Metrics = metrics })
	for path, want := range map[string]string{"/healthz": "{\"status\":\"ok\"}\n", "/readyz": "{\"status\":\"ready\"}\n", "/metrics": "up 1"} {
		if w := send(api, request("GET", path, "", "Authorization:")); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %q", path, w.Code, w.Body.String())
		}
	}
	f.err = &pay.Error{Class: pay.ClassUnavailable, Message: "store is starting"}
	if p := problem(t, send(api, request("GET", "/readyz", "")), 503); p["detail"] != "store is starting" {
		t.Errorf("not ready: %v", p)
	}
	if w := send(api, request("GET", "/healthz", "")); w.Code != 200 {
		t.Errorf("not ready is not dead: %d", w.Code)
	}
	api = serve(t, f, func(c *httpapi.Config) {
		c.Ready = func(context.Context) error { return errors.New("draining") }
	})
	if p := problem(t, send(api, request("GET", "/readyz", "")), 503); p["detail"] != "draining" {
		t.Errorf("draining: %v", p)
	}
}
