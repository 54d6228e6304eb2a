package scenario

import (
	"net/http"
	"slices"
	"strings"
)

// answer is a status, headers and a body.
type answer struct {
	status  int
	headers []header
	body    render
}

type header struct {
	name  string
	value *expr
}

// reply is an answer that was written.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// The answers that the simulator gives by itself, if the file has them.
const (
	badRequest = "bad_request"
	noSuchCall = "no_such_call"
)

func (f *file) readAnswers(p place) {
	f.answers = map[string]place{}
	f.used = map[string]bool{}
	if !p.given() {
		return
	}
	for _, e := range p.entries() {
		if e.place.name(e.name) {
			f.answers[e.name] = e.place
		}
	}
}

// compileOwn compiles the answers that no call names.
func (f *file) compileOwn(root place) {
	s := &scope{file: f, call: &call{untyped: true}}
	if at, ok := f.answers[noSuchCall]; ok {
		f.used[noSuchCall] = true
		f.noSuchCall = s.answer(at)
	}
	s.refusing = true
	at, ok := f.answers[badRequest]
	if ok {
		f.used[badRequest] = true
		f.badRequest = s.answer(at)
	}
	if !ok && slices.ContainsFunc(f.calls, func(c *call) bool { return c.body || len(c.fields) > 0 }) {
		root.bad("answers must have %s, for a request that is not as the call wants it", badRequest)
	}
}

// unused refuses an answer that nothing gives: its mistakes would never be seen.
func (f *file) unused() {
	for name, at := range f.answers {
		if !f.used[name] {
			at.bad("nothing gives this answer")
		}
	}
}

// answer compiles an answer: the name of one, or the answer itself.
func (s *scope) answer(p place) *answer {
	for range s.answers {
		if !p.isScalar("!!str") {
			break
		}
		named, ok := s.answers[p.node.Value]
		if !ok {
			p.bad("there is no answer %q", p.node.Value)
			return nil
		}
		s.used[p.node.Value] = true
		p = named
	}
	fields := p.fields("status", "headers", "json", "text")
	a := &answer{status: http.StatusOK}
	if status := fields["status"]; status.given() {
		n := status.integer()
		if n < 200 || n > 599 {
			status.bad("%d is not from 200 to 599", n)
		}
		a.status = int(n)
	}
	var kind string
	a.body, kind = s.content(fields)
	a.headers = s.headers(fields["headers"], kind)
	return a
}

// content compiles a body, which is JSON or text, and says which.
func (s *scope) content(fields map[string]place) (body render, kind string) {
	body = func(out []byte, _ *env) ([]byte, bool) { return out, true }
	jsonBody, text := fields["json"], fields["text"]
	switch {
	case jsonBody.given() && text.given():
		text.bad("a body is json or text, not both")
	case jsonBody.given():
		return s.tree(jsonBody), "application/json; charset=utf-8"
	case text.given():
		e := s.words(text)
		body = func(out []byte, v *env) ([]byte, bool) { return append(out, e.eval(v).(string)...), true }
		return body, "text/plain; charset=utf-8"
	}
	return body, ""
}

// headers compiles headers; kind is the Content-Type if they have none.
func (s *scope) headers(p place, kind string) []header {
	var all []header
	if p.given() {
		for _, e := range p.entries() {
			if !e.place.name(e.name) || slices.Contains(framing[:], http.CanonicalHeaderKey(e.name)) {
				e.bad("is no header of a message's own")
			}
			all = append(all, header{e.name, s.words(e.place)})
		}
	}
	has := func(h header) bool { return strings.EqualFold(h.name, "Content-Type") }
	if kind != "" && !slices.ContainsFunc(all, has) {
		all = append(all, header{"Content-Type", constant(kind, textKind)})
	}
	return all
}

// framing are the headers that the server writes.
var framing = [...]string{"Content-Length", "Transfer-Encoding", "Connection"}

// write renders an answer.
func (a *answer) write(e *env) reply {
	body, _ := a.body(nil, e)
	return reply{a.status, writeHeaders(a.headers, e), body}
}

func writeHeaders(headers []header, e *env) http.Header {
	out := http.Header{}
	for _, h := range headers {
		// A line break would end the header.
		value := strings.NewReplacer("\r", " ", "\n", " ").Replace(h.value.eval(e).(string))
		out.Set(h.name, value)
	}
	return out
}
