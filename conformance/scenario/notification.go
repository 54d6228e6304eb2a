package scenario

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"

	"github.com/payhost/payhost/host/vault"
)

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
	alg    vault.Algorithm
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
		fields["to"].bad("must be an address, which is a text; this is %s", n.to.kind)
	}
	if method := fields["method"]; method.given() {
		n.method = method.word(http.MethodPost, http.MethodGet, http.MethodPut)
	}
	var kind string
	n.body, kind = s.content(fields)
	s.body = true
	if sign := fields["sign"]; sign.given() {
		n.sign = s.signing(sign)
		s.signature = true
	}
	n.headers = s.headers(fields["headers"], kind)
	f.notifications = append(f.notifications, n)
}

// signing compiles {key: webhook, over: "{body}", as: hex}.
func (s *scope) signing(p place) *signing {
	fields := p.fields("key", "over", "as")
	g := &signing{over: constant("", textKind), encode: hex.EncodeToString}
	if over := fields["over"]; over.given() {
		g.over = s.words(over)
	} else {
		g.over = &expr{shape{}, func(e *env) any { return string(e.body) }}
	}
	if as := fields["as"]; as.given() && as.word("hex", "base64") == "base64" {
		g.encode = base64.StdEncoding.EncodeToString
	}
	name := fields["key"].text()
	k := s.keys[name]
	if k == nil && fields["key"].given() {
		fields["key"].bad("the connection has no key %q", name)
	}
	if k == nil || k.own == nil {
		return g // that was told
	}
	g.key, g.alg, k.signs = k.own, k.own.Algorithms()[0], true
	if _, err := g.key.Sign(g.alg, nil); err != nil {
		fields["key"].bad("can't sign: %s", err)
	}
	return g
}

// outgoing is a notification that was written.
type outgoing struct {
	object, url, method string
	header              http.Header
	body                []byte
}

// write renders a notification; false if the merchant gave no address.
func (n *notification) write(e *env) (outgoing, bool) {
	to, _ := n.to.eval(e).(string)
	if to == "" {
		return outgoing{}, false
	}
	e.body, _ = n.body(nil, e)
	if n.sign != nil {
		// The key was tried when the file was read.
		mac, _ := n.sign.key.Sign(n.sign.alg, []byte(n.sign.over.eval(e).(string)))
		e.signature = n.sign.encode(mac)
	}
	return outgoing{e.objects[n.kind].id, to, n.method, writeHeaders(n.headers, e), e.body}, true
}
