package aurora_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/aurora"
	"github.com/payhost/payhost/conformance/sim/simkit"
)

func TestOrderKeys(t *testing.T) {
	t.Parallel()
	b := start(t)
	first := b.post("k1", body("1", "12.30"))
	again := b.post("k1", body("1", "12.30"))
	if first.status != 201 || again.status != 201 || first.body != again.body || len(b.Objects()) != 1 {
		t.Errorf("the same key gave %v, then %v", first, again)
	}
	b.refused(b.post("k1", body("1", "12.31")), 409, "key_reused", "Idempotency-Key")
	for _, key := range []string{"", "two words", strings.Repeat("k", 129), "ключ"} {
		b.refused(b.post(key, body("1", "12.30")), 400, "bad_field", "Idempotency-Key")
	}
	if second := b.post("k2", body("1", "12.30")); second.status != 201 || second.body == first.body {
		t.Errorf("another key gave %v", second)
	}
}

func TestOrderFields(t *testing.T) {
	t.Parallel()
	b := start(t)
	tests := []struct{ name, value, field string }{
		{"shop", `"other"`, "shop"},
		{"shop", "", "shop"},
		{"order", `""`, "order"},
		{"order", "7", "order"},
		{"order", "null", "order"},
		{"amount", "", "amount"},
		{"amount", `"12.30"`, "amount"},
		{"amount", "12.305", "amount"},
		{"amount", "0.49", "amount"},
		{"amount", "-1", "amount"},
		{"amount", "1e30", "amount"},
		{"currency", `"KZT"`, "currency"},
		{"return_url", `"javascript:1"`, "return_url"},
		{"notify_url", `"shop"`, "notify_url"},
		{"amonut", "1", "amonut"},
	}
	for _, tt := range tests {
		b.refused(b.post("k", body("1", "12.30", tt.name, tt.value)), 400, "bad_field", tt.field)
	}
	for _, text := range []string{"", "{", "[]", "null"} {
		b.refused(b.post("k", text), 400, "bad_field", "")
	}
	b.refused(b.send("POST", "/v1/orders", "a=1", "Content-Type", "text/plain"), 400, "bad_field", "Content-Type")
	if n := len(b.Objects()); n != 0 {
		t.Errorf("refused requests made %d orders", n)
	}
}

func TestOtherErrors(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.refused(b.send("GET", "/v1/orders/ord_none", ""), 404, "not_found", "")
	b.refused(b.send("DELETE", "/v1/orders/ord_none", ""), 404, "not_found", "")
	for _, key := range []string{"", "wrong"} {
		b.refused(b.send("GET", "/v1/orders/ord_none", "", "X-Api-Key", key), 401, "bad_key", "")
		b.refused(b.send("POST", "/v1/refunds", "{}", "X-Api-Key", key), 401, "bad_key", "")
	}
	b.set("api_key", "revoked")
	b.refused(b.post("k", body("1", "12.30")), 401, "bad_key", "")
}

func TestExactAmounts(t *testing.T) {
	t.Parallel()
	b := start(t)
	for amount, want := range map[string]string{
		"0.5": "0.50", "12.30": "12.30", "35.45": "35.45", "90071992.53": "90071992.53", "1E3": "1000.00",
	} {
		b.want(b.order(amount, amount).ID, `"state":"new","amount":`+want+`,"paid":0.00,"refunded":0.00,"currency":"EUR"`)
	}
	m := b.order("text", "35.45")
	b.set("amount_type", "string")
	b.want(m.ID, `"amount":"35.45","paid":"0.00"`)
}

func TestStatesAndEffects(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := b.order("1", "12.30")
	for _, step := range []struct{ outcome, want string }{
		{"paid", `"state":"paid","amount":12.30,"paid":12.30,"refunded":0.00`},
		{"paid", `"state":"paid"`},
		{"refunded", `"state":"paid","amount":12.30,"paid":12.30,"refunded":12.30`},
		{"paid", `"refunded":0.00`},
		{"failed", `"state":"failed","amount":12.30,"paid":0.00,"refunded":0.00`},
		{"expired", `"state":"expired"`},
		{"new", `"state":"new"`},
	} {
		b.move(m.ID, step.outcome)
		b.want(m.ID, step.want)
	}
	b.wantEffects("charge 1230 key-1", "refund 1230", "refund_returned 1230", "reversal 1230")
	var bad *simkit.FieldError
	if err := b.Move(m.ID, "asleep"); !errors.As(err, &bad) || bad.Field != "outcome" {
		t.Errorf("unknown outcome: %v", err)
	}
	if err := b.Move("ord_none", "paid"); !errors.Is(err, simkit.ErrNoObject) {
		t.Errorf("unknown order: %v", err)
	}
}

func TestLifetime(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := b.order("1", "12.30")
	b.Advance(aurora.Lifetime - time.Second)
	b.want(m.ID, `"state":"new"`)
	b.told()
	b.Advance(time.Second)
	if notes := b.told(); len(notes) != 1 || !strings.Contains(notes[0].body, `"state":"expired"`) {
		t.Errorf("told %v", notes)
	}
	b.want(m.ID, `"state":"expired"`)
	b.move(m.ID, "new")
	b.want(m.ID, `"state":"new"`)
	b.Advance(aurora.Lifetime)
	b.want(m.ID, `"state":"expired"`)
	b.move(m.ID, "paid") // late
	b.Advance(aurora.Lifetime)
	b.want(m.ID, `"state":"paid"`)

	b.set("lifetime", "1m")
	brief := b.order("2", "12.30")
	b.Advance(time.Minute)
	b.want(brief.ID, `"state":"expired"`)
}

func TestRefunds(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := b.order("1", "12.30")
	b.refused(b.refund("r0", m.ID, "1"), 400, "bad_field", "order_id")
	b.refused(b.refund("r0", "ord_none", "1"), 400, "bad_field", "order_id")
	b.move(m.ID, "paid")
	first := b.refund("r1", m.ID, "0.30")
	if again := b.refund("r1", m.ID, "0.30"); first.status != 201 || again.body != first.body {
		t.Errorf("the same key gave %v, then %v", first, again)
	}
	b.want(m.ID, `"paid":12.30,"refunded":0.30`)
	b.refused(b.refund("r1", m.ID, "0.31"), 409, "key_reused", "Idempotency-Key")
	b.refused(b.refund("", m.ID, "0.30"), 400, "bad_field", "Idempotency-Key")
	b.refused(b.refund("r2", m.ID, "0"), 400, "bad_field", "amount")
	b.refused(b.refund("r2", m.ID, "12.01"), 400, "bad_field", "amount")
	if got := b.refund("r2", m.ID, "0.30"); got.status != 201 || got.body == first.body {
		t.Errorf("an equal refund with another key gave %v", got)
	}
	if got := b.refund("r3", m.ID, "11.70"); got.status != 201 {
		t.Errorf("the rest: %v", got)
	}
	b.wantEffects("charge 1230 key-1", "refund 30 r1", "refund 30 r2", "refund 1170 r3")

	var r struct{ ID string }
	if err := json.Unmarshal([]byte(first.body), &r); err != nil {
		t.Fatal(err)
	}
	b.move(r.ID, "failed")
	b.want(m.ID, `"refunded":12.00`)
	b.move(r.ID, "done")
	b.want(m.ID, `"refunded":12.30`)
	if o, err := b.Object(r.ID); err != nil || o.Kind != "refund" || o.State != "done" || o.Amount != 30 {
		t.Errorf("object %+v, %v", o, err)
	}
	if err := b.Move(r.ID, "paid"); err == nil {
		t.Error("a refund was paid")
	}
}

func TestMagicAmounts(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.want(b.order("paid", "5.91").ID, `"state":"paid"`)
	b.refused(b.post("k2", body("declined", "5.92")), 402, "declined", "")
	b.refused(b.post("k3", body("after", "5.93")), 500, "internal", "")
	after, err := b.Object("after")
	if got := b.post("k3", body("after", "5.93")); err != nil || got.status != 201 || !strings.Contains(got.body, after.ID) {
		t.Errorf("again after the effect: %v, %v", got, err)
	}
	b.refused(b.post("k4", body("before", "5.94")), 500, "internal", "")
	if _, err := b.Object("before"); err == nil {
		t.Error("5.94 had an effect")
	}
	if got := b.post("k4", body("before", "5.94")); got.status != 201 {
		t.Errorf("again without effect: %v", got)
	}

	m := b.order("big", "100")
	b.move(m.ID, "paid")
	b.refused(b.refund("r1", m.ID, "0.96"), 402, "declined", "")
	for key, amount := range map[string]string{"r2": "0.97", "r3": "0.98"} {
		b.refused(b.refund(key, m.ID, amount), 500, "internal", "")
		if got := b.refund(key, m.ID, amount); got.status != 201 {
			t.Errorf("%s again: %v", amount, got)
		}
	}
	b.want(m.ID, `"refunded":1.95`)
}

func TestResetForgets(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := b.order("1", "5.91")
	b.Reset()
	b.refused(b.send("GET", "/v1/orders/"+m.ID, ""), 404, "not_found", "")
	if len(b.Objects()) != 0 || len(b.Effects()) != 0 {
		t.Error("something is left")
	}
	b.order("1", "5.91")
}
