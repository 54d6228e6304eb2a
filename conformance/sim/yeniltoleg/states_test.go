package yeniltoleg_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// TestStateCases runs the cases Y5 to Y8.
func TestStateCases(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"Y5 every state and every edge", everyEdge},
		{"Y5 letter case", letterCase},
		{"Y6 session end and expireAt, whichever is first", timeEnds},
		{"Y6 a late success", lateSuccess},
		{"Y7 cancel in every state", cancelEverywhere},
		{"Y7 cancel answer lost", cancelLost},
		{"Y8 refund in every state, and twice", refundEverywhere},
		{"Y8 refund 500 with effect and without", refundBroken},
		{"magic states", magicStates},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, start(t))
		})
	}
}

func states() []string {
	return []string{"Pending", "InProgress", "Succeeded", "Canceled", "Refunded", "Failed", "Expired"}
}

func everyEdge(t *testing.T, b *bench) {
	id := b.register("k", "1", "35.45").PaymentID
	for _, from := range states() {
		for _, to := range states() {
			b.move(id, from)
			b.move(id, to)
			b.state(id, to)
		}
	}
	var held int64
	for _, e := range b.Effects() {
		if e.Kind == simkit.Charge || e.Kind == simkit.RefundReturned {
			held += e.Amount
		} else {
			held -= e.Amount
		}
		if held != 0 && held != 3545 || e.Key != "k" || e.Ref != "1" {
			t.Fatalf("after %+v the merchant holds %d", e, held)
		}
	}
	for _, word := range []string{"in_progress", "INPROGRESS", "inProgress"} {
		b.move(id, word)
		b.state(id, "InProgress")
	}
	var bad *simkit.FieldError
	if err := b.Move(id, "flown"); !errors.As(err, &bad) || bad.Field != "outcome" {
		t.Errorf("unknown outcome: %v", err)
	}
	if err := b.Move("none", "failed"); !errors.Is(err, simkit.ErrNoObject) {
		t.Errorf("unknown object: %v", err)
	}
}

func letterCase(t *testing.T, b *bench) {
	id := b.register("k", "1", "35.45").PaymentID
	b.move(id, "InProgress")
	for setting, want := range map[string]string{
		"documented": "InProgress", "lower": "inprogress", "upper": "INPROGRESS", "odd": "iNpRoGrEsS",
	} {
		b.set("state_case", setting)
		if got := b.status(id)["status"]; got != want {
			t.Errorf("%s: %v, want %s", setting, got, want)
		}
	}
}

func timeEnds(t *testing.T, b *bench) {
	session := b.register("k1", "1", "1", "expireAt", `"2030-01-02T11:00:00"`).PaymentID
	order := b.register("k2", "2", "1", "expireAt", `"2030-01-02T10:10:00"`).PaymentID
	working := b.register("k3", "3", "1", "expireAt", `"2030-01-02T10:10:00"`).PaymentID
	b.move(working, "InProgress")
	b.Advance(10*time.Minute - time.Second)
	b.state(order, "Pending")
	b.Advance(time.Second)
	b.state(order, "Expired")
	b.state(session, "Pending")
	b.state(working, "InProgress")
	b.Advance(5 * time.Minute)
	b.state(session, "Failed")
	b.state(working, "Failed")
	if reason := b.status(session)["reason"]; reason == nil {
		t.Error("a payment that failed by the session has no reason")
	}
	b.set("session", "1h")
	long := b.register("k4", "4", "1").PaymentID
	b.Advance(59 * time.Minute)
	b.state(long, "Pending")
	b.wantEffects()
}

func lateSuccess(_ *testing.T, b *bench) {
	id := b.register("k", "1", "35.45").PaymentID
	b.Advance(time.Hour)
	b.state(id, "Failed")
	b.move(id, "Succeeded")
	b.Advance(time.Hour)
	b.state(id, "Succeeded")
	b.wantEffects("charge 3545")
	again := b.register("k2", "2", "1").PaymentID
	b.Advance(time.Hour)
	b.move(again, "Pending")
	b.state(again, "Pending")
}

func cancelEverywhere(t *testing.T, b *bench) {
	for _, state := range states() {
		id := b.register("key "+state, state, "35.45").PaymentID
		b.move(id, state)
		got := b.post(cancelPath, id)
		if state != "Pending" {
			b.refused(got, 400, "PaymentId")
			b.state(id, state)
			continue
		}
		want := `{"paymentId":"` + id + `","message":"Платеж успешно отменен","result":true}`
		if got.status != 200 || strings.TrimSpace(got.body) != want {
			t.Errorf("got %d %s, want %s", got.status, got.body, want)
		}
		b.state(id, "Canceled")
		b.refused(b.post(cancelPath, id), 400, "PaymentId")
	}
	b.set("refusal", "result_false")
	var verdict struct {
		PaymentID string `json:"paymentId"`
		Message   string `json:"message"`
		Result    bool   `json:"result"`
	}
	o, err := b.Object("Succeeded")
	if err != nil {
		t.Fatal(err)
	}
	b.decode(b.post(cancelPath, o.ID), &verdict)
	if verdict.Result || verdict.PaymentID != o.ID || verdict.Message == "" {
		t.Errorf("result_false: %+v", verdict)
	}
	b.set("cancel_answer", "as_printed")
	id := b.register("printed", "printed", "35.45").PaymentID
	if got := b.post(cancelPath, id); got.status != 200 || isJSON(got.body) {
		t.Errorf("as_printed: %d %s", got.status, got.body)
	}
	b.state(id, "Canceled")
}

func cancelLost(t *testing.T, b *bench) {
	tests := map[simkit.FaultKind]string{simkit.CutAfter: "Canceled", simkit.CutBefore: "Pending"}
	for kind, want := range tests {
		id := b.register(string(kind), string(kind), "35.45").PaymentID
		b.fault(simkit.Fault{Path: cancelPath, Kind: kind, Count: 1})
		if got, err := b.try("POST", cancelPath, `{"paymentId":"`+id+`"}`); err == nil {
			t.Errorf("%s: got %+v, want no answer", kind, got)
		}
		b.state(id, want)
	}
}

func refundEverywhere(t *testing.T, b *bench) {
	for _, state := range states() {
		id := b.register("key "+state, state, "35.45").PaymentID
		b.move(id, state)
		before := len(b.Effects())
		got := b.post(refundPath, strings.ToUpper(id))
		if state != "Succeeded" {
			b.refused(got, 400, "PaymentId")
			b.state(id, state)
			if len(b.Effects()) != before {
				t.Errorf("a refused refund from %s moved money", state)
			}
			continue
		}
		want := `{"paymentId":"` + id + `","message":"Средства успешно возвращены","result":true}`
		if got.status != 200 || strings.TrimSpace(got.body) != want {
			t.Errorf("got %d %s, want %s", got.status, got.body, want)
		}
		b.state(id, "Refunded")
		b.refused(b.post(refundPath, id), 400, "PaymentId")
		b.wantEffects("charge 3545", "refund 3545")
	}
}

func refundBroken(_ *testing.T, b *bench) {
	after := b.register("k1", "1", "5.97").PaymentID
	b.move(after, "Succeeded")
	b.refused(b.post(refundPath, after), 500)
	b.state(after, "Refunded")
	b.wantEffects("charge 597", "refund 597")
	before := b.register("k2", "2", "5.98").PaymentID
	b.move(before, "Succeeded")
	b.refused(b.post(refundPath, before), 500)
	b.state(before, "Succeeded")
	if got := b.post(refundPath, before); got.status != 200 {
		b.t.Errorf("the second try: %d %s", got.status, got.body)
	}
	b.wantEffects("charge 597", "refund 597", "charge 598", "refund 598")
}

func magicStates(_ *testing.T, b *bench) {
	for amount, want := range map[string]string{"5.91": "Succeeded", "5.92": "Failed", "5.95": "InProgress"} {
		b.state(b.register(amount, amount, amount).PaymentID, want)
	}
	b.wantEffects("charge 591")
}
