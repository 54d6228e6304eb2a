package providers

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/wire"
)

// rahmetRefundCases are about money that goes back.
func rahmetRefundCases() []conformance.Case {
	return []conformance.Case{
		rahmetCase(conformance.Check{
			ID: "R11", Level: conformance.L2, Proves: "providers 4, R11; contract 4, 8B",
			Sentence: "A refund that was accepted is pending until status shows its whole sum, whatever else status says meanwhile.",
		}, rahmetAccepted),
		rahmetCase(conformance.Check{
			ID: "R12", Level: conformance.L2, Proves: "providers 4, R12; contract 5",
			Sentence: "Every send of one refund has one X-Idempotency-Key, a UUID of version 4, and every refund has its own.",
		}, rahmetKeys),
		rahmetCase(conformance.Check{
			ID: "R13", Level: conformance.L1, Proves: "providers 4, R13; contract 3, 4",
			Sentence: "A refund above the rest, of an unpaid order or of an unknown one gives nothing back and is not taken for done.",
		}, rahmetRefusedRefunds),
		rahmetCase(conformance.Check{
			ID: "R14", Level: conformance.L1, Proves: "providers 4, R14",
			Sentence: "A refund is posted to refund, not to status as by the published SDK, where it would move no money.",
		}, rahmetRefundPlace),
	}
}

// back asks for a refund once, and returns its path.
func (l *rahmetLife) back(p conformance.Answer, amount int64) string {
	r := l.Accepted(l.path(p)+"/refunds", conformance.Object{"amount": l.Amount(amount), "reason": "one less"})
	return l.path(p) + "/refunds/" + r.ID
}

// refundIs holds a refund against a status, and the payment against a sum given back.
func (l *rahmetLife) refundIs(p conformance.Answer, path, status string, refunded int64, when string) {
	if r := l.Get(path); !r.Is(status) {
		l.Failf("the refund is %v, want %s: %s", r.Status, status, when)
	}
	if p = l.Get(l.path(p)); !p.Is("succeeded") || p.Paid.Minor() != l.Terms.Amount || p.Refunded.Minor() != refunded {
		l.Failf("the payment is %v, paid %d, refunded %d; want succeeded, %d and %d: %s",
			p.Status, p.Paid.Minor(), p.Refunded.Minor(), l.Terms.Amount, refunded, when)
	}
}

func rahmetAccepted(l *rahmetLife) {
	l.set("refund_delay", "manual")
	for _, amount := range []string{"gross", "net"} {
		for _, paid := range []string{"true", "false"} {
			l.set("status_amount", amount)
			l.set("paid_after_full_refund", paid)
			l.Step("refund in steps; status_amount %s, paid_after_full_refund %s", amount, paid)
			rahmetInSteps(l)
		}
	}
	l.set("status_amount", "gross")
	l.set("paid_after_full_refund", "true")
	l.set("refund_data", "empty")
	l.Step("refund whose answer has no data")
	rahmetInSteps(l)
	l.set("refund_data", "full")
	rahmetCommission(l)
}

// rahmetInSteps gives back a part of a payment, in two halves, and then the rest.
func rahmetInSteps(l *rahmetLife) {
	p := l.sell()
	path := l.back(p, 100000)
	l.refundIs(p, path, "pending", 0, "the provider has only accepted it")
	l.Pass(time.Minute)
	l.refundIs(p, path, "pending", 0, "status has no member refund yet")
	refund := l.refunds(l.order(p))[0]
	l.Move(refund.ID, "partial")
	l.Pass(time.Minute)
	l.refundIs(p, path, "pending", 50000, "status shows half of it")
	l.Move(refund.ID, "settled")
	l.Until(path, "succeeded")
	l.refundIs(p, path, "succeeded", 100000, "status shows its sum")
	rest := l.back(p, l.Terms.Amount-100000)
	l.Pass(time.Minute)
	l.refundIs(p, rest, "pending", 100000, "status shows the sum of the first one")
	l.Move(l.refunds(l.order(p))[1].ID, "settled")
	l.Until(rest, "succeeded")
	l.refundIs(p, rest, "succeeded", l.Terms.Amount, "all of it has gone back")
	l.money(p, l.Terms.Amount, l.Terms.Amount)
}

// rahmetCommission has the provider keep a tenth of what goes back. That the whole sum
// went back is never shown, so it is never said.
func rahmetCommission(l *rahmetLife) {
	l.Step("refund of which the provider keeps a tenth")
	l.set("refund_commission_percent", "10")
	p := l.sell()
	path := l.back(p, 100000)
	l.Move(l.refunds(l.order(p))[0].ID, "settled")
	l.Pass(time.Minute)
	l.refundIs(p, path, "pending", 90000, "status shows 900 of the 1000 that were asked for")
	if !l.told(p.ID, "900.00") && !l.told(p.ID, " 900 ") {
		l.Failf("the timeline does not tell the amount that the provider named, 900 of the requested 1000")
	}
	second := l.Try(l.path(p)+"/refunds", conformance.Object{"amount": l.Amount(10000), "reason": "more"})
	if second.Class != "state_conflict" {
		l.Failf("a second refund beside the pending one is answered %d %s, want state_conflict: status shows sums alone",
			second.Code, second.Raw)
	}
	l.money(p, l.Terms.Amount, 90000)
}

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func rahmetKeys(l *rahmetLife) {
	p := l.sell()
	l.Step("refund with lost answers")
	l.warm()
	mark := l.Wire.Number()
	l.Wire.Arm(wire.Fault{Kind: wire.CutAfter, Path: rahmetRefund})
	key, body := l.NewKey(), conformance.Object{"amount": l.Amount(50000), "reason": "one less"}
	a := l.Request(http.MethodPost, l.path(p)+"/refunds", key, body)
	if a.Code != http.StatusAccepted || a.InDoubt == nil {
		l.Fatalf("a refund whose every answer was lost is answered %d %s, want 202 in doubt", a.Code, a.Raw)
	}
	l.Wire.Disarm()
	l.Until(l.path(p)+"/refunds/"+a.ID, "succeeded")
	first := rahmetOneKey(l, mark)
	l.money(p, l.Terms.Amount, 50000)

	l.Step("refund the same amount once more")
	mark = l.Wire.Number()
	l.GiveBack(p, 50000)
	if second := rahmetOneKey(l, mark); second == first {
		l.Failf("two refunds of one amount have the same %s: the provider takes the second for the first", rahmetKeyHeader)
	}
	l.money(p, l.Terms.Amount, 100000)

	l.Step("refund that the provider itself cuts")
	l.GiveBack(p, 91100) // the simulator loses the first answer to a refund of 911 tenge
	l.money(p, l.Terms.Amount, 191100)
	if n := len(l.refunds(l.order(p))); n != 3 {
		l.Failf("three refunds were asked for, and the provider has %d", n)
	}
	mark = l.Wire.Number()
	again := l.Request(http.MethodPost, l.path(p)+"/refunds", key, conformance.Object{"amount": l.Amount(20000), "reason": "one less"})
	if again.Class != "key_reused" || len(l.sent(mark, rahmetRefund)) > 0 {
		l.Failf("the merchant's key with another amount is answered %d %s, want key_reused and nothing sent", again.Code, again.Raw)
	}
	l.Verify()
	rahmetProviderKeys(l)
}

// rahmetOneKey holds that all sends of a refund have one key, and returns it.
func rahmetOneKey(l *rahmetLife, mark int) string {
	sends, key := l.sent(mark, rahmetRefund), ""
	for i, x := range sends {
		if key = x.Header.Get(rahmetKeyHeader); !uuid4.MatchString(key) {
			l.Failf("a refund has the %s %q, want a UUID of version 4", rahmetKeyHeader, key)
		}
		if key != sends[0].Header.Get(rahmetKeyHeader) {
			l.Failf("send %d of a refund has another %s than the first: the provider pays both", i+1, rahmetKeyHeader)
		}
	}
	return key
}

// rahmetProviderKeys proves what the key is worth at the provider: the same id for the
// same amount, an error for another, and two refunds where there is none.
func rahmetProviderKeys(l *rahmetLife) {
	l.Step("refunds past payhost")
	order, token := l.orderID(l.sell()), l.bearer()
	refund := func(amount string, header ...string) (int, string) {
		body := url.Values{"merchant_order_id": {order}, "amount": {amount}}.Encode()
		code, raw := l.direct(rahmetRefund, rahmetForm, body, append(header, "Authorization", "Bearer "+token)...)
		var data struct {
			ID json.Number `json:"id"`
		}
		_ = json.Unmarshal(raw, &data) // an error has none
		return code, data.ID.String()
	}
	const key = "0b7c6e1e-52f4-4a3b-9d0e-3f1c2b4a5d6e"
	_, first := refund("100", rahmetKeyHeader, key)
	if code, again := refund("100", rahmetKeyHeader, key); code != 0 || again != first {
		l.Fatalf("simulator: the same key and amount give error_code %d and the id %s, want the id %s", code, again, first)
	}
	if code, _ := refund("200", rahmetKeyHeader, key); code != 409 {
		l.Fatalf("simulator: the same key with another amount gives error_code %d", code)
	}
	_, second := refund("100")
	if _, third := refund("100"); second == third || second == first {
		l.Fatalf("simulator: without a key, two refunds have the ids %s and %s", second, third)
	}
}

func rahmetRefusedRefunds(l *rahmetLife) {
	l.Step("refunds that payhost refuses by itself")
	unpaid, paid := l.Begin(), l.sell()
	mark := l.Wire.Number()
	refuse := func(path string, amount int64, class string) {
		a := l.Try(path+"/refunds", conformance.Object{"amount": l.Amount(amount), "reason": "too much"})
		if a.Class != class || a.Effect != "none" {
			l.Failf("the refund is answered %d %s, want %s and no effect", a.Code, a.Raw, class)
		}
	}
	refuse(l.path(paid), l.Terms.Amount+100, "invalid_request")
	refuse(l.path(unpaid), 100000, "state_conflict")
	refuse("/v1/payments/pay_01jd5x3v8c0000000000000000", 100000, "not_found")
	if n := len(l.sent(mark, rahmetRefund)); n > 0 {
		l.Failf("%d refunds that can't be were sent to the provider", n)
	}
	l.money(paid, l.Terms.Amount, 0)
	l.Verify()
	for _, status := range []string{"200", "4xx"} {
		l.set("error_http_status", status)
		rahmetRefusedThere(l, status)
	}
	rahmetForgotten(l)
}

// rahmetRefusedThere asks for money back of which the provider knows better: somebody
// refunded a part there, the payment was taken back, or a refund was accepted there a
// moment ago, of which status says nothing yet.
func rahmetRefusedThere(l *rahmetLife, status string) {
	for _, t := range []struct {
		state  string
		amount int64
		moved  int64 // what the provider gave back without payhost
	}{
		{"partially_refunded", 200000, 125000},
		{"unpaid", 100000, 0},
		{beingRefunded, 200000, 0},
	} {
		l.Step("refund %d of an order that is %s at the provider; errors with HTTP %s", t.amount, t.state, status)
		p := l.sell()
		if t.state == beingRefunded {
			l.refundThere(p)
		} else {
			l.Move(l.order(p).ID, t.state)
		}
		a := l.Try(l.path(p)+"/refunds", conformance.Object{"amount": l.Amount(t.amount), "reason": "too late"})
		if a.Code/100 == 2 && a.InDoubt == nil {
			l.Failf("the provider refused the refund, and it is taken for accepted: %s", a.Raw)
		}
		l.Pass(11 * time.Minute)
		l.Pass(time.Hour)
		r := l.Get(l.path(p) + "/refunds/" + a.ID)
		if r.Is("succeeded") {
			l.Failf("the refund is succeeded, and the provider refused it: %s", r.Raw)
		}
		var back int64
		for _, e := range l.sim.Effects() {
			if e.Object == l.order(p).ID && e.Kind == simkit.Refund {
				back += e.Amount
			}
		}
		if back != t.moved {
			l.Failf("the provider gave back %d, want %d: what it refused must stay refused", back, t.moved)
		}
	}
}

// beingRefunded is a state of an order that the provider has no name for.
const beingRefunded = "being refunded"

// refundThere has the provider accept a refund of half a payment without payhost, and not
// settle it.
func (l *rahmetLife) refundThere(p conformance.Answer) {
	l.set("refund_delay", "manual")
	body := "merchant_order_id=" + l.orderID(p) + "&amount=1250"
	if code, _ := l.direct(rahmetRefund, rahmetForm, body, "Authorization", "Bearer "+l.bearer()); code != 0 {
		l.Fatalf("simulator: a refund is answered with error_code %d", code)
	}
}

// rahmetForgotten asks for money back of an order that the provider does not know at
// all: what went back of it before nobody can say, so nothing is sent.
func rahmetForgotten(l *rahmetLife) {
	l.Step("refund of an order that the provider has forgotten")
	p := l.sell()
	l.sim.Reset()
	l.warm() // the tokens are forgotten, too
	mark := l.Wire.Number()
	a := l.Try(l.path(p)+"/refunds", conformance.Object{"amount": l.Amount(100000), "reason": "forgotten"})
	if a.Class != "unavailable" || a.Effect != "none" || len(l.sent(mark, rahmetRefund)) > 0 {
		l.Failf("the provider knows no such order, and the refund is answered %d %s, and sent %d times; want unavailable, and nothing sent",
			a.Code, a.Raw, len(l.sent(mark, rahmetRefund)))
	}
}

func rahmetRefundPlace(l *rahmetLife) {
	p := l.sell()
	mark := l.Wire.Number()
	l.GiveBack(p, 100000)
	l.money(p, l.Terms.Amount, 100000)
	for _, x := range l.Wire.Journal() {
		if x.Path == rahmetStatus && (rahmetFields(&x).Has("amount") || x.Header.Get(rahmetKeyHeader) != "") {
			l.Failf("%s bears a refund: status moves no money, whatever it answers", x.String())
		}
	}
	for _, x := range l.sent(mark, rahmetRefund) {
		got := rahmetFields(&x)
		if x.Method != http.MethodPost || len(got) != 2 || got.Get("merchant_order_id") != l.orderID(p) || got.Get("amount") != "1000" {
			l.Failf("the refund is %s %s; want POST merchant_order_id=%s&amount=1000", x.Method, x.Body, l.orderID(p))
		}
	}
	l.Step("post a refund to status, as the published SDK does")
	body := strings.NewReplacer("ORDER", l.orderID(p)).Replace("merchant_order_id=ORDER&amount=1000")
	code, _ := l.direct(rahmetStatus, rahmetForm, body, "Authorization", "Bearer "+l.bearer(), rahmetKeyHeader,
		"0b7c6e1e-52f4-4a3b-9d0e-3f1c2b4a5d6e")
	if code != 422 {
		l.Fatalf("simulator: a refund that is posted to status is answered with error_code %d", code)
	}
	l.money(p, l.Terms.Amount, 100000)
	l.Verify()
}
