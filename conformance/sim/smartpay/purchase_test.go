package smartpay_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/smartpay"
)

const (
	releasePath = "/v1/purchase/release"
	statusPath  = "/v1/purchase/status"
)

func TestPurchaseFromCodeToConfirmation(t *testing.T) {
	t.Parallel()
	srv := start(t, "pending_polls", "2")
	till := openTill(t, srv, "1")
	id := till.commit("K-1", present(t, srv))
	seen := []string{till.status(id), till.release(id, 25_000)}
	for range 4 {
		seen = append(seen, till.status(id))
	}
	want := "committed pending pending pending success success"
	if got := strings.Join(seen, " "); got != want {
		t.Errorf("states %s, want %s", got, want)
	}
	wantEffects(t, srv, "charge 25000 K-1")
	if r := till.ok(statusPath, m{"purchase_id": id}); r.Amount != 25_000 {
		t.Errorf("status tells amount %d, want 25000", r.Amount)
	}
	till.say(id, "success")
	o, d := details(t, srv, id)
	if o.Ref != "K-1" || o.State != "success" || o.Amount != 25_000 || d["confirmed"] != true {
		t.Errorf("the control API shows %+v", o)
	}
	wantEffects(t, srv, "charge 25000 K-1")
}

// TestThePayersBankDecidesByItself: a status call must not be what moves the money.
func TestThePayersBankDecidesByItself(t *testing.T) {
	t.Parallel()
	srv := start(t, "pending_polls", "1", "refund_polls", "1")
	till := openTill(t, srv, "1")
	id := till.commit("K-1", present(t, srv))
	till.release(id, 25_000)
	srv.Kit().Advance(time.Minute)
	wantEffects(t, srv)
	if got := till.status(id); got != "pending" {
		t.Errorf("the first status is %s", got)
	}
	srv.Kit().Advance(time.Minute)
	wantEffects(t, srv, "charge 25000 K-1")
	if got := till.status(id); got != "success" {
		t.Errorf("the second status is %s", got)
	}
	r := till.ok("/v1/purchase/refund", m{"purchase_id": id, "kassa_refund_id": "R-1", "amount": 100})
	till.ok("/v1/purchase/refund/status", m{"refund_id": r.RefundID})
	wantEffects(t, srv, "charge 25000 K-1")
	srv.Kit().Advance(time.Minute)
	wantEffects(t, srv, "charge 25000 K-1", "refund 100 R-1")
}

func TestS4Release(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till, other := openTill(t, srv, "1"), openTill(t, srv, "2")
	till.refused(smartpay.CodePurchaseNotFound, releasePath, m{"purchase_id": "purchase-000001", "amount": 100})
	id := till.commit("K-1", present(t, srv))
	other.refused(smartpay.CodePurchaseElsewhere, releasePath, m{"purchase_id": id, "amount": 100})
	for _, amount := range []int64{0, -1, smartpay.MaxAmount + 1} {
		till.refused(smartpay.CodeAmount, releasePath, m{"purchase_id": id, "amount": amount})
	}
	for _, amount := range []string{`"100"`, `1.5`, `1e2`, `null, "x":1`, `9223372036854775808`} {
		till.refused(smartpay.CodeBadRequest, releasePath, `{"purchase_id":"`+id+`","amount":`+amount+`}`)
	}
	if got := till.release(id, 100); got != "pending" {
		t.Errorf("release answers %s", got)
	}
	if got := till.release(id, 100); got != "pending" {
		t.Errorf("repeated release answers %s", got)
	}
	till.refused(smartpay.CodeReleasedOtherwise, releasePath, m{"purchase_id": id, "amount": 101})
	must(t, srv.Kit().Set("release_repeat", "error"))
	till.refused(smartpay.CodeReleased, releasePath, m{"purchase_id": id, "amount": 100})
	must(t, srv.Kit().Move(id, "success"))
	must(t, srv.Kit().Set("release_repeat", "same"))
	if got := till.release(id, 100); got != "success" {
		t.Errorf("release repeated after the end answers %s", got)
	}
	wantEffects(t, srv, "charge 100 K-1")
}

func TestS4ReleaseAfterCancel(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	id := till.commit("K-1", present(t, srv))
	till.say(id, "cancel")
	till.refused(smartpay.CodePurchaseState, releasePath, m{"purchase_id": id, "amount": 100})
	if got := till.status(id); got != "canceled" {
		t.Errorf("state %s, want canceled", got)
	}
	wantEffects(t, srv)
}

func TestS5HowAPurchaseSettles(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		amount int64
		set    []string
		want   string // the answers of five status calls
		money  []string
	}{
		{
			"payer approves", 700,
			[]string{"pending_polls", "1"},
			"pending success success success success",
			[]string{"charge 700 K"},
		},
		{
			"at once", 700,
			[]string{"pending_polls", "0"},
			"success success success success success",
			[]string{"charge 700 K"},
		},
		{
			"payer declines", 700,
			[]string{"payer", "declines", "pending_polls", "1"},
			"pending fail fail fail fail", nil,
		},
		{"payer waits", 700, []string{"payer", "waits"}, "pending pending pending pending pending", nil},
		{"amount that is declined", smartpay.AmountDeclined, nil, "pending pending fail fail fail", nil},
		{"amount that waits", smartpay.AmountWaits, nil, "pending pending pending pending pending", nil},
		{
			"amount that settles at once", smartpay.AmountAtOnce,
			[]string{"payer", "waits"},
			"success success success success success",
			[]string{"charge 10003 K"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			srv := start(t, tc.set...)
			till := openTill(t, srv, "1")
			id := till.commit("K", present(t, srv))
			till.release(id, tc.amount)
			var seen []string
			for range 5 {
				seen = append(seen, till.status(id))
			}
			if got := strings.Join(seen, " "); got != tc.want {
				t.Errorf("states %s, want %s", got, tc.want)
			}
			wantEffects(t, srv, tc.money...)
		})
	}
}

func TestS5PollBudgetEndsInCancel(t *testing.T) {
	t.Parallel()
	srv := start(t, "payer", "waits", "poll_budget", "3")
	till := openTill(t, srv, "1")
	id := till.commit("K", present(t, srv))
	for range 5 {
		if got := till.status(id); got != "committed" { // polls before release cost nothing
			t.Errorf("state %s before release", got)
		}
	}
	till.release(id, 700)
	for range 3 {
		if got := till.status(id); got != "pending" {
			t.Errorf("state %s within the budget", got)
		}
	}
	till.refused(smartpay.CodePollBudget, statusPath, m{"purchase_id": id})
	till.say(id, "cancel")
	if got := till.status(id); got != "canceled" {
		t.Errorf("state %s after cancel", got)
	}
	wantEffects(t, srv)
}

// TestS8TillRestartsBetweenTheSteps goes on with a new connection and a new session after every step.
func TestS8TillRestartsBetweenTheSteps(t *testing.T) {
	t.Parallel()
	srv := start(t, "single_session", "yes", "cookie_name", "random", "pending_polls", "0", "refund_polls", "0")
	restart := func() *till { return openTill(t, srv, "1") }
	code := present(t, srv)
	restart().commit("K", code)
	id := restart().commit("K", code)
	restart().release(id, 700)
	restart().release(id, 700)
	if got := restart().status(id); got != "success" {
		t.Fatalf("state %s", got)
	}
	restart().say(id, "success")
	restart().say(id, "success")
	receipt := m{"purchase_id": id, "register_number": "0000000001", "fiscal_sign": "1234567890"}
	restart().ok("/v1/purchase/fiscal", receipt)
	restart().ok("/v1/purchase/fiscal", receipt)
	refund := restart().refund(id, "R", 700)
	if again := restart().refund(id, "R", 700); again != refund {
		t.Errorf("refund resumed as %s, began as %s", again, refund)
	}
	if got := restart().refundStatus(refund); got != "success" {
		t.Errorf("refund state %s", got)
	}
	wantEffects(t, srv, "charge 700 K", "refund 700 R")
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	code := present(t, srv)
	for _, kind := range []simkit.FaultKind{simkit.CutBefore, simkit.CutAfter, simkit.Truncate, simkit.Empty} {
		must(t, srv.Kit().Fault(simkit.Fault{Path: commitPath, Kind: kind, Count: 1}))
		if r, err := till.send(http.MethodPost, commitPath, commitBody(t, "K", code)); err == nil {
			t.Errorf("fault %s: %s", kind, r.raw)
		}
		made := 1
		if kind == simkit.CutBefore {
			made = 0
		}
		if got := len(srv.Kit().Objects()); got != made {
			t.Errorf("after %s: %d purchases, want %d", kind, got, made)
		}
	}
	if id := till.commit("K", code); id != srv.Kit().Objects()[0].ID {
		t.Errorf("the repeat made another purchase, %s", id)
	}
}

func TestMovePurchase(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	kit := srv.Kit()
	id := till.commit("K-1", present(t, srv))
	must(t, kit.Move("K-1", "success")) // kept until the amount is known
	till.release(id, smartpay.AmountDeclined)
	if got := till.status(id); got != "success" {
		t.Errorf("state %s, want the control API's word before the amount's", got)
	}
	must(t, kit.Move(id, "fail"))
	must(t, kit.Move(id, "fail"))
	must(t, kit.Move(id, "success")) // a late success
	wantEffects(t, srv, "charge 10001 K-1", "reversal 10001 K-1", "charge 10001 K-1")

	waits := till.commit("K-2", present(t, srv))
	till.release(waits, 700)
	must(t, kit.Move(waits, "wait"))
	for range 5 {
		if got := till.status(waits); got != "pending" {
			t.Errorf("state %s, want pending until told", got)
		}
	}
	must(t, kit.Move(waits, "canceled"))
	o, _ := details(t, srv, waits)
	if slices.Contains(o.Outcomes, "wait") || o.State != "canceled" {
		t.Errorf("object %+v", o)
	}
	unpaid := till.commit("K-3", present(t, srv))
	must(t, kit.Move(unpaid, "canceled"))
	for id, outcome := range map[string]string{id: "paid", waits: "wait", unpaid: "success"} {
		if err := kit.Move(id, outcome); err == nil {
			t.Errorf("%s was moved to %s", id, outcome)
		}
	}
}
