package egress

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// read takes the token out of an answer.
func (p *profile) read(resp *Response) (string, time.Duration, *Error) {
	var answer any
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(resp.Body, []byte("\ufeff"))))
	decoder.UseNumber()
	invalid := decoder.Decode(&answer) != nil

	code := text(at(answer, p.ErrorPath))
	told := "http_" + strconv.Itoa(resp.Status)
	switch {
	case code != "" && code != p.ErrorOK && resp.Status < http.StatusInternalServerError:
		return "", 0, clientRefused(safeCode(code), "the token endpoint refused the client")
	case slices.Contains(refusals, resp.Status):
		return "", 0, clientRefused(told, "the token endpoint answered "+strconv.Itoa(resp.Status))
	case resp.Status/100 != 2:
		return "", 0, noToken(told, "the token endpoint answered "+strconv.Itoa(resp.Status))
	case invalid:
		return "", 0, noToken("", "the token endpoint's answer is not JSON")
	}
	token, _ := at(answer, p.TokenPath).(string)
	if !validToken68(token) {
		return "", 0, noToken("", "the token endpoint's answer has no usable token at "+p.TokenPath)
	}
	if kind := text(at(answer, p.TypePath)); kind != "" && !strings.EqualFold(kind, "Bearer") {
		return "", 0, noToken("", "the token endpoint gave a token that is not a bearer token")
	}
	lifetime := p.DefaultLifetime
	if seconds, err := strconv.ParseUint(text(at(answer, p.ExpiresPath)), 10, 63); err == nil && seconds > 0 {
		lifetime = time.Duration(min(seconds, uint64(maxLifetime/time.Second))) * time.Second
	}
	return token, lifetime, nil
}

// at follows a dotted path; nil if it leads nowhere.
func at(value any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

// text returns a JSON string or number as it was written; empty for anything else.
func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// safeCode returns the code if it looks like one. Free text could hold anything.
func safeCode(code string) string {
	if len(code) > 64 || !validToken68(code) {
		return ""
	}
	return code
}

// validToken68 reports whether the text may follow "Bearer " (RFC 9110, token68, and ":" for the codes'
// sake).
func validToken68(text string) bool {
	for i := range len(text) {
		c := text[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("-._~+/=:", c) < 0 {
			return false
		}
	}
	return text != ""
}

// refusals are the statuses by which a token endpoint says that it does not know the client (RFC 6749,
// section 5.2, and what is used in its place).
var refusals = []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden}

// clientRefused makes the error of a call whose client is refused: only a person can mend that.
func clientRefused(code, reason string) *Error {
	return &Error{Kind: AuthFailed, Evidence: NotSent, Reason: reason, Code: code}
}

// noToken makes the error of a call for which there was no token this time.
func noToken(code, reason string) *Error {
	return &Error{Kind: NoToken, Evidence: NotSent, Reason: reason, Code: code}
}
