package smartpay

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/payhost/payhost/conformance/sim/qrcode"
	"github.com/payhost/payhost/conformance/sim/simkit"
)

const (
	defaultUser = "payer-1"
	// refreshSeconds is well within the life of a code, so that the one on the screen is always good.
	refreshSeconds = 60
	// codePixels gives every module of a usual code four whole pixels.
	codePixels = 424
)

// payerPage is what the payer's page shows.
type payerPage struct {
	User    string
	Refresh int
	Image   template.URL
	Code    string
	TTL     string
	Waits   bool // purchases stay open until a button is pressed
	Open    []openPurchase
}

// openPurchase is one claimed code that is not settled.
type openPurchase struct {
	ID      string
	KassaID string
	Till    string
	User    string
	Amount  string // empty before release
}

// getPayer shows a fresh code and the open purchases.
func (s *Server) getPayer(w http.ResponseWriter, r *http.Request) {
	user := cmp.Or(r.URL.Query().Get("user"), defaultUser)
	code, err := s.PresentCode(user)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	picture, err := qrcode.PNG(code, codePixels)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "+
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	// A browser that has gone is not the simulator's trouble.
	_ = payerTemplate.Execute(w, payerPage{
		User: user, Refresh: refreshSeconds, Code: code,
		Image: template.URL(simkit.DataURI(picture)), // base64 cannot leave the attribute
		TTL:   s.kit.Setting("code_ttl"),
		Waits: s.kit.Setting("payer") == wordWaits,
		Open:  s.service.openPurchases(),
	})
}

// getCode answers with the text of a code alone.
func (s *Server) getCode(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	user := cmp.Or(query.Get("user"), defaultUser)
	var code string
	var err error
	if age := query.Get("age"); age != "" {
		var d time.Duration
		if d, err = time.ParseDuration(age); err == nil {
			code, err = s.PresentAged(user, d)
		}
	} else {
		code, err = s.PresentFlawed(user, Flaw(query.Get("flaw")))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, code)
}

// postDecision is a button of the page.
func (s *Server) postDecision(w http.ResponseWriter, r *http.Request) {
	end, known := map[string]string{"approve": stateSuccess, "decline": stateFail}[r.PostFormValue("action")]
	if !known {
		http.Error(w, "the form field action is neither approve nor decline", http.StatusBadRequest)
		return
	}
	switch err := s.service.decide(r.PathValue("id"), end); {
	case errors.Is(err, simkit.ErrNoObject):
		http.Error(w, err.Error(), http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusConflict)
	default:
		query := url.Values{"user": {cmp.Or(r.URL.Query().Get("user"), defaultUser)}}
		http.Redirect(w, r, "/payer?"+query.Encode(), http.StatusSeeOther)
	}
}

// decide ends a pending purchase as its payer wants. An ended one is not reopened by an old page.
func (s *service) decide(id, end string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.anyPurchase(id)
	if err != nil {
		return simkit.ErrNoObject
	}
	if p.state != statePending {
		return fmt.Errorf("purchase %s is %s and asks the payer nothing", p.id, p.state)
	}
	s.settle(p, end)
	return nil
}

// openPurchases lists the purchases that are not settled, newest first: the one at the till is on top.
func (s *service) openPurchases() []openPurchase {
	s.mu.Lock()
	defer s.mu.Unlock()
	var open []openPurchase
	for i := len(s.purchases.all) - 1; i >= 0; i-- {
		p := s.purchases.all[i]
		if p.state != stateCommitted && p.state != statePending {
			continue
		}
		row := openPurchase{ID: p.id, KassaID: p.kassaID, Till: p.till, User: p.user}
		if p.state == statePending {
			row.Amount = simkit.FormatDecimal(p.amount, 2) + " ₽"
		}
		open = append(open, row)
	}
	return open
}
