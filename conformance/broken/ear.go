package broken

import (
	"bytes"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// ear stands between a plugin and its host, and changes what the plugin says or hears:
// so a mistake can be made in one kind of answer, and the rest of the plugin is right.
type ear struct {
	says  func(r *said)
	hears func(r *said, a *heard)
}

// said is a request of the plugin.
type said struct {
	abi.HTTPRequest
	body []byte
}

// heard is what it is answered: an answer, or why there is none.
type heard struct {
	status int
	body   []byte
	failed *pay.Error
}

// say puts an answer of the provider's in the place of what was heard.
func (a *heard) say(status int, body string) {
	a.status, a.body, a.failed = status, []byte(body), nil
}

// declined is Aurora's refusal of a payment.
func (a *heard) declined() { a.say(402, `{"code":"declined","message":"declined"}`) }

// between is an ear's side towards the plugin.
type between struct {
	abi.Imports
	ear *ear
}

func (e *ear) wrap(host abi.Imports) abi.Imports { return &between{Imports: host, ear: e} }

// HTTPSend sends what the ear makes of a request, and answers what it makes of the
// answer.
func (b *between) HTTPSend(head []byte, body int32) int32 {
	m, err := abi.DecodeHTTPRequest(bytes.Clone(head))
	if err != nil {
		return b.Imports.HTTPSend(head, body)
	}
	r := &said{HTTPRequest: m, body: b.read(body)}
	if b.ear.says != nil {
		b.ear.says(r)
		body = b.keep(r.body)
	}
	handle := b.Imports.HTTPSend(abi.AppendHTTPRequest(nil, &r.HTTPRequest), body)
	if b.ear.hears == nil {
		return handle
	}
	a := &heard{}
	var answer abi.HTTPResponse
	if handle < 0 {
		a.failed = b.failure()
	} else if answer, err = abi.DecodeHTTPResponse(b.read(handle)); err == nil {
		a.status, a.body = answer.Status, b.read(answer.Body)
	}
	was := string(a.body)
	b.ear.hears(r, a)
	if a.failed != nil || handle >= 0 && a.status == answer.Status && string(a.body) == was {
		return handle
	}
	answer.Status, answer.Body, answer.BodyLen = a.status, b.keep(a.body), int64(len(a.body))
	return b.keep(abi.AppendHTTPResponse(nil, &answer))
}

// failure is why the host did not answer.
func (b *between) failure() *pay.Error {
	raw := make([]byte, b.LastError(nil))
	b.LastError(raw)
	e, err := abi.DecodeError(raw)
	if err != nil {
		return &pay.Error{Class: pay.ClassHostFault}
	}
	return &e
}

func (b *between) read(blob int32) []byte {
	if blob <= 0 {
		return nil
	}
	p := make([]byte, b.BlobLen(blob))
	for off := int64(0); off < int64(len(p)); {
		n := b.BlobRead(blob, off, p[off:])
		if n <= 0 {
			return nil
		}
		off += int64(n)
	}
	return p
}

func (b *between) keep(p []byte) int32 {
	if len(p) == 0 {
		return 0
	}
	blob := b.BlobNew(int64(len(p)))
	if blob > 0 {
		b.BlobWrite(blob, p)
	}
	return blob
}
