package yeniltoleg

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The states of a payment, in the letter case of the document.
const (
	pending    = "Pending"
	inProgress = "InProgress"
	succeeded  = "Succeeded"
	canceled   = "Canceled"
	refunded   = "Refunded"
	failed     = "Failed"
	expired    = "Expired"
)

func states() []string {
	return []string{pending, inProgress, succeeded, canceled, refunded, failed, expired}
}

// The reasons of a payment that ended badly.
const (
	reasonSession  = "Время сессии истекло"
	reasonDeclined = "Банк отклонил операцию"
)

// payment is one registered payment. It is guarded by its book.
type payment struct {
	order
	id, page   string
	state      string
	reason     string
	created    time.Time
	sessionEnd time.Time

	// held says whether the merchant has the money now.
	held bool
	// These stay empty until the payment is made.
	operation, cardMask, rrn string
}

// catchUp ends an unpaid payment whose time is over: by the order's expiry or by the session, whichever was
// first. A payment that the bank is working on is not ended by the order's expiry.
func (p *payment) catchUp(now time.Time) {
	if p.state != pending && p.state != inProgress {
		return
	}
	expiresFirst := p.state == pending && !p.expireAt.IsZero() && p.expireAt.Before(p.sessionEnd)
	switch {
	case expiresFirst && !now.Before(p.expireAt):
		p.state = expired
	case !expiresFirst && !now.Before(p.sessionEnd):
		p.state, p.reason = failed, reasonSession
	}
}

// expiresAt is the order's own expiry or else the end of the session.
func (p *payment) expiresAt() time.Time {
	if p.expireAt.IsZero() {
		return p.sessionEnd
	}
	return p.expireAt
}

// details is what the control API tells of a payment beyond the object itself.
type details struct {
	Key        string    `json:"idempotency_key"`
	PageURL    string    `json:"payment_path"`
	Created    time.Time `json:"created"`
	SessionEnd time.Time `json:"session_end"`
	ReturnURL  string    `json:"return_url"`
	FailURL    string    `json:"fail_url,omitempty"`
	Reason     string    `json:"reason,omitempty"`
}

func (p *payment) object() simkit.Object {
	return simkit.Object{
		ID: p.id, Ref: p.number, Kind: "payment", State: p.state, Amount: p.amount, Outcomes: states(),
		Details: details{
			Key: p.key, PageURL: checkoutPath + p.page, Created: p.created, SessionEnd: p.sessionEnd,
			ReturnURL: p.returnURL, FailURL: p.failURL, Reason: p.reason,
		},
	}
}

// Move brings a payment to a state, whatever its state is. The word may be in any case and have
// underscores.
func (b *book) Move(id, outcome string) error {
	word := strings.ReplaceAll(outcome, "_", "")
	i := slices.IndexFunc(states(), func(s string) bool { return strings.EqualFold(s, word) })
	now := b.server.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.byID[id]
	switch {
	case p == nil:
		return simkit.ErrNoObject
	case i < 0:
		return simkit.UnknownOutcome(outcome, states())
	}
	p.catchUp(now)
	b.move(p, states()[i])
	if p.state == pending || p.state == inProgress {
		p.renew(now)
	}
	return nil
}

// renew gives an ended payment a new session, or it would end again at once.
func (p *payment) renew(now time.Time) {
	if !now.Before(p.sessionEnd) {
		p.sessionEnd = now.Add(p.sessionEnd.Sub(p.created))
	}
	if !now.Before(p.expireAt) {
		p.expireAt = time.Time{}
	}
}

// move changes the state and books what that means for the money. It needs the lock.
func (b *book) move(p *payment, state string) {
	if p.state == state {
		return
	}
	before := p.state
	p.state, p.reason = state, ""
	switch state {
	case succeeded:
		if before == refunded {
			b.settle(p, simkit.RefundReturned, true)
		} else {
			b.settle(p, simkit.Charge, true)
		}
	case refunded:
		b.settle(p, simkit.Charge, true)
		b.settle(p, simkit.Refund, false)
	default:
		b.settle(p, simkit.Reversal, false)
	}
	if state == failed {
		p.reason = reasonDeclined
	}
}

// settle records an effect that makes the merchant hold the money, or not. What is so already is no effect.
func (b *book) settle(p *payment, kind string, held bool) {
	if p.held == held {
		return
	}
	p.held = held
	if held {
		p.operation, p.rrn, p.cardMask = "OP"+p.page[:8], b.nextRRN(), "993400******4242"
	}
	b.server.Record(simkit.Effect{Kind: kind, Object: p.id, Ref: p.number, Amount: p.amount, Key: p.key})
}

// undo is what cancel and refund share: a payment may leave one state only.
func (b *book) undo(id, from, to string) *problem {
	now := b.server.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.byID[id]
	if p == nil {
		return &problem{status: http.StatusNotFound}
	}
	p.catchUp(now)
	if p.state != from {
		return invalid("PaymentId", "Операция невозможна: статус платежа '"+p.state+"'.")
	}
	b.move(p, to)
	return nil
}
