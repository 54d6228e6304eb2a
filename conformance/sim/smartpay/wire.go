package smartpay

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// maxBody bounds a request; the longest, a receipt, is a few kilobytes.
const maxBody = 256 << 10

// The bodies of the assumed wire, request and answer of each call.
type (
	authRequest struct {
		TillID string `json:"till_id"`
	}
	okAnswer struct {
		Status string `json:"status"`
	}

	commitRequest struct {
		KassaPurchaseID string `json:"kassa_purchase_id"`
		qrFields
	}
	qrFields struct {
		Loyalty   string `json:"id_loyalty"`
		Encrypted string `json:"encrypted"`
		Sign      string `json:"sign"`
	}
	commitAnswer struct {
		PurchaseID string `json:"purchase_id"`
	}

	releaseRequest struct {
		PurchaseID string `json:"purchase_id"`
		Amount     int64  `json:"amount"`
	}
	purchaseRequest struct {
		PurchaseID string `json:"purchase_id"`
	}
	purchaseAnswer struct {
		Status string `json:"status"`
		Amount int64  `json:"amount"`
	}
	purchaseVerdict struct {
		PurchaseID string `json:"purchase_id"`
		Status     string `json:"status"`
	}

	fiscalRequest struct {
		PurchaseID     string `json:"purchase_id"`
		RegisterNumber string `json:"register_number"`
		FiscalSign     string `json:"fiscal_sign"`
	}
	receiptRequest struct {
		QR      *qrFields       `json:"qr"`
		Receipt json.RawMessage `json:"receipt"`
	}

	refundRequest struct {
		PurchaseID    string `json:"purchase_id"`
		KassaRefundID string `json:"kassa_refund_id"`
		Amount        int64  `json:"amount"`
	}
	refundAnswer struct {
		RefundID string `json:"refund_id"`
	}
	refundStatusRequest struct {
		RefundID string `json:"refund_id"`
	}
	refundVerdict struct {
		RefundID string `json:"refund_id"`
		Status   string `json:"status"`
	}

	errorRow struct {
		Code    Code   `json:"code"`
		Message string `json:"message"`
	}
)

// routes maps the provider's paths to the service.
func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/auth", s.auth)
	mux.HandleFunc("POST /v1/purchase/code/commit", call(s, s.commit))
	mux.HandleFunc("POST /v1/purchase/release", call(s, s.release))
	mux.HandleFunc("POST /v1/purchase/status", call(s, s.status))
	mux.HandleFunc("POST /v1/purchase/kassa/status", call(s, s.verdict))
	mux.HandleFunc("POST /v1/purchase/fiscal", call(s, s.fiscal))
	mux.HandleFunc("POST /v2/purchase/fiscal", call(s, s.receipt))
	mux.HandleFunc("POST /v1/purchase/refund", call(s, s.refund))
	mux.HandleFunc("POST /v1/purchase/refund/status", call(s, s.refundStatus))
	mux.HandleFunc("POST /v1/purchase/refund/kassa/status", call(s, s.refundVerdict))
	// Whether ping is a GET or a POST is not known, so both do.
	mux.HandleFunc("GET /v1/ping", s.open(s.ping))
	mux.HandleFunc("POST /v1/ping", s.open(s.ping))
	mux.HandleFunc("GET /v1/error_answers", s.open(s.errorAnswers))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		answerError(w, refuse(CodeNoSuchCall))
	})
	return mux
}

// call is the common way of a request: session, body, service, answer. The service is locked meanwhile, so
// every call is one step.
func call[In, Out any](s *service, do func(session, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		sess, err := s.session(r)
		if err != nil {
			answerError(w, err)
			return
		}
		var in In
		if err := decode(r, &in); err != nil {
			answerError(w, err)
			return
		}
		out, err := do(sess, in)
		if err != nil {
			answerError(w, err)
			return
		}
		simkit.WriteJSON(w, http.StatusOK, out)
	}
}

// open is the way of the calls that may do without a session, by the setting open_calls.
func (s *service) open(do func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.kit.Setting("open_calls") == wordNo {
			if _, err := s.session(r); err != nil {
				answerError(w, err)
				return
			}
		}
		simkit.WriteJSON(w, http.StatusOK, do())
	}
}

func (s *service) ping() any { return ok() }

func (s *service) errorAnswers() any {
	list := refusals()
	if s.kit.Setting("error_list") == wordExtended {
		list = append(list, unlisted())
	}
	rows := make([]errorRow, 0, len(list))
	for _, r := range list {
		rows = append(rows, errorRow{r.code, r.message})
	}
	return map[string][]errorRow{"errors": rows}
}

// decode reads exactly one JSON object with known members only: a provider that ignores a misspelled member
// hides the till's mistake.
func decode(r *http.Request, into any) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return refuse(CodeBadRequest)
	}
	decoder := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return refuse(CodeBadRequest)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return refuse(CodeBadRequest)
	}
	return nil
}

// answerError writes the provider's error shape.
func answerError(w http.ResponseWriter, err error) {
	var r refusal
	if !errors.As(err, &r) {
		r = refusal{http.StatusInternalServerError, 0, err.Error()}
	}
	simkit.WriteJSON(w, r.status, map[string]errorRow{"error": {r.code, r.message}})
}

func ok() okAnswer { return okAnswer{Status: "ok"} }
