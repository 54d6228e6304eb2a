package smartpay_test

import (
	"strings"
	"testing"

	"github.com/payhost/payhost/conformance/sim/smartpay"
)

const (
	refundPath        = "/v1/purchase/refund"
	refundStatusPath  = "/v1/purchase/refund/status"
	refundVerdictPath = "/v1/purchase/refund/kassa/status"
)

func TestS10PartialRefundsUpToThePayment(t *testing.T) {
	t.Parallel()
	srv := start(t, "refund_polls", "1")
	till := openTill(t, srv, "1")
	id := till.pay(srv, "K", 1000)
	first := till.refund(id, "R-1", 300)
	if got := till.refundStatus(first) + " " + till.refundStatus(first); got != "pending success" {
		t.Errorf("states %s, want pending success", got)
	}
	second := till.refund(id, "R-2", 600)
	till.refused(smartpay.CodeRefundTooMuch, refundPath, refundBody(id, "R-3", 101)) // a pending one counts
	till.refused(smartpay.CodeRefundTooMuch, refundPath, refundBody(id, "R-3", smartpay.MaxAmount))
	third := till.refund(id, "R-3", 100)
	till.refused(smartpay.CodeRefundTooMuch, refundPath, refundBody(id, "R-4", 1))
	for _, refund := range []string{second, third} {
		must(t, srv.Kit().Move(refund, "success"))
		till.ok(refundVerdictPath, m{"refund_id": refund, "status": "success"})
		till.ok(refundVerdictPath, m{"refund_id": refund, "status": "success"})
	}
	wantEffects(t, srv, "charge 1000 K", "refund 300 R-1", "refund 600 R-2", "refund 100 R-3")
	till.refused(smartpay.CodePurchaseState, verdictPath, m{"purchase_id": id, "status": "cancel"})
}

func TestS10FailedRefundFreesItsSum(t *testing.T) {
	t.Parallel()
	srv := start(t, "refund_polls", "0")
	till := openTill(t, srv, "1")
	id := till.pay(srv, "K", smartpay.RefundDeclined)
	failed := till.refund(id, "R-1", smartpay.RefundDeclined)
	if got := till.refundStatus(failed); got != "fail" {
		t.Errorf("state %s, want fail", got)
	}
	till.refused(smartpay.CodeRefundState, refundVerdictPath, m{"refund_id": failed, "status": "success"})
	must(t, srv.Kit().Move(till.refund(id, "R-2", smartpay.RefundDeclined), "success"))
	wantEffects(t, srv, "charge 10011 K", "refund 10011 R-2")
}

func TestS10RefundOfAnUnfinishedPayment(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	id := till.commit("K", present(t, srv))
	body := refundBody(id, "R", 100)
	till.refused(smartpay.CodeRefundTooEarly, refundPath, body)
	till.release(id, 100)
	till.refused(smartpay.CodeRefundTooEarly, refundPath, body)
	for _, end := range []string{"fail", "canceled"} {
		must(t, srv.Kit().Move(id, end))
		till.refused(smartpay.CodeRefundTooEarly, refundPath, body)
	}
	till.refused(smartpay.CodePurchaseNotFound, refundPath, refundBody("purchase-999999", "R", 100))
	wantEffects(t, srv)
}

func TestS10DuplicateRefundID(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till, desk := openTill(t, srv, "1"), openTill(t, srv, "2")
	id, another := till.pay(srv, "K-1", 1000), till.pay(srv, "K-2", 1000)
	refund := till.refund(id, "R", 400)
	if again := till.refund(id, "R", 400); again != refund {
		t.Errorf("duplicate made refund %s, first was %s", again, refund)
	}
	till.refused(smartpay.CodeRefundIDReused, refundPath, refundBody(id, "R", 401))
	till.refused(smartpay.CodeRefundIDReused, refundPath, refundBody(another, "R", 400))
	if elsewhere := desk.refund(id, "R", 400); elsewhere == refund {
		t.Error("the same id at another till is the same refund")
	}
	desk.refused(smartpay.CodeRefundNotFound, refundStatusPath, m{"refund_id": refund})
	must(t, srv.Kit().Move(refund, "success"))
	if again := till.refund(id, "R", 400); again != refund {
		t.Error("duplicate after the end made another refund")
	}
	wantEffects(t, srv, "charge 1000 K-1", "charge 1000 K-2", "refund 400 R")
}

func TestS10CancelWhileRefundSucceeds(t *testing.T) {
	t.Parallel()
	for race, want := range map[string]string{"none": "fail", "final_success": "success"} {
		srv := start(t, "refund_cancel_race", race)
		till := openTill(t, srv, "1")
		id := till.pay(srv, "K", smartpay.RefundWaits)
		refund := till.refund(id, "R", smartpay.RefundWaits)
		for range 3 {
			if got := till.refundStatus(refund); got != "pending" {
				t.Errorf("race %s: state %s, want pending", race, got)
			}
		}
		for range 2 {
			till.ok(refundVerdictPath, m{"refund_id": refund, "status": "cancel"})
		}
		if got := till.refundStatus(refund); got != want {
			t.Errorf("race %s: state %s, want %s", race, got, want)
		}
		money := []string{"charge 10012 K"}
		if want == "success" {
			money = append(money, "refund 10012 R")
		}
		wantEffects(t, srv, money...)
	}
}

func TestRefundVerdict(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	refund := till.refund(till.pay(srv, "K", 100), "R", 100)
	till.refused(smartpay.CodeRefundState, refundVerdictPath, m{"refund_id": refund, "status": "success"})
	till.refused(smartpay.CodeBadRequest, refundVerdictPath, m{"refund_id": refund, "status": "done"})
	till.refused(smartpay.CodeRefundNotFound, refundVerdictPath, m{"refund_id": "R", "status": "cancel"})
	must(t, srv.Kit().Move(refund, "success"))
	till.ok(refundVerdictPath, m{"refund_id": refund, "status": "cancel"}) // too late, and heard
	if got := till.refundStatus(refund); got != "success" {
		t.Errorf("state %s after a late cancel", got)
	}
	till.ok(refundVerdictPath, m{"refund_id": refund, "status": "success"})
	till.refused(smartpay.CodeRefundState, refundVerdictPath, m{"refund_id": refund, "status": "cancel"})
	wantEffects(t, srv, "charge 100 K", "refund 100 R")
}

func TestRefundOutcomeSetting(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]string{
		"success": "pending pending success", "fail": "pending pending fail", "waits": "pending pending pending",
	} {
		srv := start(t, "refund_outcome", setting, "refund_polls", "2")
		till := openTill(t, srv, "1")
		refund := till.refund(till.pay(srv, "K", 100), "R", 100)
		seen := []string{till.refundStatus(refund), till.refundStatus(refund), till.refundStatus(refund)}
		if got := strings.Join(seen, " "); got != want {
			t.Errorf("refund_outcome %s: %s, want %s", setting, got, want)
		}
	}
}

func TestRefundChecksItsBody(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	id := till.pay(srv, "K", 100)
	till.refused(smartpay.CodeBadRequest, refundPath, refundBody(id, "", 100))
	till.refused(smartpay.CodeBadRequest, refundPath,
		m{"purchase_id": id, "kassa_refund_id": "R", "amount": "100"})
	till.refused(smartpay.CodeAmount, refundPath, refundBody(id, "R", 0))
	till.refused(smartpay.CodeAmount, refundPath, refundBody(id, "R", -100))
}

func TestRefundBouncesAndMoves(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till, kit := openTill(t, srv, "1"), srv.Kit()
	id := till.pay(srv, "K", 1000)
	bounced := till.refund(id, "R-1", 1000)
	must(t, kit.Move(bounced, "success"))
	must(t, kit.Move(bounced, "success"))
	must(t, kit.Move(bounced, "fail"))
	wantEffects(t, srv, "charge 1000 K", "refund 1000 R-1", "charge 1000 R-1")

	second := till.refund(id, "R-2", 700)
	if err := kit.Move(bounced, "success"); err == nil {
		t.Error("a refund was revived beyond the payment")
	}
	if err := kit.Move(second, "paid"); err == nil {
		t.Error("an unknown outcome was taken")
	}
	must(t, kit.Move(second, "wait"))
	if got := till.refundStatus(second) + till.refundStatus(second); got != "pendingpending" {
		t.Errorf("states %s of a waiting refund", got)
	}
	must(t, kit.Move(second, "success"))
	if err := kit.Move(second, "wait"); err == nil {
		t.Error("a paid refund was put back to wait")
	}
}

func TestRefundOfAVoidedPurchaseFails(t *testing.T) {
	t.Parallel()
	srv := start(t, "refund_polls", "1")
	till := openTill(t, srv, "1")
	id := till.pay(srv, "K", 1000)
	paid, pending := till.refund(id, "R-1", 300), till.refund(id, "R-2", 700)
	must(t, srv.Kit().Move(paid, "success"))
	must(t, srv.Kit().Move(id, "canceled"))
	if got := till.refundStatus(pending) + " " + till.refundStatus(pending); got != "pending fail" {
		t.Errorf("states %s of a refund without money", got)
	}
	wantEffects(t, srv, "charge 1000 K", "refund 300 R-1", "reversal 700 K")
}
