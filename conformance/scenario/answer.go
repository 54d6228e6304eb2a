package scenario

import (
	"net/http"
	"slices"
	"strings"

	"github.com/payhost/payhost/host/vault"
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
	s.refusal = true
	at, ok := f.answers[badRequest]
	if ok {
		f.used[badRequest] = true
		f.badRequest = s.answer(at)
	}
	if !ok && slices.ContainsFunc(f.calls, func(c *call) bool { return c.body }) {
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

// answer compiles an answer: a name of one, or the answer itself.
func (s *scope) answer(p place) *answer {
	if p.isScalar("!!str") {
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
	a.headers, a.body = s.message(fields)
	return a
}

// message compiles headers and a body, which is JSON or text.
func (s *scope) message(fields map[string]place) (headers []header, body render) {
	body = func(out []byte, _ *env) ([]byte, bool) { return out, true }
	kind := ""
	jsonBody, text := fields["json"], fields["text"]
	switch {
	case jsonBody.given() && text.given():
		text.bad("a body is json or text, not both")
	case jsonBody.given():
		body, kind = s.tree(jsonBody), "application/json; charset=utf-8"
	case text.given():
		e := s.words(text)
		kind = "text/plain; charset=utf-8"
		body = func(out []byte, v *env) ([]byte, bool) { return append(out, e.eval(v).(string)...), true }
	}
	if all := fields["headers"]; all.given() {
		for _, e := range all.entries() {
			if !e.place.name(e.name) || slices.Contains(framing[:], http.CanonicalHeaderKey(e.name)) {
				e.bad("is no header of an answer's own")
			}
			headers = append(headers, header{e.name, s.words(e.place)})
		}
	}
	has := func(h header) bool { return strings.EqualFold(h.name, "Content-Type") }
	if kind != "" && !slices.ContainsFunc(headers, has) {
		headers = append(headers, header{"Content-Type", constant(kind, textKind)})
	}
	return headers, body
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

// notification is a call to the merchant when an object gets somewhere.
type notification struct {
	kind    *objectKind
	states  []string
	to      *expr
	method  string
	headers []header
	body    render
	sign    *signing
}

// signing is a signature with a key of the connection's.
type signing struct {
	key    *vault.Key
	over   *expr
	encode func([]byte) string
}

func (f *file) compileNotification(p place) {
	fields := p.fields("object", "states", "to", "method", "headers", "json", "text", "sign")
	k := f.kindOf(fields["object"])
	if k == nil {
		return
	}
	n := &notification{kind: k, method: http.MethodPost}
	for _, one := range fields["states"].scalars() {
		if s := k.wantState(one); s != nil {
			n.states = append(n.states, s.name)
		}
	}
	s := &scope{file: f, objects: map[string]*objectKind{k.name: k}}
	if k.parent != nil {
		s.objects[k.parent.name] = k.parent
	}
	n.to = s.text(fields["to"], fields["to"].text())
	if n.to.kind != textKind {
		fields["to"].bad("must be the address, a text; this is %s", n.to.kind)
	}
	if method := fields["method"]; method.given() {
		n.method = method.word(http.MethodPost, http.MethodGet, http.MethodPut)
	}
	_, n.body = s.message(map[string]place{"json": fields["json"], "text": fields["text"]})
	s.body = true
	if sign := fields["sign"]; sign.given() {
		n.sign = s.signing(sign)
		s.signature = true
	}
	quiet := *s
	n.headers, _ = quiet.message(fields)
	f.notifications = append(f.notifications, n)
}
