package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/httpapi"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/sdk/pay"
)

// TestDoubtIsNoError wants 202 and the object of every operation in doubt.
func TestDoubtIsNoError(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.inDoubt = true
	api := serve(t, f, nil)
	for _, e := range endpoints() {
		if !e.keyed {
			continue
		}
		w := send(api, e.request())
		if w.Code != 202 || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", e.path, w.Code, w.Body.String())
		}
		prefix := "pay_"
		switch {
		case strings.Contains(e.path, "refunds"):
			prefix = "ref_"
		case strings.Contains(e.path, "receipts"):
			prefix = "rec_"
		}
		if id, _ := object(t, w)["id"].(string); !strings.HasPrefix(id, prefix) {
			t.Errorf("%s: id %q", e.path, id)
		}
	}
}

// TestReplays wants the status of the first time, and the header.
func TestReplays(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	for _, e := range endpoints() {
		if !e.keyed {
			continue
		}
		f.replayed = true
		if w := send(api, e.request()); w.Code != e.status || w.Header().Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s: %d %v", e.path, w.Code, w.Header())
		}
		f.err = &pay.Error{Class: pay.ClassDeclined, Effect: pay.EffectNone}
		w := send(api, e.request())
		if p := problem(t, w, 402); w.Header().Get("Idempotency-Replayed") != "true" || p["payment_id"] != payment || p["operation_id"] != operation {
			t.Errorf("%s declined: %v %v", e.path, p, w.Header())
		}
		f.err, f.replayed = nil, false
		if w := send(api, e.request()); w.Header().Get("Idempotency-Replayed") != "" {
			t.Errorf("%s: a first time is called a replay", e.path)
		}
	}
}

// TestKeys wants a good Idempotency-Key of every operation.
func TestKeys(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	for _, e := range endpoints() {
		if e.method != "POST" || e.scope == "" {
			continue
		}
		if !e.keyed {
			if w := send(api, e.request("Idempotency-Key:")); w.Code != e.status {
				t.Errorf("%s wants a key: %d", e.path, w.Code)
			}
			f.asked = nil
			continue
		}
		for _, key := range []string{"", strings.Repeat("k", 256), "a\tb", "ключ", "a\x00"} {
			req := e.request()
			req.Header["Idempotency-Key"] = []string{key}
			if key == "" {
				req.Header.Del("Idempotency-Key")
			}
			if p := problem(t, send(api, req), 400); p["field"] != "Idempotency-Key" || p["class"] != "invalid_request" {
				t.Errorf("%s with key %q: %v", e.path, key, p)
			}
		}
		req := e.request()
		req.Header.Add("Idempotency-Key", "key-2")
		problem(t, send(api, req), 400)
		f.untouched(t)
		long := strings.Repeat("~ ", 127) + "k"
		if w := send(api, e.request("Idempotency-Key: "+long)); w.Code != e.status || f.only(t).call.Key != long {
			t.Errorf("%s: a key of 255 bytes: %d", e.path, w.Code)
		}
		f.asked = nil
	}
}

// TestClasses maps every class, whatever the endpoint.
func TestClasses(t *testing.T) {
	t.Parallel()
	want := map[pay.Class]int{
		pay.ClassInvalidRequest: 422, pay.ClassUnsupported: 422, pay.ClassConfig: 502, pay.ClassAuth: 502, pay.ClassDeclined: 402,
		pay.ClassCodeInvalid: 422, pay.ClassCodeExpired: 422, pay.ClassStateConflict: 409, pay.ClassDuplicate: 409, pay.ClassNotFound: 404,
		pay.ClassLimit: 429, pay.ClassRateLimited: 429, pay.ClassUnavailable: 502, pay.ClassTimeout: 502, pay.ClassProtocol: 502,
		pay.ClassIntegrity: 502, pay.ClassInDoubt: 409, pay.ClassKeyReused: 422, pay.ClassInProgress: 409, pay.ClassPluginFault: 502,
		pay.ClassHostFault: 503,
	}
	f := newFake()
	api := serve(t, f, nil)
	for class := pay.ClassInvalidRequest; class <= pay.ClassHostFault; class++ {
		for _, e := range endpoints() {
			if e.asked == "" || e.path == "/v1/plugins/{name}/revisions" || strings.HasSuffix(e.path, "/activate") || strings.HasSuffix(e.path, "/rollback") {
				continue
			}
			f.err = fmt.Errorf("wrapped: %w", &pay.Error{Class: class, Effect: pay.EffectNone, Field: "amount", Message: "it went wrong"})
			w := send(api, e.request())
			p := problem(t, w, want[class])
			if p["class"] != class.String() || p["detail"] != "amount: it went wrong" || p["field"] != "amount" || p["effect"] != "none" {
				t.Errorf("%s, %s: %v", class, e.path, p)
			}
			if (w.Header().Get("Retry-After") != "") != (want[class] == 429) {
				t.Errorf("%s: Retry-After %q", class, w.Header().Get("Retry-After"))
			}
		}
	}
}

// TestProblemsTellAll wants everything that an error has in its problem.
func TestProblemsTellAll(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	shared := &pay.Error{
		Class: pay.ClassRateLimited, Effect: pay.EffectNone, Advice: pay.AdviceNewAttempt, Operation: pay.OpRefund, Reason: pay.DeclinedRisk,
		ProviderCode: "17", ProviderMessage: "no <way>", RetryAfter: 1500 * time.Millisecond,
	}
	f.err = shared
	w := send(api, request("POST", "/v1/payments/"+payment+"/refunds", `{"amount":`+money+`}`))
	p := problem(t, w, 429)
	for name, want := range map[string]any{
		"operation": "refund", "reason": "risk", "provider_code": "17", "provider_message": "no <way>", "retry_after": 2.0, "advice": "new_attempt",
		"detail": "rate limited",
	} {
		if p[name] != want {
			t.Errorf("%s is %v, want %v", name, p[name], want)
		}
	}
	if w.Header().Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
	}
	f.err = &pay.Error{Class: pay.ClassHostFault}
	if p := problem(t, send(api, request("POST", "/v1/payments", createBody)), 503); p["effect"] != "maybe" {
		t.Errorf("an effect that nobody told of: %v", p)
	}
	if p := problem(t, send(api, request("GET", "/v1/payments", "")), 503); p["effect"] != "none" {
		t.Errorf("a read has an effect: %v", p)
	}
	f.err = errors.New("pq: password authentication failed for user payhost")
	if w := send(api, request("POST", "/v1/payments", createBody)); problem(t, w, 503)["class"] != "host_fault" || strings.Contains(w.Body.String(), "password") {
		t.Errorf("a stranger's error: %s", w.Body.String())
	}
	if shared.Advice != pay.AdviceNewAttempt || shared.Message != "" {
		t.Error("a shared error was changed")
	}
}

// TestModuleFaults wants a module that would not load to be the request's fault.
func TestModuleFaults(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	for _, e := range endpoints() {
		if e.asked != "push" && e.asked != "activate" && e.asked != "rollback" {
			continue
		}
		for class, status := range map[pay.Class]int{
			pay.ClassPluginFault: 422, pay.ClassConfig: 422, pay.ClassNotFound: 404, pay.ClassStateConflict: 409, pay.ClassHostFault: 503,
		} {
			f.err = &pay.Error{Class: class, Message: "no export"}
			if p := problem(t, send(api, e.request()), status); p["class"] != class.String() {
				t.Errorf("%s: %v", e.path, p)
			}
		}
	}
}

// TestSwapLosses tells what a swap lost, and why one was refused.
func TestSwapLosses(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	for path, lost := range map[string]string{"activate": `"lost":["refund","currency KZT"]`, "rollback": ""} {
		w := send(api, request("POST", "/v1/plugins/rahmet/"+path, map[string]string{"activate": activateBody}[path]))
		if got := w.Body.String(); w.Code != 200 || !strings.Contains(got, lost) || lost == "" && strings.Contains(got, "lost") {
			t.Errorf("%s: %d %s", path, w.Code, got)
		}
	}
	const history = `"lost":["refund"],"forced":true,"needed":"refund (2 of rahmet-main)"`
	if got := send(api, request("GET", "/v1/plugins/rahmet/revisions", "")).Body.String(); !strings.Contains(got, history) {
		t.Errorf("revisions do not say who insisted on what: %s", got)
	}
	f.err = &pay.Error{Class: pay.ClassStateConflict, Message: "confirm (3 of kassa-1)", Advice: pay.AdviceOperator}
	if p := problem(t, send(api, request("POST", "/v1/plugins/rahmet/activate", activateBody)), 409); p["detail"] != "confirm (3 of kassa-1)" ||
		p["effect"] != "none" || p["advice"] != "operator" {
		t.Errorf("refused: %v", p)
	}
}

// TestWhatTheEngineIsAsked follows arguments through.
func TestWhatTheEngineIsAsked(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	yes := true
	for _, c := range []struct {
		method, path, body string
		want               []any
	}{
		{"GET", "/v1/payments/" + payment, "", []any{payment, false}},
		{"GET", "/v1/payments/" + payment + "?refresh=true", "", []any{payment, true}},
		{"GET", "/v1/payments", "", []any{payments.Filter{Limit: 50}}},
		{
			"GET", "/v1/payments?order_id=%D0%B0+1&connection=c&status=canceled&in_doubt=true&limit=200&cursor=abc", "",
			[]any{payments.Filter{OrderID: "а 1", Connection: "c", Status: pay.PaymentCanceled, InDoubt: &yes, Limit: 200, Cursor: "abc"}},
		},
		{"POST", "/v1/payments/" + payment + "/bind", `{"code":"{\"a\":1}\n"}`, []any{payment, "{\"a\":1}\n"}},
		{"POST", "/v1/payments/" + payment + "/release", `{"amount":{"value":129900,"currency":"RUB"}}`, []any{payment, pay.New(129900, "RUB")}},
		{"POST", "/v1/payments/" + payment + "/refunds", `{"amount":` + money + `,"reason":"r"}`, []any{payment, payments.NewRefund{Amount: pay.New(250000, "KZT"), Reason: "r"}}},
		{"POST", "/v1/payments/" + payment + "/refunds/" + refund + "/cancel", `{}`, []any{payment, refund}},
		{"POST", "/v1/operations/" + operation + "/resolve", `{"outcome":"not_applied","evidence":"e"}`, []any{operation, payments.Proof{Outcome: pay.OutcomeNotApplied, Evidence: "e"}}},
		{"POST", "/v1/operations/" + operation + "/resolve", `{"outcome":"declined","evidence":"e"}`, []any{operation, payments.Proof{Outcome: pay.OutcomeDeclined, Evidence: "e"}}},
		{"GET", "/v1/payments?alerts=true", "", []any{payments.Filter{Alerts: true, Limit: 50}}},
		{"POST", "/v1/payments/" + payment + "/acknowledge", `{"evidence":"e"}`, []any{payment, "e"}},
		{"GET", "/v1/in-doubt?limit=3&cursor=x", "", []any{3, "x"}},
		{"GET", "/v1/events", "", []any{"", 100}},
		{"GET", "/v1/events?after=7&limit=500", "", []any{"7", 500}},
		{"GET", "/v1/events/dead-letters?cursor=41&limit=1", "", []any{int64(41), 1}},
		{"POST", "/v1/events/evt_1/redeliver", "", []any{"evt_1", ""}},
		{"POST", "/v1/events/evt_1/redeliver", redeliverBody, []any{"evt_1", "https://e"}},
		{"POST", "/v1/plugins/rahmet/activate", `{"digest":"` + digest + `","canary_percent":100}`, []any{"rahmet", digest, false}},
		{"POST", "/v1/plugins/rahmet/activate", `{"digest":"` + digest + `","canary_percent":1,"force":true}`, []any{"rahmet", digest, 1, true}},
		{"POST", "/v1/plugins/rahmet/activate", `{"digest":"` + digest + `","canary_percent":99}`, []any{"rahmet", digest, 99, false}},
		{"POST", "/v1/plugins/rahmet/activate", `{"digest":"` + digest + `","force":true}`, []any{"rahmet", digest, true}},
		{"POST", "/v1/plugins/rahmet/rollback", "", []any{"rahmet", false}},
		{"POST", "/v1/plugins/rahmet/rollback", `{}`, []any{"rahmet", false}},
		{"POST", "/v1/plugins/rahmet/rollback", `{"force":true}`, []any{"rahmet", true}},
		{"GET", "/v1/receipts/" + receipt + "/timeline", "", []any{payment}},
		{"GET", "/v1/receipts/" + alone + "/timeline", "", []any{alone}},
	} {
		f.asked = nil
		if w := send(api, request(c.method, c.path, c.body)); w.Code >= 300 {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body.String())
			continue
		}
		if got := fmt.Sprintf("%+v", plainArgs(f.only(t).args)); got != fmt.Sprintf("%+v", plainArgs(c.want)) {
			t.Errorf("%s %s: asked %s, want %+v", c.method, c.path, got, c.want)
		}
	}
}

// plainArgs takes pointers out, which print as addresses.
func plainArgs(args []any) []any {
	var list []any
	for _, a := range args {
		if f, ok := a.(payments.Filter); ok && f.InDoubt != nil {
			list = append(list, *f.InDoubt)
			f.InDoubt = nil
			a = f
		}
		list = append(list, a)
	}
	return list
}

// TestWrongQueries wants bad parameters refused by name.
func TestWrongQueries(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	for query, field := range map[string]string{
		"/v1/payments?limit=0": "limit", "/v1/payments?limit=201": "limit", "/v1/payments?limit=-1": "limit", "/v1/payments?limit=a": "limit",
		"/v1/payments?limit=99999999999999999999": "limit", "/v1/payments?status=paid": "status", "/v1/payments?in_doubt=maybe": "in_doubt",
		"/v1/payments?in_doubt=1": "in_doubt", "/v1/payments?stauts=failed": "stauts", "/v1/payments/" + payment + "?refresh=maybe": "refresh",
		"/v1/events?limit=501": "limit", "/v1/events/dead-letters?cursor=x": "cursor", "/v1/events/dead-letters?cursor=-1": "cursor",
		"/v1/in-doubt?limit=x": "limit", "/v1/payments?order_id=" + strings.Repeat("a", 129): "order_id", "/v1/plugins?x=1": "x",
		"/v1/payments?order_id=100%": "query", "/v1/payments?order_id=1;connection=c": "query", "/v1/payments?order_id=1&order_id=2": "order_id", "/v1/payments?order_id=%00": "order_id", "/v1/payments?connection=%FF": "connection",
	} {
		if p := problem(t, send(api, request("GET", query, "")), 422); p["field"] != field || p["class"] != "invalid_request" {
			t.Errorf("%s: %v", query, p)
		}
	}
	f.untouched(t)
}

// TestAnswers looks into what is answered.
func TestAnswers(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	w := send(api, request("POST", "/v1/payments", createBody))
	if p := object(t, w); w.Header().Get("Location") != "/v1/payments/"+payment || p["status"] != "succeeded" || p["next_action"] != nil {
		t.Errorf("create: %v %s", w.Header(), w.Body.String())
	}
	row := object(t, send(api, request("GET", "/v1/in-doubt", "")))["in_doubt"].([]any)[0].(map[string]any)
	if row["payment_id"] != payment || row["refund_id"] != refund || row["receipt_id"] != nil || row["age_seconds"] != 90.0 || row["operation"] != "refund" ||
		row["amount_at_risk"].(map[string]any)["value"] != "250000" || row["next"] != "asked again at noon" ||
		row["evidence"].(map[string]any)["bytes_out"] != 321.0 || row["evidence"].(map[string]any)["attempts"] != 2.0 || row["order_id"] != "100500" {
		t.Errorf("in doubt: %v", row)
	}
	if w := send(api, request("GET", "/v1/payments/"+payment+"/timeline", "")); strings.Contains(w.Body.String(), "secret-nonce") || !strings.Contains(w.Body.String(), `"kind":"note","body":{"text":"a note"}`) {
		t.Errorf("timeline: %s", w.Body.String())
	}
	if list := object(t, send(api, request("GET", "/v1/payments", ""))); list["next_cursor"] != "next-1" || len(list["payments"].([]any)) != 1 {
		t.Errorf("list: %v", list)
	}
	if w := send(api, request("GET", "/v1/payments/"+payment+"/refunds/"+refund+"x", "")); w.Code != 404 {
		t.Errorf("another refund: %d", w.Code)
	}
	problem(t, send(api, request("GET", "/v1/payments/"+payment+"/refunds/ref_"+book+"_2", "")), 404)
	problem(t, send(api, request("GET", "/v1/receipts/rec_"+book+"_9", "")), 404)
	if w := send(api, request("GET", "/v1/events", "")); w.Body.String() != `{"events":[`+eventBody+`],"next":"c2"}`+"\n" {
		t.Errorf("events: %s", w.Body.String())
	}
	f.book = standalone()
	for _, req := range []*http.Request{
		request("POST", "/v1/receipts", looseBody), request("GET", "/v1/receipts/"+alone, ""), request("POST", "/v1/operations/"+operation+"/probe", ""),
	} {
		if r := object(t, send(api, req)); r["id"] != alone || r["payment_id"] != nil {
			t.Errorf("%s: %v", req.URL.Path, r)
		}
	}
	f.book = nil
	if p := problem(t, send(api, request("POST", "/v1/payments", createBody)), 503); p["effect"] != "maybe" {
		t.Errorf("an engine without a book: %v", p)
	}
}

// TestHangingUpCancelsNothing wants an operation to go on when the client has gone.
func TestHangingUpCancelsNothing(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	for _, e := range endpoints() {
		if e.method != "POST" {
			continue
		}
		f.asked = nil
		ctx, hangUp := context.WithCancel(t.Context())
		f.hold = func(ctx context.Context) {
			hangUp()
			if ctx.Err() != nil {
				t.Errorf("%s: canceled", e.path)
			}
		}
		send(api, e.request().WithContext(ctx))
		f.only(t)
	}
}

// TestWithoutPlugins wants the rest to work.
func TestWithoutPlugins(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, func(c *httpapi.Config) { c.Plugins = nil })
	for _, e := range endpoints() {
		if strings.HasPrefix(e.path, "/v1/plugins") {
			if p := problem(t, send(api, e.request()), 422); p["class"] != "unsupported" {
				t.Errorf("%s: %v", e.path, p)
			}
		}
	}
	if w := send(api, request("GET", "/v1/payments", "")); w.Code != 200 {
		t.Errorf("payments: %d", w.Code)
	}
}
