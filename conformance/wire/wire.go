package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxBody bounds a request or an answer that is read, in bytes.
const maxBody = 16 << 20

// Wire is one connection's way to its provider. It is safe for concurrent use; use
// it with [Wire.Dial]. Close it when done.
type Wire struct {
	mu      sync.Mutex
	faults  []*armed
	journal []*Exchange
	number  int
	held    []func() // requests that are late
	down    bool     // the process is dead: nothing passes
	conns   map[net.Conn]struct{}
	closed  bool
	running sync.WaitGroup

	// Kill is called for the faults that kill the process; it must not return before
	// nothing the process does has an effect any more.
	Kill func()
	// Now is the clock of the journal; nil for time.Now.
	Now func() time.Time
	// Effects, if not nil, counts the provider's effects, so that the journal tells
	// which request had one.
	Effects func() int
	// Step, if not nil, says what the merchant is at, for the journal.
	Step func() string
}

// armed is a fault that may still happen.
type armed struct {
	Fault
	seen int // requests at its site
	hits int
	last string // method and path of what it last hit
	done bool
	over time.Time // when it ends; zero for never, or before it has begun
}

// Arm lets a fault happen.
func (w *Wire) Arm(f Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, &armed{Fault: f})
}

// Disarm takes every fault away and delivers what was held back.
func (w *Wire) Disarm() {
	w.mu.Lock()
	w.faults = nil
	held := w.held
	w.held = nil
	w.mu.Unlock()
	for _, deliver := range held {
		deliver()
	}
}

// Hits returns how many requests a fault happened to.
func (w *Wire) Hits() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, x := range w.journal {
		if x.Fault != "" {
			n++
		}
	}
	return n
}

// Number returns how many requests there were.
func (w *Wire) Number() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.number
}

// Down cuts every connection and lets none be made, until Up: the process that they
// are of is dead.
func (w *Wire) Down() {
	w.mu.Lock()
	w.down = true
	open := make([]net.Conn, 0, len(w.conns))
	for c := range w.conns {
		open = append(open, c)
	}
	w.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
}

// Up lets connections be made again.
func (w *Wire) Up() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = false
}

// Close cuts every connection and waits for what runs.
func (w *Wire) Close() {
	w.mu.Lock()
	w.closed = true
	w.held = nil
	w.mu.Unlock()
	w.Down()
	w.running.Wait()
}

var errRefused = errors.New("the wire refuses the connection")

// Dial is an egress.Wire.
func (w *Wire) Dial(ctx context.Context, _ string, connect func(context.Context) (net.Conn, error)) (net.Conn, error) {
	if x, refused := w.refuse(); refused {
		w.end(x)
		return nil, errRefused
	}
	upstream, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down || w.closed {
		_, _, _ = near.Close(), far.Close(), upstream.Close()
		return nil, errRefused
	}
	if w.conns == nil {
		w.conns = map[net.Conn]struct{}{}
	}
	w.conns[far] = struct{}{}
	w.running.Add(1)
	l := &link{wire: w, near: far, upstream: upstream, connect: connect}
	go l.serve()
	return &placed{Conn: near, remote: upstream.RemoteAddr()}, nil
}

// placed is a pipe with the address of the connection behind it.
type placed struct {
	net.Conn
	remote net.Addr
}

func (p *placed) RemoteAddr() net.Addr { return p.remote }

// refuse reports whether the connection that the next request wants is refused. It
// counts as that request.
func (w *Wire) refuse() (*Exchange, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down || w.closed {
		return nil, true
	}
	for _, f := range w.faults {
		if f.Kind == Refuse && f.due(w.now(), w.number+1, nil) {
			w.hit(f, "", "")
			w.number++
			return w.note(&Exchange{Fault: f.Kind}), true
		}
	}
	return nil, false
}

// begin numbers a request and says what happens to it.
func (w *Wire) begin(r *http.Request, body []byte) (*Exchange, *Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.number++
	x := w.note(&Exchange{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header.Clone(), Body: body,
	})
	var first *Fault
	for _, f := range w.faults {
		number := f.count(w.number, x)
		if first == nil && f.Kind != Refuse && f.due(w.now(), number, x) {
			w.hit(f, r.Method, r.URL.Path)
			x.Fault = f.Kind
			fault := f.Fault
			first = &fault
		}
	}
	return x, first
}

// note puts an exchange into the journal. The caller holds the lock.
func (w *Wire) note(x *Exchange) *Exchange {
	x.Number, x.At = w.number, w.now()
	if w.Step != nil {
		x.Step = w.Step()
	}
	w.journal = append(w.journal, x)
	return x
}

func (w *Wire) now() time.Time {
	if w.Now == nil {
		return time.Now()
	}
	return w.Now()
}

// end notes that an exchange is over.
func (w *Wire) end(x *Exchange) {
	if x == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	x.Ended = w.now()
}

// mustDial reports whether the next request must come over a connection of its own,
// since it is to be refused.
func (w *Wire) mustDial() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.faults {
		if f.Kind == Refuse && f.due(w.now(), w.number+1, nil) {
			return true
		}
	}
	return false
}

// hold keeps a request back until another was delivered.
func (w *Wire) hold(deliver func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.held = append(w.held, deliver)
	}
}

// release delivers what was held back before this request.
func (w *Wire) release() {
	w.mu.Lock()
	held := w.held
	w.held = nil
	w.mu.Unlock()
	for _, deliver := range held {
		deliver()
	}
}

// count returns a request's number, as the fault counts.
func (f *armed) count(number int, x *Exchange) int {
	if f.Site == nil {
		return number
	}
	if f.Site.Method != x.Method || f.Site.Step != x.Step || !f.Site.has(x.Path) {
		return 0
	}
	f.seen++
	return f.seen
}

// has reports whether a path is the site's.
func (s *Site) has(path string) bool {
	want, have := strings.Split(s.Path, "/"), strings.Split(path, "/")
	return slices.EqualFunc(want, have, func(want, have string) bool { return want == "*" || want == have })
}

// due reports whether the fault happens to a request with a number. One that is about
// to be made is nil: its method and path are not known yet.
func (f *armed) due(now time.Time, number int, x *Exchange) bool {
	switch {
	case f.done, !f.over.IsZero() && !now.Before(f.over):
		return false
	case x != nil && f.Path != "" && !matches(f.Path, x.Path):
		return false
	case f.At == 0:
		return true
	case f.hits == 0:
		return number == f.At
	case f.Kind == Refuse:
		return f.hits <= f.Again
	}
	if f.hits > f.Again || f.last != x.Method+" "+x.Path {
		f.done = true
		return false
	}
	return true
}

// hit notes that a fault happens, and arms what follows it. The caller holds the lock.
func (w *Wire) hit(f *armed, method, path string) {
	f.hits++
	if f.For > 0 && f.over.IsZero() {
		f.over = w.now().Add(f.For)
	}
	f.last = method + " " + path
	f.done = f.At != 0 && f.hits > f.Again
	if f.Then != nil && f.hits == 1 {
		w.faults = append(w.faults, &armed{Fault: *f.Then})
	}
}

func matches(pattern, path string) bool {
	if beginning, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(path, beginning)
	}
	return pattern == path
}

func (f Fault) describe() string {
	text := string(f.Kind)
	if f.After {
		text += " after the effect"
	}
	switch {
	case f.At > 0 && f.Site != nil:
		text += fmt.Sprintf(" at request %d of %s %s", f.At, f.Site.Method, f.Site.Path)
	case f.At > 0:
		text += fmt.Sprintf(" at request %d", f.At)
	case f.Path != "":
		text += " at every " + f.Path
	}
	if f.For > 0 {
		text += " for " + f.For.String()
	}
	if f.Again > 0 {
		text += fmt.Sprintf(" and %d repeats", f.Again)
	}
	if f.Then != nil {
		text += ", then " + f.Then.describe()
	}
	return text
}

// readRequest reads a request whole.
func readRequest(from *bufio.Reader) (*http.Request, []byte, error) {
	r, err := http.ReadRequest(from)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	_ = r.Body.Close()
	return r, body, err
}

// answer is an answer read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// bytes writes the answer as it goes over the wire. length is what it announces.
func (a *answer) bytes(length int, last bool) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
	header := a.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Connection"} {
		header.Del(name)
	}
	_ = header.Write(&b)
	if last {
		b.WriteString("Connection: close\r\n")
	}
	if bodyAllowed(a.status) {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", length)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
