package rahmet_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

const (
	keyHeader = "X-Idempotency-Key"
	keyOne    = "11111111-1111-4111-8111-111111111111"
	keyTwo    = "22222222-2222-4222-9222-222222222222"
)

// refund is the data of a refund answer.
type refund struct {
	ID         int64   `json:"id"`
	Amount     int64   `json:"amount"`
	Commission int64   `json:"commission_amount"`
	Cashback   int64   `json:"cashback_amount"`
	Requested  int64   `json:"requested_amount"`
	Key        *string `json:"idempotency_key"`
}

func (b *bench) refund(id, amount string, headers ...string) refund {
	b.t.Helper()
	var data refund
	b.decode(b.ask(id, amount, headers...), &data)
	return data
}

// ask sends a refund request, whatever the answer.
func (b *bench) ask(id, amount string, headers ...string) answer {
	b.t.Helper()
	return b.send("POST", refundPath, form("merchant_order_id", id, "amount", amount), headers...)
}

// TestRefundCases runs the cases R11 to R14.
func TestRefundCases(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"R11 accepted, shown later, then total", refundShownLater},
		{"R11 by control: partial, failed, settled", refundByControl},
		{"R11 amount differs from requested_amount", refundCommission},
		{"R11 empty data and net amounts", refundOldShape},
		{"R12 same key", refundSameKey},
		{"R12 no key twice", refundNoKey},
		{"R13 over the rest, unpaid, unknown, malformed", refundRefused},
		{"R14 refund body sent to status", refundToStatus},
		{"magic refund amounts", refundMagic},
		{"orders by control", ordersByControl},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, start(t))
		})
	}
}

func refundShownLater(t *testing.T, b *bench) {
	b.set("refund_delay", "1h")
	b.paid("1", "2500")
	first := b.refund("1", "1000", keyHeader, keyOne)
	if first.ID == 0 || first.Amount != 1000 || first.Requested != 1000 ||
		first.Key == nil || *first.Key != keyOne {
		t.Errorf("answer %+v", first)
	}
	if n := b.refunded("1"); n != 0 {
		t.Errorf("status shows %d at once", n)
	}
	b.wantEffects("charge 250000")
	b.Advance(time.Hour)
	if i := b.item("1"); i.Refund == nil || i.Refund.Amount != 1000 || i.Refund.Cashback != 50 || !i.IsPaid {
		t.Errorf("after the delay: %+v", i)
	}
	b.refund("1", "1500", keyHeader, keyTwo)
	b.Advance(time.Hour)
	if n := b.refunded("1"); n != 2500 || !b.item("1").IsPaid {
		t.Errorf("status shows %d, want the total and is_paid still true", n)
	}
	b.wantEffects("charge 250000", "refund 100000 "+keyOne, "refund 150000 "+keyTwo)
	b.set("paid_after_full_refund", "false")
	if b.item("1").IsPaid {
		t.Error("is_paid after a full refund, against the setting")
	}
}

func refundByControl(t *testing.T, b *bench) {
	b.set("refund_delay", "manual")
	b.paid("1", "2500")
	id := jsonText(b.refund("1", "1000", keyHeader, keyOne).ID)
	b.Advance(24 * time.Hour)
	b.login()
	for _, step := range []struct {
		outcome string
		shown   int64
	}{{"pending", 0}, {"partial", 500}, {"settled", 1000}, {"failed", 0}} {
		b.move(id, step.outcome)
		if n := b.refunded("1"); n != step.shown {
			t.Errorf("%s: status shows %d, want %d", step.outcome, n, step.shown)
		}
	}
	b.wantEffects("charge 250000", "refund 50000 "+keyOne, "refund 50000 "+keyOne,
		"refund_returned 100000 "+keyOne)
	if err := b.Move(id, "flown"); err == nil {
		t.Error("a refund took an unknown outcome")
	}
	if got := b.refund("1", "2500"); got.ID == 0 {
		t.Error("a failed refund still counts against the rest")
	}
}

func refundCommission(t *testing.T, b *bench) {
	b.set("refund_commission_percent", "10")
	b.paid("1", "2500")
	got := b.refund("1", "1000")
	if got.Requested != 1000 || got.Amount != 900 || got.Commission != 100 || got.Key != nil {
		t.Errorf("answer %+v, want 900 of 1000", got)
	}
	b.Advance(time.Second)
	if n := b.refunded("1"); n != 900 {
		t.Errorf("status shows %d, want 900", n)
	}
	b.refused(b.ask("1", "1501"), 200, 422)
}

func refundOldShape(t *testing.T, b *bench) {
	b.set("refund_data", "empty")
	b.set("status_amount", "net")
	b.set("refund_delay", "0s")
	b.paid("1", "2500")
	got := b.ask("1", "1000")
	if got.Code != 0 || string(got.Data) != "{}" {
		t.Errorf("answer %+v, want {}", got)
	}
	if i := b.item("1"); i.Amount == nil || *i.Amount != 1500 {
		t.Errorf("status %+v, want a net amount of 1500", i)
	}
}

func refundSameKey(_ *testing.T, b *bench) {
	b.set("refund_delay", "0s")
	b.paid("1", "2500")
	b.paid("2", "2500")
	first := b.refund("1", "1000", keyHeader, keyOne)
	if again := b.refund("1", "1000", keyHeader, keyOne); again.ID != first.ID {
		b.t.Errorf("same key: refund %d, then %d", first.ID, again.ID)
	}
	b.refused(b.ask("1", "500", keyHeader, keyOne), 200, 409)
	b.refused(b.ask("2", "1000", keyHeader, keyOne), 200, 409)
	b.status("1")
	b.wantEffects("charge 250000", "charge 250000", "refund 100000 "+keyOne)
}

func refundNoKey(t *testing.T, b *bench) {
	b.set("refund_delay", "0s")
	b.paid("1", "2500")
	if first, second := b.refund("1", "1000"), b.refund("1", "1000"); first.ID == second.ID {
		t.Errorf("both refunds are %d", first.ID)
	}
	b.wantEffects("charge 250000", "refund 100000", "refund 100000")
}

func refundRefused(_ *testing.T, b *bench) {
	b.create("open", "2500")
	b.paid("1", "2500")
	b.refund("1", "2000")
	b.refused(b.ask("1", "501"), 200, 422)
	b.refused(b.ask("open", "1"), 200, 409)
	b.refused(b.ask("none", "1"), 200, 404)
	b.refused(b.send("POST", refundPath, form("amount", "1")), 200, 422)
	b.refused(b.ask("1", "0"), 200, 422)
	for _, key := range []string{"1", "11111111-1111-1111-8111-111111111111", keyOne + "0"} {
		b.refused(b.ask("1", "1", keyHeader, key), 200, 422)
	}
	b.wantEffects("charge 250000")
}

func refundToStatus(_ *testing.T, b *bench) {
	b.paid("1", "2500")
	body := form("merchant_order_id", "1", "amount", "2500")
	b.refused(b.send("POST", statusPath, body, keyHeader, keyOne), 200, 422)
	b.Advance(time.Hour)
	b.wantEffects("charge 250000")
}

func refundMagic(t *testing.T, b *bench) {
	b.paid("1", "100000")
	lost := form("merchant_order_id", "1", "amount", "911")
	if got, err := b.try("POST", refundPath, lost, keyHeader, keyOne); err == nil {
		t.Errorf("911: got %+v, want no answer", got)
	}
	if b.refund("1", "911", keyHeader, keyOne).ID == 0 {
		t.Error("911: the second try with the key must be answered")
	}
	b.refund("1", "912")
	b.refund("1", "913")
	b.refused(b.ask("1", "914"), 200, 409)
	b.Advance(24 * time.Hour)
	b.wantEffects("charge 10000000", "refund 91100 "+keyOne)
	states := map[string]int{}
	for _, o := range b.Objects() {
		if o.Kind == "refund" {
			states[o.State]++
		}
	}
	if states["settled"] != 1 || states["pending"] != 1 || states["failed"] != 1 {
		t.Errorf("states %v", states)
	}
}

func ordersByControl(t *testing.T, b *bench) {
	b.create("1", "2500")
	for _, step := range []struct {
		outcome string
		paid    bool
		shown   int64
	}{
		{"declined", false, 0},
		{"paid", true, 0},
		{"paid", true, 0},
		{"partially_refunded", true, 1250},
		{"refunded", true, 2500},
		{"paid", true, 0},
		{"expired", false, 0},
		{"unpaid", false, 0},
		{"refunded", true, 2500},
	} {
		b.move("1", step.outcome)
		if i := b.item("1"); i.IsPaid != step.paid || b.refunded("1") != step.shown {
			t.Errorf("%s: %s", step.outcome, b.status("1"))
		}
		if o, err := b.Object("1"); err != nil || o.State != step.outcome {
			t.Errorf("%s: state %s, %v", step.outcome, o.State, err)
		}
	}
	var net int64
	for _, e := range b.Effects() {
		switch e.Kind {
		case simkit.Charge, simkit.RefundReturned:
			net += e.Amount
		default:
			net -= e.Amount
		}
	}
	if net != 0 {
		t.Errorf("the ledger says the merchant holds %d tiyn of a refunded order", net)
	}
	var bad *simkit.FieldError
	if err := b.Move("1", "flown"); !errors.As(err, &bad) || bad.Field != "outcome" {
		t.Errorf("unknown outcome: %v", err)
	}
	if _, err := json.Marshal(b.Objects()); err != nil {
		t.Error(err)
	}
}
