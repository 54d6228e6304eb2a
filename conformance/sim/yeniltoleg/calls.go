package yeniltoleg

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The magic amounts: the last two digits.
const (
	magicSucceed        = 91
	magicFail           = 92
	magicBreakAfter     = 93
	magicBreakBefore    = 94
	magicBegin          = 95
	magicResultFalse    = 96
	magicRefundBreak    = 97
	magicRefundNoEffect = 98
)

// What a success says, as in the document's samples.
const (
	messageCanceled = "Платеж успешно отменен"
	messageRefunded = "Средства успешно возвращены"
)

var uuid = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// verdict is the answer of cancel and refund, and of a register that made nothing.
type verdict struct {
	PaymentID string `json:"paymentId,omitempty"`
	Message   string `json:"message"`
	Result    bool   `json:"result"`
}

func (s *Server) register(w http.ResponseWriter, r *http.Request, members object) {
	o, wrong := readOrder(members, s.options.Zone, s.Now())
	if len(wrong) == 0 && s.Setting(linesSumSetting) == "check" && !o.linesAddUp() {
		wrong["Lines"] = []string{"Сумма позиций не равна 'Amount'."}
	}
	if len(wrong) > 0 {
		s.fail(w, &problem{status: http.StatusBadRequest, errors: wrong})
		return
	}
	magic := o.amount % 100
	switch {
	case s.Setting(registerSetting) == "result_false" || magic == magicResultFalse:
		simkit.WriteJSON(w, http.StatusOK, verdict{Message: "Платеж не зарегистрирован"})
		return
	case magic == magicBreakBefore && s.book.once("before "+o.key):
		s.fail(w, &problem{status: http.StatusInternalServerError})
		return
	}
	p, bad := s.book.add(o)
	if bad == nil && magic == magicBreakAfter && s.book.once("after "+o.key) {
		bad = &problem{status: http.StatusInternalServerError}
	}
	if bad != nil {
		s.fail(w, bad)
		return
	}
	simkit.WriteJSON(w, http.StatusOK, struct {
		PaymentID string `json:"paymentId"`
		ReturnURL string `json:"returnUrl"`
		Result    bool   `json:"result"`
	}{p.id, s.baseURL(r) + s.pagePath(p), true})
}

// linesAddUp says whether the lines, if there are any, come to the amount.
func (o order) linesAddUp() bool {
	var sum int64
	for _, l := range o.lines {
		count, err := simkit.ParseNumber(l.quantity, 0)
		if err != nil || count > maxAmount/max(l.price, 1) {
			return false
		}
		sum += count * l.price
	}
	return len(o.lines) == 0 || sum == o.amount
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("paymentId")
	if !uuid.MatchString(id) {
		s.fail(w, invalid("paymentId", "The value '"+id+"' is not valid."))
		return
	}
	answer, bad := s.book.statusOf(strings.ToLower(id))
	if bad != nil {
		s.fail(w, bad)
		return
	}
	simkit.WriteJSON(w, http.StatusOK, answer)
}

func (s *Server) cancel(w http.ResponseWriter, _ *http.Request, members object) {
	id, bad := readPaymentID(members)
	if bad == nil {
		bad = s.book.undo(id, pending, canceled)
	}
	if bad == nil && s.Setting(cancelAnswerSetting) == "as_printed" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		printed := "“paymentId”: “" + id + "”,\n“message”: “" + messageCanceled + "”,\n“result”: true\n"
		_, _ = w.Write([]byte(printed))
		return
	}
	s.conclude(w, id, messageCanceled, bad)
}

func (s *Server) refund(w http.ResponseWriter, _ *http.Request, members object) {
	id, bad := readPaymentID(members)
	magic := s.book.amountOf(id) % 100
	if bad == nil && magic == magicRefundNoEffect && s.book.once("no refund "+id) {
		s.fail(w, &problem{status: http.StatusInternalServerError})
		return
	}
	if bad == nil {
		bad = s.book.undo(id, succeeded, refunded)
	}
	if bad == nil && magic == magicRefundBreak && s.book.once("refund "+id) {
		bad = &problem{status: http.StatusInternalServerError}
	}
	s.conclude(w, id, messageRefunded, bad)
}

// conclude answers a cancel or a refund. A refusal for the state may come in either of two forms.
func (s *Server) conclude(w http.ResponseWriter, id, message string, bad *problem) {
	switch {
	case bad == nil:
		simkit.WriteJSON(w, http.StatusOK, verdict{id, message, true})
	case bad.errors["PaymentId"] != nil && id != "" && s.Setting(refusalSetting) == "result_false":
		simkit.WriteJSON(w, http.StatusOK, verdict{id, bad.errors["PaymentId"][0], false})
	default:
		s.fail(w, bad)
	}
}

// readPaymentID reads the only member of cancel and refund. The id is "" when it is bad.
func readPaymentID(members object) (string, *problem) {
	c := checker{members: members, path: "$.", errors: map[string][]string{}}
	id := c.text("paymentId", true)
	if len(c.errors) == 0 && !uuid.MatchString(id) {
		c.wrongType("paymentId", "System.Guid")
	}
	if len(c.errors) > 0 {
		return "", &problem{status: http.StatusBadRequest, errors: c.errors}
	}
	return strings.ToLower(id), nil
}

// statusOf is the answer of getPaymentStatus.
func (b *book) statusOf(id string) (map[string]any, *problem) {
	s, now := b.server, b.server.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.byID[id]
	if p == nil {
		return nil, &problem{status: http.StatusNotFound}
	}
	p.catchUp(now)
	lines := make([]map[string]any, 0, len(p.lines))
	for _, l := range p.lines {
		price := s.money(l.price)
		lines = append(lines, map[string]any{"name": l.name, "quantity": l.quantity, "price": price})
	}
	answer := map[string]any{
		"id": p.id, "customerEmail": orNull(p.email), "customerName": p.customer,
		"expiresAt": p.expiresAt().In(s.options.Zone).Format(timeForm), "amount": s.money(p.amount),
		"orderNumber": p.number, "description": orNull(p.description), "locale": p.locale, "lines": lines,
	}
	answer[s.Setting(statusNameSetting)] = spell(p.state, s.Setting(stateCaseSetting))
	for name, value := range map[string]string{
		"operationNumber": p.operation, "cardMask": p.cardMask, "rrn": p.rrn, "reason": p.reason,
	} {
		if value != "" || s.Setting(unpaidFieldsSetting) == "null" {
			answer[name] = orNull(value)
		}
	}
	return answer, nil
}

// spell writes a state word in the letter case that is set.
func spell(state, letterCase string) string {
	switch letterCase {
	case "lower":
		return strings.ToLower(state)
	case "upper":
		return strings.ToUpper(state)
	case "odd":
		odd := []byte(strings.ToLower(state))
		for i := 1; i < len(odd); i += 2 {
			odd[i] -= 'a' - 'A'
		}
		return string(odd)
	default:
		return state
	}
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
