package pay_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/payhost/payhost/sdk/pay"
)

var asked = pay.New(250000, pay.KZT)

func kzt(minor int64) pay.Money { return pay.New(minor, pay.KZT) }

func seen(status pay.PaymentStatus) pay.Observation {
	return pay.Observation{Subject: pay.SubjectPayment, Payment: status}
}

// alphabet is every status, alone and with the sums that may come with it, and
// news about sums alone.
func alphabet() []pay.Observation {
	all := []pay.Observation{}
	for s := pay.PaymentUnknown; s <= pay.PaymentExpired; s++ {
		all = append(all, seen(s))
	}
	success := seen(pay.PaymentSucceeded)
	success.Amount, success.AmountPaid = asked, asked
	part, back, more := seen(pay.PaymentProcessing), seen(pay.PaymentSucceeded), seen(pay.PaymentUnknown)
	part.AmountPaid = kzt(100000)
	back.AmountRefunded, back.ProviderRef = kzt(50000), "p-1"
	more.AmountRefunded = kzt(250000)
	return append(all, success, part, back, more)
}

// sequences calls f with every sequence of indexes below n up to a length.
func sequences(n, length int, f func([]int)) {
	var walk func(prefix []int)
	walk = func(prefix []int) {
		f(prefix)
		if len(prefix) < length {
			for i := range n {
				walk(append(prefix[:len(prefix):len(prefix)], i))
			}
		}
	}
	walk(nil)
}

func fold(t *testing.T, all []pay.Observation, sequence []int) pay.Payment {
	t.Helper()
	p := pay.Payment{Status: pay.PaymentCreated, Amount: asked}
	for _, i := range sequence {
		before := p
		move, err := p.Observe(all[i])
		if err != nil {
			t.Fatalf("%v: %v", sequence, err)
		}
		if move.Changes() != (p.Status != before.Status) {
			t.Fatalf("%v: move %s, status %s -> %s", sequence, move, before.Status, p.Status)
		}
		if before.Status == pay.PaymentSucceeded && p.Status != pay.PaymentSucceeded {
			t.Fatalf("%v: a success became %s", sequence, p.Status)
		}
		if before.Status.Final() && !p.Status.Final() {
			t.Fatalf("%v: an end became %s", sequence, p.Status)
		}
		again := p
		if _, err := again.Observe(all[i]); err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%v: the same again changes something: %s", sequence, cmp.Diff(p, again))
		}
	}
	return p
}

// TestObserveEverySequence is the small-scope check: all sequences of up to four
// observations, in all orders at once. Sums do not depend on the order, nor does
// the status as soon as a success was among them, or as only one end was.
func TestObserveEverySequence(t *testing.T) {
	t.Parallel()
	type end struct {
		paid, refunded pay.Money
		status         pay.PaymentStatus // zero if it may depend on the order
	}
	all := alphabet()
	ends := map[[16]int]end{}
	count := 0
	sequences(len(all), 4, func(sequence []int) {
		count++
		p := fold(t, all, sequence)
		var bag [16]int
		highest, success, finals := pay.PaymentCreated, false, map[pay.PaymentStatus]bool{}
		for _, i := range sequence {
			bag[i]++
			status := all[i].Payment
			highest = max(highest, status)
			success = success || status == pay.PaymentSucceeded
			if status.Final() {
				finals[status] = true
			}
		}
		got := end{paid: p.AmountPaid, refunded: p.AmountRefunded}
		switch {
		case success:
			got.status = p.Status
			if p.Status != pay.PaymentSucceeded || p.AmountPaid != asked {
				t.Fatalf("%v: a success was seen, payment is %s, paid %s", sequence, p.Status, p.AmountPaid)
			}
		case len(finals) <= 1:
			got.status = p.Status
			if p.Status != highest {
				t.Fatalf("%v: payment is %s, want %s", sequence, p.Status, highest)
			}
		case !finals[p.Status]:
			t.Fatalf("%v: payment is %s", sequence, p.Status)
		}
		if first, known := ends[bag]; known && first != got {
			t.Fatalf("%v: order matters: %+v and %+v", sequence, first, got)
		}
		ends[bag] = got
	})
	if n := len(all); count != 1+n+n*n+n*n*n+n*n*n*n {
		t.Errorf("%d sequences", count)
	}
}

func TestObserveContradictions(t *testing.T) {
	t.Parallel()
	none, foreign := pay.Money{}, pay.New(250000, pay.TMT)
	fresh := pay.Payment{Status: pay.PaymentPending, Amount: asked}
	till := pay.Payment{Status: pay.PaymentPending}
	paidTill := pay.Payment{Status: pay.PaymentSucceeded, AmountPaid: kzt(100)}
	for name, c := range map[string]struct {
		payment                pay.Payment
		field                  string
		amount, paid, refunded pay.Money
	}{
		"another amount":       {fresh, "amount", kzt(2500), none, none},
		"amount of nothing":    {fresh, "amount", kzt(0), none, none},
		"another currency":     {fresh, "amount", foreign, none, none},
		"paid in another":      {fresh, "amount_paid", none, foreign, none},
		"success of a part":    {fresh, "amount_paid", none, kzt(249999), none},
		"paid too much":        {fresh, "amount_paid", none, kzt(250001), none},
		"paid less than none":  {fresh, "amount_paid", none, kzt(-1), none},
		"returned in another":  {fresh, "amount_refunded", none, none, foreign},
		"returned too much":    {fresh, "amount_refunded", none, none, kzt(250001)},
		"returned a negative":  {till, "amount_refunded", none, none, kzt(-1)},
		"two currencies":       {till, "amount_paid", kzt(1), foreign, none},
		"till, paid otherwise": {till, "amount_paid", kzt(2), kzt(1), none},
		"till, returned more":  {paidTill, "amount_refunded", none, none, kzt(101)},
		"till, less than paid": {paidTill, "amount_paid", kzt(99), none, none},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, o := c.payment, seen(pay.PaymentSucceeded)
			o.Amount, o.AmountPaid, o.AmountRefunded, o.ProviderRef = c.amount, c.paid, c.refunded, "p-2"
			move, err := p.Observe(o)
			if pay.ClassOf(err) != pay.ClassIntegrity || move != pay.MoveNone {
				t.Fatalf("move %s, error %v, want an integrity error", move, err)
			}
			if e := pay.AsError(err); e.Field != c.field || e.Advice != pay.AdviceOperator {
				t.Errorf("field %q, advice %s, want %q for an operator", e.Field, e.Advice, c.field)
			}
			if diff := cmp.Diff(c.payment, p); diff != "" {
				t.Errorf("the payment changed:\n%s", diff)
			}
		})
	}
}

func TestObserveAtATill(t *testing.T) {
	t.Parallel()
	p := pay.Payment{Status: pay.PaymentCreated}
	o := seen(pay.PaymentSucceeded)
	o.Amount, o.AmountPaid, o.ProviderRef = asked, asked, "p-1"
	if move, err := p.Observe(o); err != nil || move != pay.MoveForward {
		t.Fatalf("%s %v", move, err)
	}
	want := pay.Payment{Status: pay.PaymentSucceeded, AmountPaid: asked, ProviderRef: "p-1"}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("the asked amount is the merchant's to set:\n%s", diff)
	}
}

func TestObserveKeepsTheFirstProviderRef(t *testing.T) {
	t.Parallel()
	p := pay.Payment{Status: pay.PaymentCreated}
	for _, ref := range []string{"", "p-1", "p-2"} {
		o := seen(pay.PaymentPending)
		o.ProviderRef = ref
		if _, err := p.Observe(o); err != nil {
			t.Fatal(err)
		}
	}
	if p.ProviderRef != "p-1" {
		t.Errorf("provider ref %q", p.ProviderRef)
	}
}

func TestObserveOfAnotherSubject(t *testing.T) {
	t.Parallel()
	o := pay.Observation{
		Subject: 9, Payment: pay.PaymentSucceeded, Refund: pay.RefundSucceeded, Receipt: pay.ReceiptRegistered,
		Amount: kzt(1), ProviderRef: "p-9",
	}
	p, r := pay.Payment{Status: 1, Amount: asked}, pay.Refund{Status: 1, Amount: asked}
	c := pay.Receipt{Status: 1}
	wasP, wasR, wasC := p, r, c
	if move, err := p.Observe(o); move != pay.MoveNone || err != nil || !reflect.DeepEqual(p, wasP) {
		t.Errorf("payment: %s %v", move, err)
	}
	if move, err := r.Observe(o); move != pay.MoveNone || err != nil || r != wasR {
		t.Errorf("refund: %s %v", move, err)
	}
	if move := c.Observe(o); move != pay.MoveNone || c != wasC {
		t.Errorf("receipt: %s", move)
	}
}

func TestObserveRefund(t *testing.T) {
	t.Parallel()
	const (
		pending = pay.RefundPending
		done    = pay.RefundSucceeded
		failed  = pay.RefundFailed
	)
	for _, c := range []struct {
		seen    []pay.RefundStatus
		want    pay.RefundStatus
		bounced bool
	}{
		{nil, pending, false},
		{[]pay.RefundStatus{pending, done}, done, false},
		{[]pay.RefundStatus{done, pending}, done, false},
		{[]pay.RefundStatus{failed}, failed, false},
		{[]pay.RefundStatus{failed, done}, done, false},
		{[]pay.RefundStatus{done, failed}, done, true},
		{[]pay.RefundStatus{done, failed, failed}, done, true},
		{[]pay.RefundStatus{done, failed, done}, done, true},
	} {
		r := pay.Refund{Status: pending, Amount: asked}
		for _, status := range c.seen {
			o := pay.Observation{Subject: pay.SubjectRefund, Refund: status, Amount: asked, ProviderRef: "r-1"}
			if _, err := r.Observe(o); err != nil {
				t.Fatal(err)
			}
		}
		if r.Status != c.want || r.Bounced != c.bounced {
			t.Errorf("%v: %s, bounced %t, want %s, %t", c.seen, r.Status, r.Bounced, c.want, c.bounced)
		}
		if len(c.seen) > 0 && r.ProviderRef != "r-1" {
			t.Errorf("%v: provider ref %q", c.seen, r.ProviderRef)
		}
	}
	r := pay.Refund{Status: pending, Amount: asked}
	before := r
	_, err := r.Observe(pay.Observation{
		Subject: pay.SubjectRefund, Refund: done, Amount: kzt(1), ProviderRef: "r-2",
	})
	if pay.ClassOf(err) != pay.ClassIntegrity || r != before {
		t.Errorf("another amount: %v, %s", err, cmp.Diff(before, r))
	}
}

func TestObserveReceipt(t *testing.T) {
	t.Parallel()
	r := pay.Receipt{Status: pay.ReceiptPending}
	for _, step := range []struct {
		seen, want pay.ReceiptStatus
		move       pay.Move
	}{
		{pay.ReceiptUnknown, pay.ReceiptPending, pay.MoveNone},
		{pay.ReceiptRejected, pay.ReceiptRejected, pay.MoveForward},
		{pay.ReceiptPending, pay.ReceiptRejected, pay.MoveOlder},
		{pay.ReceiptRegistered, pay.ReceiptRegistered, pay.MoveReopen},
		{pay.ReceiptRegistered, pay.ReceiptRegistered, pay.MoveSame},
		{pay.ReceiptRejected, pay.ReceiptRegistered, pay.MoveReversal},
	} {
		move := r.Observe(pay.Observation{Subject: pay.SubjectReceipt, Receipt: step.seen})
		if move != step.move || r.Status != step.want {
			t.Errorf("%s: %s, now %s, want %s, %s", step.seen, move, r.Status, step.move, step.want)
		}
	}
}
