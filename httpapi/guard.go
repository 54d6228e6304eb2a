package httpapi

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

const jsonType = "application/json"

// admit lets a request in to its route's handler, or says why not: token, scope,
// rate, key and body, in this order.
func (a *API) admit(x *exchange, r *http.Request) *Problem {
	rt := x.route
	if rt.scope != "" {
		if p := a.authorize(x, r); p != nil {
			return p
		}
	}
	if rt.keyed {
		keys := r.Header.Values("Idempotency-Key")
		if p := checkKey(keys); p != nil {
			return p
		}
		x.key = keys[0]
	}
	if rt.takes == nil {
		return nil
	}
	return a.receive(x, r)
}

func (a *API) authorize(x *exchange, r *http.Request) *Problem {
	rt := x.route
	token := bearer(r, rt.page)
	k := a.keys.Load().find(token)
	if k == nil {
		p := refuse(http.StatusUnauthorized, classUnauthorized, "no token, or an unknown one; send Authorization: Bearer")
		challenge := `Bearer realm="payhost"`
		if token != "" {
			challenge += `, error="invalid_token"`
		}
		p.header = http.Header{"Www-Authenticate": {challenge}}
		if rt.page {
			p.header.Add("Www-Authenticate", `Basic realm="payhost: the token is the password"`)
		}
		return p
	}
	x.caller = k.name
	if wait, ok := take(k.bucket); !ok {
		return tooMany("token "+k.name+" makes too many calls", wait)
	}
	if !k.may(rt.scope) {
		p := refuse(http.StatusForbidden, classForbidden, "token has not the scope "+string(rt.scope))
		p.header = http.Header{"Www-Authenticate": {`Bearer realm="payhost", error="insufficient_scope", scope="` + string(rt.scope) + `"`}}
		return p
	}
	return nil
}

func tooMany(detail string, wait time.Duration) *Problem {
	p := refuse(http.StatusTooManyRequests, pay.ClassRateLimited.String(), detail)
	p.RetryAfter = seconds(wait)
	return p
}

func checkKey(keys []string) *Problem {
	const field = "Idempotency-Key"
	switch {
	case len(keys) == 0 || keys[0] == "":
		return invalid(http.StatusBadRequest, FieldError{field, "header is missing"})
	case len(keys) > 1:
		return invalid(http.StatusBadRequest, FieldError{field, "header stands more than once"})
	case len(keys[0]) > 255:
		return invalid(http.StatusBadRequest, FieldError{field, "more than 255 bytes"})
	case strings.ContainsFunc(keys[0], func(c rune) bool { return c < ' ' || c > '~' }):
		return invalid(http.StatusBadRequest, FieldError{field, "not all printable ASCII characters"})
	}
	return nil
}

// checkQuery refuses a query that is not whole: what can't be read of one would be left
// out, and a list without one of its filters looks like the list that was asked for.
func checkQuery(raw string) *Problem {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return invalid(http.StatusUnprocessableEntity, FieldError{"query", "is damaged: write a percent sign as %25, a semicolon as %3B"})
	}
	for _, name := range sorted(query) {
		switch values := query[name]; {
		case len(values) > 1:
			return invalid(http.StatusUnprocessableEntity, FieldError{name, "stands twice"})
		case unprintable(values[0]): // no order has such an id, and PostgreSQL takes no such text
			return invalid(http.StatusUnprocessableEntity, FieldError{name, "has control characters, or ones that are damaged"})
		}
	}
	return nil
}

// receive reads the body into the exchange.
func (a *API) receive(x *exchange, r *http.Request) *Problem {
	rt := x.route
	timeout := a.config.Limits.BodyTimeout
	if rt.most > a.config.Limits.Body {
		timeout *= 6
	}
	body, p := readBody(x, r, rt.most, timeout)
	switch {
	case p != nil:
		return p
	case len(body) == 0 && rt.optional:
		return nil
	case len(body) == 0:
		return invalid(http.StatusBadRequest, FieldError{"", "body is missing"})
	case encoded(r.Header):
		return invalid(http.StatusUnsupportedMediaType, FieldError{"Content-Encoding", "is not supported: send the body as it is"})
	case !accepts(rt.takes, r.Header):
		return invalid(http.StatusUnsupportedMediaType, FieldError{"Content-Type", "not " + strings.Join(rt.takes, " or ")})
	}
	x.body = body
	return nil
}

// readBody reads at most so many bytes. The deadline is taken away when they are
// in: it would cancel the request while the engine works.
func readBody(x *exchange, r *http.Request, most int64, timeout time.Duration) ([]byte, *Problem) {
	if r.ContentLength == 0 || r.Body == nil {
		return nil, nil
	}
	control := http.NewResponseController(x.ResponseWriter)
	_ = control.SetReadDeadline(time.Now().Add(timeout)) // a recorder in a test has none
	defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	if r.ContentLength > most {
		return nil, tooLarge(x, r, most)
	}
	body, err := readAll(http.MaxBytesReader(x.ResponseWriter, r.Body, most), r.ContentLength)
	var large *http.MaxBytesError
	var slow net.Error
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, &large):
		return nil, tooLarge(x, r, most)
	case errors.As(err, &slow) && slow.Timeout():
		x.Header().Set("Connection", "close")
		return nil, invalid(http.StatusRequestTimeout, FieldError{"", "body took too long to arrive"})
	}
	x.Header().Set("Connection", "close")
	return nil, invalid(http.StatusBadRequest, FieldError{"", "body broke off"})
}

func readAll(r io.Reader, length int64) ([]byte, error) {
	if length < 0 {
		return io.ReadAll(r)
	}
	body := make([]byte, length)
	_, err := io.ReadFull(r, body)
	return body, err
}

// mostDropped is how much of a body that is too large is read all the same, in bytes.
const mostDropped = 64 << 20

// tooLarge refuses a body. Most clients send all of it before they look for an answer:
// to those that do not ask first a connection that is closed meanwhile is no answer, so
// what callers with a token send is read and dropped.
func tooLarge(x *exchange, r *http.Request, most int64) *Problem {
	x.Header().Set("Connection", "close")
	if x.caller != "" && r.Header.Get("Expect") == "" && r.ContentLength <= mostDropped {
		_, _ = io.CopyN(io.Discard, r.Body, mostDropped)
	}
	return refuse(http.StatusRequestEntityTooLarge, pay.ClassLimit.String(), fmt.Sprintf("body is larger than %d bytes", most))
}

func encoded(h http.Header) bool {
	coding := h.Get("Content-Encoding")
	return coding != "" && coding != "identity"
}

// accepts says whether a body may be of its type; without one it may.
func accepts(types []string, h http.Header) bool {
	text := h.Get("Content-Type")
	if text == "" || slices.Contains(types, text) {
		return true
	}
	media, _, err := mime.ParseMediaType(text)
	return err == nil && slices.Contains(types, media)
}

// report writes down the cause of what the client is told no more of than "internal
// error".
func (a *API) report(x *exchange, err error) {
	if e := pay.AsError(err); e.Class == pay.ClassHostFault {
		a.log.Error("engine", "request_id", x.id, "route", x.pattern(), "error", err.Error(), "cause", causeOf(e))
	}
}

func causeOf(e *pay.Error) string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}
