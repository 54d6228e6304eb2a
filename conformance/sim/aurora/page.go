package aurora

import (
	"net/http"

	"github.com/payhost/payhost/conformance/sim/qrcode"
	"github.com/payhost/payhost/conformance/sim/simkit"
)

const (
	brand     = "Aurora Pay"
	pagePath  = "/p/"
	pageImage = 352
)

func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	o := s.book.find(r.PathValue("id"))
	if o == nil {
		simkit.WritePage(w, http.StatusNotFound, simkit.Page{
			Brand: brand, Title: "Payment", State: "No such order", Tone: simkit.Bad,
			Note: "The link is wrong, or the simulator was reset.",
		})
		return
	}
	page := s.book.page(o)
	// A page without the picture is still a page.
	page.QR, _ = qrcode.PNG(s.baseURL(r)+pagePath+o.id, pageImage)
	simkit.WritePage(w, http.StatusOK, page)
}

func (s *Server) pressButton(w http.ResponseWriter, r *http.Request) {
	o := s.book.find(r.PathValue("id"))
	if o == nil {
		s.showPage(w, r)
		return
	}
	buttons := map[string]string{"pay": statePaid, "decline": stateFailed, "expire": stateExpired}
	state, ok := buttons[r.PostFormValue("action")]
	if !ok {
		http.Error(w, "unknown button", http.StatusBadRequest)
		return
	}
	target := s.book.press(o, state)
	if target == "" {
		target = pagePath + o.id
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// press moves an order that is still open and says where the payer goes; "" is back to the page.
func (b *book) press(o *order, state string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	late := o.state == stateExpired && state == statePaid && b.late()
	if o.state != stateNew && !late {
		return ""
	}
	b.move(o, state)
	return o.returnURL
}

// late says whether an expired order can still be paid.
func (b *book) late() bool { return b.server.Setting(lateSetting) == "accept" }

// page is what the payer sees of the order.
func (b *book) page(o *order) simkit.Page {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := simkit.Page{
		Brand: brand, Title: "Payment for order " + o.number,
		Amount: simkit.FormatDecimal(o.amount, 2) + " " + currency, Tone: simkit.Bad,
		Rows: []simkit.Row{
			{Label: "Order", Value: o.number},
			{Label: "Aurora order", Value: o.id},
			{Label: "Pay before", Value: o.expires.Format("2006-01-02 15:04:05 UTC")},
		},
		Action: pagePath + o.id,
	}
	pay := simkit.Button{Name: "pay", Label: "Pay", Primary: true}
	switch o.state {
	case stateNew:
		p.State, p.Tone = "Waiting for the payment", simkit.Waiting
		p.Buttons = []simkit.Button{pay, {Name: "decline", Label: "Decline"}, {Name: "expire", Label: "Let expire"}}
		return p
	case stateFailed:
		p.State = "Declined"
	case stateExpired:
		p.State, p.Note = "Expired", "The time to pay is over."
		if b.late() {
			pay.Label = "Pay late"
			p.Buttons = []simkit.Button{pay}
		}
	case statePaid:
		p.State, p.Tone = paidWords(o), simkit.Good
	}
	if o.returnURL != "" {
		p.Links = []simkit.Link{{Label: "Back to the merchant", URL: o.returnURL}}
	}
	return p
}

func paidWords(o *order) string {
	switch {
	case o.refunded() == 0:
		return "Paid"
	case o.left() == 0:
		return "Refunded"
	default:
		return "Paid, refunded in part"
	}
}
