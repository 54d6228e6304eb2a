package sdktest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// maySend reports whether a host would let the call send the request, or why not.
// It settles whether the request counts as writing: what the manifest does not
// list as reading does, whatever the plugin says.
func (c *call) maySend(r *request) int32 {
	c.p.t.Helper()
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.Fragment != "" || u.User != nil {
		return c.refuse("the URL " + strconv.Quote(r.URL) + " is not absolute, or has a user or a fragment")
	}
	allowed, reading := c.rules(r.Method, u)
	r.money = r.Effect != abi.EffectRead || !reading
	switch {
	case c.op.Kind() == pay.KindPure:
		return c.refuse(c.op.String() + " may not use the network")
	case c.over():
		return c.late()
	case c.wire.calls >= abi.MaxCalls:
		return c.fail(abi.Quota, pay.ClassLimit, "the call has sent "+strconv.Itoa(abi.MaxCalls)+" requests")
	case !allowed:
		return c.refuse("the manifest's egress does not cover " + r.Method + " " + r.target)
	case r.Effect == abi.EffectRead && !reading:
		return c.refuse("the plugin says that " + r.Method + " " + r.target +
			" reads, the manifest's egress does not: a host counts it as writing")
	}
	if r.money {
		if code := c.mayWrite(r); code < 0 {
			return code
		}
	}
	if problem := c.head(r); problem != "" {
		return c.refuse(problem)
	}
	return c.bound(r)
}

// rules reports whether the manifest's egress covers a call, and whether it lists
// the call as one that changes nothing.
func (c *call) rules(method string, u *url.URL) (allowed, reading bool) {
	for _, rule := range c.p.manifest.Egress {
		origin, path := rule.Origin, u.Path
		if origin == abi.ConfigBaseURL {
			origin = c.p.base.Scheme + "://" + c.p.base.Host
			rest, ok := strings.CutPrefix(path, c.p.base.Path)
			if !ok {
				continue
			}
			path = rest
		}
		rest, under := strings.CutPrefix(path, strings.TrimSuffix(rule.PathPrefix, "/"))
		if origin != u.Scheme+"://"+u.Host || !under || rest != "" && rest[0] != '/' ||
			len(rule.Methods) > 0 && !slices.Contains(rule.Methods, method) {
			continue
		}
		allowed, reading = true, reading || rule.Read
	}
	return allowed, reading
}

// mayWrite holds a writing call against what the manifest says of the operation.
func (c *call) mayWrite(r *request) int32 {
	c.p.t.Helper()
	native := c.spec.Idempotency == pay.IdempotencyNative
	switch {
	case !c.op.Kind().Writes():
		return c.refuse(c.op.String() + " may only make calls that the manifest's egress lists as reading, not " +
			r.Method + " " + r.target)
	case c.wire.writes >= c.spec.MoneyCalls:
		return c.refuse("the manifest allows " + strconv.Itoa(c.spec.MoneyCalls) + " writing calls for " +
			c.op.String() + ", " + r.Method + " " + r.target + " is one more")
	case c.wire.unknown && !native:
		return c.refuse("an earlier writing call has an unknown outcome, and the provider knows no key")
	case native && c.providerKey != "" && !r.carries(c.providerKey):
		return c.refuse("the operation is idempotent by its key, and " + r.Method + " " + r.target +
			" does not carry the key " + c.providerKey)
	}
	return 0
}

// carries reports whether a request has the operation's key somewhere in it.
func (r *request) carries(key string) bool {
	if strings.Contains(r.URL, key) || strings.Contains(r.body, key) {
		return true
	}
	return slices.ContainsFunc(r.Header, func(f pay.Field) bool { return strings.Contains(f.Value, key) })
}

// head returns what is wrong with a request's headers, or "".
func (c *call) head(r *request) string {
	filled := ""
	switch {
	case r.Auth == nil:
	case r.Auth.Header != "":
		filled = http.CanonicalHeaderKey(r.Auth.Header)
	default:
		filled = "Authorization"
	}
	for _, f := range r.Header {
		name := http.CanonicalHeaderKey(f.Name)
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer", "Te", "Expect", "Accept-Encoding",
			"Connection", "Keep-Alive", "Upgrade", "Http2-Settings":
			return "header " + name + " is set by the host"
		case filled:
			return "header " + name + " is filled by auth"
		}
		if strings.HasPrefix(name, "Proxy-") {
			return "header " + name + " is set by the host"
		}
		if strings.ContainsAny(f.Value, "\r\n\x00") {
			return "header " + name + " holds a line end"
		}
	}
	return ""
}

// bound checks that what the request names is declared and bound. What is not
// declared is a fault of the plugin; what is only not bound is an answer that a
// plugin may meet.
func (c *call) bound(r *request) int32 {
	c.p.t.Helper()
	var code int32
	check := func(name string, slot pay.Slot) {
		if code == 0 {
			code = c.secret(name, slot)
		}
	}
	if a := r.Auth; a != nil {
		switch a.Kind {
		case abi.AuthBasic:
			check(a.User, pay.SlotBasic)
			check(a.Secret, pay.SlotBasic)
		case abi.AuthBearer:
			check(a.Secret, pay.SlotBearer)
		case abi.AuthHeader:
			check(a.Secret, pay.SlotHeader)
		case abi.AuthOAuth2:
			code = c.profile(a.Profile, check)
		case abi.AuthHMAC:
			_, _, code = c.boundKey(a.Key, a.Algorithm)
		default:
			code = c.refuse("the auth is of an unknown kind")
		}
	}
	for _, f := range r.Form {
		check(f.Secret, pay.SlotForm)
	}
	if code < 0 || r.tls == "none" {
		return code
	}
	return c.tls(r.tls)
}

func (c *call) secret(name string, slot pay.Slot) int32 {
	c.p.t.Helper()
	for _, s := range c.p.manifest.Secrets {
		switch {
		case s.Name != name:
		case !slices.Contains(s.Slots, slot):
			return c.refuse("secret " + name + " is not declared for slot " + slot.String())
		case !slices.Contains(c.p.config.Secrets, name):
			return c.fail(abi.Denied, pay.ClassConfig, "secret "+name+" is not bound to the connection")
		default:
			return 0
		}
	}
	return c.refuse("secret " + name + " is not in the manifest")
}

func (c *call) profile(name string, check func(string, pay.Slot)) int32 {
	c.p.t.Helper()
	for _, p := range c.p.manifest.OAuth2 {
		if p.Name == name {
			check(p.ClientID, pay.SlotOAuth2)
			check(p.ClientSecret, pay.SlotOAuth2)
			return 0
		}
	}
	return c.refuse("OAuth2 profile " + name + " is not in the manifest")
}

func (c *call) tls(name string) int32 {
	c.p.t.Helper()
	for _, i := range c.p.manifest.Identities {
		switch {
		case i.Name != name:
		case !slices.Contains(c.p.config.Identities, name):
			return c.fail(abi.Denied, pay.ClassConfig, "TLS identity "+name+" is not bound to the connection")
		default:
			return 0
		}
	}
	return c.refuse("TLS identity " + name + " is not in the manifest")
}
