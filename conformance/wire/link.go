package wire

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// link is one connection of the host, and the one to the provider behind it.
type link struct {
	wire     *Wire
	near     net.Conn // the host's side
	upstream net.Conn // nil after it broke; then the next request connects anew
	answers  *bufio.Reader
	connect  func(context.Context) (net.Conn, error)
}

// serve passes requests on until either side ends.
func (l *link) serve() {
	defer l.wire.running.Done()
	defer l.close()
	requests := bufio.NewReader(l.near)
	for {
		r, body, err := readRequest(requests)
		if err != nil {
			return
		}
		x, fault := l.wire.begin(r, body)
		goOn := l.pass(r, body, x, fault)
		l.wire.end(x)
		if !goOn {
			return
		}
	}
}

func (l *link) close() {
	l.wire.mu.Lock()
	delete(l.wire.conns, l.near)
	l.wire.mu.Unlock()
	_ = l.near.Close()
	if l.upstream != nil {
		_ = l.upstream.Close()
	}
}

// pass deals with one request, and reports whether the connection may be used on.
func (l *link) pass(r *http.Request, body []byte, x *Exchange, fault *Fault) bool {
	if fault == nil {
		a, err := l.forward(r, body, x)
		return err == nil && l.reply(a, x)
	}
	switch fault.Kind {
	case CutBefore:
		return false
	case KillBefore:
		l.wire.Kill()
		return false
	case Late:
		l.wire.hold(func() { l.deliverLate(r, body, x) })
		l.wait()
		return false
	case TooMany, TooManyWait, Unauthorized, ServerError, BadGateway, Unavailable, HTML, Empty, Huge:
		if fault.After {
			if _, err := l.forward(r, body, x); err != nil {
				return false
			}
		}
		return l.replace(fault.Kind, x)
	}
	a, err := l.forward(r, body, x)
	if err != nil {
		return false
	}
	switch fault.Kind {
	case Slow:
		l.wait()
		return false
	case KillAfter:
		l.wire.Kill()
		return false
	case CutWithin:
		half := a.body[:len(a.body)/2]
		_, _ = l.near.Write(append(a.bytes(len(a.body)+1, false), half...))
		return false
	case Twice:
		if _, err := l.forward(r, body, nil); err != nil {
			return false
		}
		return l.reply(a, x)
	case CutAfter:
		return false
	}
	changed, did := change(fault.Kind, a.body, fault.Words)
	a.body = changed
	l.wire.mu.Lock()
	x.Changed, x.Answer = did, changed
	l.wire.mu.Unlock()
	return l.reply(a, x)
}

// forward lets the provider have a request, and reads its answer. x may be nil.
func (l *link) forward(r *http.Request, body []byte, x *Exchange) (*answer, error) {
	before := l.effects()
	if l.upstream == nil {
		upstream, err := l.connect(context.Background())
		if err != nil {
			return nil, err
		}
		l.upstream, l.answers = upstream, nil
	}
	if l.answers == nil {
		l.answers = bufio.NewReader(l.upstream)
	}
	// What never answers would hold the suite.
	_ = l.upstream.SetDeadline(time.Now().Add(20 * time.Second))
	out := r.Clone(context.Background())
	out.Body, out.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
	out.TransferEncoding = nil
	out.URL.Host, out.URL.Scheme = r.Host, "http"
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = []string{""} // net/http would add its own
	}
	a, last, err := exchange(l.upstream, l.answers, out)
	if err != nil || last {
		_ = l.upstream.Close()
		l.upstream = nil
	}
	l.note(x, a, err, before)
	l.wire.release() // what was held back comes behind this one, and before its answer
	return a, err
}

// note tells the journal what came of a request that was forwarded.
func (l *link) note(x *Exchange, a *answer, err error, before int) {
	if x == nil {
		return
	}
	effects := l.effects() - before
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	x.Forwarded, x.Effects = true, effects
	if err == nil {
		x.Status, x.AnswerHeader, x.Answer = a.status, a.header, a.body
	}
}

func (l *link) effects() int {
	if l.wire.Effects == nil {
		return 0
	}
	return l.wire.Effects()
}

func exchange(upstream net.Conn, answers *bufio.Reader, r *http.Request) (a *answer, last bool, err error) {
	if err := r.Write(upstream); err != nil {
		return nil, true, err
	}
	resp, err := http.ReadResponse(answers, r)
	if err != nil {
		return nil, true, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return nil, true, err
	}
	return &answer{status: resp.StatusCode, header: resp.Header, body: body}, resp.Close, nil
}

// reply gives the host an answer.
func (l *link) reply(a *answer, x *Exchange) bool {
	l.wire.mu.Lock()
	x.Status = a.status
	l.wire.mu.Unlock()
	last := l.wire.mustDial()
	_, err := l.near.Write(append(a.bytes(len(a.body), last), a.body...))
	return err == nil && !last
}

// wait waits until the host has given up.
func (l *link) wait() {
	// The host sends nothing more on a connection whose answer it awaits, so a read ends
	// when it closes.
	_, _ = l.near.Read(make([]byte, 1))
}

// deliverLate lets the provider have a request that nobody waits for any more.
func (l *link) deliverLate(r *http.Request, body []byte, x *Exchange) {
	late := &link{wire: l.wire, connect: l.connect}
	_, _ = late.forward(r, body, x)
	if late.upstream != nil {
		_ = late.upstream.Close()
	}
}

const page = `<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>` +
	`<body><h1>Bad Gateway</h1><p>The server is taking a break.</p></body></html>`

// replace answers in the provider's place.
func (l *link) replace(kind Kind, x *Exchange) bool {
	a := &answer{status: http.StatusOK, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, body: []byte(page)}
	switch kind {
	case TooMany:
		a.status = http.StatusTooManyRequests
	case TooManyWait:
		a.status = http.StatusTooManyRequests
		a.header.Set("Retry-After", "1")
	case Unauthorized:
		a.status, a.header, a.body = http.StatusUnauthorized, http.Header{"Content-Type": {"application/json"}}, []byte(`{}`)
	case ServerError:
		a.status = http.StatusInternalServerError
	case BadGateway:
		a.status = http.StatusBadGateway
	case Unavailable:
		a.status = http.StatusServiceUnavailable
	case Empty:
		a.header, a.body = http.Header{"Content-Type": {"application/json"}}, nil
	case Huge:
		return l.flood(x)
	}
	l.wire.mu.Lock()
	x.Answer = a.body
	l.wire.mu.Unlock()
	return l.reply(a, x)
}

// flood answers more than anybody takes, until the host hangs up.
func (l *link) flood(x *Exchange) bool {
	l.wire.mu.Lock()
	x.Status = http.StatusOK
	l.wire.mu.Unlock()
	const size = 1 << 30
	head := &answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}}
	if _, err := l.near.Write(append(head.bytes(size, true), `{"message":"`...)); err != nil {
		return false
	}
	piece := []byte(strings.Repeat("a", 64<<10))
	for range size / len(piece) {
		if _, err := l.near.Write(piece); err != nil {
			break
		}
	}
	return false
}
