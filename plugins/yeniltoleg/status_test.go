package yeniltoleg_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk/pay"
	"github.com/payhost/payhost/sdk/sdktest"
)

func observed(o pay.Observation) pay.StatusItem {
	o.Subject, o.ProviderRef = pay.SubjectPayment, "p-1"
	return pay.StatusItem{ID: "pay_1", Found: pay.FoundObserved, Observations: []pay.Observation{o}}
}

func itemError(e pay.Error) pay.StatusItem { return pay.StatusItem{ID: "pay_1", Err: &e} }

// statusItems has what status makes of each section of its file.
func statusItems() map[string]pay.StatusItem {
	protocol := func(message string) pay.StatusItem {
		return itemError(pay.Error{Class: pay.ClassProtocol, Message: message})
	}
	integrity := func(field, message string) pay.StatusItem {
		return itemError(pay.Error{Class: pay.ClassIntegrity, Field: field, Message: message})
	}
	return map[string]pay.StatusItem{
		"whole": observed(pay.Observation{
			Payment: pay.PaymentSucceeded, ProviderState: "Succeeded", Amount: asked, AmountPaid: asked,
		}),
		"nothing but the status": observed(pay.Observation{
			Payment: pay.PaymentSucceeded, ProviderState: "Succeeded", AmountPaid: asked,
		}),
		"amount as text": observed(pay.Observation{
			Payment: pay.PaymentPending, ProviderState: "Pending", Amount: asked,
		}),
		"failed with a reason": observed(pay.Observation{
			Payment: pay.PaymentFailed, ProviderState: "Failed", Reason: pay.DeclinedOther,
			Detail: "Истекло время сессии",
		}),
		"failed with the payer in the reason": observed(pay.Observation{
			Payment: pay.PaymentFailed, ProviderState: "Failed", Reason: pay.DeclinedOther,
		}),
		"unknown word":       {ID: "pay_1"},
		"no status":          protocol("status: answer has no status"),
		"status is a number": protocol("status: answer has no status"),
		"another payment":    integrity("provider_ref", "status: answer is about another payment"),
		"another order":      integrity("order_id", "status: answer is about another order"),
		"another amount":     integrity("amount", "status: provider has 35.44 TMT, asked was 35.45 TMT"),
		"amount of a float":  integrity("amount", "status: amount has more than two decimals"),

		"amount with an exponent": protocol("status: amount can't be read exactly"),
		"amount is an object":     protocol("status: amount is not a number"),
		"empty":                   protocol("status: answer has no status"),
		"html":                    protocol("status: answer has no status"),
		"404":                     {ID: "pay_1", Found: pay.FoundNot},
		"404 without a body":      {ID: "pay_1", Found: pay.FoundNot},
		"404 of something else": itemError(pay.Error{
			Class: pay.ClassProtocol, ProviderCode: "404",
			Message: "provider answered with an HTTP status that means nothing here",
		}),
		"401": itemError(pay.Error{
			Class: pay.ClassAuth, ProviderCode: "401",
			Message: "provider refused the access token: it has expired or was revoked",
		}),
		"500": itemError(pay.Error{
			Class: pay.ClassProtocol, ProviderCode: "500", Message: "provider can't say what became of the request",
		}),
		"timeout": itemError(pay.Error{Class: pay.ClassTimeout, Message: "no answer in time"}),
	}
}

func TestStatusAnswers(t *testing.T) {
	t.Parallel()
	tests := statusItems()
	complete(t, "testdata/status.txt", tests)
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plugin(t)
			p.Transcript("testdata/status.txt#" + name)
			items, err := p.Status(ref())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]pay.StatusItem{want}, items); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			var logs []string
			if name == "unknown word" {
				logs = []string{"warn unknown payment status word=Chargeback payment=pay_1"}
			}
			if diff := cmp.Diff(logs, p.Logs()); diff != "" {
				t.Errorf("logs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStatusWords reads every word of the document in three spellings.
func TestStatusWords(t *testing.T) {
	t.Parallel()
	none := pay.Money{}
	tests := map[string]struct {
		status         pay.PaymentStatus
		paid, refunded pay.Money
		reason         pay.DeclinedReason
	}{
		"Pending":    {pay.PaymentPending, none, none, 0},
		"InProgress": {pay.PaymentProcessing, none, none, 0},
		"Succeeded":  {pay.PaymentSucceeded, asked, none, 0},
		"Refunded":   {pay.PaymentSucceeded, asked, asked, 0},
		"Canceled":   {pay.PaymentCanceled, none, none, 0},
		"Failed":     {pay.PaymentFailed, none, none, pay.DeclinedOther},
		"Expired":    {pay.PaymentExpired, none, none, 0},
	}
	for word, want := range tests {
		for _, spelled := range []string{word, strings.ToLower(word), strings.ToUpper(word)} {
			p := plugin(t)
			p.Transcript(`
> GET /api/v1/payment/getPaymentStatus/p-1 read
< 200
<
< {"status": "` + spelled + `"}
`)
			items, err := p.Status(ref())
			if err != nil {
				t.Fatal(err)
			}
			item := observed(pay.Observation{
				Payment: want.status, ProviderState: spelled, AmountPaid: want.paid,
				AmountRefunded: want.refunded, Reason: want.reason,
			})
			if diff := cmp.Diff([]pay.StatusItem{item}, items); diff != "" {
				t.Errorf("%s (-want +got):\n%s", spelled, diff)
			}
		}
	}
}

// TestStatusOfMany shows that one payment's trouble is its own.
func TestStatusOfMany(t *testing.T) {
	t.Parallel()
	p := plugin(t)
	p.Transcript(`
> GET /api/v1/payment/getPaymentStatus/p-1 read
< !unknown no answer in time
> GET /api/v1/payment/getPaymentStatus/p-2 read
< 200
<
< {"status": "Canceled"}
`)
	second, lost, strange := ref(), ref(), ref()
	second.ID, second.ProviderRef = "pay_2", "p-2"
	lost.ID, lost.ProviderRef = "pay_3", ""
	strange.ID, strange.ProviderRef = "pay_4", "../register"
	items, err := p.Status(ref(), second, lost, strange)
	if err != nil {
		t.Fatal(err)
	}
	want := []pay.StatusItem{
		itemError(pay.Error{Class: pay.ClassTimeout, Message: "no answer in time"}),
		{ID: "pay_2", Found: pay.FoundObserved, Observations: []pay.Observation{{
			Subject: pay.SubjectPayment, ProviderRef: "p-2", Payment: pay.PaymentCanceled, ProviderState: "Canceled",
		}}},
		{ID: "pay_3", Err: &pay.Error{
			Class: pay.ClassUnsupported, Field: "provider_ref", Advice: pay.AdviceRetrySameKey,
			Message: "the provider answers for its own payment id only, and create has not brought it yet",
		}},
		{ID: "pay_4", Err: &pay.Error{
			Class: pay.ClassInvalidRequest, Field: "provider_ref", Message: "is no payment id of this provider",
		}},
	}
	if diff := cmp.Diff(want, items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

// FuzzStatus feeds the reader of a status whatever a broken provider may send.
func FuzzStatus(f *testing.F) {
	for _, seed := range []string{
		`{"status":"Succeeded","amount":35.45}`, `{"status":"paid"}`, `{"amount":1e9,"status":"Failed"}`,
		`[]`, `"`, ``,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p := plugin(t)
		p.Transcript("> GET /api/v1/payment/getPaymentStatus/p-1 read\n< 200\n< !body " + quote(body) + "\n")
		items, err := p.Status(ref())
		if err != nil || len(items) != 1 {
			t.Fatalf("items %v, error %v", items, err)
		}
		if items[0].Err == nil && items[0].Found == pay.FoundNot {
			t.Errorf("an answer with status 200 became not_found: %q", body)
		}
		for _, o := range items[0].Observations {
			if !o.Amount.IsZero() && o.Amount != asked {
				t.Errorf("another amount passed: %v", o.Amount)
			}
		}
	})
}

func TestManifest(t *testing.T) {
	t.Parallel()
	p := plugin(t) // fails if methods and operations differ
	m := p.Manifest()
	for _, op := range []pay.Operation{pay.OpCreate, pay.OpStatus, pay.OpCancel, pay.OpRefund} {
		if _, ok := m.Operation(op); !ok {
			t.Errorf("%v is not declared", op)
		}
	}
	create, _ := m.Operation(pay.OpCreate)
	if create.Idempotency != pay.IdempotencyNative || create.MoneyCalls != 1 {
		t.Errorf("create: %+v", create)
	}
	if _, err := p.Bind(pay.BindRequest{}); pay.ClassOf(err) != pay.ClassUnsupported {
		t.Errorf("bind: %v", err)
	}
	unbound := sdktest.New(t, provider(), sdktest.Config{})
	if _, err := unbound.Create(createRequest()); pay.ClassOf(err) != pay.ClassConfig {
		t.Errorf("create without a token: %v", err)
	}
}
