package egress

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Rule allows requests to one origin. The zero values are the narrow ones, but for Methods and PathPrefix.
type Rule struct {
	Scheme     string   // "https", or "http" where that is granted; empty for https
	Host       string   // one host or IP address, exact; no wildcard
	Port       uint16   // zero for the scheme's own: 443 or 80
	Methods    []string // upper case; empty for every method
	PathPrefix string   // whole segments: "/api" covers /api and /api/x, not /apix; empty for all
}

// compile returns the rule in canonical form.
func (r Rule) compile() (Rule, error) {
	switch r.Scheme {
	case "":
		r.Scheme = "https"
	case "http", "https":
	default:
		return Rule{}, errors.New("scheme: is neither https nor http")
	}
	host := r.Host
	if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	var err error
	if r.Host, err = canonicalHost(host); err != nil {
		return Rule{}, fmt.Errorf("host: %s", strings.TrimPrefix(err.Error(), "url: "))
	}
	if r.Port == 0 {
		r.Port = defaultPort(r.Scheme)
	}
	for i, method := range r.Methods {
		if !validMethod(method) {
			return Rule{}, fmt.Errorf("methods[%d]: is not a method in upper case, or is CONNECT or TRACE", i)
		}
	}
	if r.PathPrefix == "" {
		r.PathPrefix = "/"
	}
	// The prefix is matched on the unescaped path, in which every slash is a real one.
	if strings.ContainsAny(r.PathPrefix, "%?#") {
		return Rule{}, errors.New("path_prefix: must be given unescaped and without a query")
	}
	if err := checkPath(r.PathPrefix); err != nil {
		return Rule{}, fmt.Errorf("path_prefix: %s", strings.TrimPrefix(err.Error(), "url: "))
	}
	return r, nil
}

// sameOrigin reports whether the target has the rule's scheme, host and port.
func (r Rule) sameOrigin(t target) bool {
	return r.Scheme == t.scheme && r.Host == t.host && r.Port == t.port
}

// covers reports whether the rule allows the request. The rule must be compiled.
func (r Rule) covers(method string, t target) bool {
	if !r.sameOrigin(t) || len(r.Methods) > 0 && !slices.Contains(r.Methods, method) {
		return false
	}
	rest, ok := strings.CutPrefix(t.url.Path, r.PathPrefix)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(r.PathPrefix, "/"))
}

// compileRules compiles a list; field is the name of the list in the error.
func compileRules(field string, rules []Rule) ([]Rule, error) {
	compiled := make([]Rule, len(rules))
	for i, rule := range rules {
		var err error
		if compiled[i], err = rule.compile(); err != nil {
			return nil, fmt.Errorf("%s[%d].%w", field, i, err)
		}
	}
	return compiled, nil
}

func covered(rules []Rule, method string, t target) bool {
	return slices.ContainsFunc(rules, func(r Rule) bool { return r.covers(method, t) })
}

// check holds the request against everything that needs no secret and no network, and returns where it goes.
func (c *Client) check(r *Request) (target, *Error) {
	if !validMethod(r.Method) {
		return target{}, refuse("method: is not a method in upper case, or is CONNECT or TRACE")
	}
	t, err := parseTarget(r.URL)
	if err != nil {
		return target{}, refuse("%s", err)
	}
	if !covered(c.allow, r.Method, t) {
		return target{}, c.explain(r.Method, t)
	}
	if int64(len(r.Body)) > c.limits.RequestBytes {
		return target{}, refuse("body: is larger than %d bytes", c.limits.RequestBytes)
	}
	if err := c.checkHeader(r); err != nil {
		return target{}, err
	}
	if err := r.Auth.check(); err != nil {
		return target{}, err
	}
	if err := checkClass(r); err != nil {
		return target{}, err
	}
	return t, nil
}

// explain says what in the allow-list is missing for the target. It tells nothing but the request's own
// parts.
func (c *Client) explain(method string, t target) *Error {
	for _, rule := range c.allow {
		if rule.sameOrigin(t) {
			return refuse("url: %s is allowed, but not for this method (%s) and path", t.hostPort(), method)
		}
	}
	return refuse("url: %s://%s is not on the allow-list", t.scheme, t.hostPort())
}

// checkClass holds the retry class against the effect and the key.
func checkClass(r *Request) *Error {
	if r.Effect != Money && r.Effect != Read {
		return refuse("effect: unknown")
	}
	switch r.Retry {
	case Never:
		return nil
	case RepeatRead:
		if r.Effect != Read {
			return refuse("retry: a request that may move money is not repeated like a read")
		}
		return nil
	case SameKey:
		if r.Key == "" {
			return refuse("retry: a repeat with the same key needs the key")
		}
		if bytes.Contains(r.Body, []byte(r.Key)) || strings.Contains(r.URL, r.Key) {
			return nil
		}
		for _, f := range r.Header {
			if strings.Contains(f.Value, r.Key) {
				return nil
			}
		}
		return refuse("retry: the request does not carry the operation's key")
	}
	return refuse("retry: unknown class")
}

// validMethod takes upper-case letters alone: methods are case-sensitive, and "get" is not GET.
func validMethod(method string) bool {
	if method == "" || len(method) > 16 || method == "CONNECT" || method == "TRACE" {
		return false
	}
	for i := range len(method) {
		if method[i] < 'A' || method[i] > 'Z' {
			return false
		}
	}
	return true
}
