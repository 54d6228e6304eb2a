package smartpay_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/smartpay"
)

// failure is a way to get one error code: the HTTP status it comes with, and the request, made on a simulator
// of its own by till 1.
type failure struct {
	code   smartpay.Code
	status int
	make   func(t *testing.T, srv *smartpay.Server, till *till) reply
}

func callWith(path string, body any) func(*testing.T, *smartpay.Server, *till) reply {
	return func(_ *testing.T, _ *smartpay.Server, till *till) reply { return till.post(path, body) }
}

func presentFlawed(flaw smartpay.Flaw) func(*testing.T, *smartpay.Server, *till) reply {
	return func(t *testing.T, srv *smartpay.Server, till *till) reply {
		code, err := srv.PresentFlawed("alice", flaw)
		must(t, err)
		return till.post(commitPath, commitBody(t, "K", code))
	}
}

// afterPaying sends a request about a successful purchase of 100 kopecks.
func afterPaying(path string, body func(id string) m) func(*testing.T, *smartpay.Server, *till) reply {
	return func(_ *testing.T, srv *smartpay.Server, till *till) reply {
		return till.post(path, body(till.pay(srv, "K", 100)))
	}
}

func sessionFailures() []failure {
	return []failure{
		{smartpay.CodeBadRequest, 400, callWith(statusPath, "not JSON")},
		{smartpay.CodeNoSession, 401, func(_ *testing.T, _ *smartpay.Server, till *till) reply {
			till.cookies = nil
			return till.post(statusPath, m{})
		}},
		{smartpay.CodeSessionExpired, 401, func(_ *testing.T, srv *smartpay.Server, till *till) reply {
			srv.Kit().Advance(24 * time.Hour)
			return till.post(statusPath, m{})
		}},
		{smartpay.CodeSessionForeign, 401, func(t *testing.T, srv *smartpay.Server, till *till) reply {
			thief := newTill(t, srv, "thief")
			thief.cookies = till.cookies
			return thief.post(statusPath, m{})
		}},
		{smartpay.CodeUnknownTill, 403, func(t *testing.T, srv *smartpay.Server, till *till) reply {
			must(t, srv.Kit().Set("tills", "7"))
			return till.post("/v1/auth", m{"till_id": "1"})
		}},
		{smartpay.CodeNoSuchCall, 404, callWith("/v3/purchase", m{})},
		{smartpay.CodeQRInvalid, 400, presentFlawed(smartpay.WrongKey)},
		{smartpay.CodeQRSignature, 403, presentFlawed(smartpay.ForgedSignature)},
		{smartpay.CodeQRExpired, 403, presentFlawed(smartpay.Stale)},
		{smartpay.CodeQRUsed, 409, func(t *testing.T, srv *smartpay.Server, till *till) reply {
			code := present(t, srv)
			till.commit("K-1", code)
			return till.post(commitPath, commitBody(t, "K-2", code))
		}},
	}
}

func purchaseFailures() []failure {
	return []failure{
		{smartpay.CodePurchaseNotFound, 404, callWith(statusPath, m{"purchase_id": "x"})},
		{smartpay.CodePurchaseElsewhere, 403, func(t *testing.T, srv *smartpay.Server, till *till) reply {
			id := till.commit("K", present(t, srv))
			return openTill(t, srv, "2").post(statusPath, m{"purchase_id": id})
		}},
		{smartpay.CodePurchaseIDReused, 409, func(t *testing.T, srv *smartpay.Server, till *till) reply {
			till.commit("K", present(t, srv))
			return till.post(commitPath, commitBody(t, "K", present(t, srv)))
		}},
		{smartpay.CodeAmount, 422, afterPaying(releasePath, func(id string) m {
			return m{"purchase_id": id, "amount": 0}
		})},
		{smartpay.CodeReleased, 409, func(t *testing.T, srv *smartpay.Server, till *till) reply {
			must(t, srv.Kit().Set("release_repeat", "error"))
			id := till.commit("K", present(t, srv))
			till.release(id, 100)
			return till.post(releasePath, m{"purchase_id": id, "amount": 100})
		}},
		{smartpay.CodeReleasedOtherwise, 409, afterPaying(releasePath, func(id string) m {
			return m{"purchase_id": id, "amount": 101}
		})},
		{smartpay.CodePurchaseState, 409, func(t *testing.T, srv *smartpay.Server, till *till) reply {
			id := till.commit("K", present(t, srv))
			return till.post(verdictPath, m{"purchase_id": id, "status": "success"})
		}},
		{smartpay.CodeConfirmed, 409, func(_ *testing.T, srv *smartpay.Server, till *till) reply {
			id := till.pay(srv, "K", 100)
			till.say(id, "success")
			return till.post(verdictPath, m{"purchase_id": id, "status": "cancel"})
		}},
		{smartpay.CodePollBudget, 429, func(t *testing.T, srv *smartpay.Server, till *till) reply {
			must(t, srv.Kit().Set("poll_budget", "1"))
			id := till.commit("K", present(t, srv))
			till.release(id, smartpay.AmountWaits)
			till.status(id)
			return till.post(statusPath, m{"purchase_id": id})
		}},
		{smartpay.CodeReceiptDiffers, 409, func(_ *testing.T, srv *smartpay.Server, till *till) reply {
			id := till.pay(srv, "K", 100)
			till.ok(fiscalV1, m{"purchase_id": id, "register_number": "1", "fiscal_sign": "1"})
			return till.post(fiscalV1, m{"purchase_id": id, "register_number": "1", "fiscal_sign": "2"})
		}},
		{smartpay.CodeUnlisted, 409, func(t *testing.T, srv *smartpay.Server, till *till) reply {
			id := till.commit("K", present(t, srv))
			return till.post(releasePath, m{"purchase_id": id, "amount": smartpay.AmountUnlisted})
		}},
	}
}

func refundFailures() []failure {
	return []failure{
		{smartpay.CodeRefundNotFound, 404, callWith(refundStatusPath, m{"refund_id": "x"})},
		{smartpay.CodeRefundTooEarly, 409, func(t *testing.T, srv *smartpay.Server, till *till) reply {
			return till.post(refundPath, refundBody(till.commit("K", present(t, srv)), "R", 100))
		}},
		{smartpay.CodeRefundTooMuch, 422, afterPaying(refundPath, func(id string) m {
			return refundBody(id, "R", 101)
		})},
		{smartpay.CodeRefundIDReused, 409, func(_ *testing.T, srv *smartpay.Server, till *till) reply {
			id := till.pay(srv, "K", 100)
			till.refund(id, "R", 10)
			return till.post(refundPath, refundBody(id, "R", 11))
		}},
		{smartpay.CodeRefundState, 409, func(_ *testing.T, srv *smartpay.Server, till *till) reply {
			refund := till.refund(till.pay(srv, "K", 100), "R", 10)
			return till.post(refundVerdictPath, m{"refund_id": refund, "status": "success"})
		}},
	}
}

// TestEveryErrorIsListedAndHappens makes the list and the behavior prove one another.
func TestEveryErrorIsListedAndHappens(t *testing.T) {
	t.Parallel()
	listed := map[smartpay.Code]string{}
	for _, e := range list(t, start(t, "error_list", "extended")) {
		if listed[e.Code] != "" || e.Message == "" {
			t.Errorf("code %d is listed twice or without a message", e.Code)
		}
		listed[e.Code] = e.Message
	}
	failures := append(append(sessionFailures(), purchaseFailures()...), refundFailures()...)
	for _, f := range failures {
		srv := start(t)
		r := f.make(t, srv, openTill(t, srv, "1"))
		if r.status != f.status || r.code != f.code {
			t.Errorf("code %d: HTTP %d: %s, want HTTP %d", f.code, r.status, r.raw, f.status)
		}
		if r.message != listed[f.code] {
			t.Errorf("code %d comes with %q and is listed with %q", f.code, r.message, listed[f.code])
		}
		if !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") {
			t.Errorf("code %d comes as %s", f.code, r.header.Get("Content-Type"))
		}
	}
	if len(failures) != len(listed) {
		t.Errorf("%d codes tried, %d listed", len(failures), len(listed))
	}
}

func TestS11TheListChanges(t *testing.T) {
	t.Parallel()
	srv := start(t)
	before := list(t, srv)
	for _, e := range before {
		if e.Code == smartpay.CodeUnlisted {
			t.Errorf("code %d is on the first list", e.Code)
		}
	}
	must(t, srv.Kit().Set("error_list", "extended"))
	after := list(t, srv)
	if len(after) != len(before)+1 || after[len(after)-1].Code != smartpay.CodeUnlisted {
		t.Errorf("%d rows before and %d after, want code %d added", len(before), len(after), smartpay.CodeUnlisted)
	}
}

func TestS11UnknownCode(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	id := till.commit("K", present(t, srv))
	till.refused(smartpay.CodeUnlisted, releasePath, m{"purchase_id": id, "amount": smartpay.AmountUnlisted})
	if got := till.status(id); got != "committed" {
		t.Errorf("state %s after a refused release", got)
	}
	must(t, srv.Kit().Fault(simkit.Fault{
		Path: statusPath, Kind: simkit.Answer, Status: 418, Count: 1,
		Body: `{"error":{"code":424242,"message":"?"}}`,
	}))
	if r := till.post(statusPath, m{"purchase_id": id}); r.status != 418 || r.code != 424242 {
		t.Errorf("HTTP %d: %s", r.status, r.raw)
	}
	wantEffects(t, srv)
}

func TestPingAndErrorListAreOpen(t *testing.T) {
	t.Parallel()
	srv := start(t)
	bare, good := newTill(t, srv, "till-1"), openTill(t, srv, "1")
	type request struct{ method, path string }
	all := []request{{"GET", "/v1/ping"}, {"POST", "/v1/ping"}, {"GET", "/v1/error_answers"}}
	for _, open := range []bool{true, false} {
		if !open {
			must(t, srv.Kit().Set("open_calls", "no"))
		}
		for _, q := range all {
			r, err := bare.send(q.method, q.path, "")
			must(t, err)
			if open != (r.status == http.StatusOK) || !open && r.code != smartpay.CodeNoSession {
				t.Errorf("%v without a session, open_calls %v: HTTP %d: %s", q, open, r.status, r.raw)
			}
			r, err = good.send(q.method, q.path, "")
			must(t, err)
			if r.status != http.StatusOK || strings.HasSuffix(q.path, "ping") && r.Status != "ok" {
				t.Errorf("%v with a session: HTTP %d: %s", q, r.status, r.raw)
			}
		}
	}
}

func TestStrictRequests(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	for _, path := range sessionPaths() {
		for _, body := range []string{"", "null x", "[]", `"text"`, `{"unknown":1}`, `{}{}`, "purchase_id=1"} {
			till.refused(smartpay.CodeBadRequest, path, body)
		}
		if r, err := till.send(http.MethodGet, path, ""); err != nil || r.code != smartpay.CodeNoSuchCall {
			t.Errorf("GET %s: %s, %v", path, r.raw, err)
		}
	}
	form, err := http.NewRequest(http.MethodPost, srv.URL()+"/v1/auth", strings.NewReader(`{"till_id":"1"}`))
	must(t, err)
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := till.client.Do(form)
	must(t, err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("JSON that calls itself a form: HTTP %d", response.StatusCode)
	}
}

func list(t *testing.T, srv *smartpay.Server) []struct {
	Code    smartpay.Code
	Message string
} {
	t.Helper()
	r, err := newTill(t, srv, "till-1").send(http.MethodGet, "/v1/error_answers", "")
	must(t, err)
	return r.Errors
}
