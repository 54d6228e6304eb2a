package host

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// wire is what a call has shown on the network so far.
type wire struct {
	calls      int // outbound calls, resends not counted
	writes     int // of which writing
	seen       pay.Evidence
	retryAfter time.Duration
	open       bool // what a writing call came to is not known: no whole answer, or a server's error
	exchanges  []*egress.Exchange
	late       []*pay.Error // what the host refused after a writing call was answered
}

// hostMade reports whether an error is one that the host gave the plugin after a
// writing call was answered. Passed on, it says nothing of that answer.
func (w *wire) hostMade(e *pay.Error) bool {
	for _, l := range w.late {
		if e != nil && e.Class == l.Class && e.Message == l.Message {
			return true
		}
	}
	return false
}

// HTTPSend sends a request for the plugin. What it may do follows from the
// manifest and the operation, not from what the plugin says of it: a call that
// the manifest does not list as reading counts as writing.
func (c *call) HTTPSend(head []byte, body int32) int32 {
	if len(head) > abi.MaxMessage {
		return c.bad(abi.TooLarge, "http_send: head is larger than a message may be")
	}
	// Copied, since what is decoded shares its memory and outlives the guest's turn.
	m, err := abi.DecodeHTTPRequest(bytes.Clone(head))
	if err != nil {
		return c.bad(abi.BadArgument, "http_send: "+err.Error())
	}
	money := m.Effect != abi.EffectRead || c.binding == nil || !c.binding.reading(m.Method, m.URL)
	if code := c.maySend(money); code < 0 {
		return code
	}
	request := c.request(&m, money)
	if body != 0 {
		data, code := c.blob(body)
		if code < 0 {
			return code
		}
		request.Body = data
	}
	c.wire.calls++
	if money {
		c.wire.writes++
	}
	out, code := c.before(&m, money)
	if code < 0 {
		return code
	}
	response, exchange, err := c.binding.egress.Do(c.ctx, request)
	c.after(out, exchange)
	c.saw(exchange, money)
	if err != nil {
		return c.sendError(err, money)
	}
	if money {
		c.wire.retryAfter = retryAfter(response.Get("Retry-After"), c.host.config.Now())
	}
	return c.respond(response)
}

// maySend reports whether the call may send another request, or why not.
func (c *call) maySend(money bool) int32 {
	limits := c.host.config.Limits
	switch {
	case c.binding == nil || c.op.Kind() == pay.KindPure:
		return c.bad(abi.Denied, c.op.String()+" may not use the network")
	case c.unwritten != nil:
		return c.refuseUnwritten()
	case c.over():
		return c.late()
	case c.wire.calls >= limits.HTTPCalls:
		return c.fail(abi.Quota, pay.ClassLimit, "the call has sent "+strconv.Itoa(limits.HTTPCalls)+" requests, no more are allowed")
	case !money:
		return 0
	case !c.op.Kind().Writes():
		return c.bad(abi.Denied, c.op.String()+" may only make calls that the manifest lists as reading")
	case c.wire.writes >= c.spec.MoneyCalls:
		return c.bad(abi.Denied, "the manifest allows "+strconv.Itoa(c.spec.MoneyCalls)+" writing calls for "+c.op.String())
	case c.wire.open && c.spec.Idempotency != pay.IdempotencyNative:
		return c.bad(abi.Denied, "an earlier writing call has an unknown outcome and the provider knows no key")
	}
	return 0
}

func (c *call) request(m *abi.HTTPRequest, money bool) *egress.Request {
	r := &egress.Request{
		Method: m.Method, URL: m.URL, Identity: m.TLS, Timeout: time.Duration(m.TimeoutMS) * time.Millisecond,
		Effect: egress.Read, Retry: egress.RepeatRead,
	}
	if money {
		r.Effect, r.Retry = egress.Money, egress.Never
		if c.spec.Idempotency == pay.IdempotencyNative && c.providerKey != "" {
			r.Retry, r.Key = egress.SameKey, c.providerKey
		}
	}
	if r.Identity == "" {
		if _, ok := c.binding.vault.Identity(abi.DefaultTLSName); ok {
			r.Identity = abi.DefaultTLSName
		}
	}
	for _, f := range m.Header {
		r.Header = append(r.Header, egress.Field{Name: f.Name, Value: f.Value})
	}
	for _, f := range m.Form {
		r.FormSecrets = append(r.FormSecrets, egress.FormSecret{Field: f.Field, Secret: f.Secret})
	}
	if m.Auth != nil {
		r.Auth = auth(m.Auth)
	}
	return r
}

// saw adds an exchange to what was seen. A later writing call can settle one whose
// outcome is open only where the provider knows the key.
func (c *call) saw(x *egress.Exchange, money bool) {
	if x == nil {
		return
	}
	w := &c.wire
	w.exchanges = append(w.exchanges, x)
	if !money {
		if x.Evidence == egress.Answered {
			w.seen.Reads++
		}
		return
	}
	w.seen.Calls += len(x.Attempts)
	for _, a := range x.Attempts {
		w.seen.BytesOut += a.BytesOut
	}
	switch x.Evidence {
	case egress.Answered:
		settles := c.spec.Idempotency == pay.IdempotencyNative && x.Status/100 == 2
		if !w.open || settles {
			w.seen.Wire, w.seen.Status = pay.WireAnswered, x.Status
			w.open = x.Status >= 500 && (x.Status != 503 || !c.binding.revision.manifest.NotProcessed503)
		}
	case egress.NotSent:
		if w.seen.Wire == pay.WireNone {
			w.seen.Wire = pay.WireNotSent
		}
	default:
		w.seen.Wire, w.seen.Status, w.open = pay.WireUnknown, x.Status, true
	}
}

// sendError tells the guest why there is no answer. The code says what is known
// of the wire, the class what kind of failure it was.
func (c *call) sendError(err error, money bool) int32 {
	var e *egress.Error
	if !errors.As(err, &e) {
		c.log.Error("egress failed", "operation", c.op.String(), "error", err)
		return c.fail(abi.Internal, pay.ClassHostFault, "request could not be made")
	}
	out := &pay.Error{Class: pay.ClassUnavailable, Message: e.Reason, ProviderCode: e.Code}
	code := abi.OutcomeUnknown
	if e.Evidence == egress.NotSent {
		code = abi.NotSent
	}
	switch e.Kind {
	case egress.Refused:
		out.Class = pay.ClassConfig
		if e.Evidence == egress.NotSent { // a repeat can be refused after a first send was lost
			code = abi.Denied
		}
	case egress.AuthFailed:
		out.Class = pay.ClassAuth
	case egress.Timeout, egress.Canceled:
		out.Class = pay.ClassTimeout
	case egress.Truncated, egress.TooLarge, egress.Malformed:
		out.Class = pay.ClassProtocol
	case egress.Reflected:
		// The plugin does not get to see the answer, so nobody can say what it meant.
		out.Class = pay.ClassIntegrity
		if money {
			c.wire.seen.Wire, c.wire.open = pay.WireUnknown, true
		}
	case egress.Closed:
		out.Class = pay.ClassHostFault
	}
	if money && code == abi.OutcomeUnknown {
		out.Effect = pay.EffectMaybe
	}
	return c.failWith(code, out)
}

// respond keeps the answer's body as a blob and the head as another.
func (c *call) respond(r *egress.Response) int32 {
	m := abi.HTTPResponse{
		Status: r.Status, BodyLen: int64(len(r.Body)), TokenGeneration: int64(r.TokenGeneration),
		Header: make([]pay.Field, len(r.Header)),
	}
	for i, f := range r.Header {
		m.Header[i] = pay.Field{Name: f.Name, Value: f.Value}
	}
	if len(r.Body) > 0 {
		if m.Body = c.newBlob(r.Body); m.Body < 0 {
			return m.Body
		}
	}
	return c.newBlob(abi.AppendHTTPResponse(make([]byte, 0, 512), &m))
}

func auth(a *abi.Auth) *egress.Auth {
	out := &egress.Auth{
		User: a.User, Pass: a.Secret, Secret: a.Secret, Name: a.Header, Prefix: a.Prefix, Profile: a.Profile,
		RenewGeneration: uint64(a.RenewGeneration), Key: a.Key, Algorithm: vault.Algorithm(a.Algorithm),
		Encoding: egress.Encoding(a.Encoding), Message: a.Message,
	}
	switch a.Kind {
	case abi.AuthBasic:
		out.Kind = egress.Basic
	case abi.AuthBearer:
		out.Kind = egress.Bearer
	case abi.AuthHeader:
		out.Kind = egress.Header
	case abi.AuthOAuth2:
		out.Kind = egress.OAuth2
	case abi.AuthHMAC:
		out.Kind = egress.HMAC
	}
	return out
}

// retryAfter reads a Retry-After header, in seconds or as a date; 0 if it says
// nothing useful. More than a day is cut to a day.
func retryAfter(value string, now time.Time) time.Duration {
	const most = 24 * time.Hour
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil && seconds > 0 {
		return min(time.Duration(seconds)*time.Second, most)
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return min(at.Sub(now), most)
	}
	return 0
}
