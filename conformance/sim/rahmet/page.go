package rahmet

import (
	"net/http"

	"github.com/payhost/payhost/conformance/sim/qrcode"
	"github.com/payhost/payhost/conformance/sim/simkit"
)

const (
	brand     = "RahmetPay"
	pageImage = 352
)

func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	o, ok := s.book.byPage(r.URL.Query().Get("id"))
	if !ok {
		simkit.WritePage(w, http.StatusNotFound, simkit.Page{
			Brand: brand, Title: "Payment", State: "No such order", Tone: simkit.Bad,
			Note: "The link is wrong, or the simulator was reset.",
		})
		return
	}
	page := s.book.page(o)
	// A page without the picture is still a page.
	page.QR, _ = qrcode.PNG(s.baseURL(r)+o.path(), pageImage)
	simkit.WritePage(w, http.StatusOK, page)
}

func (s *Server) pressButton(w http.ResponseWriter, r *http.Request) {
	o, ok := s.book.byPage(r.URL.Query().Get("id"))
	if !ok {
		s.showPage(w, r)
		return
	}
	buttons := map[string]string{"pay": payerPays, "decline": declined, "expire": expired}
	outcome, ok := buttons[r.PostFormValue("action")]
	if !ok {
		http.Error(w, "unknown button", http.StatusBadRequest)
		return
	}
	if outcome == payerPays {
		s.book.payerPays(o)
	} else {
		s.book.press(o, outcome)
	}
	// The browser asks for the page again, so that reloading it presses no button.
	http.Redirect(w, r, o.path(), http.StatusSeeOther)
}

// press does what a button asks for, unless the order is paid or expired: a payer can't undo either.
func (b *book) press(o *order, outcome string) {
	now := b.server.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !o.paid && now.Before(o.expires) {
		b.unwind(o, outcome)
	}
}

// page is what the payer sees of the order.
func (b *book) page(o *order) simkit.Page {
	now := b.server.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	p := simkit.Page{
		Brand: brand, Title: "Payment for order " + o.merchantID,
		Amount: simkit.FormatShort(o.amount, 2) + " ₸",
		Rows: []simkit.Row{
			{Label: "Order", Value: o.merchantID},
			{Label: "Rahmet reference", Value: formatID(o.id)},
			{Label: "Pay before", Value: o.expires.Format("2006-01-02 15:04:05 UTC")},
		},
		Action: o.path(),
	}
	pay := simkit.Button{Name: "pay", Label: "Pay", Primary: true}
	all := []simkit.Button{pay, {Name: "decline", Label: "Decline"}, {Name: "expire", Label: "Let expire"}}
	switch o.state(now) {
	case unpaid:
		p.State, p.Tone, p.Buttons = "Waiting for the payment", simkit.Waiting, all
	case declined:
		p.State, p.Tone, p.Buttons = "Declined", simkit.Bad, all
		p.Note = "The merchant was told that it failed. The payer may try again."
	case expired:
		pay.Label = "Pay late"
		p.State, p.Tone, p.Buttons = "Expired", simkit.Bad, []simkit.Button{pay}
		p.Note = "The time to pay is over. The provider may still let a late payment through."
	case paid:
		p.State, p.Tone = "Paid", simkit.Good
	case partiallyRefunded:
		p.State, p.Tone = "Paid, refunded in part", simkit.Good
	case refunded:
		p.State, p.Tone = "Refunded", simkit.Good
	}
	if o.paid && o.links.back != "" {
		p.Links = []simkit.Link{{Label: "Back to the merchant", URL: o.links.back}}
	}
	return p
}
