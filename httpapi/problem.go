package httpapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/sdk/pay"
)

const problemType = "application/problem+json"

// The classes that only the API has; all others are those of [pay.Class].
const (
	classUnauthorized = "unauthorized" // no token, or an unknown one
	classForbidden    = "forbidden"    // the token lacks the scope
)

// Problem is every error of the API (RFC 9457).
type Problem struct {
	Type   string `json:"type" doc:"urn:payhost:error:<class>" example:"urn:payhost:error:invalid_request"`
	Title  string `json:"title" doc:"The class in words; does not change between occurrences"`
	Status int    `json:"status" doc:"HTTP status" example:"422"`
	Detail string `json:"detail" doc:"What happened, for a developer"`
	Class  string `json:"class" doc:"What kind of thing went wrong; decide by this"`
	Effect string `json:"effect" enum:"none,done,maybe" doc:"Whether anything changed at the provider: none and done are proven"`
	Advice string `json:"advice" enum:"fix,retry_same_key,probe,ask_payer,new_attempt,operator" doc:"What to do next"`

	Field  string       `json:"field,omitempty" doc:"Path of the field at fault" example:"amount.value"`
	Errors []FieldError `json:"errors,omitempty" nullable:"false" doc:"Every field at fault, if there are several"`

	Reason          string `json:"reason,omitempty" doc:"Why it was declined" example:"insufficient_funds"`
	ProviderCode    string `json:"provider_code,omitempty" doc:"The provider's own code, as it came"`
	ProviderMessage string `json:"provider_message,omitempty" doc:"The provider's own message, masked"`
	RetryAfter      int    `json:"retry_after,omitempty" doc:"Seconds to wait, as in Retry-After"`
	Operation       string `json:"operation,omitempty" doc:"The operation that failed" example:"refund"`
	PaymentID       string `json:"payment_id,omitempty" doc:"The payment, if there is one for all that"`
	OperationID     string `json:"operation_id,omitempty"`
	RequestID       string `json:"request_id" doc:"As in X-Request-Id; stands in the log"`

	header http.Header
}

// FieldError is one field at fault.
type FieldError struct {
	Field   string `json:"field" example:"lines[0].price.currency"`
	Message string `json:"message"`
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status, for huma.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders returns what goes into the header besides, for huma.
func (p *Problem) GetHeaders() http.Header {
	h := p.header.Clone()
	if p.RetryAfter > 0 {
		if h == nil {
			h = http.Header{}
		}
		h.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	return h
}

// ContentType is application/problem+json, for huma.
func (p *Problem) ContentType(string) string { return problemType }

// statusOf maps a class to its HTTP status. Zero is no class.
func statusOf(c pay.Class) int {
	switch c {
	case pay.ClassInvalidRequest, pay.ClassUnsupported, pay.ClassCodeInvalid, pay.ClassCodeExpired, pay.ClassKeyReused:
		return http.StatusUnprocessableEntity
	case pay.ClassDeclined:
		return http.StatusPaymentRequired
	case pay.ClassNotFound:
		return http.StatusNotFound
	case pay.ClassStateConflict, pay.ClassDuplicate, pay.ClassInDoubt, pay.ClassInProgress:
		return http.StatusConflict
	case pay.ClassLimit, pay.ClassRateLimited:
		return http.StatusTooManyRequests
	case pay.ClassConfig, pay.ClassAuth: // payhost's credentials or settings, not the client's
		return http.StatusBadGateway
	case pay.ClassUnavailable, pay.ClassTimeout, pay.ClassProtocol, pay.ClassIntegrity, pay.ClassPluginFault:
		return http.StatusBadGateway
	}
	return http.StatusServiceUnavailable
}

// titleOf says a class in words.
func titleOf(class string) string {
	switch class {
	case "invalid_request":
		return "The request is wrong"
	case "unsupported":
		return "The provider has no such operation"
	case "config":
		return "The connection's settings are wrong"
	case "auth":
		return "The provider refused payhost's credentials"
	case "declined":
		return "Declined"
	case "code_invalid":
		return "The payer's code is not valid"
	case "code_expired":
		return "The payer's code is too old"
	case "state_conflict":
		return "The payment is not where the operation needs it"
	case "duplicate":
		return "The provider has seen this before"
	case "not_found":
		return "There is no such thing"
	case "in_doubt":
		return "An earlier operation is in doubt"
	case "key_reused":
		return "The idempotency key belongs to another request"
	case "in_progress":
		return "The same request is still running"
	case "unavailable":
		return "The provider can't be reached"
	case "protocol":
		return "The provider's answer can't be understood"
	case "integrity":
		return "The provider's answer contradicts the request"
	case "host_fault":
		return "payhost can't work"
	}
	title := strings.ReplaceAll(class, "_", " ") // unauthorized, forbidden, limit, rate limited, timeout, plugin fault
	return strings.ToUpper(title[:1]) + title[1:]
}

// problemOf makes a problem of an engine's error. writes says that the request
// could have changed something: an effect that nobody knows is maybe then.
func problemOf(err error, writes bool) *Problem {
	shared := *pay.AsError(err) // a copy is changed
	e := &shared
	if e.Effect == 0 {
		e.Effect = pay.EffectNone
		switch statusOf(e.Class) {
		case http.StatusBadGateway, http.StatusServiceUnavailable:
			if writes {
				e.Effect = pay.EffectMaybe
			}
		}
	}
	e = e.Fill()
	class := e.Class.String()
	p := &Problem{
		Type: typeOf(class), Title: titleOf(class), Status: statusOf(e.Class), Detail: e.Message, Class: class,
		Effect: e.Effect.String(), Advice: e.Advice.String(), Field: e.Field, ProviderCode: e.ProviderCode,
		ProviderMessage: e.ProviderMessage,
	}
	if p.Detail == "" {
		p.Detail = strings.ReplaceAll(class, "_", " ")
	}
	if p.Field != "" { // as in what the API finds itself: who logs nothing but the detail knows where
		p.Detail = p.Field + ": " + p.Detail
	}
	if e.Reason != 0 {
		p.Reason = e.Reason.String()
	}
	if e.Operation != 0 {
		p.Operation = e.Operation.String()
	}
	if e.RetryAfter > 0 || p.Status == http.StatusTooManyRequests {
		p.RetryAfter = seconds(e.RetryAfter)
	}
	return p
}

func typeOf(class string) string { return "urn:payhost:error:" + class }

// about adds what an operation left behind.
func (p *Problem) about(answer payments.Answer) {
	p.OperationID = answer.Operation
	if answer.Book != nil && !answer.Book.Receipt {
		p.PaymentID = answer.Book.PaymentID()
	}
	if answer.Replayed {
		p.header = http.Header{replayedHeader: {"true"}}
	}
}

// refuse makes a problem of the API's own: nothing was done.
func refuse(status int, class, detail string) *Problem {
	advice := pay.AdviceFix
	if class == pay.ClassRateLimited.String() {
		advice = pay.AdviceRetrySameKey
	}
	return &Problem{
		Type: typeOf(class), Title: titleOf(class), Status: status, Detail: detail, Class: class,
		Effect: pay.EffectNone.String(), Advice: advice.String(),
	}
}

// invalid makes a problem of fields at fault.
func invalid(status int, fields ...FieldError) *Problem {
	p := refuse(status, pay.ClassInvalidRequest.String(), fields[0].Message)
	p.Field = fields[0].Field
	if p.Field != "" {
		p.Detail = p.Field + ": " + p.Detail
	}
	p.Errors = fields
	return p
}

func notFound(what string) *Problem {
	return refuse(http.StatusNotFound, pay.ClassNotFound.String(), what)
}

// mend turns huma's own errors, about parameters, into problems, and gives every
// problem its request. It is a huma.Transformer.
func mend(ctx huma.Context, _ string, v any) (any, error) {
	switch e := v.(type) {
	case *Problem:
		e.RequestID = exchangeOf(ctx.Context()).id
	case *huma.ErrorModel:
		fields := make([]FieldError, 0, len(e.Errors))
		for _, d := range e.Errors {
			fields = append(fields, FieldError{Field: within(d.Location), Message: d.Message})
		}
		if len(fields) == 0 {
			fields = append(fields, FieldError{Message: e.Detail})
		}
		p := invalid(e.Status, fields...)
		p.RequestID = exchangeOf(ctx.Context()).id
		return p, nil
	}
	return v, nil
}

// within takes the place off a location of huma's: "query.limit" is limit.
func within(location string) string {
	for _, place := range []string{"query.", "path.", "header."} {
		if rest, ok := strings.CutPrefix(location, place); ok {
			return rest
		}
	}
	return location
}
