package wire

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Exchange is one request and what came of it.
type Exchange struct {
	Number int
	At     time.Time
	Ended  time.Time
	Step   string // what the merchant was at
	Method string // empty for a connection that was refused
	Path   string
	Query  string
	Header http.Header
	Body   []byte

	Fault     Kind // what happened to it; empty for nothing
	Forwarded bool // the provider had it
	Effects   int  // how many effects it had there
	Changed   bool // the answer was another than the provider's

	Status       int // as the host got it, or as the provider gave it if the host got none
	AnswerHeader http.Header
	Answer       []byte // likewise
}

// Journal returns what passed so far, oldest first.
func (w *Wire) Journal() []Exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]Exchange, len(w.journal))
	for i, x := range w.journal {
		list[i] = *x
	}
	return list
}

// String is the exchange in a line, without bodies and secrets:
// "3 POST /v1/refunds -> 200, 1 effect; cut_after".
func (x *Exchange) String() string {
	text := fmt.Sprintf("%d %s %s", x.Number, x.Method, x.Path)
	if x.Method == "" {
		text = fmt.Sprintf("%d (connection)", x.Number)
	}
	switch {
	case x.Status > 0:
		text += fmt.Sprintf(" -> %d", x.Status)
	case !x.Forwarded:
		text += " -> did not reach the provider"
	default:
		text += " -> no answer"
	}
	if x.Effects > 0 {
		text += fmt.Sprintf(", %d effect(s)", x.Effects)
	}
	if x.Fault != "" {
		text += "; fault: " + string(x.Fault)
	}
	return text
}

// Said reports whether a text stands in what the host sent: in the path, the query,
// a header's value or the body.
func (x *Exchange) Said(text string) bool {
	if strings.Contains(x.Path, text) || strings.Contains(x.Query, text) || strings.Contains(string(x.Body), text) {
		return true
	}
	for _, values := range x.Header {
		if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, text) }) {
			return true
		}
	}
	return false
}
