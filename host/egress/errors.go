package egress

import (
	"context"
	"errors"
	"fmt"
)

// Kind is the class of an [Error].
type Kind string

// The kinds of errors. A kind tells of the last attempt; the evidence is of the whole call, so also an error
// that means "not sent" may come with Unknown, after an attempt that was lost.
const (
	// Refused: the policy forbids the request, or the address it led to. Not sent.
	Refused Kind = "refused"
	// DNS: the host's name was not resolved. Not sent.
	DNS Kind = "dns"
	// Connect: no connection was made, or it broke before it was ready. Not sent.
	Connect Kind = "connect"
	// TLS: the two sides did not agree, or one did not accept the other's certificate. Not sent, but for a
	// server that refuses the client's certificate by TLS 1.3: it may do so after the request left.
	TLS Kind = "tls"
	// Timeout: the call's time ran out. Matches context.DeadlineExceeded.
	Timeout Kind = "timeout"
	// Canceled: the caller gave up. Matches context.Canceled.
	Canceled Kind = "canceled"
	// Reset: the connection broke, or was closed by the provider, before an answer began.
	Reset Kind = "reset"
	// Truncated: the answer began and did not end.
	Truncated Kind = "truncated"
	// TooLarge: the answer is above a limit, before or after decompression.
	TooLarge Kind = "too_large"
	// Malformed: what came back is not an HTTP answer, or its content coding does not decode.
	Malformed Kind = "malformed"
	// Reflected: the answer holds a secret, so it is withheld. The evidence is as without that.
	Reflected Kind = "reflected"
	// AuthFailed: the token endpoint refused the client's credentials. Not sent.
	AuthFailed Kind = "auth_failed"
	// NoToken: there was no access token to be had, for the token endpoint could not be reached, or answered
	// nothing that can be used. Not sent.
	NoToken Kind = "no_token"
	// Closed: the Client is closed, or was closed during the call.
	Closed Kind = "closed"
)

// Error is the error of [Client.Do]. Its text is safe to show to a plugin: it holds no secret, no file path
// and no address, only the names that the plugin gave itself and sentences from this package.
type Error struct {
	Kind     Kind
	Evidence Evidence // of the whole call, all attempts taken together
	Reason   string   // one sentence; no full stop
	Code     string   // AuthFailed, NoToken: the token endpoint's code, up to 64 of [A-Za-z0-9._~+/=:-], or empty
}

// Error returns the kind and the reason.
func (e *Error) Error() string { return string(e.Kind) + ": " + e.Reason }

// Is reports a match with context.DeadlineExceeded for Timeout and with context.Canceled for Canceled.
func (e *Error) Is(target error) bool {
	switch target {
	case context.DeadlineExceeded:
		return e.Kind == Timeout
	case context.Canceled:
		return e.Kind == Canceled
	}
	return false
}

// refuse makes the error of a request that the policy forbids.
func refuse(format string, args ...any) *Error {
	return &Error{Kind: Refused, Evidence: NotSent, Reason: fmt.Sprintf(format, args...)}
}

// errClosed is the cause with which a closing Client cancels what is under way.
var errClosed = errors.New("client closed")

// ended makes the error of a context that is done. The evidence is the caller's to set.
func ended(ctx context.Context) *Error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errClosed):
		return &Error{Kind: Closed, Evidence: NotSent, Reason: "the client was closed"}
	case errors.Is(cause, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &Error{Kind: Timeout, Evidence: NotSent, Reason: "the time for the call ran out"}
	}
	return &Error{Kind: Canceled, Evidence: NotSent, Reason: "the call was canceled"}
}
