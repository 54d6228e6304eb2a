package smartpay_test

import (
	"strings"
	"testing"

	"github.com/payhost/payhost/sdk/pay"
)

// item is what a test looks at in a status item.
type item struct {
	Found   pay.Found
	Payment pay.PaymentStatus
	Refund  pay.RefundStatus
	Amount  pay.Money
	Reason  pay.DeclinedReason
	Failure failure
}

func itemOf(t *testing.T, got pay.StatusItem) item {
	t.Helper()
	out := item{Found: got.Found}
	if got.Err != nil {
		out.Failure = failed(t, got.Err)
	}
	for _, o := range got.Observations {
		out.Payment, out.Refund, out.Amount, out.Reason = o.Payment, o.Refund, o.Amount, o.Reason
	}
	return out
}

func answer(body string) string { return "< 200\n<\n< " + body + "\n" }

// statusRequest is the request of a status call, as a transcript has it.
const statusRequest = "> POST /v1/purchase/status read\n>\n> {\"purchase_id\": \"p-1\"}\n"

func TestStatus(t *testing.T) {
	t.Parallel()
	seen := func(s pay.PaymentStatus, amount pay.Money) item {
		return item{Found: pay.FoundObserved, Payment: s, Amount: amount}
	}
	asked, none := kopecks(25050), pay.Money{}
	declined := seen(pay.PaymentFailed, asked)
	declined.Reason = pay.DeclinedOther
	protocol := item{Failure: failure{Class: pay.ClassProtocol}}
	wrong := item{Failure: failure{Class: pay.ClassIntegrity, Field: "amount", Advice: pay.AdviceOperator}}
	refused := func(class pay.Class, code string) item { return item{Failure: failure{Class: class, Code: code}} }
	tests := map[string]struct {
		answer string
		want   item
	}{
		"committed":            {answer(`{"status":"committed","amount":0}`), seen(pay.PaymentPending, none)},
		"pending":              {answer(`{"status":"pending","amount":25050}`), seen(pay.PaymentProcessing, asked)},
		"success":              {answer(`{"status":"success","amount":25050}`), seen(pay.PaymentAuthorized, asked)},
		"fail":                 {answer(`{"status":"fail","amount":25050}`), declined},
		"canceled":             {answer(`{"status":"canceled","amount":25050}`), seen(pay.PaymentCanceled, asked)},
		"canceled, unreleased": {answer(`{"status":"canceled","amount":0}`), seen(pay.PaymentCanceled, none)},
		"amount in quotes":     {answer(`{"status":"success","amount":"25050"}`), seen(pay.PaymentAuthorized, asked)},
		"amount is missing":    {answer(`{"status":"pending"}`), seen(pay.PaymentProcessing, none)},
		"amount is null":       {answer(`{"status":"success","amount":null}`), seen(pay.PaymentAuthorized, none)},
		"members to come":      {answer(`{"status":"success","amount":25050,"payer":{"name":"И."},"x":null}`), seen(pay.PaymentAuthorized, asked)},
		"BOM":                  {"< 200\n< !body \"\\xef\\xbb\\xbf{\\\"status\\\":\\\"pending\\\"}\"\n", seen(pay.PaymentProcessing, none)},

		// A word that nobody knows is no news: neither success nor failure.
		"unknown word":   {answer(`{"status":"frozen","amount":25050}`), item{}},
		"other case":     {answer(`{"status":"SUCCESS","amount":25050}`), item{}},
		"the other word": {answer(`{"status":"cancelled","amount":25050}`), item{}}, //nolint:misspell // on purpose

		"another amount":           {answer(`{"status":"success","amount":25051}`), wrong},
		"amount in rubles":         {answer(`{"status":"success","amount":250}`), wrong},
		"success of nothing":       {answer(`{"status":"success","amount":0}`), wrong},
		"canceled, another amount": {answer(`{"status":"canceled","amount":1}`), wrong},

		"amount with a fraction": {answer(`{"status":"success","amount":250.5}`), protocol},
		"amount with a point":    {answer(`{"status":"success","amount":25050.0}`), protocol},
		"amount with exponent":   {answer(`{"status":"success","amount":2505e1}`), protocol},
		"negative amount":        {answer(`{"status":"success","amount":-25050}`), protocol},
		"amount with a plus":     {answer(`{"status":"success","amount":"+25050"}`), protocol},
		"amount out of range":    {answer(`{"status":"success","amount":9223372036854775808}`), protocol},
		"amount is a word":       {answer(`{"status":"success","amount":"много"}`), protocol},
		"amount is empty":        {answer(`{"status":"success","amount":""}`), protocol},
		"amount is an object":    {answer(`{"status":"success","amount":{"value":25050}}`), protocol},
		"amount is a boolean":    {answer(`{"status":"success","amount":true}`), protocol},
		"no status":              {answer(`{"amount":25050}`), protocol},
		"status is null":         {answer(`{"status":null,"amount":25050}`), protocol},
		"status is empty":        {answer(`{"status":"","amount":25050}`), protocol},
		"status is a number":     {answer(`{"status":2,"amount":25050}`), protocol},
		"array":                  {answer(`[{"status":"success"}]`), protocol},
		"null":                   {answer(`null`), protocol},
		"truncated":              {answer(`{"status":"success","amou`), protocol},
		"html":                   {answer(`<html><body>success</body></html>`), protocol},
		"empty":                  {"< 200\n", protocol},
		"redirect":               {"< 302\n< location: https://elsewhere.test/\n", protocol},
		"500":                    {"< 500\n<\n< {\"error\": {\"code\": 3001}}\n", refused(pay.ClassProtocol, "3001")},

		// Only the service's own word is not_found.
		"not found":           {"< 404\n<\n< {\"error\": {\"code\": 3001, \"message\": \"Покупка не найдена\"}}\n", item{Found: pay.FoundNot}},
		"not found under 200": {answer(`{"error": {"code": "3001"}}`), item{Found: pay.FoundNot}},
		"404 of a proxy":      {"< 404\n<\n< <html>Not Found</html>\n", protocol},
		"another till's": {"< 403\n<\n< {\"error\": {\"code\": 3002, \"message\": \"…\"}}\n", item{Failure: failure{
			Class: pay.ClassConfig, Field: "settings.till_id", Advice: pay.AdviceOperator, Code: "3002",
		}}},
		"asked too often": {"< 429\n<\n< {\"error\": {\"code\": 3009, \"message\": \"…\"}}\n", refused(pay.ClassRateLimited, "3009")},
		"unknown code":    {"< 409\n<\n< {\"error\": {\"code\": 7001, \"message\": \"…\"}}\n", refused(pay.ClassProtocol, "7001")},
		"no route":        {"< !not_sent no route to host\n", refused(pay.ClassUnavailable, "")},
		"timeout":         {"< !unknown timeout\n", refused(pay.ClassTimeout, "")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			items, err := openTill(t, statusRequest+tt.answer).Status(bound())
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "item", itemOf(t, items[0]), tt.want)
		})
	}
}

func TestStatusBeforeTheAmountIsKnown(t *testing.T) {
	t.Parallel()
	ref := bound()
	ref.Amount = pay.Money{}
	items, err := openTill(t, statusRequest+answer(`{"status":"pending","amount":500}`)).Status(ref)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "amount", items[0].Observations[0].Amount, kopecks(500))
}

// TestStatusOfMany shows that one payment's trouble is not another's, and that
// together they are told what each would be told alone.
func TestStatusOfMany(t *testing.T) {
	t.Parallel()
	refs := []pay.Ref{
		{ID: "a", ProviderRef: "p-a"},
		{ID: "unbound", Keys: []string{"1-1768471200-9"}},
		{ID: "b", ProviderRef: "p-b"},
		{ID: "c", ProviderRef: "p-c"},
		{ID: "d", ProviderRef: "p-d"},
	}
	exchange := func(id, answer string) string {
		return strings.ReplaceAll(statusRequest, "p-1", "p-"+id) + answer
	}
	answers := map[string]string{
		"a": exchange("a", answer(`{"status":"success","amount":100}`)), "b": exchange("b", "< 500\n"),
		"c": exchange("c", "< 404\n<\n< {\"error\": {\"code\": 3001}}\n"),
		"d": exchange("d", answer(`{"status":"canceled","amount":100}`)), "unbound": "",
	}
	together, err := openTill(t, answers["a"]+answers["b"]+answers["c"]+answers["d"]).Status(refs...)
	if err != nil {
		t.Fatal(err)
	}
	for i, ref := range refs {
		alone, err := openTill(t, answers[ref.ID]).Status(ref)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, ref.ID, itemOf(t, together[i]), itemOf(t, alone[0]))
	}
	equal(t, "a", together[0].Found, pay.FoundObserved)
	equal(t, "unbound", together[1], pay.StatusItem{ID: "unbound"})
	equal(t, "d", together[4].Found, pay.FoundObserved)
}

func TestRetryAfterOfStatus(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"7": "7s", "-7": "0s", "soon": "0s", "": "0s", "999999999": "24h0m0s",
	} {
		items, err := openTill(t, statusRequest+"< 429\n< retry-after: "+value+"\n").Status(bound())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, value, items[0].Err.RetryAfter.String(), want)
	}
}

func TestRefundStatus(t *testing.T) {
	t.Parallel()
	const request = "> POST /v1/purchase/refund/status read\n>\n> {\"refund_id\": \"r-1\"}\n"
	seen := func(s pay.RefundStatus) item { return item{Found: pay.FoundObserved, Refund: s} }
	failedRefund := seen(pay.RefundFailed)
	failedRefund.Reason = pay.DeclinedOther
	for name, tt := range map[string]struct {
		answer string
		want   item
	}{
		"pending":      {answer(`{"status":"pending"}`), seen(pay.RefundPending)},
		"success":      {answer(`{"status":"success"}`), seen(pay.RefundSucceeded)},
		"fail":         {answer(`{"status":"fail"}`), failedRefund},
		"unknown word": {answer(`{"status":"canceled"}`), item{}},
		"no status":    {answer(`{}`), item{Failure: failure{Class: pay.ClassProtocol}}},
		"html":         {answer(`<p>`), item{Failure: failure{Class: pay.ClassProtocol}}},
		"not found":    {"< 404\n<\n< {\"error\": {\"code\": 4001}}\n", item{Found: pay.FoundNot}},
		"no route":     {"< !not_sent no route\n", item{Failure: failure{Class: pay.ClassUnavailable}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := openTill(t, request+tt.answer)
			items, err := p.RefundStatus(pay.Ref{ID: "ref_0"}, pay.Ref{ID: "ref_1", ProviderRef: "r-1"})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "not asked for yet", itemOf(t, items[0]), item{})
			equal(t, "item", itemOf(t, items[1]), tt.want)
			if name == "unknown word" && len(p.Logs()) != 1 {
				t.Errorf("log: %q", p.Logs())
			}
		})
	}
}
