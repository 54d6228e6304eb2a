package rahmet

import (
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The magic amounts of refund: the last three digits of a whole number of tenge.
const (
	magicRefundLost    = 911
	magicRefundManual  = 912
	magicRefundFails   = 913
	magicRefundRefused = 914
)

var uuid4 = regexp.MustCompile(`(?i)^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func (s *Server) refund(w http.ResponseWriter, r *http.Request, form url.Values) {
	key := r.Header.Get("X-Idempotency-Key")
	id := form.Get("merchant_order_id")
	amount, bad := s.parseMoney(form.Get("amount"))
	switch {
	case id == "":
		bad = invalid("поле merchant_order_id обязательно")
	case key != "" && !uuid4.MatchString(key):
		bad = invalid("заголовок X-Idempotency-Key должен быть UUID v4")
	}
	if bad != nil {
		s.fail(w, bad)
		return
	}
	accepted, bad := s.book.accept(id, amount, key)
	if bad != nil {
		s.fail(w, bad)
		return
	}
	if magicOf(amount) == magicRefundLost && s.book.once("lose refund "+id+" "+key) {
		simkit.Cut()
	}
	s.succeed(w, "Заявка на возврат принята в обработку.", s.refundData(accepted))
}

// refundData is the answer of seven fields, or the older empty one.
func (s *Server) refundData(r *refund) map[string]any {
	if s.Setting(refundDataSetting) == "empty" {
		return map[string]any{}
	}
	data := map[string]any{
		"id":                r.id,
		"amount":            s.money(r.amount),
		"comment":           nil,
		"commission_amount": s.money(r.requested - r.amount),
		"cashback_amount":   s.money(wholeTenge(r.amount, s.PercentSetting(cashbackSetting))),
		"requested_amount":  s.money(r.requested),
		"idempotency_key":   nil,
	}
	if r.key != "" {
		data["idempotency_key"] = r.key
	}
	return data
}

// accept takes a refund in. The same key and order and amount gives the refund of the first time.
func (b *book) accept(merchantID string, amount int64, key string) (*refund, *failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.find(merchantID)
	if o == nil {
		return nil, &failure{code: 404, message: "Заказ не найден"}
	}
	if old := b.byKey[key]; key != "" && old != nil {
		if old.order.merchantID != merchantID || old.requested != amount {
			return nil, &failure{code: 409, message: "X-Idempotency-Key уже использован с другими данными"}
		}
		return old, nil
	}
	switch {
	case !o.paid:
		return nil, &failure{code: 409, message: "Заказ не оплачен"}
	case amount > o.rest():
		return nil, &failure{code: 422, message: "Сумма возврата больше доступной"}
	case magicOf(amount) == magicRefundRefused:
		return nil, &failure{code: 409, message: "Возврат по заказу невозможен"}
	}
	commission := wholeTenge(amount, b.server.PercentSetting(commissionSetting))
	r := b.open(o, amount, amount-commission, key)
	if key != "" {
		b.byKey[key] = r
	}
	b.schedule(r)
	return r, nil
}

// schedule decides when an accepted refund settles. It needs the lock.
func (b *book) schedule(r *refund) {
	delay := b.server.Setting(refundDelaySetting)
	switch {
	case magicOf(r.requested) == magicRefundFails:
		b.moveRefund(r, refundFailed)
	case magicOf(r.requested) == magicRefundManual || delay == "manual":
	default:
		d, _ := time.ParseDuration(delay) // the setting was checked
		r.due = b.server.Now().Add(d)
		b.waiting = append(b.waiting, r)
	}
}
