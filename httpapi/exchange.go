package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/payhost/payhost/payments"
)

// exchange is one request on its way to its answer. It is the ResponseWriter that
// handlers see, so that it knows what was answered.
type exchange struct {
	http.ResponseWriter
	id     string // of the request
	route  *route // nil if there is none
	caller string // name of the token, "" without one
	key    string // Idempotency-Key
	body   []byte
	status int // as answered, 0 for not yet
	began  time.Time
}

// WriteHeader notes the status.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && status >= http.StatusOK {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write answers 200 if there was no status yet.
func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// call is who asks the engine.
func (x *exchange) call() payments.Call {
	return payments.Call{Caller: x.caller, Key: x.key, RequestID: x.id}
}

// problem answers with a problem.
func (x *exchange) problem(p *Problem) {
	p.RequestID = x.id
	header := x.Header()
	for name, values := range p.header {
		header[name] = values
	}
	if p.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	header.Set("Content-Type", problemType)
	header.Del("Content-Length")
	x.WriteHeader(p.Status)
	text, _ := encode(p) // it has texts and numbers only
	_, _ = x.Write(text) // the client may be gone
}

// json answers 200 with a value, for what is not served by huma.
func (x *exchange) json(v map[string]string) {
	x.Header().Set("Content-Type", "application/json")
	text, _ := encode(v)
	_, _ = x.Write(text)
}

type exchangeKey struct{}

// withExchange is a context that knows its exchange.
type withExchange struct {
	context.Context
	x *exchange
}

// Value returns the exchange for its key.
func (c withExchange) Value(k any) any {
	if _, ok := k.(exchangeKey); ok {
		return c.x
	}
	return c.Context.Value(k)
}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}
