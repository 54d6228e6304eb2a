package httpapi_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// endpoint is a row of the design's table of the HTTP API.
type endpoint struct {
	method, path string
	body         string // of a good request
	keyed        bool
	scope        string // "payments", "admin", "any", or "" for no token
	status       int
	asked        string // what the engine is asked, "" for nothing
}

const (
	money         = `{"value":"250000","currency":"KZT"}`
	createBody    = `{"connection":"rahmet-main","order_id":"100500","amount":` + money + `}`
	receiptBody   = `{"register_number":"0000000001012345","fiscal_sign":"2718281828"}`
	looseBody     = `{"connection":"smartpay-till-1","register_number":"0000000001012345","fiscal_sign":"2718281828"}`
	resolveBody   = `{"outcome":"applied","evidence":"statement 7"}`
	activateBody  = `{"digest":"` + digest + `"}`
	moduleBody    = "\x00asm\x01\x00\x00\x00"
	redeliverBody = `{"endpoint":"https://e"}`
)

// endpoints is every operation of the design's table, then the additions.
func endpoints() []endpoint {
	return []endpoint{
		{"POST", "/v1/payments", createBody, true, "payments", 201, "create"},
		{"GET", "/v1/payments/{id}", "", false, "payments", 200, "payment"},
		{"GET", "/v1/payments", "", false, "payments", 200, "payments"},
		{"POST", "/v1/payments/{id}/bind", `{"code":"c"}`, true, "payments", 200, "bind"},
		{"POST", "/v1/payments/{id}/release", `{"amount":` + money + `}`, true, "payments", 200, "release"},
		{"POST", "/v1/payments/{id}/confirm", "", true, "payments", 200, "confirm"},
		{"POST", "/v1/payments/{id}/cancel", "", true, "payments", 200, "cancel"},
		{"POST", "/v1/payments/{id}/refunds", `{"amount":` + money + `,"reason":"r"}`, true, "payments", 201, "refund"},
		{"GET", "/v1/payments/{id}/refunds", "", false, "payments", 200, "payment"},
		{"GET", "/v1/payments/{id}/refunds/{rid}", "", false, "payments", 200, "payment"},
		{"POST", "/v1/payments/{id}/refunds/{rid}/confirm", "", true, "payments", 200, "confirm_refund"},
		{"POST", "/v1/payments/{id}/refunds/{rid}/cancel", "", true, "payments", 200, "cancel_refund"},
		{"POST", "/v1/payments/{id}/receipts", receiptBody, true, "payments", 201, "receipt"},
		{"POST", "/v1/receipts", looseBody, true, "payments", 201, "receipt"},
		{"GET", "/v1/receipts/{id}", "", false, "payments", 200, "receipt_book"},
		{"GET", "/v1/payments/{id}/timeline", "", false, "payments", 200, "timeline"},
		{"GET", "/v1/in-doubt", "", false, "payments", 200, "in_doubt"},
		{"POST", "/v1/operations/{id}/probe", "", false, "payments", 200, "probe"},
		{"POST", "/v1/operations/{id}/resolve", resolveBody, false, "admin", 200, "resolve"},
		{"POST", "/v1/payments/{id}/acknowledge", `{"evidence":"e"}`, false, "admin", 200, "acknowledge"},
		{"GET", "/n/{connection}/{nonce}", "", false, "", 200, "notify"},
		{"POST", "/n/{connection}/{nonce}", "", false, "", 200, "notify"},
		{"GET", "/v1/connections", "", false, "payments", 200, ""},
		{"GET", "/v1/events", "", false, "payments", 200, "events"},
		{"GET", "/v1/plugins", "", false, "admin", 200, ""},
		{"POST", "/v1/plugins/{name}/revisions", moduleBody, false, "admin", 201, "push"},
		{"GET", "/v1/plugins/{name}/revisions", "", false, "admin", 200, "revisions"},
		{"POST", "/v1/plugins/{name}/activate", activateBody, false, "admin", 200, "activate"},
		{"POST", "/v1/plugins/{name}/rollback", "", false, "admin", 200, "rollback"},
		{"GET", "/healthz", "", false, "", 200, ""},
		{"GET", "/readyz", "", false, "", 200, ""},
		{"GET", "/metrics", "", false, "", 404, ""}, // none are configured
		{"GET", "/openapi.json", "", false, "any", 200, ""},
		{"GET", "/docs", "", false, "any", 200, ""},

		{"GET", "/v1/receipts/{id}/timeline", "", false, "payments", 200, "timeline"},
		{"GET", "/v1/events/dead-letters", "", false, "admin", 200, "dead_letters"},
		{"POST", "/v1/events/{id}/redeliver", redeliverBody, false, "admin", 204, "redeliver"},
	}
}

// url fills in the path with ids that fit.
func (e endpoint) url() string {
	id := payment
	switch {
	case strings.HasPrefix(e.path, "/v1/receipts"):
		id = receipt
	case strings.HasPrefix(e.path, "/v1/operations"):
		id = operation
	case strings.HasPrefix(e.path, "/v1/events"):
		id = "evt_1"
	}
	return strings.NewReplacer("{id}", id, "{rid}", refund, "{name}", "rahmet", "{connection}", "rahmet-main", "{nonce}", "n0nce").Replace(e.path)
}

func (e endpoint) request(headers ...string) *http.Request {
	if e.body == moduleBody {
		headers = append([]string{"Content-Type: application/wasm"}, headers...)
	}
	return request(e.method, e.url(), e.body, headers...)
}

// TestEveryEndpoint asks each once, as it should be asked.
func TestEveryEndpoint(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	for _, e := range endpoints() {
		t.Run(e.method+" "+e.path, func(t *testing.T) {
			f.asked = nil
			w := send(api, e.request())
			if w.Code != e.status {
				t.Fatalf("status %d, want %d: %s", w.Code, e.status, w.Body.String())
			}
			if e.asked == "" {
				f.untouched(t)
			} else if got := f.only(t).what; got != e.asked {
				t.Errorf("the engine was asked %s, want %s", got, e.asked)
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("header %v", w.Header())
			}
		})
	}
}

// TestDocumentIsWhole wants the document to have the endpoints and no others.
func TestDocumentIsWhole(t *testing.T) {
	t.Parallel()
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Summary, OperationID string
			Security             []map[string][]string
			Parameters           []struct{ Name, In string }
			RequestBody          *struct{ Content map[string]any }
			Responses            map[string]struct {
				Description string
				Content     map[string]any
			}
		}
	}
	if err := json.Unmarshal(serve(t, newFake(), nil).Document(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("version %q", doc.OpenAPI)
	}
	n := 0
	for _, item := range doc.Paths {
		n += len(item)
	}
	if n != len(endpoints()) {
		t.Errorf("the document has %d operations, the table %d", n, len(endpoints()))
	}
	for _, e := range endpoints() {
		op, ok := doc.Paths[e.path][strings.ToLower(e.method)]
		if !ok || op.Summary == "" || op.OperationID == "" {
			t.Errorf("%s %s: not described", e.method, e.path)
			continue
		}
		if (e.scope != "") != (len(op.Security) == 1) {
			t.Errorf("%s %s: security %v", e.method, e.path, op.Security)
		}
		if e.scope == "payments" || e.scope == "admin" {
			if got := op.Security[0]["bearer"]; !slices.Equal(got, []string{e.scope}) {
				t.Errorf("%s %s: scope %v", e.method, e.path, got)
			}
		}
		keyed := false
		for _, p := range op.Parameters {
			keyed = keyed || p.Name == "Idempotency-Key" && p.In == "header"
		}
		if keyed != e.keyed {
			t.Errorf("%s %s: says that it needs a key: %v", e.method, e.path, keyed)
		}
		if e.keyed && op.Responses["202"].Content == nil {
			t.Errorf("%s %s: says nothing of doubt", e.method, e.path)
		}
		if e.body != "" && (op.RequestBody == nil || len(op.RequestBody.Content) == 0) {
			t.Errorf("%s %s: body is not described", e.method, e.path)
		}
		for status, r := range op.Responses {
			_, problem := r.Content["application/problem+json"]
			if r.Description == "" || status >= "400" && !problem {
				t.Errorf("%s %s: response %s is not described", e.method, e.path, status)
			}
		}
	}
}

// TestUnknownRoutes wants problems, also of what the mux itself would answer.
func TestUnknownRoutes(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	for _, path := range []string{"/", "/v1", "/v1/payments/", "/v1/payment", "//v1/payments", "/v1/../v1/payments", "/v1/payments/%2e%2e", "/n/a", "/n/a/b/c", "/favicon.ico"} {
		if p := problem(t, send(api, request("GET", path, "")), 404); p["class"] != "not_found" {
			t.Errorf("%s: class %v", path, p["class"])
		}
	}
	for _, e := range endpoints() {
		w := send(api, request("DELETE", e.url(), ""))
		p := problem(t, w, 405)
		if allow := w.Header().Get("Allow"); !strings.Contains(allow, e.method) || strings.Contains(allow, "DELETE") || p["class"] != "invalid_request" {
			t.Errorf("%s: allow %q, class %v", e.path, allow, p["class"])
		}
	}
	f.untouched(t)
}

// TestMalformedIDs wants 404, and the engine not asked.
func TestMalformedIDs(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	bad := []string{
		"x", "pay_", "pay_" + strings.ToUpper(book), payment + "_1", "pay_zzzzzzzzzzzzzzzzzzzzzzzzzz", "op_" + book, refund + "_2", "ref_" + book + "_0",
		"rec_" + book + "_01", "%00", "pay_%27%20OR%201=1", strings.Repeat("a", 5000), "evt", "evt_a%20b", "%F0%9F%92%A9",
	}
	for _, e := range endpoints() {
		if !strings.Contains(e.path, "{id}") && !strings.Contains(e.path, "{rid}") && !strings.Contains(e.path, "{name}") {
			continue
		}
		for _, id := range bad {
			if strings.Contains(e.path, "{name}") && !strings.Contains(id, "%") && len(id) < 128 {
				continue // good names
			}
			good := e.url()
			path := strings.NewReplacer("{id}", id, "{rid}", refund, "{name}", id).Replace(e.path)
			req := e.request()
			req.URL.Path, req.URL.RawPath = "", ""
			again := request(e.method, path, e.body)
			again.Header = req.Header
			if w := send(api, again); w.Code != 404 {
				t.Errorf("%s %s (good is %s): %d %s", e.method, path, good, w.Code, w.Body.String())
			}
		}
	}
	for _, rid := range []string{"x", "ref_01jd5x3v8d0000000000000000_1", receipt, "pay_" + book} {
		problem(t, send(api, request("GET", "/v1/payments/"+payment+"/refunds/"+rid, "")), 404)
		problem(t, send(api, request("POST", "/v1/payments/"+payment+"/refunds/"+rid+"/confirm", "")), 404)
	}
	f.untouched(t)
}
