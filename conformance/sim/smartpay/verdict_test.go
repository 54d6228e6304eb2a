package smartpay_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/smartpay"
)

const verdictPath = "/v1/purchase/kassa/status"

func TestS6CancelRacesSuccess(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		amount int64
		race   string
		want   string
		money  []string
	}{
		{"nothing", 700, "none", "canceled", nil},
		{"void", 700, "void", "canceled", []string{"charge 700 K", "reversal 700 K"}},
		{"final success", 700, "final_success", "success", []string{"charge 700 K"}},
		{
			"void by amount", smartpay.AmountRaceVoid, "none", "canceled",
			[]string{"charge 10004 K", "reversal 10004 K"},
		},
		{"final success by amount", smartpay.AmountRaceSuccess, "none", "success", []string{"charge 10005 K"}},
	} {
		for _, polls := range []string{"0", "2"} {
			t.Run(tc.name+" after "+polls, func(t *testing.T) {
				t.Parallel()
				srv := start(t, "payer", "waits", "cancel_race", tc.race, "cancel_polls", polls)
				till := openTill(t, srv, "1")
				id := till.commit("K", present(t, srv))
				till.release(id, tc.amount)
				till.say(id, "cancel")
				till.say(id, "cancel") // a repeat changes nothing
				if polls == "2" {
					if got := till.status(id) + " " + till.status(id); got != "pending pending" {
						t.Errorf("states %s while the cancel is on its way", got)
					}
				}
				if got := till.status(id); got != tc.want {
					t.Errorf("state %s, want %s", got, tc.want)
				}
				wantEffects(t, srv, tc.money...)
			})
		}
	}
}

func TestS6CancelAfterSuccess(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	voided := till.pay(srv, "K-1", 700)
	till.say(voided, "cancel")
	must(t, srv.Kit().Set("cancel_race", "final_success"))
	stays := till.pay(srv, "K-2", 800)
	till.say(stays, "cancel")
	if got := till.status(voided) + " " + till.status(stays); got != "canceled success" {
		t.Errorf("states %s, want canceled success", got)
	}
	wantEffects(t, srv, "charge 700 K-1", "reversal 700 K-1", "charge 800 K-2")
	till.refund(stays, "R-1", 800) // what must be given back can be
}

func TestS7Confirm(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	early := till.commit("K-0", present(t, srv))
	till.refused(smartpay.CodePurchaseState, verdictPath, m{"purchase_id": early, "status": "success"})

	id := till.pay(srv, "K-1", 700)
	must(t, srv.Kit().Fault(simkit.Fault{Path: verdictPath, Kind: simkit.CutAfter, Count: 1}))
	if r, err := till.send(http.MethodPost, verdictPath, m{"purchase_id": id, "status": "success"}); err == nil {
		t.Fatalf("the lost answer came: %s", r.raw)
	}
	till.say(id, "success") // the repeat of a confirm that had its effect
	till.say(id, "success")
	till.refused(smartpay.CodeConfirmed, verdictPath, m{"purchase_id": id, "status": "cancel"})
	wantEffects(t, srv, "charge 700 K-1")
}

func TestS7ConfirmLost(t *testing.T) {
	t.Parallel()
	srv := start(t, "confirm_within", "10m")
	till := openTill(t, srv, "1")
	confirmed, lost := till.pay(srv, "K-1", 700), till.pay(srv, "K-2", 800)
	till.say(confirmed, "success")
	srv.Kit().Advance(9 * time.Minute)
	if got := till.status(lost); got != "success" {
		t.Errorf("state %s before the limit", got)
	}
	srv.Kit().Advance(time.Minute)
	if got := till.status(confirmed) + " " + till.status(lost); got != "success canceled" {
		t.Errorf("states %s, want success canceled", got)
	}
	wantEffects(t, srv, "charge 700 K-1", "charge 800 K-2", "reversal 800 K-2")
	till.refused(smartpay.CodePurchaseState, verdictPath, m{"purchase_id": lost, "status": "success"})
}

func TestVerdictOfAnEndedPurchase(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till, other := openTill(t, srv, "1"), openTill(t, srv, "2")
	id := till.commit("K", present(t, srv))
	must(t, srv.Kit().Move(id, "fail"))
	for _, verdict := range []string{"success", "cancel"} {
		till.refused(smartpay.CodePurchaseState, verdictPath, m{"purchase_id": id, "status": verdict})
		other.refused(smartpay.CodePurchaseElsewhere, verdictPath, m{"purchase_id": id, "status": verdict})
	}
	for _, verdict := range []any{"", "ok", "canceled", 1, nil} {
		till.refused(smartpay.CodeBadRequest, verdictPath, m{"purchase_id": id, "status": verdict})
	}
	other.refused(smartpay.CodePurchaseElsewhere, statusPath, m{"purchase_id": id})
}
