package smartpay_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/smartpay"
)

const commitPath = "/v1/purchase/code/commit"

func TestS2CodeClaimedTwice(t *testing.T) {
	t.Parallel()
	srv := start(t)
	first, second := openTill(t, srv, "1"), openTill(t, srv, "2")
	code := present(t, srv)
	id := first.commit("K-1", code)
	second.refused(smartpay.CodeQRUsed, commitPath, commitBody(t, "K-1", code))
	first.refused(smartpay.CodeQRUsed, commitPath, commitBody(t, "K-2", code))
	first.say(id, "cancel")
	second.refused(smartpay.CodeQRUsed, commitPath, commitBody(t, "K-3", code)) // also after the purchase ended
}

func TestS2RaceForOneCode(t *testing.T) {
	t.Parallel()
	srv := start(t)
	body := commitBody(t, "K-1", present(t, srv))
	const tills = 8
	replies := make([]reply, tills)
	var group sync.WaitGroup
	for i := range tills {
		till := openTill(t, srv, string(rune('a'+i)))
		group.Go(func() { replies[i], _ = till.send("POST", commitPath, body) })
	}
	group.Wait()
	won, lost := 0, 0
	for _, r := range replies {
		switch {
		case r.PurchaseID != "":
			won++
		case r.code == smartpay.CodeQRUsed:
			lost++
		}
	}
	if won != 1 || lost != tills-1 {
		t.Errorf("%d tills won and %d lost, want 1 and %d", won, lost, tills-1)
	}
}

func TestS2FlawedCodes(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	want := map[smartpay.Flaw]smartpay.Code{
		smartpay.Stale:           smartpay.CodeQRExpired,
		smartpay.Future:          smartpay.CodeQRExpired,
		smartpay.ForgedSignature: smartpay.CodeQRSignature,
		smartpay.OtherText:       smartpay.CodeQRSignature,
		smartpay.WrongKey:        smartpay.CodeQRInvalid,
		smartpay.WrongShape:      smartpay.CodeQRInvalid,
		smartpay.NotBase64:       smartpay.CodeQRInvalid,
	}
	for _, flaw := range smartpay.Flaws() {
		code, err := srv.PresentFlawed("alice", flaw)
		must(t, err)
		if flaw == smartpay.NotJSON {
			if json.Valid([]byte(code)) {
				t.Errorf("%s: %q is JSON", flaw, code)
			}
			continue
		}
		if want[flaw] == 0 {
			t.Errorf("flaw %s is not covered", flaw)
		}
		till.refused(want[flaw], commitPath, commitBody(t, "K-"+string(flaw), code))
	}
	if got := srv.Kit().Objects(); len(got) != 0 {
		t.Errorf("flawed codes made %d objects", len(got))
	}
}

func TestS2HandmadeCodes(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	good := commitBody(t, "K-1", present(t, srv))
	for name, change := range map[string]func(m){
		"sign is not base64":  func(b m) { b["sign"] = "*" },
		"sign is empty":       func(b m) { b["sign"] = "" },
		"sign is too short":   func(b m) { b["sign"] = "AAAA" },
		"encrypted is empty":  func(b m) { b["encrypted"] = "" },
		"encrypted is short":  func(b m) { b["encrypted"] = "AAAA" },
		"encrypted is halved": func(b m) { b["encrypted"] = b["encrypted"].(string)[:172] },
	} {
		body := m{}
		for k, v := range good {
			body[k] = v
		}
		change(body)
		r := till.post(commitPath, body)
		if r.code != smartpay.CodeQRInvalid && r.code != smartpay.CodeQRSignature {
			t.Errorf("%s: HTTP %d: %s", name, r.status, r.raw)
		}
	}
	till.ok(commitPath, good) // and the untouched one is good
}

func TestS2FreshnessLimits(t *testing.T) {
	t.Parallel()
	srv := start(t, "code_ttl", "5m")
	till := openTill(t, srv, "1")
	for _, tc := range []struct {
		age time.Duration
		ok  bool
	}{
		{4*time.Minute + 50*time.Second, true},
		{5*time.Minute + 2*time.Second, false},
		{-50 * time.Second, true},
		{-65 * time.Second, false},
	} {
		code, err := srv.PresentAged("alice", tc.age)
		must(t, err)
		r := till.post(commitPath, commitBody(t, "K"+tc.age.String(), code))
		if tc.ok != (r.PurchaseID != "") || !tc.ok && r.code != smartpay.CodeQRExpired {
			t.Errorf("age %v: HTTP %d: %s, want claimed %v", tc.age, r.status, r.raw, tc.ok)
		}
	}
}

func TestS2CodeAgesByTheSimulatorsClock(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	code := present(t, srv)
	srv.Kit().Advance(6 * time.Minute)
	till.refused(smartpay.CodeQRExpired, commitPath, commitBody(t, "K-1", code))
}

func TestS3CommitRepeated(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till, other := openTill(t, srv, "1"), openTill(t, srv, "2")
	code := present(t, srv)
	id := till.commit("K-1", code)
	if again := till.commit("K-1", code); again != id {
		t.Errorf("repeated commit is purchase %s, first was %s", again, id)
	}
	srv.Kit().Advance(10 * time.Minute)
	if again := till.commit("K-1", code); again != id {
		t.Errorf("commit repeated with the code gone stale is purchase %s, first was %s", again, id)
	}
	till.refused(smartpay.CodePurchaseIDReused, commitPath, commitBody(t, "K-1", present(t, srv)))
	if elsewhere := other.commit("K-1", present(t, srv)); elsewhere == id {
		t.Errorf("the same kassa_purchase_id on another till is the same purchase %s", id)
	}
	if n := len(srv.Kit().Objects()); n != 2 {
		t.Errorf("%d purchases, want 2", n)
	}
}

func TestCommitChecksItsBody(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	good := commitBody(t, "K-1", present(t, srv))
	for name, change := range map[string]func(m){
		"no id":         func(b m) { delete(b, "kassa_purchase_id") },
		"id too long":   func(b m) { b["kassa_purchase_id"] = strings.Repeat("1", 65) },
		"id not ASCII":  func(b m) { b["kassa_purchase_id"] = "покупка" },
		"id a number":   func(b m) { b["kassa_purchase_id"] = 1700000000 },
		"unknown field": func(b m) { b["amount"] = 100 },
	} {
		body := m{}
		for k, v := range good {
			body[k] = v
		}
		change(body)
		if r := till.post(commitPath, body); r.code != smartpay.CodeBadRequest {
			t.Errorf("%s: HTTP %d: %s", name, r.status, r.raw)
		}
	}
}

func TestPresentCode(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	long := strings.Repeat("й", 60)
	for _, user := range []string{"alice", "a.b.c", long, `<b>"&`} {
		code, err := srv.PresentCode(user)
		must(t, err)
		again, err := srv.PresentCode(user)
		must(t, err)
		if code == again {
			t.Errorf("user %q: two codes are equal", user)
		}
		id := till.commit("K-"+code[len(code)-20:len(code)-4], code)
		if _, d := details(t, srv, id); d["user"] != user {
			t.Errorf("service reads user %q, want %q", d["user"], user)
		}
	}
	for _, user := range []string{"", long + "x"} {
		if _, err := srv.PresentCode(user); err == nil {
			t.Errorf("user of %d bytes was taken", len(user))
		}
	}
	if _, err := srv.PresentFlawed("alice", "bent"); err == nil {
		t.Error("an unknown flaw was taken")
	}
}
