package yeniltoleg

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// answer is a whole answer of the provider.
type answer struct {
	status int
	body   json.Value // Missing if it is not JSON
	empty  bool
	wait   time.Duration // what Retry-After asks for
}

// send sends a request with the access token (section "Авторизация") and reads the
// answer as JSON.
func send(h *sdk.Host, r *sdk.Request) (*answer, error) {
	r.Auth = sdk.Bearer(secretToken)
	response, err := h.Send(r)
	if err != nil {
		return nil, err
	}
	a := &answer{status: response.Status, empty: len(strings.TrimSpace(string(response.Body))) == 0}
	if body, err := json.Parse(response.Body); err == nil {
		a.body = body
	}
	if seconds, err := strconv.Atoi(response.HeaderValue("Retry-After")); err == nil && seconds > 0 {
		a.wait = time.Duration(min(seconds, 24*60*60)) * time.Second
	}
	return a, nil
}

// success reports whether the HTTP status says that the request was processed.
func (a *answer) success() bool { return a.status/100 == 2 }

// text returns a text field, or "".
func (a *answer) text(name string) string { return a.body.GetFold(name).Str() }

// result returns the field "result"; told is false if it is not there or not a
// boolean.
func (a *answer) result() (result, told bool) { return a.body.GetFold(fieldResult).Bool() }

// failure says what an HTTP status other than success means (section "HTTP-коды
// ответов"). What the document does not list leaves a doubt.
func failure(a *answer) *pay.Error {
	e := &pay.Error{Class: pay.ClassProtocol, ProviderMessage: a.message()}
	switch {
	case a.status == 400:
		e.Class, e.Message = pay.ClassInvalidRequest, "provider refused the request"
		e.Field = a.field()
	case a.status == 401:
		e.Class, e.Message = pay.ClassAuth, "provider refused the access token: it has expired or was revoked"
	case a.status == 403:
		e.Class, e.Message = pay.ClassAuth, "the access token has no right to this operation"
	case a.status == 404 && (a.empty || a.body.Kind() == json.Object):
		e.Class, e.Message = pay.ClassNotFound, "provider does not know the payment"
	case a.status == 429:
		e.Class, e.Message = pay.ClassRateLimited, "provider says too many requests"
		e.RetryAfter = a.wait
	case a.status >= 500:
		e.Message = "provider can't say what became of the request"
	default:
		e.Message = "provider answered with an HTTP status that means nothing here"
	}
	e.ProviderCode = strconv.Itoa(a.status)
	return e
}

// registerFailure is failure for register, where a refusal can mean that an earlier
// send of ours has arrived: the document wants the key repeated after a 500 and
// calls it "unique for every request" elsewhere.
func registerFailure(a *answer, r *pay.CreateRequest) *pay.Error {
	e := failure(a)
	resent := a.status == 400 && doubtful(&r.Intent)
	switch {
	case a.status == 404:
		// Register names no payment, so it is the path that is not there.
		e.Class, e.Field, e.Message = pay.ClassConfig, "base_url", "provider has no register call at this address"
	case a.status == 409, a.status == 400 && a.names(errorKey), resent && a.names(errorOrder):
		e.Class, e.Field = pay.ClassDuplicate, ""
		e.Message = "provider has seen the key or the order before"
	case resent && e.Field == "":
		// The first send had the same body; without a field to blame, this may be a
		// complaint about the repeat.
		e.Class, e.Message = pay.ClassProtocol, "provider refused a repeat and does not say why"
	}
	return e
}

// doubtful reports whether an earlier send of an operation may have arrived: the
// host says so, or it knows of a send and nothing of how that went.
func doubtful(i *pay.Intent) bool {
	return i.Earlier.Doubtful() || i.Attempt > 1 && i.Earlier == pay.Evidence{}
}

// declined is the provider's own statement that it did not do what was asked. It
// has no list of reasons.
func declined(a *answer) *pay.Error {
	return &pay.Error{
		Class: pay.ClassDeclined, Reason: pay.DeclinedOther,
		Message: "provider declined", ProviderMessage: a.message(),
	}
}

// protocol is an answer that can't be understood.
func protocol(message string) *pay.Error {
	return &pay.Error{Class: pay.ClassProtocol, Message: message}
}

// integrity is an answer that contradicts what was asked.
func integrity(field, message string) *pay.Error {
	return &pay.Error{Class: pay.ClassIntegrity, Field: field, Message: message}
}

// errors calls f for every field that the error object names, until f returns
// false.
func (a *answer) errors(f func(name, text string) bool) {
	a.body.GetFold(fieldErrors).Each(func(name string, list json.Value) bool {
		text := list.Str() // some frameworks write one text in place of a list
		list.Each(func(_ string, item json.Value) bool {
			text = item.Str()
			return text == ""
		})
		return f(name, text)
	})
}

// names reports whether the error object names a field, given in lower case.
func (a *answer) names(field string) bool {
	found := false
	a.errors(func(name, _ string) bool {
		found = json.EqualFold(strings.TrimPrefix(name, "$."), field)
		return !found
	})
	return found
}

// field returns our name of the first field in the error object that has one.
func (a *answer) field() string {
	field := ""
	a.errors(func(name, _ string) bool {
		field = fieldOf(name)
		return field == ""
	})
	return field
}

// message returns what the provider says for people: the field errors, or the
// message, or the title. The host masks it.
func (a *answer) message() string {
	var parts []string
	a.errors(func(name, text string) bool {
		parts = append(parts, name+": "+text)
		return len(parts) < 8
	})
	text := strings.Join(parts, "; ")
	for _, name := range []string{fieldMessage, fieldTitle} {
		if text == "" {
			text = a.text(name)
		}
	}
	return short(text, 500)
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
