package providers

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/host"
)

// yenilEdge is a step from one of the provider's states to another, with the status
// that each of them means.
type yenilEdge struct{ from, fromStatus, to, toStatus string }

// yenilEdges are all that were documented, and those that the states imply.
func yenilEdges() []yenilEdge {
	const waits, works, done = "pending", "processing", "succeeded"
	return []yenilEdge{
		{"Pending", waits, "InProgress", works},
		{"Pending", waits, "Canceled", "canceled"},
		{"InProgress", works, "Succeeded", done},
		{"Succeeded", "", "Refunded", done},       // payhost has no reason to ask between
		{"Pending", waits, "Failed", "failed"},    // not in the list, though its text tells of it
		{"InProgress", works, "Failed", "failed"}, // in no list
		{"Pending", waits, "Expired", "expired"},  // in no list
		{"Pending", waits, "Succeeded", done},     // InProgress may pass between two looks
		{"InProgress", works, "Expired", "expired"},
		{"Failed", "failed", "Succeeded", done}, // called final; a bank may be late
		{"Expired", "expired", "Succeeded", done},
	}
}

// yenilY5: every state by every edge, in any letter case.
func yenilY5(y *yenil) {
	for _, letters := range []string{"documented", "lower", "upper", "odd"} {
		y.set("state_case", letters)
		for _, e := range yenilEdges() {
			y.edge(e, letters)
		}
	}
	y.set("status_name", "Status")
	y.set("amount_type", "string")
	y.edge(yenilEdge{"InProgress", "processing", "Succeeded", "succeeded"}, "odd")
	y.set("state_case", "documented")
	yenilUnknownState(y)
}

// edge takes a payment along an edge and holds what payhost makes of both ends.
func (y *yenil) edge(e yenilEdge, letters string) {
	what := fmt.Sprintf("%s to %s, letters %s", e.from, e.to, letters)
	y.Step("%s", what)
	p := y.Begin()
	if e.from != "Pending" {
		y.Move(p.ProviderRef, e.from)
	}
	if e.fromStatus != "" {
		y.holds(what+", at "+e.from, y.fresh(p), want{status: e.fromStatus, doubt: "-"})
	}
	y.Move(p.ProviderRef, e.to)
	p = y.fresh(p)
	y.holds(what+", at "+e.to, p, want{status: e.toStatus, doubt: "-"})
	paid, back := int64(0), int64(0)
	switch e.to {
	case "Succeeded":
		paid = y.Terms.Amount
	case "Refunded":
		paid, back = y.Terms.Amount, y.Terms.Amount
	}
	if p.Paid.Minor() != paid || p.Refunded.Minor() != back || p.Alerts != 0 {
		y.Failf("%s: amount_paid is %d, amount_refunded %d, alerts %d; they should be %d, %d and 0",
			what, p.Paid.Minor(), p.Refunded.Minor(), p.Alerts, paid, back)
	}
}

// yenilUnknownState has the provider use words that no document has.
func yenilUnknownState(y *yenil) {
	for _, word := range []string{"InProgress", "Succeeded", "Failed", "Refunded"} {
		y.Step("an unknown word where %s stood", word)
		p := y.Begin()
		y.Move(p.ProviderRef, word)
		y.during(wire.Fault{Kind: wire.UnknownWord, Words: []string{word}}, yenilStatus+"*", func() {
			y.holds("an unknown state", y.fresh(p), want{status: "pending", doubt: "-"})
		})
		if p = y.fresh(p); p.Is("pending") {
			y.Failf("the payment is still pending after the provider said %s", word)
		}
	}
}

// yenilY6: which end comes first, and what a time without a zone means.
func yenilY6(y *yenil) {
	const quarter = 15 * time.Minute
	for _, c := range []struct {
		session        string
		expires, after time.Duration // expires_at, none if 0; when the payment ends
		status         string
	}{
		{"15m", 0, quarter, "failed"},
		{"15m", 10 * time.Minute, 10 * time.Minute, "expired"},
		{"15m", 40 * time.Minute, quarter, "failed"},
		{"1h", 30 * time.Minute, 30 * time.Minute, "expired"},
	} {
		what := fmt.Sprintf("session of %s, expires_at after %s", c.session, c.expires)
		y.Step("%s", what)
		y.set("session", c.session)
		var fields conformance.Object
		if c.expires > 0 {
			fields = conformance.Object{"expires_at": y.in(c.expires)}
		}
		p := y.BeginWith(y.Terms.Amount, fields)
		y.Pass(c.after - time.Minute)
		y.holds(what+": a minute before the end", y.fresh(p), want{status: "pending", doubt: "-"})
		y.Pass(time.Minute + 2*time.Second)
		p = y.fresh(p)
		y.holds(what+": behind the end", p, want{status: c.status, doubt: "-"})
		if reason := "Время сессии истекло"; c.status == "failed" && !strings.Contains(y.told(p), reason) {
			y.Failf("%s: the provider's reason %q does not stand in the timeline", what, reason)
		}
	}
	y.set("session", "15m")
	yenilAtWork(y)
	yenilZones(y)
}

// yenilAtWork lets expireAt pass while the bank works: the payment is not over.
func yenilAtWork(y *yenil) {
	y.Step("expireAt passes while the bank works")
	y.set("session", "2h")
	p := y.BeginWith(y.Terms.Amount, conformance.Object{"expires_at": y.in(10 * time.Minute)})
	y.Move(p.ProviderRef, "InProgress")
	y.Pass(5 * time.Second)
	y.Pass(time.Hour)
	y.holds("the bank works behind expireAt", y.fresh(p), want{status: "processing", doubt: "-"})
	y.Pay(p)
	y.holds("the bank is done behind expireAt", y.fresh(p), want{status: "succeeded"})
	y.set("session", "15m")
}

// yenilZones reads expireAt off the wire, for each way to name a zone.
func yenilZones(y *yenil) {
	end := y.in(24 * time.Hour)
	for setting, ahead := range map[string]time.Duration{
		"": 5 * time.Hour, "Asia/Ashgabat": 5 * time.Hour, "UTC": 0, "+09:30": 9*time.Hour + 30*time.Minute, "-02:00": -2 * time.Hour,
	} {
		y.Step("time_zone %q", setting)
		y.zone(setting)
		for _, asked := range []string{
			end.Format(time.RFC3339), end.In(time.FixedZone("", -7*60*60)).Format(time.RFC3339), end.Format("2006-01-02T15:04:05.999Z07:00"),
		} {
			y.holds("time_zone "+setting, y.create(conformance.Object{"expires_at": asked}), want{status: "pending"})
			should := `"` + end.Add(ahead).Format("2006-01-02T15:04:05") + `"`
			if got := member(y.lastRegister().Body, "expireAt"); got != should {
				y.Failf("time_zone %q, expires_at %s: expireAt is %s, and should be %s", setting, asked, got, should)
			}
		}
	}
	y.Step("a zone that is not the provider's")
	y.zone("-07:00")
	y.holds("a time that is over at the provider", y.create(conformance.Object{"expires_at": y.in(time.Hour)}), want{
		code: 422, class: "invalid_request", effect: "none", field: "expires_at",
	})
	y.zone("")
}

// zone reconnects with a time zone, with none if it is empty.
func (y *yenil) zone(name string) {
	y.Reconnect(func(c *host.ConnectionConfig) {
		if c.Settings = nil; name != "" {
			c.Settings = json.RawMessage(`{"time_zone":"` + name + `"}`)
		}
	})
}
