package aurora

import (
	"crypto/subtle"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The magic amounts: the last two digits.
const (
	magicPaid           = 91
	magicDeclined       = 92
	magicBreakAfter     = 93
	magicBreakBefore    = 94
	magicRefundDeclined = 96
	magicRefundBreak    = 97
	magicRefundNoEffect = 98
)

const maxKey = 128

// refusal is an error's answer.
type refusal struct {
	status               int
	code, message, field string
}

func badField(field, message string) *refusal {
	return &refusal{http.StatusBadRequest, "bad_field", message, field}
}

func keyReused() *refusal {
	return &refusal{http.StatusConflict, "key_reused", "the key came with another body before", "Idempotency-Key"}
}

func declined() *refusal {
	return &refusal{http.StatusPaymentRequired, "declined", "declined", ""}
}

func broken() *refusal {
	return &refusal{http.StatusInternalServerError, "internal", "something went wrong", ""}
}

func fail(w http.ResponseWriter, r *refusal) {
	simkit.WriteJSON(w, r.status, struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Field   string `json:"field,omitempty"`
	}{r.code, r.message, r.field})
}

// authorized lets a call through that bears the API key.
func (s *Server) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Values("X-Api-Key")
		right := len(given) == 1 && subtle.ConstantTimeCompare([]byte(given[0]), []byte(APIKey)) == 1
		if !right || s.Setting(apiKeySetting) == "revoked" {
			fail(w, &refusal{http.StatusUnauthorized, "bad_key", "the API key is not known", ""})
			return
		}
		next(w, r)
	}
}

// asked is a request that writes.
type asked struct {
	key, body string
	fields    fields
}

// keyed reads a request that writes: JSON with an idempotency key.
func (s *Server) keyed(next func(http.ResponseWriter, *http.Request, asked)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/json" {
			fail(w, badField("Content-Type", "must be application/json"))
			return
		}
		keys := r.Header.Values("Idempotency-Key")
		if len(keys) != 1 || !goodKey(keys[0]) {
			fail(w, badField("Idempotency-Key", "must be given once: 1 to 128 visible characters"))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			simkit.Cut()
		}
		members, bad := readFields(body)
		if bad != nil {
			fail(w, bad)
			return
		}
		next(w, r, asked{keys[0], string(body), members})
	}
}

func goodKey(key string) bool {
	visible := func(r rune) bool { return r > ' ' && r <= '~' }
	return key != "" && len(key) <= maxKey && strings.IndexFunc(key, func(r rune) bool { return !visible(r) }) < 0
}

func (s *Server) createOrder(w http.ResponseWriter, r *http.Request, a asked) {
	order, bad := a.fields.order()
	if bad != nil {
		fail(w, bad)
		return
	}
	o, bad := s.book.addOrder(a, order)
	if bad != nil {
		fail(w, bad)
		return
	}
	simkit.WriteJSON(w, http.StatusCreated, struct {
		ID   string `json:"id"`
		Page string `json:"page"`
	}{o.id, s.baseURL(r) + pagePath + o.id})
}

func (s *Server) getOrder(w http.ResponseWriter, r *http.Request) {
	o := s.book.find(r.PathValue("id"))
	if o == nil {
		fail(w, &refusal{http.StatusNotFound, "not_found", "no such order", ""})
		return
	}
	s.book.mu.Lock()
	seen := s.book.view(o)
	s.book.mu.Unlock()
	simkit.WriteJSON(w, http.StatusOK, seen)
}

func (s *Server) createRefund(w http.ResponseWriter, _ *http.Request, a asked) {
	id, amount, bad := a.fields.refund()
	if bad != nil {
		fail(w, bad)
		return
	}
	made, bad := s.book.addRefund(a, id, amount)
	if bad != nil {
		fail(w, bad)
		return
	}
	simkit.WriteJSON(w, http.StatusCreated, struct {
		ID      string `json:"id"`
		OrderID string `json:"order_id"`
		Amount  any    `json:"amount"`
	}{made.id, made.order.id, s.money(made.amount)})
}
