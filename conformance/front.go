package conformance

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
)

// discard is for servers whose clients break connections on purpose.
var discard = log.New(io.Discard, "", 0)

// front is the address at which a life's payhost is reached, whichever process it
// runs in. It keeps the provider's calls, so that they can be made again.
type front struct {
	life *Life
	url  string
	stop func()

	mu      sync.Mutex
	inbound []*Inbound
	dropped bool
}

// Inbound is a call that the provider made to payhost.
type Inbound struct {
	Method string
	URI    string // path and query as they came
	Header http.Header
	Body   []byte
	Status int // what it was answered; 0 if it was kept from payhost
}

func newFront(l *Life) (*front, error) {
	f := &front{life: l}
	var err error
	f.url, f.stop, err = serve(f)
	return f, err
}

func (f *front) close() { f.stop() }

// ServeHTTP gives the call to the process that lives. A dead one answers nothing.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	note := f.note(r)
	p := f.life.process
	if p == nil || p.dead.Load() || note != nil && f.drops() {
		panic(http.ErrAbortHandler)
	}
	answer := &mortalAnswer{ResponseWriter: w, process: p}
	p.api.ServeHTTP(answer, r)
	if p.dead.Load() {
		panic(http.ErrAbortHandler)
	}
	if note != nil {
		f.mu.Lock()
		note.Status = max(answer.status, http.StatusOK)
		f.mu.Unlock()
	}
	_, _ = w.Write(answer.body.Bytes())
}

// note keeps a call of the provider; nil for other calls.
func (f *front) note(r *http.Request) *Inbound {
	if !strings.HasPrefix(r.URL.Path, "/n/") {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.mu.Lock()
	defer f.mu.Unlock()
	note := &Inbound{Method: r.Method, URI: r.RequestURI, Header: r.Header.Clone(), Body: body}
	f.inbound = append(f.inbound, note)
	return note
}

func (f *front) drops() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dropped
}

// Inbound returns the calls that the provider has made, oldest first.
func (l *Life) Inbound() []Inbound {
	l.settle()
	l.front.mu.Lock()
	defer l.front.mu.Unlock()
	list := make([]Inbound, len(l.front.inbound))
	for i, call := range l.front.inbound {
		list[i] = *call
	}
	return list
}

// KeepInbound keeps the provider's calls from payhost, or lets them through again.
// They are noted either way.
func (l *Life) KeepInbound(keep bool) {
	l.front.mu.Lock()
	defer l.front.mu.Unlock()
	l.front.dropped = keep
}

// mortalAnswer is an answer that is only heard if its process lives until it is
// whole.
type mortalAnswer struct {
	http.ResponseWriter
	process *process
	status  int
	body    bytes.Buffer
}

// WriteHeader keeps the status.
func (a *mortalAnswer) WriteHeader(status int) {
	if a.status == 0 && !a.process.dead.Load() {
		a.status = status
		a.ResponseWriter.WriteHeader(status)
	}
}

// Write keeps the body.
func (a *mortalAnswer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}
