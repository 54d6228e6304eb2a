package egress

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Evidence is what the wire says about a request. The order of caution is Unknown, Answered, NotSent; the
// zero Evidence is the most cautious one.
type Evidence uint8

// The evidence of an attempt or of a whole call.
const (
	Unknown  Evidence = iota // bytes left, and no whole answer came back
	NotSent                  // no byte of the request was handed to any connection
	Answered                 // a whole answer came back
)

// String returns "unknown", "not_sent" or "answered".
func (e Evidence) String() string {
	switch e {
	case NotSent:
		return "not_sent"
	case Answered:
		return "answered"
	}
	return "unknown"
}

// Phase is how far an attempt came.
type Phase uint8

// The phases, in order.
const (
	Prepared  Phase = iota // nothing done yet
	Connected              // a connection was given to the attempt
	BytesOut               // the connection was handed bytes of the request
	Head                   // the head of the answer was read
	Body                   // some of the answer's body was read
	Done                   // the answer was read to its end and decoded
)

// String returns the phase's name in lower case: "prepared", "connected", "bytes_out", "head", "body",
// "done".
func (p Phase) String() string {
	return [...]string{"prepared", "connected", "bytes_out", "head", "body", "done"}[min(p, Done)]
}

// Exchange is the journal of one Do. It holds no secret: no header, no body, no query value.
type Exchange struct {
	Method string // empty, like URL, if the request broke the policy: then neither is worth repeating
	URL    string // masked: the values of the query are cut out
	Effect Effect

	Attempts []Attempt // in order; none if the request was refused, or ended while it waited
	// Evidence is of all attempts taken together. For a money request it is Unknown also where the last
	// attempt was answered, if an earlier one may have had an effect and the answer doesn't settle that:
	// after a lost answer, a 429 to the repeat says nothing of the first send, and even a 409 may mean that
	// the first one counted. Only a 2xx settles.
	Evidence Evidence
	Status   int // of the last attempt's answer; 0 if there was none

	Began time.Time
	Took  time.Duration
	// Token is the journal of the token request that this call waited for; nil if there was none. Calls that
	// waited together share it: it must not be changed.
	Token *Exchange
}

// Attempt is the journal of one send.
type Attempt struct {
	Phase    Phase
	Evidence Evidence
	Failure  Kind // why there is no whole answer; empty if there is one
	Status   int  // of the answer's head; 0 if none was read

	Remote   netip.AddrPort // the address connected to, for the host's own log
	Reused   bool           // the connection had carried an earlier request
	BytesOut int64          // bytes of the request handed to the connection, before TLS
	BytesIn  int64          // bytes of the answer that the connection gave, after TLS
	// Unframed: nothing but the end of the connection marked the end of the body, so that a cut body cannot
	// be told from a whole one. HTTP/1.0 servers answer so.
	Unframed bool

	Began     time.Time     // all that follow are counted from here
	Connected time.Duration // 0 if that was not reached; likewise below
	FirstOut  time.Duration // the first byte was handed over
	HeadRead  time.Duration
	Ended     time.Duration
}

// String returns one line for a log or a timeline, without secrets:
// "POST https://pay.example/v1/orders?id=… -> 200 answered in 41ms (1 attempt, 612 bytes out, 230 in)".
func (x *Exchange) String() string {
	var out, in int64
	failure := Kind("no answer")
	for _, a := range x.Attempts {
		out, in = out+a.BytesOut, in+a.BytesIn
		if a.Failure != "" {
			failure = a.Failure
		}
	}
	result := string(failure)
	if x.Status != 0 {
		result = fmt.Sprint(x.Status)
	}
	if x.URL == "" {
		return "refused request: " + x.Evidence.String()
	}
	plural := "s"
	if len(x.Attempts) == 1 {
		plural = ""
	}
	return fmt.Sprintf("%s %s -> %s %s in %dms (%d attempt%s, %d bytes out, %d in)", x.Method, x.URL, result,
		x.Evidence, x.Took.Milliseconds(), len(x.Attempts), plural, out, in)
}

// conclude sets the evidence of the whole from its attempts.
func (x *Exchange) conclude() {
	x.Evidence = NotSent
	if len(x.Attempts) == 0 {
		return
	}
	last := x.Attempts[len(x.Attempts)-1]
	x.Evidence = last.Evidence
	if last.Evidence == Answered {
		x.Status = last.Status
	}
	if x.Effect != Money && last.Evidence == Answered {
		return // nothing is at stake
	}
	settled := last.Evidence == Answered && last.Status/100 == 2
	for _, earlier := range x.Attempts[:len(x.Attempts)-1] {
		if !settled && earlier.doubtful() {
			x.Evidence = Unknown
		}
	}
}

// doubtful reports whether the attempt may have had an effect that its answer, if any, does not tell.
func (a Attempt) doubtful() bool {
	return a.Evidence == Unknown || a.Evidence == Answered && a.Status >= http.StatusInternalServerError
}

// MaskURL returns a URL as an Exchange holds it, with the values of its query cut out; empty if raw is none.
func MaskURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	return maskURL(u)
}

// maskURL returns the URL with the values of its query cut out.
func maskURL(u *url.URL) string {
	masked := u.Scheme + "://" + u.Host + u.EscapedPath()
	if u.RawQuery == "" {
		return masked
	}
	parts := strings.Split(u.RawQuery, "&")
	for i, part := range parts {
		if name, _, ok := strings.Cut(part, "="); ok {
			parts[i] = name + "=…"
		} else {
			parts[i] = "…" // a lone word may be the value itself
		}
	}
	return masked + "?" + strings.Join(parts, "&")
}
