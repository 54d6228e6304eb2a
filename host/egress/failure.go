package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// failure is what went wrong in one attempt: a kind and a sentence that is safe to show.
type failure struct {
	kind   Kind
	reason string
}

// Error makes a failure an error, so that it can pass through net/http.
func (f *failure) Error() string { return string(f.kind) + ": " + f.reason }

// dialError tells why DNS or TCP failed. What the system says holds addresses, so only its class is kept.
func dialError(err error) error {
	var dns *net.DNSError
	switch {
	case errors.Is(err, errAddress):
		return &failure{Refused, errAddress.Error()}
	case errors.As(err, &dns) && dns.IsNotFound:
		return &failure{DNS, "the host's name does not exist"}
	case errors.As(err, &dns):
		return &failure{DNS, "the host's name was not resolved"}
	case timedOut(err):
		return &failure{Connect, "connecting took too long"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &failure{Connect, "the connection was refused by the host"}
	}
	return &failure{Connect, "the host can't be reached"}
}

// handshakeError tells why TLS failed. Nothing of the request was written by then.
func handshakeError(err error) error {
	var (
		record    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &hostname):
		return &failure{TLS, "the server's certificate is for another host"}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return &failure{TLS, "the server's certificate is expired or not yet valid"}
	case errors.As(err, &authority):
		return &failure{TLS, "the server's certificate is not from a trusted authority"}
	case errors.As(err, &invalid):
		return &failure{TLS, "the server's certificate is not valid"}
	case alert(err) != "":
		return &failure{TLS, "the server refused the handshake: " + alert(err)}
	case errors.As(err, &record):
		return &failure{TLS, "the server does not speak TLS"}
	case timedOut(err):
		return &failure{Connect, "the TLS handshake took too long"}
	case broken(err):
		return &failure{Connect, "the connection broke during the TLS handshake"}
	}
	return &failure{TLS, "the TLS handshake failed"}
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.As(err, &timeout) && timeout.Timeout()
}

// alert returns the words of the TLS alert that the server sent; empty if it sent none. They are crypto/tls's
// own.
func alert(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return strings.TrimPrefix(op.Err.Error(), "tls: ")
	}
	return ""
}

// desync is the failure of a request whose connection held leftovers of the answer before.
func desync() *failure {
	return &failure{Reset, "the provider sent more than the answer before had announced"}
}

// broken reports an error of the connection rather than of what came over it.
func broken(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &op)
}

// sendFailure tells why no head of an answer came. ctx is the call's.
func sendFailure(ctx context.Context, a *attempt, headerBytes int, err error) *failure {
	var known *failure
	if ctx.Err() != nil {
		e := ended(ctx)
		return &failure{e.Kind, e.Reason}
	}
	in := a.soFar().BytesIn
	switch {
	case errors.Is(err, errClosed):
		return &failure{Closed, "the client was closed"}
	case errors.As(err, &known):
		return known
	case errors.Is(err, errDesync):
		return desync()
	case alert(err) != "":
		// With TLS 1.3 a server judges the client's certificate after the client may have sent its request.
		return &failure{TLS, "the server ended TLS: " + alert(err)}
	case in >= int64(headerBytes):
		return &failure{TooLarge, "the head of the answer is above the limit"}
	case in == 0:
		return &failure{Reset, "the connection was closed before an answer began"}
	case a.lost():
		return &failure{Truncated, "the connection was closed within the head of the answer"}
	}
	return &failure{Malformed, "what came back is not an HTTP answer"}
}

// bodyFailure tells why the body of an answer was not read to its end.
func bodyFailure(ctx context.Context, err error) *failure {
	switch {
	case ctx.Err() != nil:
		e := ended(ctx)
		return &failure{e.Kind, e.Reason}
	case broken(err):
		return &failure{Truncated, "the connection was closed within the body of the answer"}
	}
	return &failure{Malformed, "the body of the answer is not framed as HTTP wants it"}
}
