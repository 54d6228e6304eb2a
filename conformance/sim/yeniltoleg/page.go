package yeniltoleg

import (
	"net/http"
	"strings"

	"github.com/payhost/payhost/conformance/sim/qrcode"
	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The two forms of the payment page's address, from the document's samples.
const (
	checkoutPath = "/payments/checkout/confirmation/"
	bankPath     = "/payment/merchants/online/payment_ru.html"
)

const (
	brand     = "Yenil-Toleg"
	pageImage = 352
)

// pagePath is the address of a payment's page in the form that is set.
func (s *Server) pagePath(p *payment) string {
	if s.Setting(pageFormSetting) == "bank" {
		return bankPath + "?mdOrder=" + p.page
	}
	return checkoutPath + p.page + "?culture=" + p.locale
}

// find is the payment of the page that a request is for, in either form.
func (b *book) find(r *http.Request) *payment {
	page := r.PathValue("page")
	if page == "" {
		page = r.URL.Query().Get("mdOrder")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.byPage[page]
}

func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	p := s.book.find(r)
	if p == nil {
		simkit.WritePage(w, http.StatusNotFound, simkit.Page{
			Brand: brand, Title: "Payment", State: "No such payment", Tone: simkit.Bad,
			Note: "The link is wrong, or the simulator was reset.",
		})
		return
	}
	page := s.book.page(p)
	page.Action = r.URL.RequestURI()
	// A page without the picture is still a page.
	page.QR, _ = qrcode.PNG(s.baseURL(r)+s.pagePath(p), pageImage)
	simkit.WritePage(w, http.StatusOK, page)
}

func (s *Server) pressButton(w http.ResponseWriter, r *http.Request) {
	p := s.book.find(r)
	if p == nil {
		s.showPage(w, r)
		return
	}
	buttons := map[string]string{"pay": succeeded, "decline": failed, "expire": expired, "begin": inProgress}
	state, ok := buttons[r.PostFormValue("action")]
	if !ok {
		http.Error(w, "unknown button", http.StatusBadRequest)
		return
	}
	target := s.book.press(p, state)
	if target == "" {
		target = r.URL.RequestURI()
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// press moves a payment that is still open and says where the payer goes; "" is back to the page.
func (b *book) press(p *payment, state string) string {
	now := b.server.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	p.catchUp(now)
	if p.state != pending && p.state != inProgress {
		return ""
	}
	b.move(p, state)
	return p.wayBack()
}

// wayBack is where the merchant wants the payer, "" while the payment is open or there is no such page.
func (p *payment) wayBack() string {
	switch p.state {
	case pending, inProgress:
		return ""
	case succeeded, refunded:
		return p.returnURL
	default:
		return p.failURL
	}
}

// page is what the payer sees of the payment.
func (b *book) page(p *payment) simkit.Page {
	now := b.server.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	p.catchUp(now)
	page := simkit.Page{
		Brand: brand, Title: "Payment for order " + p.number,
		Amount: simkit.FormatDecimal(p.amount, 2) + " TMT",
		State:  p.state, Tone: simkit.Bad, Note: p.reason,
		Rows: []simkit.Row{{Label: "Order", Value: p.number}, {Label: "Payer", Value: p.customer}},
	}
	if p.description != "" {
		page.Rows = append(page.Rows, simkit.Row{Label: "For", Value: p.description})
	}
	page.Rows = append(page.Rows,
		simkit.Row{Label: "Pay before", Value: b.local(p)}, simkit.Row{Label: "Payment", Value: p.id})
	pay := simkit.Button{Name: "pay", Label: "Pay", Primary: true}
	decline := simkit.Button{Name: "decline", Label: "Decline"}
	expire := simkit.Button{Name: "expire", Label: "Let expire"}
	switch p.state {
	case pending:
		begin := simkit.Button{Name: "begin", Label: "Start, and leave it in progress"}
		page.Tone, page.Buttons = simkit.Waiting, []simkit.Button{pay, decline, expire, begin}
	case inProgress:
		page.Tone, page.Buttons = simkit.Waiting, []simkit.Button{pay, decline, expire}
		page.State, page.Note = "In progress", "The merchant can't cancel it now."
	case succeeded, refunded:
		page.Tone = simkit.Good
	}
	if back := p.wayBack(); back != "" {
		page.Links = []simkit.Link{{Label: "Back to the merchant", URL: back}}
	}
	return page
}

// local is the end of a payment as a payer reads it.
func (b *book) local(p *payment) string {
	at := p.expiresAt().In(b.server.options.Zone).Format(timeForm + " -07:00")
	return strings.Replace(at, "T", " ", 1)
}
