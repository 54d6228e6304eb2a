package rahmet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk/pay"
)

func refs() []pay.Ref {
	return []pay.Ref{
		{ID: "pay_1", OrderID: "100500", Keys: []string{"100500"}, Amount: tenge(2500_00)},
		{ID: "pay_2", OrderID: "100501", Keys: []string{"100501"}, Amount: tenge(2500_00)},
		{ID: "pay_3", OrderID: "WEE-11122", Keys: []string{"WEE-11122"}, Amount: tenge(1000_50)},
	}
}

func nothing(id string) pay.StatusItem { return pay.StatusItem{ID: id} }

func seen(id, key string, o pay.Observation) pay.StatusItem {
	o.Subject, o.ProviderKey = pay.SubjectPayment, key
	return pay.StatusItem{ID: id, Found: pay.FoundObserved, Observations: []pay.Observation{o}}
}

func paid(reference, state string, amount int64) pay.Observation {
	o := pay.Observation{Payment: pay.PaymentSucceeded, ProviderRef: reference, ProviderState: state}
	if amount > 0 {
		o.AmountPaid = tenge(amount)
	}
	return o
}

func pending(reference, state string) pay.Observation {
	return pay.Observation{Payment: pay.PaymentPending, ProviderRef: reference, ProviderState: state}
}

const yes, no = "is_paid=true", "is_paid=false"

type statusTest struct {
	items []pay.StatusItem
	err   *pay.Error
	logs  int
	one   bool // ask after the second payment alone
}

func statusTests() map[string]statusTest {
	refunded := paid("9001", yes, 2500_00)
	refunded.AmountRefunded = tenge(500_00)
	none := []pay.StatusItem{nothing("pay_1"), nothing("pay_2"), nothing("pay_3")}
	unclear := &pay.Error{Class: pay.ClassProtocol}
	notFound := &pay.Error{
		Class: pay.ClassProtocol, ProviderCode: "404", ProviderMessage: "Заказ не найден",
	}
	failed := func(id string, e *pay.Error) pay.StatusItem { return pay.StatusItem{ID: id, Err: e} }
	first := seen("pay_1", "100500", paid("9001", yes, 2500_00))
	return map[string]statusTest{
		"flags": {items: []pay.StatusItem{
			seen("pay_1", "100500", paid("", "true", 0)), seen("pay_2", "100501", pending("", "false")),
			nothing("pay_3"),
		}},
		"extended": {items: []pay.StatusItem{
			seen("pay_1", "100500", paid("", yes, 2500_00)), seen("pay_2", "100501", pending("", no)),
			nothing("pay_3"),
		}},
		"full": {items: []pay.StatusItem{
			seen("pay_1", "100500", refunded), seen("pay_2", "100501", pending("9002", no)),
			seen("pay_3", "WEE-11122", paid("9003", yes, 1000_50)),
		}},
		"list": {items: none}, "null": {items: none}, "nothing": {items: none},
		"unknown_false": {items: []pay.StatusItem{
			first, seen("pay_2", "100501", pending("", "false")), nothing("pay_3"),
		}},
		"strangers": {items: []pay.StatusItem{
			seen("pay_1", "100500", pending("9001", no)), nothing("pay_2"), nothing("pay_3"),
		}},
		"bad_entries": {logs: 2, items: []pay.StatusItem{
			failed("pay_1", unclear), failed("pay_2", unclear),
			seen("pay_3", "WEE-11122", paid("9003", yes, 1000_00)),
		}},
		"not_a_map": {err: unclear},
		"text":      {err: unclear},
		"html":      {err: unclear}, "html_200": {err: unclear},
		"coded_5xx":     {err: &pay.Error{Class: pay.ClassProtocol, ProviderCode: "500"}},
		"contradiction": {err: &pay.Error{Class: pay.ClassProtocol, ProviderCode: "0"}},
		"twice":         {items: []pay.StatusItem{first, nothing("pay_2"), nothing("pay_3")}},
		"wrong_client":  {err: &pay.Error{Class: pay.ClassAuth, ProviderCode: "101"}},
		"too_many":      {err: &pay.Error{Class: pay.ClassRateLimited, RetryAfter: 30 * time.Second}},
		"renewed": {items: []pay.StatusItem{
			seen("pay_1", "100500", paid("", "true", 0)), nothing("pay_2"), nothing("pay_3"),
		}},
		"refused_list": {logs: 1, items: []pay.StatusItem{
			first, failed("pay_2", notFound), seen("pay_3", "WEE-11122", pending("9003", no)),
		}},
		"refused_list_breaks": {logs: 1, items: []pay.StatusItem{
			first, failed("pay_2", unclear), failed("pay_3", unclear),
		}},
		"refused_one": {one: true, items: []pay.StatusItem{failed("pay_2", notFound)}},
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	everySection(t, "testdata/status.txt", statusTests(), func(t *testing.T, source string, test statusTest) {
		p := newPlugin(t, plain)
		p.Transcript(source)
		payments := refs()
		if test.one {
			payments = payments[1:2]
		}
		items, err := p.Status(payments...)
		sameError(t, test.err, err)
		withoutMessages(items)
		if diff := cmp.Diff(test.items, items); diff != "" {
			t.Errorf("items (-want +got):\n%s", diff)
		}
		if len(p.Logs()) != test.logs {
			t.Errorf("logs: %q, want %d", p.Logs(), test.logs)
		}
	})
}

// withoutMessages drops our own texts, after seeing that they are there.
func withoutMessages(items []pay.StatusItem) {
	for i := range items {
		if e := items[i].Err; e != nil && e.Message != "" {
			e.Message = ""
		}
	}
}

func TestStatusOfSeveralOrders(t *testing.T) {
	t.Parallel()
	const first, other = "100500", "100500-2"
	both := func(item pay.StatusItem) pay.StatusItem {
		item.Err = &pay.Error{Class: pay.ClassIntegrity, Advice: pay.AdviceOperator}
		return item
	}
	paidBack := pending("9001", no)
	paidBack.AmountRefunded = tenge(2500_00)
	tests := map[string]pay.StatusItem{
		"first_paid":            seen("pay_1", first, paid("9001", yes, 2500_00)),
		"second_paid":           seen("pay_1", other, paid("9002", yes, 2500_00)),
		"none_paid":             seen("pay_1", other, pending("9002", no)),
		"second_unknown":        seen("pay_1", first, pending("9001", no)),
		"first_unreadable":      seen("pay_1", other, paid("9002", yes, 2500_00)),
		"both_unreadable":       {ID: "pay_1", Err: &pay.Error{Class: pay.ClassProtocol}},
		"both_paid":             both(seen("pay_1", first, paid("9001", yes, 2500_00))),
		"both_paid_second_more": both(seen("pay_1", other, paid("9002", yes, 2500_00))),
		"both_paid_first_back":  seen("pay_1", other, paid("9002", yes, 2500_00)),
		"first_paid_back":       seen("pay_1", first, paidBack),
	}
	everySection(t, "testdata/status_keys.txt", tests, func(t *testing.T, source string, want pay.StatusItem) {
		p := newPlugin(t, plain)
		p.Transcript(source)
		items, err := p.Status(pay.Ref{ID: "pay_1", Keys: []string{first, other}, Amount: tenge(2500_00)})
		if err != nil {
			t.Fatal(err)
		}
		withoutMessages(items)
		if diff := cmp.Diff([]pay.StatusItem{want}, items); diff != "" {
			t.Errorf("items (-want +got):\n%s", diff)
		}
		if twice := want.Observations != nil && want.Err != nil; twice && len(p.Logs()) != 1 {
			t.Errorf("two orders are paid, logs: %q", p.Logs())
		}
	})
}

// The amounts of one paid order, as JSON, against what was asked for.
func TestStatusAmounts(t *testing.T) {
	t.Parallel()
	asked := tenge(2500_00)
	type amounts struct {
		fields         string
		asked          pay.Money
		paid, refunded pay.Money
	}
	none := pay.Money{}
	tests := map[string]amounts{
		"absent":               {``, asked, none, none},
		"null":                 {`, "amount": null, "refund": null`, asked, none, none},
		"number":               {`, "amount": 2500`, asked, asked, none},
		"text":                 {`, "amount": "2500"`, asked, asked, none},
		"decimals":             {`, "amount": 2500.50`, asked, tenge(2500_50), none},
		"zero decimals":        {`, "amount": "2500.000"`, asked, asked, none},
		"another amount":       {`, "amount": 2400`, asked, tenge(2400_00), none},
		"negative":             {`, "amount": -1`, asked, tenge(-100), none},
		"not asked":            {`, "amount": 2500`, none, asked, none},
		"empty refund":         {`, "amount": 2500, "refund": {}`, asked, asked, none},
		"refund as empty list": {`, "amount": 2500, "refund": []`, asked, asked, none},
		"refund of cashback":   {`, "amount": 2500, "refund": {"refunded_cashback": 5}`, asked, asked, none},
		"gross": {
			`, "amount": 2500, "refund": {"refunded_amount": 500}`, asked, asked, tenge(500_00),
		},
		"net": {
			`, "amount": 2000, "refund": {"refunded_amount": 500}`, asked, asked, tenge(500_00),
		},
		"net of all": {`, "amount": 0, "refund": {"refunded_amount": 2500}`, asked, asked, asked},
		"neither": {
			`, "amount": 2100, "refund": {"refunded_amount": "500.00"}`, asked, tenge(2100_00), tenge(500_00),
		},
	}
	for name, fields := range map[string]string{
		"words": `"amount": "2 500"`, "empty text": `"amount": ""`, "exponent": `"amount": 2.5e3`,
		"three decimals": `"amount": 2500.005`, "object": `"amount": {}`,
		"too large": `"amount": 92233720368547758.08`, "refund as number": `"refund": 500`,
		"refund as list": `"refund": [500]`, "refunded flag": `"refund": {"refunded_amount": true}`,
	} {
		tests["unreadable: "+name] = amounts{fields: ", " + fields}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlugin(t, plain)
			p.Transcript("> POST /orders/v1/preorder/status read\n>\n> merchant_order_ids%5B%5D=100500\n< 200\n<\n" +
				`< {"error_code": 0, "data": {"100500": {"is_paid": true` + test.fields + `}}}`)
			items, err := p.Status(pay.Ref{ID: "pay_1", Keys: []string{"100500"}, Amount: test.asked})
			if err != nil {
				t.Fatal(err)
			}
			want := seen("pay_1", "100500", pay.Observation{
				Payment: pay.PaymentSucceeded, ProviderState: yes, AmountPaid: test.paid, AmountRefunded: test.refunded,
			})
			if strings.HasPrefix(name, "unreadable") {
				want = pay.StatusItem{ID: "pay_1", Err: &pay.Error{Class: pay.ClassProtocol}}
			}
			withoutMessages(items)
			if diff := cmp.Diff([]pay.StatusItem{want}, items); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

// What a host folds from a paid order must raise no alarm, refunded or not.
func TestStatusFoldsWithoutAlarm(t *testing.T) {
	t.Parallel()
	p := newPlugin(t, plain)
	p.Transcript("testdata/status.txt#full")
	items, err := p.Status(refs()...)
	if err != nil {
		t.Fatal(err)
	}
	payment := pay.Payment{Status: pay.PaymentPending, Amount: tenge(2500_00), ProviderRef: "111"}
	move, err := payment.Observe(items[0].Observations[0])
	if err != nil || move != pay.MoveForward {
		t.Fatalf("move %s, %v", move, err)
	}
	want := pay.Payment{
		Status: pay.PaymentSucceeded, Amount: tenge(2500_00), ProviderRef: "111",
		AmountPaid: tenge(2500_00), AmountRefunded: tenge(500_00),
	}
	if diff := cmp.Diff(want, payment); diff != "" {
		t.Errorf("payment (-want +got):\n%s", diff)
	}
}

// R10: after its time an order is still only unpaid, and a late payment turns it.
func TestStatusLatePayment(t *testing.T) {
	t.Parallel()
	p := newPlugin(t, plain)
	p.Transcript("testdata/status_keys.txt#none_paid")
	p.Transcript("testdata/status_keys.txt#first_paid")
	ref := pay.Ref{ID: "pay_1", Keys: []string{"100500", "100500-2"}, Amount: tenge(2500_00)}
	payment := pay.Payment{Status: pay.PaymentPending, Amount: tenge(2500_00)}
	for _, want := range []pay.PaymentStatus{pay.PaymentPending, pay.PaymentSucceeded} {
		p.Advance(24 * time.Hour)
		items, err := p.Status(ref)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := payment.Observe(items[0].Observations[0]); err != nil || payment.Status != want {
			t.Errorf("status %s, %v; want %s", payment.Status, err, want)
		}
	}
}

func TestStatusWithoutKeysAsksNothing(t *testing.T) {
	t.Parallel()
	items, err := newPlugin(t, plain).Status(pay.Ref{ID: "pay_1", OrderID: "100500"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]pay.StatusItem{nothing("pay_1")}, items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

// Two payments of one order share an id: it is asked for once and answers both.
func TestStatusSharedKey(t *testing.T) {
	t.Parallel()
	p := newPlugin(t, plain)
	p.Transcript("> POST /orders/v1/preorder/status read\n>\n> merchant_order_ids%5B%5D=100500\n< 200\n<\n" +
		`< {"error_code": 0, "data": {"100500": true}}`)
	items, err := p.Status(
		pay.Ref{ID: "pay_1", Keys: []string{"100500"}}, pay.Ref{ID: "pay_2", Keys: []string{"100500", ""}},
	)
	if err != nil {
		t.Fatal(err)
	}
	want := []pay.StatusItem{
		seen("pay_1", "100500", paid("", "true", 0)), seen("pay_2", "100500", paid("", "true", 0)),
	}
	if diff := cmp.Diff(want, items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}
