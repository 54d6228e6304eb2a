package rahmet_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestLinkCases runs the cases R15 to R17.
func TestLinkCases(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"R15 none, two or four parameters, joined correctly and naively", postlinkParameters},
		{"R15 twice, forged, for another amount", postlinkLies},
		{"R15 before the create answer", postlinkEarly},
		{"R16 failed_postlink, then success", failedThenPaid},
		{"R17 checklink says no or yes", checklinkAnswers},
		{"R17 checklink times out", checklinkTimesOut},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, start(t))
		})
	}
}

func postlinkParameters(t *testing.T, b *bench) {
	b.set("balance_percent", "40")
	tests := []struct{ params, join, link, want string }{
		{"0", "correct", "/n", "/n"},
		{"2", "correct", "/n", "/n?reference=%d&amount=2500"},
		{"4", "correct", "/n", "/n?reference=%d&amount=2500&cardAmount=1500&balanceAmount=1000"},
		{"2", "correct", "/n?o=1", "/n?o=1&reference=%d&amount=2500"},
		{"2", "correct", "/n?", "/n?reference=%d&amount=2500"},
		{"2", "correct", "/n?o=1#top", "/n?o=1&reference=%d&amount=2500"},
		{"2", "naive", "/n?o=1", "/n?o=1?reference=%d&amount=2500"},
		{"0", "naive", "/n?o=1", "/n?o=1"},
	}
	for i, test := range tests {
		b.set("postlink_params", test.params)
		b.set("postlink_join", test.join)
		data := b.paid(fmt.Sprint("order ", i), "2500", "postlink", b.merchant+test.link)
		want := "GET " + strings.Replace(test.want, "%d", fmt.Sprint(data.ID), 1)
		if got := b.called(); len(got) != i+1 || got[i] != want {
			t.Errorf("%s %s %s: %q, want %q", test.params, test.join, test.link, got[len(got)-1], want)
		}
	}
}

func postlinkLies(t *testing.T, b *bench) {
	b.set("postlink_params", "2")
	b.set("postlink_copies", "2")
	b.create("1", "2500", "postlink", b.merchant+"/n")
	b.move("1", "postlink")
	b.move("1", "postlink_other_amount")
	if b.item("1").IsPaid {
		t.Error("a forged call made the order paid")
	}
	b.wantEffects()
	b.move("1", "paid")
	got := b.called()
	want := []string{"amount=2500", "amount=2501", "amount=2500", "amount=2500"}
	if len(got) != len(want) {
		t.Fatalf("calls %q, want %d", got, len(want))
	}
	for i := range want {
		if !strings.HasSuffix(got[i], want[i]) {
			t.Errorf("call %d is %q, want %s", i, got[i], want[i])
		}
	}
	b.set("postlink_copies", "0")
	b.paid("2", "2500", "postlink", b.merchant+"/n")
	if n := len(b.called()); n != len(want) {
		t.Errorf("%d calls, want none more", n)
	}
}

func postlinkEarly(t *testing.T, b *bench) {
	b.set("postlink_timing", "before_answer")
	answered := false
	b.reply = func(http.ResponseWriter, *http.Request) {
		if answered {
			t.Error("postlink came after the create answer")
		}
		if !b.item("1").IsPaid {
			t.Error("postlink came before the payment")
		}
	}
	b.create("1", "901", "postlink", b.merchant+"/n")
	answered = true
	if got := b.called(); len(got) != 1 {
		t.Errorf("calls %q, want one", got)
	}
}

func failedThenPaid(t *testing.T, b *bench) {
	links := []string{"postlink", b.merchant + "/paid", "failed_postlink", b.merchant + "/failed"}
	b.set("postlink_params", "0")
	b.create("declined", "902", links...)
	if got := b.called(); !slices.Equal(got, []string{"GET /failed"}) || b.item("declined").IsPaid {
		t.Errorf("902: calls %q", got)
	}
	b.move("declined", "payer_pays")
	b.called() // calls about different orders may overtake one another
	b.create("both", "905", links...)
	want := []string{"GET /failed", "GET /paid", "GET /failed", "GET /paid"}
	if got := b.called(); !slices.Equal(got, want) || !b.item("declined").IsPaid || !b.item("both").IsPaid {
		t.Errorf("calls %q, want %q and both paid", got, want)
	}
	b.wantEffects("charge 90200", "charge 90500")
	b.move("both", "failed_postlink")
	if got := b.called(); got[len(got)-1] != "GET /failed" || !b.item("both").IsPaid {
		t.Error("a late failed_postlink must be sent and change nothing")
	}
}

func checklinkAnswers(t *testing.T, b *bench) {
	says := `{"status":false,"message":"sold out"}`
	b.reply = func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		values, err := url.ParseQuery(string(body))
		if err != nil || r.Method != "POST" || values.Encode() != "amount=2500&reference=1" {
			t.Errorf("checklink %s %s, want our order id and the amount", r.Method, body)
		}
		_, _ = io.WriteString(w, says)
	}
	b.create("1", "2500", "checklink", b.merchant+"/check", "failed_on_check", "false")
	b.move("1", "payer_pays")
	if o, _ := b.Object("1"); o.State != "declined" {
		t.Errorf("after a no: %s", o.State)
	}
	says = `{"status":true,"message":""}`
	b.move("1", "payer_pays")
	if o, _ := b.Object("1"); o.State != "paid" {
		t.Errorf("after a yes: %s", o.State)
	}
	b.move("1", "payer_pays")
	b.wantEffects("charge 250000")
	if n := len(b.called()); n != 2 {
		t.Errorf("%d calls, want none for a paid order", n)
	}
}

func checklinkTimesOut(t *testing.T, b *bench) {
	b.set("checklink_timeout", "50ms")
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	b.reply = func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}
	for setting, want := range map[string]string{"true": "declined", "false": "paid"} {
		b.create(setting, "2500", "checklink", b.merchant+"/check", "failed_on_check", setting)
		b.move(setting, "payer_pays")
		if o, err := b.Object(setting); err != nil || o.State != want {
			t.Errorf("failed_on_check=%s: %s, %v; want %s", setting, o.State, err, want)
		}
	}
}
