package smartpay_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/plugins/smartpay"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
	"github.com/payhost/payhost/sdk/sdktest"
)

// newTill returns the plugin on a connection of till 1, with its certificate and no
// session.
func newTill(t *testing.T, change ...func(*sdktest.Config)) *sdktest.Plugin {
	t.Helper()
	config := sdktest.Config{
		BaseURL: "https://kassa.test", Settings: `{"till_id": "1"}`, Identities: []string{"client"},
	}
	for _, c := range change {
		c(&config)
	}
	return sdktest.New(t, smartpay.New(), config)
}

// openTill is newTill with a session from before, and a transcript.
func openTill(t *testing.T, transcript string, change ...func(*sdktest.Config)) *sdktest.Plugin {
	t.Helper()
	p := newTill(t, change...)
	p.Store("session/1", []byte("kassa=stored"), 0)
	if transcript != "" {
		p.Transcript(transcript)
	}
	return p
}

func settings(text string) func(*sdktest.Config) {
	return func(c *sdktest.Config) { c.Settings = text }
}

// failure is what a test looks at in an error.
type failure struct {
	Class  pay.Class
	Field  string
	Advice pay.Advice
	Effect pay.Effect
	Code   string
}

// failed returns an error as a failure; the zero value if there is none.
func failed(t *testing.T, err error) failure {
	t.Helper()
	if err == nil {
		return failure{}
	}
	var e *pay.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *pay.Error", err)
	}
	if e.Message == "" {
		t.Errorf("%v: has no message", err)
	}
	return failure{Class: e.Class, Field: e.Field, Advice: e.Advice, Effect: e.Effect, Code: e.ProviderCode}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", what, diff)
	}
}

func bound() pay.Ref {
	return pay.Ref{ID: "pay_1", OrderID: "100500", ProviderRef: "p-1", Amount: kopecks(25050)}
}

func kopecks(n int64) pay.Money { return pay.New(n, pay.RUB) }

func TestManifestAgreesWithMethods(t *testing.T) {
	t.Parallel()
	if problems := sdk.Mismatch(smartpay.New()); len(problems) > 0 {
		t.Error(problems)
	}
	m := newTill(t).Manifest() // through the ABI
	equal(t, "flows", m.Flows, []pay.Flow{pay.FlowTill})
	equal(t, "currencies", m.Currencies, []pay.CurrencySpec{{Currency: pay.RUB, Step: 1, Min: 1}})
	equal(t, "identities", m.Identities[0].Name, "client")
	if !m.Identities[0].Required || !m.Storage || len(m.Secrets) > 0 {
		t.Error("a till has a required certificate, storage, and no secret")
	}
	for op, want := range map[pay.Operation]pay.OperationSpec{
		pay.OpCreate:  {Idempotency: pay.IdempotencyNative},
		pay.OpBind:    {Idempotency: pay.IdempotencyNatural, KeyForm: pay.KeyCounter, KeySetting: "till_id", MoneyCalls: 2},
		pay.OpRelease: {Idempotency: pay.IdempotencyLookup, MoneyCalls: 2},
		pay.OpRefund:  {Idempotency: pay.IdempotencyNatural, KeyForm: pay.KeyCounter, KeySetting: "till_id", MoneyCalls: 2},
	} {
		want.Operation = op
		got, _ := m.Operation(op)
		equal(t, op.String(), got, want)
	}
}

// TestManifestReadsOnlyWhatChangesNothing names every call that the host may repeat.
func TestManifestReadsOnlyWhatChangesNothing(t *testing.T) {
	t.Parallel()
	var reads []string
	for _, rule := range smartpay.New().Manifest().Egress {
		if rule.Origin != "base_url" || len(rule.Methods) != 1 || rule.PathPrefix == "" {
			t.Errorf("%+v is wider than one call", rule)
		}
		if rule.Read {
			reads = append(reads, rule.Methods[0]+" "+rule.PathPrefix)
		}
	}
	equal(t, "reading calls", reads, []string{
		"POST /v1/auth", "POST /v1/purchase/status", "POST /v1/purchase/refund/status", "GET /v1/ping",
		"GET /v1/error_answers",
	})
}

func TestSettingsSchema(t *testing.T) {
	t.Parallel()
	schema, err := json.Parse([]byte(smartpay.New().Manifest().SettingsSchema))
	if err != nil {
		t.Fatal(err)
	}
	if open, ok := schema.Get("additionalProperties").Bool(); !ok || open {
		t.Error("unknown settings are let in")
	}
	schema.Get("properties").Each(func(name string, p json.Value) bool {
		if p.Get("title").Str() == "" || p.Get("description").Str() == "" {
			t.Errorf("%s has no title or description", name)
		}
		return true
	})
	till := regexp.MustCompile(schema.Get("properties").Get("till_id").Get("pattern").Str())
	for id, want := range map[string]bool{
		"1": true, "Till-07": true, strings.Repeat("9", 32): true,
		"": false, "-1": false, "a b": false, "a_b": false, "касса": false, "1\n": false, strings.Repeat("9", 33): false,
	} {
		if till.MatchString(id) != want {
			t.Errorf("till_id %q: match is %t", id, !want)
		}
	}
}

func TestCheckConfig(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		settings string
		keys     []string
		want     []string
	}{
		"least":              {settings: `{"till_id": "1"}`},
		"both keys":          {settings: `{"till_id": "1"}`, keys: []string{"qr_decrypt", "qr_sign"}},
		"durations":          {settings: `{"till_id": "1", "code_max_age": "90s", "clock_skew": "0s"}`},
		"only qr_decrypt":    {settings: `{"till_id": "1"}`, keys: []string{"qr_decrypt"}, want: []string{"keys.qr_sign"}},
		"only qr_sign":       {settings: `{"till_id": "1"}`, keys: []string{"qr_sign"}, want: []string{"keys.qr_decrypt"}},
		"no duration":        {settings: `{"code_max_age": "5 minutes"}`, want: []string{"settings.code_max_age"}},
		"no age":             {settings: `{"code_max_age": "0s"}`, want: []string{"settings.code_max_age"}},
		"age of days":        {settings: `{"code_max_age": "48h"}`, want: []string{"settings.code_max_age"}},
		"negative skew":      {settings: `{"clock_skew": "-1s"}`, want: []string{"settings.clock_skew"}},
		"skew of an hour":    {settings: `{"clock_skew": "1h"}`, want: []string{"settings.clock_skew"}},
		"everything at once": {settings: `{"code_max_age": "", "clock_skew": "x"}`, keys: []string{"qr_sign"}, want: []string{"settings.code_max_age", "settings.clock_skew", "keys.qr_decrypt"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newTill(t, settings(tt.settings), func(c *sdktest.Config) {
				c.Keys = map[string]any{}
				for _, key := range tt.keys {
					c.Keys[key] = []byte("unused")
				}
			})
			var fields []string
			for _, problem := range p.CheckConfig() {
				fields = append(fields, problem.Field)
				if problem.Message == "" {
					t.Errorf("%s: no message", problem.Field)
				}
			}
			equal(t, "fields", fields, tt.want)
		})
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	const request = "> GET /v1/ping read\n> cookie: kassa=stored\n"
	for name, tt := range map[string]struct {
		answer string
		want   pay.Class
	}{
		"ok":       {answer: "< 200\n<\n< {\"status\": \"ok\"}\n"},
		"not ok":   {answer: "< 200\n<\n< {\"status\": \"degraded\"}\n", want: pay.ClassProtocol},
		"html":     {answer: "< 200\n<\n< <html></html>\n", want: pay.ClassProtocol},
		"down":     {answer: "< 503\n", want: pay.ClassProtocol},
		"no route": {answer: "< !not_sent no route to host\n", want: pay.ClassUnavailable},
		"timeout":  {answer: "< !unknown timeout\n", want: pay.ClassTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := openTill(t, request+tt.answer).Ping()
			equal(t, "class", pay.ClassOf(err), tt.want)
		})
	}
}

func TestErrorCatalog(t *testing.T) {
	t.Parallel()
	p := openTill(t, "testdata/errors.txt#list")
	list, err := p.ErrorCatalog()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "list", list, []pay.CatalogEntry{
		{Code: "1003", Message: "Сессия истекла", Class: pay.ClassAuth},
		{Code: "2003", Message: "Срок действия QR-кода истёк", Class: pay.ClassCodeExpired},
		{Code: "3004", Message: "Недопустимая сумма", Class: pay.ClassInvalidRequest},
		{Code: "7001", Message: "Операция временно ограничена"},
		{Code: "4003", Class: pay.ClassInvalidRequest},
	})
	if logs := p.Logs(); len(logs) != 1 || !strings.HasPrefix(logs[0], "warn ") {
		t.Errorf("rows that can't be read left no warning: %q", logs)
	}

	if list, err := openTill(t, "testdata/errors.txt#empty").ErrorCatalog(); err != nil || len(list) > 0 {
		t.Errorf("empty list: %v, %v", list, err)
	}
	_, err = openTill(t, "testdata/errors.txt#no_list").ErrorCatalog()
	equal(t, "no list", pay.ClassOf(err), pay.ClassProtocol)
}

// TestErrorCatalogOfAnySize holds a list that is too long for one message against
// the limit.
func TestErrorCatalogOfAnySize(t *testing.T) {
	t.Parallel()
	row := `{"code": 9000, "message": "` + strings.Repeat("я", 2000) + `"},`
	p := openTill(t, "> GET /v1/error_answers read\n< 200\n<\n< {\"errors\": ["+strings.Repeat(row, 1500)+"{}]}\n")
	list, err := p.ErrorCatalog()
	if err != nil || len(list) != 512 || len(list[0].Message) != 200 {
		t.Errorf("%d rows, %v", len(list), err)
	}
}

func TestCreateSendsNothing(t *testing.T) {
	t.Parallel()
	p := newTill(t) // no transcript: a request would fail the test
	for name, amount := range map[string]pay.Money{"no amount yet": {}, "amount": kopecks(1)} {
		got, err := p.Create(pay.CreateRequest{OrderID: "100500", Amount: amount})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Outcome != pay.OutcomeApplied || got.Next.Type != pay.NextPresentCode || got.ProviderRef != "" {
			t.Errorf("%s: %+v", name, got)
		}
		equal(t, "status", got.Observations[0].Payment, pay.PaymentPending)
	}
	for name, amount := range map[string]pay.Money{
		"tenge": pay.New(100, pay.KZT), "zero": kopecks(0), "negative": kopecks(-1),
	} {
		_, err := p.Create(pay.CreateRequest{OrderID: "100500", Amount: amount})
		equal(t, name, failed(t, err), failure{Class: pay.ClassInvalidRequest, Field: "amount"})
	}
}

// TestLife takes one payment from the code to the receipt.
func TestLife(t *testing.T) {
	t.Parallel()
	p := openTill(t, "testdata/till.txt#life")
	ref := bound()

	result, err := p.Bind(pay.BindRequest{
		Payment: pay.Ref{ID: "pay_1"}, Code: `{"id_loyalty":"9643100020003000","encrypted":"ZW5j","sign":"c2lnbg=="}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "bind", result, &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: "p-1", PayerHint: "***3000", Next: pay.NextAction{Type: pay.NextNone},
		Observations: []pay.Observation{{
			Subject: pay.SubjectPayment, Payment: pay.PaymentPending, ProviderRef: "p-1",
			ProviderKey: "1-1768471200-1", ProviderState: "committed",
		}},
	})

	result, err = p.Release(pay.PaymentRequest{Payment: ref, Amount: kopecks(25050)})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "release", result.Outcome, pay.OutcomeApplied)
	equal(t, "release", result.Observations[0].Payment, pay.PaymentProcessing)

	for _, want := range []pay.PaymentStatus{pay.PaymentProcessing, pay.PaymentAuthorized} {
		items, err := p.Status(ref)
		if err != nil {
			t.Fatal(err)
		}
		seen := items[0].Observations[0]
		if seen.Payment != want || seen.Amount != kopecks(25050) || !seen.AmountPaid.IsZero() {
			t.Errorf("status: %+v, want %s", seen, want)
		}
	}

	result, err = p.Confirm(pay.PaymentRequest{Payment: ref, Amount: kopecks(25050)})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "confirm", result.Outcome, pay.OutcomeApplied)
	equal(t, "confirm", result.Observations[0].Payment, pay.PaymentSucceeded)

	result, err = p.Receipt(pay.ReceiptRequest{Payment: &ref, RegisterNumber: "0001234567012345", FiscalSign: "2890123456"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "receipt", result.Observations[0].Receipt, pay.ReceiptRegistered)
}

// TestNothingPersonalIsLogged reads the log of a life with a payer in it.
func TestNothingPersonalIsLogged(t *testing.T) {
	t.Parallel()
	p := openTill(t, `> POST /v1/purchase/code/commit money
>
> {"kassa_purchase_id": "{{any}}", "id_loyalty": "{{any}}", "encrypted": "{{any}}", "sign": "{{any}}"}
< 200
<
< {"purchase_id": "p-1"}
> POST /v1/purchase/status read
>
> {"purchase_id": "p-1"}
< 200
<
< {"status": "odd", "id_loyalty": "9643100020003000"}
`)
	p.Advance(time.Minute)
	_, err := p.Bind(pay.BindRequest{Code: `{"id_loyalty":"9643100020003000","encrypted":"ZW5j","sign":"c2lnbg=="}`})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = p.Status(bound()); err != nil {
		t.Fatal(err)
	}
	logs := strings.Join(p.Logs(), "\n")
	if !strings.Contains(logs, "odd") || strings.Contains(logs, "9643") || strings.Contains(logs, "stored") {
		t.Errorf("log:\n%s", logs)
	}
}
