package smartpay_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/payhost/payhost/sdk/pay"
	"github.com/payhost/payhost/sdk/sdktest"
)

// writing is one writing call of the service: its request as a transcript has it,
// and how to bring the plugin to make it.
type writing struct {
	request string
	call    func(*sdktest.Plugin) (*pay.Result, error)
}

// writings are all of them.
func writings() map[string]writing {
	post := func(path, body string) string { return "> POST " + path + " money\n>\n> " + body + "\n" }
	ref := bound()
	payment := pay.PaymentRequest{Payment: ref, Amount: kopecks(25050)}
	return map[string]writing{
		"bind": {
			post("/v1/purchase/code/commit", `{"kassa_purchase_id":"{{any}}","id_loyalty":"1","encrypted":"a","sign":"b"}`),
			func(p *sdktest.Plugin) (*pay.Result, error) {
				return p.Bind(pay.BindRequest{Code: `{"id_loyalty":"1","encrypted":"a","sign":"b"}`})
			},
		},
		"release": {
			post("/v1/purchase/release", `{"purchase_id":"p-1","amount":25050}`),
			func(p *sdktest.Plugin) (*pay.Result, error) { return p.Release(payment) },
		},
		"confirm": {
			post("/v1/purchase/kassa/status", `{"purchase_id":"p-1","status":"success"}`),
			func(p *sdktest.Plugin) (*pay.Result, error) { return p.Confirm(payment) },
		},
		"cancel": {
			post("/v1/purchase/kassa/status", `{"purchase_id":"p-1","status":"cancel"}`),
			func(p *sdktest.Plugin) (*pay.Result, error) { return p.Cancel(payment) },
		},
		"refund": {
			post("/v1/purchase/refund", `{"purchase_id":"p-1","kassa_refund_id":"{{any}}","amount":10000}`),
			func(p *sdktest.Plugin) (*pay.Result, error) { return p.Refund(askedRefund()) },
		},
		"confirm_refund": {
			post("/v1/purchase/refund/kassa/status", `{"refund_id":"r-1","status":"success"}`),
			func(p *sdktest.Plugin) (*pay.Result, error) { return p.ConfirmRefund(askedRefund()) },
		},
		"cancel_refund": {
			post("/v1/purchase/refund/kassa/status", `{"refund_id":"r-1","status":"cancel"}`),
			func(p *sdktest.Plugin) (*pay.Result, error) { return p.CancelRefund(askedRefund()) },
		},
		"receipt": {
			post("/v1/purchase/fiscal", `{"purchase_id":"p-1","register_number":"{{any}}","fiscal_sign":"{{any}}"}`),
			func(p *sdktest.Plugin) (*pay.Result, error) { return p.Receipt(receiptOf(&ref)) },
		},
	}
}

// TestAnswersThatSayNothing goes through every writing call with every answer that
// can't be understood: none may read as a success or as a definite no.
func TestAnswersThatSayNothing(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"empty object": answer(`{}`), "empty": "< 200\n", "null": answer(`null`), "array": answer(`[]`),
		"string": answer(`"ok"`), "html": answer(`<html><body>ok</body></html>`), "truncated": answer(`{"status":"o`),
		"two values": answer(`{"status":"ok"}{"status":"ok"}`), "binary": "< 200\n< !body \"\\x1f\\x8b\\x08\\x00\"\n",
		"nulls":        answer(`{"status":null,"purchase_id":null,"refund_id":null}`),
		"wrong types":  answer(`{"status":1,"purchase_id":7,"refund_id":{"id":7}}`),
		"empty texts":  answer(`{"status":"","purchase_id":"","refund_id":""}`),
		"odd word":     answer(`{"status":"maybe"}`),
		"endless id":   answer(`{"purchase_id":"` + strings.Repeat("7", 256) + `","refund_id":"` + strings.Repeat("7", 256) + `"}`),
		"odd error":    answer(`{"status":"ok","purchase_id":"p-1","refund_id":"r-1","error":"yes"}`),
		"error is 0":   answer(`{"status":"ok","purchase_id":"p-1","refund_id":"r-1","error":{"code":0}}`),
		"400 empty":    "< 400\n",
		"400 html":     "< 400\n<\n< <center>No required SSL certificate was sent</center>\n",
		"403 other":    "< 403\n<\n< {\"detail\": \"denied\"}\n",
		"409 no code":  "< 409\n<\n< {\"error\": {\"message\": \"?\"}}\n",
		"409 null":     "< 409\n<\n< {\"error\": {\"code\": null}}\n",
		"unknown code": "< 409\n<\n< {\"error\": {\"code\": 7001, \"message\": \"Операция временно ограничена\"}}\n",
		"odd code":     "< 409\n<\n< {\"error\": {\"code\": 3.007e3, \"message\": \"?\"}}\n",
		"redirect":     "< 302\n< location: https://elsewhere.test/\n<\n< {\"status\": \"ok\"}\n",
		"500":          "< 500\n", "502 html": "< 502\n<\n< <html>Bad Gateway</html>\n", "503": "< 503\n< retry-after: 5\n",
		// A server error is a doubt even if it names a code that would be a definite no.
		"500 with a code": "< 500\n<\n< {\"error\": {\"code\": 3007, \"message\": \"?\"}}\n",
	}
	for operation, w := range writings() {
		for name, text := range answers {
			t.Run(operation+" "+name, func(t *testing.T) {
				t.Parallel()
				result, err := w.call(openTill(t, w.request+text))
				if pay.ClassOf(err) != pay.ClassProtocol {
					t.Errorf("%+v, %v", result, err)
				}
			})
		}
	}
}

func TestAnswersBelowTheService(t *testing.T) {
	t.Parallel()
	for operation, w := range writings() {
		for text, want := range map[string]failure{
			"< !not_sent connection refused\n":                  {Class: pay.ClassUnavailable},
			"< !unknown connection reset\n":                     {Class: pay.ClassTimeout, Effect: pay.EffectMaybe},
			"< 429\n< retry-after: 5\n<\n< <html>slow</html>\n": {Class: pay.ClassRateLimited},
		} {
			_, err := w.call(openTill(t, w.request+text))
			equal(t, operation, failed(t, err), want)
		}
	}
}

// TestErrorCodes is the table of codes, each answered under its HTTP status and, as
// the body goes first, under 200.
func TestErrorCodes(t *testing.T) {
	t.Parallel()
	operator := pay.AdviceOperator
	till := failure{Class: pay.ClassConfig, Field: "settings.till_id", Advice: operator}
	code := failure{Class: pay.ClassCodeInvalid, Field: "code"}
	amount := failure{Class: pay.ClassInvalidRequest, Field: "amount"}
	conflict := failure{Class: pay.ClassStateConflict}
	reused := failure{Class: pay.ClassDuplicate, Advice: operator}
	for number, tt := range map[int]struct {
		status int
		want   failure
	}{
		1001: {400, failure{Class: pay.ClassInvalidRequest}},
		1005: {403, till},
		1006: {404, failure{Class: pay.ClassUnsupported, Field: "base_url"}},
		2001: {400, code}, 2002: {403, code}, 2004: {409, code},
		2003: {403, failure{Class: pay.ClassCodeExpired, Field: "code"}},
		3001: {404, failure{Class: pay.ClassNotFound}},
		3002: {403, till},
		3003: {409, reused},
		3004: {422, amount},
		3006: {409, failure{Class: pay.ClassIntegrity, Field: "amount", Advice: operator}},
		3007: {409, conflict}, 3008: {409, conflict}, 3010: {409, conflict},
		4001: {404, failure{Class: pay.ClassNotFound}},
		4002: {409, conflict}, 4003: {422, amount}, 4004: {409, reused}, 4005: {409, conflict},
	} {
		for operation, w := range writings() {
			if operation == "release" && tt.want.Class == pay.ClassDuplicate {
				continue // it asks status then: see TestRelease
			}
			for _, status := range []int{tt.status, 200} {
				p := openTill(t, w.request+"< "+strconv.Itoa(status)+"\n<\n< {\"error\": {\"code\": "+
					strconv.Itoa(number)+", \"message\": \"Сообщение\"}}\n")
				_, err := w.call(p)
				want := tt.want
				want.Code = strconv.Itoa(number)
				equal(t, operation+" "+want.Code, failed(t, err), want)
				if e := pay.AsError(err); e != nil && e.ProviderMessage != "Сообщение" {
					t.Errorf("%s %s: the provider's message is lost: %q", operation, want.Code, e.ProviderMessage)
				}
			}
		}
	}
}

// TestLongMessageIsCut keeps a provider's essay from filling the reply.
func TestLongMessageIsCut(t *testing.T) {
	t.Parallel()
	w := writings()["release"]
	text := "a" + strings.Repeat("я", 100_000) // 500 bytes would end inside a letter
	_, err := w.call(openTill(t, w.request+"< 409\n<\n< {\"error\": {\"code\": 3007, \"message\": \""+text+"\"}}\n"))
	if e := pay.AsError(err); e.Class != pay.ClassStateConflict || e.ProviderMessage != text[:499] {
		t.Errorf("%s: message of %d bytes", e.Class, len(e.ProviderMessage))
	}
}
