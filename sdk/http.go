package sdk

import (
	"time"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/form"
	"github.com/payhost/payhost/sdk/internal/slab"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// Effect says whether a request may change something at the provider. The host
// never repeats a Money request of its own accord unless the manifest says that
// the operation's key makes that safe; it may repeat a Read one.
type Effect uint8

// The effects.
const (
	Read  Effect = abi.EffectRead
	Money Effect = abi.EffectMoney
)

// Auth names the credential that the host puts into a request. It is made by
// [Basic], [Bearer], [HeaderSecret], [OAuth2] or [HMAC].
type Auth struct{ a abi.Auth }

// Basic sends two secrets as user name and password.
func Basic(user, password string) *Auth {
	return newAuth(abi.Auth{Kind: abi.AuthBasic, User: user, Secret: password})
}

// Bearer sends a secret as "Authorization: Bearer …".
func Bearer(secret string) *Auth {
	return newAuth(abi.Auth{Kind: abi.AuthBearer, Secret: secret})
}

// HeaderSecret sends a secret in a header, after a prefix that may be empty.
func HeaderSecret(header, prefix, secret string) *Auth {
	return newAuth(abi.Auth{Kind: abi.AuthHeader, Header: header, Prefix: prefix, Secret: secret})
}

// OAuth2 sends a token of a profile in the manifest; the host fetches and keeps
// it. When the provider refused the token, call again with the generation of the
// refused [Response] as renew, once; otherwise renew is 0.
func OAuth2(profile string, renew int64) *Auth {
	return newAuth(abi.Auth{Kind: abi.AuthOAuth2, Profile: profile, RenewGeneration: renew})
}

// HMAC signs a message with a key and sends the code in a header. Algorithm is
// "HS256", "HS384" or "HS512"; encoding is "hex", "base64" or "base64url".
func HMAC(key, algorithm, header, encoding string, message []byte) *Auth {
	return newAuth(abi.Auth{
		Kind: abi.AuthHMAC, Key: key, Algorithm: algorithm, Header: header, Encoding: encoding, Message: message,
	})
}

func newAuth(a abi.Auth) *Auth {
	p := pools.auth.Take()
	p.a = a
	return p
}

// Request is one outbound HTTP call.
type Request struct {
	Method  string
	URL     string // a path such as "/v1/pay" stands under the connection's base URL
	Header  []pay.Field
	Body    []byte
	Auth    *Auth
	Secrets []FormSecret  // form fields that the host fills with secrets
	TLS     string        // TLS identity by name; "" for the connection's own
	Timeout time.Duration // 0 for the host's default
	Effect  Effect        // the zero value counts as Money
}

// FormSecret is a form field that the host fills with a secret.
type FormSecret struct {
	Field  string
	Secret string
}

// Response is a whole answer, whatever its status.
type Response struct {
	Status          int
	Header          []pay.Field
	Body            []byte
	TokenGeneration int64 // for [OAuth2], when the token was refused
}

// HeaderValue returns the first value of a header, its name in any case, or "".
func (r *Response) HeaderValue(name string) string {
	for _, f := range r.Header {
		if json.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// GetJSON prepares a reading call that asks for JSON.
func GetJSON(path string) *Request {
	accept := []pay.Field{{Name: "Accept", Value: json.ContentType}}
	return &Request{Method: "GET", URL: path, Effect: Read, Header: accept}
}

// PostJSON prepares a call with a JSON body.
func PostJSON(path string, body *json.Writer, effect Effect) *Request {
	return post(path, body.Bytes(), json.ContentType, effect)
}

// PostForm prepares a call with a form body.
func PostForm(path string, body *form.Writer, effect Effect) *Request {
	return post(path, body.Bytes(), form.ContentType, effect)
}

// posted is a request with its header, and room for what a plugin adds to it.
type posted struct {
	request Request
	header  [4]pay.Field
}

// pools have what nearly every call needs once.
var pools struct {
	auth   slab.Single[Auth]
	posted slab.Single[posted]
}

func post(path string, body []byte, contentType string, effect Effect) *Request {
	p := pools.posted.Take()
	p.header[0] = pay.Field{Name: "Content-Type", Value: contentType}
	p.header[1] = pay.Field{Name: "Accept", Value: json.ContentType}
	p.request = Request{Method: "POST", URL: path, Body: body, Effect: effect, Header: p.header[:2]}
	return &p.request
}

// Send sends a request and returns the whole answer, whatever its HTTP status.
// Without a whole answer it returns a *pay.Error: class unavailable when not one
// byte left, timeout when bytes left and no whole answer came (effect maybe),
// config when the manifest or the operator does not grant the call, auth when the
// host could not get a token, integrity when the answer held a secret, limit when
// the call's budget is used up. Return such an error as it is: the host knows
// better than the plugin what it means.
func (h *Host) Send(r *Request) (*Response, error) {
	head := abi.HTTPRequest{
		Method: r.Method, URL: r.URL, Header: r.Header, TLS: r.TLS,
		TimeoutMS: r.Timeout.Milliseconds(), Effect: uint8(r.Effect),
	}
	if len(r.URL) > 0 && r.URL[0] == '/' {
		head.URL = slab.Join(h.BaseURL(), r.URL)
	}
	if r.Auth != nil {
		head.Auth = &r.Auth.a
	}
	for _, s := range r.Secrets {
		head.Form = append(head.Form, abi.FormSecret(s))
	}
	var body int32
	if len(r.Body) > 0 {
		var err error
		if body, err = h.newBlob(r.Body); err != nil {
			return nil, err
		}
	}
	handle := h.g.HTTPSend(abi.AppendHTTPRequest(slab.Rest(512)[:0], &head), body)
	if body > 0 {
		h.freeBlob(body, len(r.Body))
	}
	if handle < 0 {
		return nil, h.failure(handle)
	}
	return h.response(handle)
}

func (h *Host) response(handle int32) (*Response, error) {
	raw, err := h.takeBlob(handle, 0)
	if err != nil {
		return nil, err
	}
	head, err := abi.DecodeHTTPResponse(raw)
	if err != nil {
		return nil, err
	}
	out := &h.answer
	if out.Status != 0 { // a call may send again and keep the answer before
		out = &Response{}
	}
	out.Status, out.Header, out.TokenGeneration = head.Status, head.Header, head.TokenGeneration
	if head.Body > 0 {
		out.Body, err = h.takeBlob(head.Body, head.BodyLen)
	}
	return out, err
}

// newBlob puts bytes into a blob at the host.
func (h *Host) newBlob(p []byte) (int32, error) {
	blob := h.g.BlobNew(int64(len(p)))
	if blob < 0 {
		return 0, h.failure(blob)
	}
	if n := h.g.BlobWrite(blob, p); n < 0 {
		return 0, h.failure(n)
	}
	return blob, nil
}

// readBlob copies a blob out of the host. Size is 0 if it is not known.
func (h *Host) readBlob(blob int32, size int64) ([]byte, error) {
	if size == 0 {
		size = h.g.BlobLen(blob)
	}
	if size < 0 {
		return nil, h.failure(int32(size))
	}
	p := slab.Bytes(int(size))[:size]
	for off := int64(0); off < size; {
		n := h.g.BlobRead(blob, off, p[off:])
		if n == 0 { // the host has less than it said
			n = int32(abi.Internal)
		}
		if n < 0 {
			return nil, h.failure(n)
		}
		off += int64(n)
	}
	return p, nil
}

// takeBlob copies a blob out of the host and frees it. Size is 0 if it is not known.
func (h *Host) takeBlob(blob int32, size int64) ([]byte, error) {
	p, err := h.readBlob(blob, size)
	h.freeBlob(blob, len(p))
	return p, err
}

// freeBlob gives a blob back. The host frees what is left at the end of the call,
// so some small ones are left to it.
func (h *Host) freeBlob(blob int32, size int) {
	const small, most = 4 << 10, 64
	if size <= small && h.kept < most {
		h.kept++
		return
	}
	h.g.BlobFree(blob)
}
