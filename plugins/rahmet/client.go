package rahmet

import (
	"strconv"
	"strings"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// send makes a call with the connection's access token. A refused token is renewed
// once and the call sent once more, never again: what the second answer says, stands.
// A server's error leaves a doubt about a call that writes, whatever its body says, so
// such a call is not sent again.
func send(h *sdk.Host, request *sdk.Request) (*answer, error) {
	a := &answer{} // here, where it need not be allocated
	err := a.exchange(h, request)
	return a, err
}

func (a *answer) exchange(h *sdk.Host, request *sdk.Request) error {
	request.Auth = sdk.OAuth2(tokenProfile, 0)
	response, err := h.Send(request)
	if err != nil {
		return err
	}
	a.parse(response)
	if !a.mayRenew() || request.Effect == sdk.Money && a.status >= 500 {
		return nil
	}
	request.Auth = sdk.OAuth2(tokenProfile, response.TokenGeneration)
	if response, err = h.Send(request); err != nil {
		return err
	}
	a.parse(response)
	return nil
}

// failure says what an answer that is no success means, by the body first and the
// HTTP status second; nil for a success. Texts decide nothing: they differ between
// versions of the provider's own document.
func (a *answer) failure() *pay.Error {
	if a.code == codeOK && a.word != wordError && a.status < 500 && a.status != 429 {
		return nil
	}
	e := &pay.Error{ProviderCode: a.code, ProviderMessage: a.message}
	switch {
	case a.status == 429:
		e.Class, e.Message, e.RetryAfter = pay.ClassRateLimited, "provider says too many requests", a.wait
	case a.refusesToken():
		e.Class, e.Message = pay.ClassAuth, "provider refused a fresh token"
	case a.code == codeWrongClient:
		e.Class, e.Message = pay.ClassAuth, "provider refused the client"
	case a.status >= 500:
		e.Class, e.Message = pay.ClassProtocol, "provider answered "+strconv.Itoa(a.status)
	case a.code == "":
		e.Class, e.Message = pay.ClassProtocol, "answer "+strconv.Itoa(a.status)+" is not the provider's envelope"
	case a.code != codeOK:
		// There is no list of codes, so none proves that nothing happened.
		e.Class, e.Message = pay.ClassProtocol, "provider answered an unknown error code"
	default:
		e.Class, e.Message = pay.ClassProtocol, "answer has the code of a success and the status of an error"
	}
	return e
}

// refused reports whether the provider understood the call and answered it with an
// error code of its own that says nothing about credentials or load.
func (a *answer) refused() bool {
	e := a.failure()
	if e == nil || e.Class != pay.ClassProtocol || a.status >= 500 {
		return false
	}
	return a.code != "" && a.code != codeOK && a.code != codeDenied
}

// mayRenew reports whether the call may succeed with another token. The code that
// is only inferred is worth a try, since no repeat of ours can do harm (a refund has
// its key, an order its id); it is not proof enough to call the answer a refusal.
func (a *answer) mayRenew() bool {
	return a.refusesToken() || a.code == codeDenied && a.status < 500 && a.status != 429
}

// refusesToken reports whether the answer says that the token is not good.
func (a *answer) refusesToken() bool {
	if a.status == 429 {
		return false
	}
	return a.code == codeWrongToken || a.status == 401 && a.code != codeOK && a.code != codeWrongClient
}

// unavailable reports whether the answer is the first form of "no" that availability
// had: an error code in place of a flag.
func (a *answer) unavailable() bool {
	return a.code == codeUnavailable && a.status < 500 && a.status != 429
}

// wrongField is the error of an answer whose field is missing or of another type.
func wrongField(name string) *pay.Error {
	return &pay.Error{Class: pay.ClassProtocol, Message: "answer has no usable " + name}
}

func invalid(field, message string) *pay.Error {
	return &pay.Error{Class: pay.ClassInvalidRequest, Field: field, Message: message}
}

// short cuts a text of the provider to what an error should carry.
func short(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}
