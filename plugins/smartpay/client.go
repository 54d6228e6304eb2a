package smartpay

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// maxErrors bounds the provider's list of errors, so that it fits one message.
const maxErrors = 512

// client speaks to the service in one call of the plugin, with the till's session.
type client struct {
	h       *sdk.Host
	till    string
	sent    int        // requests that may have been processed, or were refused
	refused int        // of which the session was refused
	last    *pay.Error // the last refusal of a session
}

func newClient(h *sdk.Host) *client {
	return &client{h: h, till: h.Setting(settingTill, "")}
}

// ask sends a request with the session's cookies and returns the answer's body: a
// JSON object that is no error. A session that the service refuses (HTTP 401) is
// renewed once; a request that was refused so was not processed.
func (c *client) ask(r *sdk.Request) (json.Value, error) {
	var body json.Value
	header := r.Header
	// A cookie belongs to the till that it was given to: after a change of till_id
	// the old one would quietly speak for the old till.
	session := sdk.Session{Name: "session/" + c.till, Login: c.login}
	err := session.Do(c.h, func(cookie string) (bool, error) {
		r.Header = append(header[:len(header):len(header)], pay.Field{Name: "Cookie", Value: cookie})
		response, err := c.h.Send(r)
		if err == nil || pay.AsError(err).Effect == pay.EffectMaybe {
			c.sent++
		}
		if err != nil {
			return false, err
		}
		var problem *pay.Error
		if body, problem = read(response); problem == nil {
			return false, nil
		}
		if refusesSession(response, problem) {
			c.refused++
			c.last = problem
			return true, problem
		}
		return false, problem
	})
	if err == nil {
		return body, nil
	}
	if c.refused > 0 && c.refused == c.sent {
		return json.Value{}, c.locked(err)
	}
	return json.Value{}, err
}

// locked is the error of a request that never got past the door: whenever it was
// sent the session was refused, so the service did nothing.
func (c *client) locked(err error) error {
	e := *pay.AsError(err)
	e.Effect = pay.EffectNone
	if e.Class == pay.ClassAuth && e.ProviderCode == "" {
		e.ProviderCode, e.ProviderMessage = c.last.ProviderCode, c.last.ProviderMessage
	}
	return &e
}

// login opens a session ("Авторизация") and returns its cookies, as a Cookie header
// has them.
func (c *client) login(h *sdk.Host) (string, error) {
	response, err := h.Send(authRequest(c.till))
	if err != nil {
		return "", err
	}
	body, problem := read(response)
	if problem == nil {
		problem = readOK(body)
	}
	if problem != nil {
		if response.Status >= 500 {
			problem.Class = pay.ClassUnavailable // whatever became of it, no money was meant
		}
		problem.Message = "open session: " + problem.Message
		return "", problem
	}
	jar := cookies(response.Header)
	if jar == "" {
		return "", protocol("open session: answer sets no cookie")
	}
	return jar, nil
}

// refusesSession reports whether the service wants another session before it does
// anything: HTTP 401, or one of its codes for that under another status.
func refusesSession(r *sdk.Response, e *pay.Error) bool {
	switch e.ProviderCode {
	case codeNoSession, codeSessionExpired, codeSessionForeign:
		return r.Status < 500
	}
	return r.Status == 401
}

// cookies joins what Set-Cookie headers set, whatever the names: the document does
// not tell the cookie's. Attributes are dropped, of one name the last value counts,
// and an empty value is how servers delete a cookie.
func cookies(header []pay.Field) string {
	var pairs []pay.Field
	for _, f := range header {
		if !json.EqualFold(f.Name, "Set-Cookie") {
			continue
		}
		pair, _, _ := strings.Cut(f.Value, ";")
		name, value, found := strings.Cut(pair, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !found || name == "" {
			continue
		}
		pairs = setPair(pairs, name, value)
	}
	jar := ""
	for _, p := range pairs {
		if p.Value == "" {
			continue
		}
		if jar != "" {
			jar += "; "
		}
		jar += p.Name + "=" + p.Value
	}
	return jar
}

func setPair(pairs []pay.Field, name, value string) []pay.Field {
	for i := range pairs {
		if pairs[i].Name == name {
			pairs[i].Value = value
			return pairs
		}
	}
	return append(pairs, pay.Field{Name: name, Value: value})
}

// read classifies an answer: by the error in its body first, by the HTTP status
// second, never by a message. It returns the body of a success, an object.
func read(r *sdk.Response) (json.Value, *pay.Error) {
	body, parseErr := json.Parse(r.Body)
	code, message, told := readError(body)
	e := &pay.Error{Class: pay.ClassProtocol, ProviderCode: code, ProviderMessage: message}
	meant, known := meaning(code)
	switch {
	case r.Status >= 500:
		e.Message = "provider can't say what became of the request: " + httpStatus(r)
	case r.Status == 429:
		e.Class, e.Message, e.RetryAfter = pay.ClassRateLimited, "provider says too many requests", retryAfter(r)
	case known:
		e.Class, e.Field, e.Advice, e.Message = meant.class, meant.field, meant.advice, meant.message
	case r.Status == 401:
		e.Class, e.Advice, e.Message = pay.ClassAuth, pay.AdviceOperator, "provider refused the session"
	case told:
		e.Message = "provider's error code is not known"
	case parseErr != nil:
		e.Message = "answer is not JSON: " + httpStatus(r)
	case r.Status/100 != 2:
		e.Message = "answer holds no error that can be read: " + httpStatus(r)
	case body.Kind() != json.Object || body.Get(fieldError).Exists():
		e.Message = "answer is not the object that it should be"
	default:
		return body, nil
	}
	return json.Value{}, e
}

func httpStatus(r *sdk.Response) string { return "HTTP status " + strconv.Itoa(r.Status) }

// retryAfter reads the seconds that an answer asks to wait, at most a day.
func retryAfter(r *sdk.Response) time.Duration {
	seconds, err := strconv.Atoi(r.HeaderValue("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 24*60*60)) * time.Second
}

// protocol is an answer that can't be understood.
func protocol(message string) *pay.Error {
	return &pay.Error{Class: pay.ClassProtocol, Message: message}
}

// invalid refuses a request that the provider can't carry, before anything is sent.
func invalid(field, message string) *pay.Error {
	return &pay.Error{Class: pay.ClassInvalidRequest, Field: field, Message: message}
}

// short cuts a text to at most n bytes, between characters.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
