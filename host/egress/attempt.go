package egress

import (
	"context"
	"errors"
	"net/http/httptrace"
	"net/netip"
	"sync"
	"time"
)

// The reasons for which a connection refuses to write for an attempt. Each of them means that the bytes did
// not leave.
var (
	errResend  = errors.New("the attempt already had a connection")
	errDesync  = errors.New("an answer came before the request")
	errSettled = errors.New("the attempt has ended")
)

// attempt is one send while it runs. Connections ask it before every write and tell it of every read, on
// net/http's goroutines; that makes its record the truth about the wire rather than a reading of net/http's
// errors.
type attempt struct {
	now func() time.Time

	mu     sync.Mutex
	record Attempt
	asked  int   // how often net/http asked for a connection
	conn   *conn // the only one that may write
	sealed error // not nil: no byte may leave any more, and why
	broken bool  // the connection gave an error while an answer was awaited
}

func newAttempt(now func() time.Time) *attempt {
	return &attempt{now: now, record: Attempt{Began: now(), Evidence: NotSent}}
}

// trace returns the hooks by which net/http tells what it does. cancel ends the attempt's context.
func (a *attempt) trace(cancel context.CancelCauseFunc) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) {
			// The second time is net/http's silent resend. The gate in bind and admit holds without this; but
			// net/http would go on, and break the kept connections one after another.
			if !a.mayConnect() {
				cancel(errResend)
			}
		},
		GotConn: func(info httptrace.GotConnInfo) {
			if c, ok := info.Conn.(*conn); ok {
				a.bind(c, info.Reused)
			}
		},
		GotFirstResponseByte: a.firstByte,
	}
}

// mayConnect reports whether this is the first time that a connection is asked for.
func (a *attempt) mayConnect() bool {
	a.mu.Lock()
	a.asked++
	first := a.asked == 1
	a.mu.Unlock()
	if !first {
		a.seal(errResend)
	}
	return first
}

// bind gives the attempt its connection. A second one gets the attempt too, sealed, so that it writes
// nothing.
func (a *attempt) bind(c *conn, reused bool) {
	c.serve(a)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn != nil {
		if a.sealed == nil {
			a.sealed = errResend
		}
		return
	}
	a.conn = c
	a.record.Phase = Connected
	a.record.Connected = a.now().Sub(a.record.Began)
	a.record.Reused = reused
	if remote, err := netip.ParseAddrPort(c.RemoteAddr().String()); err == nil {
		a.record.Remote = remote
	}
}

// admit asks whether the connection may write n bytes for the attempt. From a yes on they count as having
// left: the answer may come back before the write returns.
func (a *attempt) admit(c *conn, n int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sealed != nil {
		return a.sealed
	}
	if a.conn != c {
		return errResend
	}
	if a.record.Phase < BytesOut {
		a.record.Phase = BytesOut
		a.record.FirstOut = a.now().Sub(a.record.Began)
		a.record.Evidence = Unknown
	}
	a.record.BytesOut += int64(n)
	return nil
}

// refund takes back the count of bytes that the connection did not take. The evidence stays: nobody knows
// what a write that failed has done.
func (a *attempt) refund(n int) {
	a.mu.Lock()
	a.record.BytesOut -= int64(n)
	a.mu.Unlock()
}

// received counts bytes of the answer, and notes the error with which they end. It reports false if nobody
// awaits an answer: the request has not begun to leave, or the attempt has ended.
func (a *attempt) received(n int, err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sealed != nil || a.record.Phase < BytesOut {
		return false
	}
	a.record.BytesIn += int64(n)
	a.broken = a.broken || err != nil
	return true
}

// firstByte is told when net/http begins to read an answer to this request. If nothing was sent yet, what it
// reads are the leftovers of the answer before, and they must not pass for ours.
func (a *attempt) firstByte() {
	if !a.begun() {
		a.seal(errDesync)
	}
}

// begun reports whether the attempt was let write, or never will be.
func (a *attempt) begun() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.record.Phase >= BytesOut || a.sealed != nil
}

// seal ends writing for good. The first reason stays.
func (a *attempt) seal(reason error) {
	a.mu.Lock()
	if a.sealed == nil {
		a.sealed = reason
	}
	c := a.conn
	a.mu.Unlock()
	if c != nil {
		c.wake()
	}
}

// soFar returns the record as it stands.
func (a *attempt) soFar() Attempt {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.record
}

// lost reports whether the connection broke while an answer was awaited.
func (a *attempt) lost() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.broken
}

// reach notes a phase of reading the answer.
func (a *attempt) reach(p Phase) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.record.Phase = max(a.record.Phase, p)
	if p == Head {
		a.record.HeadRead = a.now().Sub(a.record.Began)
	}
}

// end seals the attempt and returns its record. kind is empty if the whole answer was read.
func (a *attempt) end(kind Kind) Attempt {
	a.seal(errSettled)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.record.Failure = kind
	a.record.Ended = a.now().Sub(a.record.Began)
	if a.record.Phase == Done {
		a.record.Evidence = Answered
	}
	return a.record
}
