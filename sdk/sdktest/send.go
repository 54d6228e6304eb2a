package sdktest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// wire is what a call has sent so far.
type wire struct {
	calls   int
	writes  int
	unknown bool // a writing call has no whole answer
}

// request is an outbound call as the transcript writes it down.
type request struct {
	abi.HTTPRequest
	target string // path under the base URL, or the whole URL
	money  bool
	body   string
	auth   string
	tls    string
}

// HTTPSend answers from the transcript.
func (c *call) HTTPSend(head []byte, body int32) int32 {
	c.p.t.Helper()
	m, err := abi.DecodeHTTPRequest(head)
	if err != nil {
		return c.fail(abi.BadArgument, pay.ClassPluginFault, "http_send: "+err.Error())
	}
	r := request{HTTPRequest: m, target: c.target(m.URL), auth: describeAuth(m.Auth), tls: c.identity(m.TLS)}
	if body != 0 {
		data, code := c.blob(body)
		if code < 0 {
			return code
		}
		r.body = string(data)
	}
	if code := c.maySend(&r); code < 0 {
		return code
	}
	c.wire.calls++
	if r.money {
		c.wire.writes++
	}
	x, ok := c.p.script.take()
	if !ok {
		c.violates("the transcript has ended, the plugin sends\n%s", r.text())
		return c.notSent("the transcript has ended")
	}
	if diff := r.compare(&x); len(diff) > 0 {
		c.violates("%s: the request differs\n  %s\nthe plugin sent\n%s",
			x.where, strings.Join(diff, "\n  "), r.text())
		return c.notSent("the request does not fit the transcript")
	}
	return c.answer(&r, &x.answer)
}

// answer gives the plugin what the transcript says.
func (c *call) answer(r *request, a *answer) int32 {
	switch a.failure {
	case "not_sent":
		return c.notSent(a.reason)
	case "auth":
		return c.failWith(abi.NotSent, &pay.Error{
			Class: pay.ClassAuth, Message: "no access token", ProviderCode: a.reason,
		})
	case "unknown":
		e := &pay.Error{Class: pay.ClassTimeout, Message: a.reason}
		if r.money {
			c.wire.unknown = true
			e.Effect = pay.EffectMaybe
		}
		return c.failWith(abi.OutcomeUnknown, e)
	}
	if r.money && a.status/100 == 2 && c.spec.Idempotency == pay.IdempotencyNative {
		c.wire.unknown = false // the provider has taken the same key
	}
	m := abi.HTTPResponse{
		Status: a.status, Header: a.fields, BodyLen: int64(len(a.body)), TokenGeneration: c.generation(r.Auth),
	}
	if a.body != "" {
		if m.Body = c.newBlob([]byte(a.body)); m.Body < 0 {
			return m.Body
		}
	}
	return c.newBlob(abi.AppendHTTPResponse(nil, &m))
}

func (c *call) notSent(reason string) int32 {
	return c.fail(abi.NotSent, pay.ClassUnavailable, reason)
}

// generation returns the number of the OAuth2 token that a request used, after
// renewing it if the request asked so.
func (c *call) generation(a *abi.Auth) int64 {
	if a == nil || a.Kind != abi.AuthOAuth2 {
		return 0
	}
	held := max(1, c.p.tokens[a.Profile])
	if a.RenewGeneration == held {
		held++
	}
	c.p.tokens[a.Profile] = held
	return held
}

// target writes a URL as a transcript does: without the base URL.
func (c *call) target(raw string) string {
	if rest, ok := strings.CutPrefix(raw, c.p.config.BaseURL); ok && strings.HasPrefix(rest, "/") {
		return rest
	}
	return raw
}

// identity is the TLS identity that a host would use.
func (c *call) identity(name string) string {
	if name == "" {
		for _, bound := range c.p.config.Identities {
			if bound == abi.DefaultTLSName {
				return bound
			}
		}
		return "none"
	}
	return name
}

// compare returns what differs between the request and what is written down.
func (r *request) compare(x *exchange) []string {
	var d differences
	d.text("method", x.method, r.Method)
	d.text("path", x.target, r.target)
	d.text("effect", x.effect, r.effect())
	for _, want := range x.fields {
		d.text(want.Name, want.Value, r.field(want.Name))
	}
	d.body(r.field("content-type"), x.body, r.body)
	return d
}

// field returns a header, or a part of the request that is written like one.
func (r *request) field(name string) string {
	switch strings.ToLower(name) {
	case "auth":
		return r.auth
	case "tls":
		return r.tls
	case "timeout":
		return (time.Duration(r.TimeoutMS) * time.Millisecond).String()
	case "form-secret":
		var list []string
		for _, f := range r.Form {
			list = append(list, f.Field+"="+f.Secret)
		}
		return strings.Join(list, " ")
	}
	var values []string
	for _, f := range r.Header {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return strings.Join(values, ", ")
}

func (r *request) effect() string {
	if r.money {
		return "money"
	}
	return "read"
}

// text writes the request as it would stand in a transcript.
func (r *request) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  > %s %s %s\n", r.Method, r.target, r.effect())
	for _, name := range []string{"auth", "tls", "form-secret"} {
		if value := r.field(name); value != "" && value != "none" {
			fmt.Fprintf(&b, "  > %s: %s\n", name, value)
		}
	}
	for _, f := range r.Header {
		fmt.Fprintf(&b, "  > %s: %s\n", strings.ToLower(f.Name), f.Value)
	}
	if r.body != "" {
		fmt.Fprintf(&b, "  >\n  > %s\n", strings.ReplaceAll(r.body, "\n", "\n  > "))
	}
	return strings.TrimRight(b.String(), "\n")
}

// describeAuth writes an auth as a transcript does.
func describeAuth(a *abi.Auth) string {
	if a == nil {
		return "none"
	}
	var words []string
	switch a.Kind {
	case abi.AuthBasic:
		words = []string{"basic", a.User, a.Secret}
	case abi.AuthBearer:
		words = []string{"bearer", a.Secret}
	case abi.AuthHeader:
		words = []string{"header", a.Header, strings.TrimSpace(a.Prefix), a.Secret}
	case abi.AuthOAuth2:
		words = []string{"oauth2", a.Profile}
		if a.RenewGeneration != 0 {
			words = append(words, "renew", strconv.FormatInt(a.RenewGeneration, 10))
		}
	case abi.AuthHMAC:
		words = []string{"hmac", a.Key, a.Algorithm, a.Header, a.Encoding}
	default:
		return "unknown"
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}
