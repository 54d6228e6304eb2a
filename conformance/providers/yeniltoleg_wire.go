package providers

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/wire"
)

// These are the cases of what stands on the wire: amounts (Y9), the payment page
// (Y10) and the card (Y11).

// yenilY9: amounts, to the tenge.
func yenilY9(y *yenil) {
	for _, minor := range []int64{1, 9, 10, 29, 30, 57, 58, 99, 100, 113, 115, 1001, 1999, 2999, 3545, 100001, 99999910, 100000000000} {
		text := fmt.Sprintf("%d.%02d", minor/100, minor%100)
		y.Step("amount %s", text)
		p := y.BeginWith(minor, nil)
		if sent := member(y.lastRegister().Body, "amount"); !sameDecimal(sent, minor) {
			y.Failf("%d minor units are %s on the wire, and should be the JSON number %s", minor, sent, text)
		}
		if o, _ := y.ObjectOf(p); o.Amount != minor {
			y.Failf("%d minor units are %d at the provider", minor, o.Amount)
		}
		y.set("amount_type", []string{"number", "string"}[minor%2])
		y.Pay(p)
		if p = y.fresh(p); p.Paid.Minor() != minor || !p.Is("succeeded") {
			y.Failf("%d minor units were paid, and the payment is %v with amount_paid %d", minor, p.Status, p.Paid.Minor())
		}
	}
	y.set("amount_type", "number")
	yenilOtherAmounts(y)
	yenilPrices(y)
}

// sameDecimal reports whether the text of a JSON value is a number of exactly as many
// minor units, without an exponent and with two decimals at most.
func sameDecimal(text string, minor int64) bool {
	n, err := simkit.ParseNumber(json.Number(text), 2)
	return err == nil && n == minor && !strings.ContainsAny(text, `"eE`)
}

// yenilOtherAmounts has the status tell amounts that are not what was asked.
func yenilOtherAmounts(y *yenil) {
	for _, text := range []string{"0.30000000000000004", "0.299", "0.31", "30"} {
		y.Step("status says that 0.30 is %s", text)
		p := y.BeginWith(30, nil)
		y.Move(p.ProviderRef, "Succeeded")
		y.answers(yenilStatus+p.ProviderRef, 200, `{"id":"`+p.ProviderRef+`","status":"Succeeded","amount":`+text+`}`)
		y.contradicted("0.30 told as "+text, p)
		y.holds("0.30 told as 0.3", y.fresh(p), want{status: "succeeded"})
	}
	y.Step("status says another amount")
	p := y.BeginWith(30, nil)
	y.Pay(p)
	y.during(wire.Fault{Kind: wire.OtherAmount, Words: []string{"0.3", "0.30"}}, yenilStatus+"*", func() {
		y.contradicted("another amount", p)
	})
	y.holds("the amount that was asked", y.fresh(p), want{status: "succeeded"})
	y.Verify()
}

// contradicted holds that an amount which is not the one that was asked moves nothing
// and is told to an operator.
func (y *yenil) contradicted(what string, p conformance.Answer) {
	p = y.fresh(p)
	y.holds(what, p, want{status: "pending"})
	if p.Alerts == 0 {
		y.Failf("%s: no alert tells an operator of it: %s", what, p.Raw)
	}
}

// yenilPrices sends lines, exactly, whatever they come to.
func yenilPrices(y *yenil) {
	y.Step("lines that do not come to the amount")
	prices := []int64{8000, 8000, 57, 10, 20}
	lines := make([]any, 0, len(prices))
	for _, price := range prices {
		lines = append(lines, conformance.Object{"name": "Пицца 4 сыра", "quantity": 3, "price": y.Amount(price)})
	}
	y.holds("lines that do not come to the amount, as in the document's sample", y.create(conformance.Object{"lines": lines}),
		want{status: "pending", doubt: "-"})
	var sent []struct {
		Quantity json.Number     `json:"quantity"`
		Price    json.RawMessage `json:"price"`
	}
	if text := member(y.lastRegister().Body, "lines"); json.Unmarshal([]byte(text), &sent) != nil || len(sent) != len(prices) {
		y.Fatalf("%d lines are %s on the wire", len(prices), text)
	}
	for i, price := range prices {
		if !sameDecimal(string(sent[i].Price), price) || sent[i].Quantity != "3" {
			y.Failf("3 pieces at %d minor units each are %s at %s on the wire", price, sent[i].Quantity, sent[i].Price)
		}
	}
	y.set("lines_sum", "check")
	y.holds("lines that the provider adds up", y.create(conformance.Object{"lines": lines}), want{
		code: 422, class: "invalid_request", effect: "none", field: "lines", says: "Сумма позиций",
	})
}

// yenilY10: the payment page is the provider's business.
func yenilY10(y *yenil) {
	for _, host := range []string{"", "https://mpi.gov.tm", "http://mpi.example:8080"} {
		for _, form := range []string{"checkout", "bank"} {
			y.Step("page %s at %q", form, host)
			y.set("page_host", host)
			y.set("page_form", form)
			p := y.Begin()
			var page string
			y.Must(json.Unmarshal([]byte(member(y.lastRegister().Answer, "returnUrl")), &page))
			if p.NextAction == nil || p.NextAction.Type != "redirect" || p.NextAction.URL != page {
				y.Failf("the payment page is %s, and next_action is %s", page, member([]byte(p.Raw), "next_action"))
			}
			y.Pay(p)
			y.holds("a payment with a page at "+host, y.fresh(p), want{status: "succeeded"})
		}
	}
	yenilPages(y)
	for _, x := range y.Wire.Journal() {
		if !strings.HasPrefix(x.Path, "/api/v1/payment/") {
			y.Failf("the payment page is the payer's to open, and the plugin asked for it: %s", x.String())
		}
	}
}

// yenilPages are pages that a tidy hand would spoil, and what is no page.
func yenilPages(y *yenil) {
	register := func(page string) conformance.Answer {
		y.Step("page %s", page)
		text, err := json.Marshal(page)
		y.Must(err)
		y.answers(yenilRegister, 200, `{"paymentId":"3b8dc587-9c6a-4b98-894e-fb46493205ca","returnUrl":`+string(text)+`,"result":true}`)
		return y.create(nil)
	}
	for _, page := range []string{
		"https://mpi.gov.tm/payment/merchants/online/payment_ru.html?mdOrder=cd460886-11df-4bb3-afa9-191045af7edd",
		"HTTPS://MPI.gov.tm:443/a/../b//c/?b=2&a=1&a=%2f&empty=&x#pay",
		"https://mpi.gov.tm/%D0%BE%D0%BF%D0%BB%D0%B0%D1%82%D0%B0/~a;v=1?q=a+b%20c&returnUrl=https%3A%2F%2Fshop.example%2F",
	} {
		if p := register(page); p.NextAction == nil || p.NextAction.URL != page {
			y.Failf("the payment page is %s, and next_action is %s", page, member([]byte(p.Raw), "next_action"))
		}
	}
	for _, page := range []string{"", "javascript:alert(1)", "mpi.gov.tm/pay"} {
		y.holds(fmt.Sprintf("a page %q, which no payer can open", page), register(page), want{code: 202, doubt: "create"})
	}
}

// The card that the simulator's payers have, and a bank's number for a payment.
const (
	yenilCard = "993400******4242"
	yenilRRN  = "24000000000"
)

// yenilY11: card fields that are not there, and that must not be told on.
func yenilY11(y *yenil) {
	var told strings.Builder
	for _, unpaid := range []string{"null", "omit"} {
		y.set("unpaid_fields", unpaid)
		for state, status := range map[string]string{
			"Pending": "pending", "InProgress": "processing", "Canceled": "canceled", "Expired": "expired", "Succeeded": "succeeded",
		} {
			y.Step("card fields %s, %s", unpaid, state)
			p := y.Begin()
			y.Move(p.ProviderRef, state)
			p = y.fresh(p)
			y.holds("card fields "+unpaid+" of a payment that is "+state, p, want{status: status, doubt: "-"})
			told.WriteString(p.Raw + y.told(p))
			if state == "Succeeded" {
				told.WriteString(y.GiveBack(p, y.Terms.Amount).Raw + y.told(p))
			}
		}
	}
	yenilTalk(y, &told)
	for _, r := range y.Recordings() {
		for _, line := range r.Lines() {
			told.WriteString("log: " + string(line.Text) + "\n")
		}
	}
	for what, text := range map[string]string{
		"the card's mask": yenilCard, "the card's number": "9934001234564242", "the bank's number": yenilRRN,
		"the payer's name": "Aman Watched", "the payer's address": "aman.watched@example.com",
	} {
		if i := strings.Index(told.String(), text); i >= 0 {
			y.Failf("%s stands in an answer, a timeline or the plugin's log: %.200s", what, told.String()[max(0, i-100):])
		}
	}
}

// yenilTalk has the provider repeat what it knows of the payer where it gives a reason.
func yenilTalk(y *yenil, told *strings.Builder) {
	for _, reason := range []string{
		"Карта " + yenilCard + " отклонена", "Отказ: AMAN WATCHED", "Сообщите aman.watched@example.com", "Карта 9934 0012 3456 4242 отклонена",
	} {
		y.Step("reason %q", reason)
		p := y.Begin()
		y.answers(yenilStatus+p.ProviderRef, 200, `{"id":"`+p.ProviderRef+`","status":"Failed","amount":35.45,"customerName":"Aman Watched",`+
			`"customerEmail":"aman.watched@example.com","cardMask":"`+yenilCard+`","rrn":"`+yenilRRN+`1","reason":"`+reason+`"}`)
		p = y.fresh(p)
		y.holds("a reason that tells of the payer", p, want{status: "failed"})
		told.WriteString(p.Raw + y.told(p))
	}
}
