package providers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/wire"
)

// rahmetOrderCases are about placing an order, and placing it again.
func rahmetOrderCases() []conformance.Case {
	return []conformance.Case{
		rahmetCase(conformance.Check{
			ID: "R6", Level: conformance.L1, Proves: "providers 4, R6; contract 8B",
			Sentence: "Both versions of create, with a QR picture and without, hand out the link that is meant for the payer.",
		}, rahmetCreate),
		rahmetCase(conformance.Check{
			ID: "R7", Level: conformance.L2, Proves: "providers 4, R7; contract 3, 5, 8B",
			Sentence: "Whatever a repeated create answers, the same order, a new one or an error, one link is handed out and one payment taken.",
		}, rahmetRepeat),
		rahmetCase(conformance.Check{
			ID: "R8", Level: conformance.L2, Proves: "providers 4, R8; contract 3, 8B",
			Sentence: "An order whose answer was lost is found by status, and its link is asked for again unless it is paid.",
		}, rahmetLost),
	}
}

// rahmetNext is what a payment's view says has to happen.
type rahmetNext struct {
	Type string `json:"type"`
	URL  string `json:"url"`
	Text string `json:"qr_payload"`
	PNG  []byte `json:"qr_png"`
}

func rahmetNextOf(p conformance.Answer) rahmetNext {
	var view struct {
		Next rahmetNext `json:"next_action"`
	}
	_ = json.Unmarshal([]byte(p.Raw), &view) // what is no JSON has no action
	return view.Next
}

func rahmetCreate(l *rahmetLife) {
	for _, t := range []struct {
		version, path, surface string
		image                  int
		link                   func(rahmetCreated) string
	}{
		{"v1", rahmetCreateV1, "", 0, func(c rahmetCreated) string { return c.URL }},
		{"v1", rahmetCreateV1, "", 300, func(c rahmetCreated) string { return c.URL }},
		{"v2", rahmetCreateV2, "", 0, func(c rahmetCreated) string { return c.External }},
		{"v2", rahmetCreateV2, "external", 300, func(c rahmetCreated) string { return c.External }},
		{"v2", rahmetCreateV2, "miniapp", 0, func(c rahmetCreated) string { return c.Inner }},
		{"v2", rahmetCreateV2, "miniapp", 300, func(c rahmetCreated) string { return c.Inner }},
	} {
		l.Step("create %s, image_size %d, surface %q", t.version, t.image, t.surface)
		l.settings(map[string]any{"api_version": t.version, "image_size": t.image})
		more := conformance.Object{}
		if t.surface != "" {
			more["options"] = conformance.Object{"surface": t.surface}
		}
		mark := l.Wire.Number()
		p := l.BeginWith(l.Terms.Amount, more)
		sends := l.sent(mark, t.path)
		if len(sends) != 1 {
			l.Fatalf("%s was called %d times for one payment, want once", t.path, len(sends))
		}
		rahmetCreateFields(l, &sends[0], p, t.image)
		answer := rahmetData[rahmetCreated](&sends[0])
		rahmetLinkGiven(l, p, answer, t.link(answer), t.image > 0)
		l.Move(l.order(p).ID, "paid")
		l.Until(l.path(p), "succeeded")
		l.money(p, l.Terms.Amount, 0)
	}
	l.Verify()
}

// rahmetCreateFields holds the form of create against what was asked for.
func rahmetCreateFields(l *rahmetLife, x *wire.Exchange, p conformance.Answer, image int) {
	want := url.Values{
		"merchant_order_id": {l.orderID(p)}, "amount": {"2500"}, "token": {rahmet.BranchToken},
		"backlink": {"https://shop.example/thanks?order=1"},
	}
	if image > 0 {
		want.Set("image_size", fmt.Sprint(image))
	}
	got := rahmetFields(x)
	for name := range want {
		if got.Get(name) != want.Get(name) {
			l.Failf("create has %s=%q, want %q", name, got.Get(name), want.Get(name))
		}
	}
	if image == 0 && got.Has("image_size") {
		l.Failf("create asks for a picture of %s pixels, and the settings want none", got.Get("image_size"))
	}
	if !strings.Contains(got.Get("postlink"), "/n/") || !strings.Contains(got.Get("failed_postlink"), "/n/") {
		l.Failf("create names postlink %q and failed_postlink %q, want the payment's notification URL in both",
			got.Get("postlink"), got.Get("failed_postlink"))
	}
}

// rahmetLinkGiven holds what the merchant is told against the provider's answer.
func rahmetLinkGiven(l *rahmetLife, p conformance.Answer, answer rahmetCreated, link string, picture bool) {
	next := rahmetNextOf(p)
	if link == "" || next.URL != link {
		l.Failf("the payer is sent to %q, and the provider's link for this payer is %q", next.URL, link)
	}
	if p.ProviderRef != answer.ID.String() {
		l.Failf("provider_ref is %q, and the provider's preorder_id is %s", p.ProviderRef, answer.ID)
	}
	if !picture {
		if next.Type != "redirect" || len(next.PNG) > 0 {
			l.Failf("next_action is %s with %d bytes of picture, want redirect without", next.Type, len(next.PNG))
		}
		return
	}
	png, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(answer.QR, "data:image/png;base64,"))
	if err != nil || len(png) == 0 {
		l.Fatalf("simulator: its picture is none: %v", err)
	}
	if next.Type != "show_qr" || next.Text != link || !slices.Equal(next.PNG, png) {
		l.Failf("next_action is %s of %q with %d bytes of picture; want show_qr of the link, with the provider's picture of %d bytes",
			next.Type, next.Text, len(next.PNG), len(png))
	}
}

// rahmetRepeat loses the answer to create, so that it is sent again, in each of the
// ways that a provider may take that.
func rahmetRepeat(l *rahmetLife) {
	for _, t := range []struct {
		behavior string
		orders   int
		pays     int // which of the orders the payer pays
	}{
		{"same_order", 1, 0},
		{"new_order", 2, 1},
		{"error", 2, 1},
		{"error", 2, 0}, // the one whose link nobody was given
	} {
		l.set("repeat_create", t.behavior)
		l.next(wire.CutAfter)
		l.Step("create with a lost answer; repeated it gives: %s", t.behavior)
		mark := l.Wire.Number()
		p := l.linked(l.lost(l.Terms.Amount))
		orders := l.orders(p)
		if len(orders) != t.orders {
			l.Fatalf("the provider has %d orders of the payment, want %d", len(orders), t.orders)
		}
		rahmetOneLink(l, p, t.behavior)
		rahmetWatched(l, p, mark, t.behavior)
		l.Move(orders[t.pays].ID, "paid")
		p = l.Until(l.path(p), "succeeded")
		l.money(p, l.Terms.Amount, 0)
	}
}

// lost asks for a payment whose create has no answer.
func (l *rahmetLife) lost(amount int64) conformance.Answer {
	p := l.Try("/v1/payments", l.NewPayment(amount, nil))
	if p.Code != http.StatusAccepted || p.InDoubt == nil {
		l.Fatalf("a create without an answer must be in doubt: %d %s", p.Code, p.Raw)
	}
	return p
}

// linked lets time go by until the payer has a link. An order id that was given up may
// be in doubt beside it: it may be paid as long as nobody has proven otherwise.
func (l *rahmetLife) linked(p conformance.Answer) conformance.Answer {
	for range 12 {
		l.Pass(10 * time.Second)
		if p = l.Get(l.path(p)); p.Is("pending") && rahmetNextOf(p).URL != "" {
			return p
		}
	}
	l.Fatalf("two minutes after its create was lost the payment is %v and has no link: %s", p.Status, p.Raw)
	return p
}

// rahmetOneLink holds that the payer has the link of the newest order, and that the
// timeline says of an older one that might be paid, too.
func rahmetOneLink(l *rahmetLife, p conformance.Answer, behavior string) {
	page := rahmetDetails[rahmetOrderDetails](l.order(p)).Page
	if link := rahmetNextOf(p).URL; !strings.HasSuffix(link, page) {
		l.Failf("the payer is sent to %q, and the provider's newest order is paid at %s", link, page)
	}
	said := `"detail":`
	if behavior == "error" {
		said = `"provider_code":"409"`
	}
	if !l.told(p.ID, said) {
		l.Failf("the timeline does not say that the link was asked for again (an observation with a detail, "+
			"or the provider's refusal): repeat_create is %s", behavior)
	}
}

// rahmetWatched holds that status asks after every order id that was ever sent.
func rahmetWatched(l *rahmetLife, p conformance.Answer, mark int, behavior string) {
	ids := map[string]bool{}
	for _, x := range l.sent(mark, rahmetCreateV1) {
		ids[rahmetFields(&x).Get("merchant_order_id")] = true
	}
	if want := map[string]int{"error": 2}[behavior]; len(ids) != max(want, 1) {
		l.Failf("create was sent for %d order ids, want %d: only a refused repeat leads to the next id", len(ids), max(want, 1))
	}
	asked := l.Wire.Number()
	l.Get(l.path(p) + "?refresh=true")
	for id := range ids {
		if !slices.ContainsFunc(l.sent(asked, rahmetStatus), func(x wire.Exchange) bool { return x.Said(id) }) {
			l.Failf("status no longer asks after the order %s, which may be paid", id)
		}
	}
}

func rahmetLost(l *rahmetLife) {
	l.Step("create with a lost answer")
	l.next(wire.CutAfter)
	mark := l.Wire.Number()
	p := l.linked(l.lost(l.Terms.Amount))
	o := l.order(p)
	rahmetAskedFirst(l, p, mark)
	if rahmetNextOf(p).URL == "" || len(l.orders(p)) != 1 {
		l.Fatalf("the payer's link is %q and the provider has %d orders; want a link, and one order", rahmetNextOf(p).URL, len(l.orders(p)))
	}
	l.Move(o.ID, "paid")
	l.Until(l.path(p), "succeeded")
	l.money(p, l.Terms.Amount, 0)

	// The provider's own cuts, after the order is made and before.
	for _, amount := range []int64{90300, 90400} {
		l.Step("create an order of %d, whose connection is cut by the provider", amount)
		p := l.Create(amount, nil)
		p = l.Until(l.path(p), "pending")
		l.Move(l.order(p).ID, "paid")
		l.Until(l.path(p), "succeeded")
		l.money(p, amount, 0)
	}
	rahmetLostAndPaid(l)
	l.Verify()
}

// rahmetAskedFirst holds that status was asked between two creates, and that it told
// what the provider then tells of an unpaid order.
func rahmetAskedFirst(l *rahmetLife, p conformance.Answer, mark int) {
	order, found := l.orderID(p), false
	for i, x := range l.Wire.Journal() {
		if x.Number <= mark || i == 0 {
			continue
		}
		switch x.Path {
		case rahmetStatus:
			item := rahmetData[map[string]struct {
				Paid      *bool       `json:"is_paid"`
				Reference json.Number `json:"reference"`
			}](&x)[order]
			found = item.Paid != nil && !*item.Paid && item.Reference.String() == l.order(p).ID
		case rahmetCreateV1:
			if x.Fault == "" && !found {
				l.Failf("create was repeated, and no status before it had shown the order %s unpaid", order)
			}
		}
	}
}

// rahmetLostAndPaid has an order paid whose answer was lost: there is nothing to ask
// for again.
func rahmetLostAndPaid(l *rahmetLife) {
	const paidAtOnce = 90100
	l.Step("create an order that is paid while its answer is lost")
	l.KeepInbound(true)
	defer l.KeepInbound(false)
	l.next(wire.CutAfter)
	mark := l.Wire.Number()
	p := l.Create(paidAtOnce, nil)
	p = l.Until(l.path(p), "succeeded")
	if n := len(l.sent(mark, rahmetCreateV1)); n != 1 {
		l.Failf("create was sent %d times, and status shows the order paid since the first", n)
	}
	if o := l.order(p); p.ProviderRef != o.ID {
		l.Failf("provider_ref is %q, and the reference that status tells is %s: the answer to create is lost for good", p.ProviderRef, o.ID)
	}
	if a := l.Request(http.MethodGet, l.path(p), "", nil); rahmetNextOf(a).URL != "" {
		l.Failf("a paid payment still sends the payer to %q", rahmetNextOf(a).URL)
	}
	l.money(p, paidAtOnce, 0)
}
