package egress

import (
	"net/http"
	"time"

	"github.com/payhost/payhost/host/vault"
)

// Effect is what a request may do at the provider.
type Effect uint8

// The effects. The zero Effect is the one that is handled with more care.
const (
	Money Effect = iota // it may move money or change what a payment is
	Read                // it may be repeated or lost without harm
)

// String returns "money" or "read", the words of the ABI.
func (e Effect) String() string {
	if e == Read {
		return "read"
	}
	return "money"
}

// Retry is the class of repeats that a request is given by the operation's contract, never by its HTTP
// method.
type Retry uint8

// The retry classes.
const (
	// Never: one send at most, whatever happens to it.
	Never Retry = iota
	// SameKey: the provider knows the operation's key, so the same bytes may go again when the first send was
	// lost, was not sent, or met a 5xx. Needs Request.Key.
	SameKey
	// RepeatRead: the request may go again after an error of the network and after 429, 502, 503 and 504.
	// Only for the effect Read.
	RepeatRead
)

// Field is one header field.
type Field struct{ Name, Value string }

// Request is what a plugin asks to be sent. Do does not change it and keeps nothing of it.
type Request struct {
	Method string // upper case; not CONNECT, not TRACE
	URL    string // absolute, at most 8 KiB of ASCII; a host that is not ASCII must come in its "xn--" form
	Header []Field
	Body   []byte

	Auth        *Auth        // fills one header; nil for none
	FormSecrets []FormSecret // appended to the body, which must be application/x-www-form-urlencoded
	Identity    string       // name of the TLS identity; empty for none

	Timeout time.Duration // zero for Limits.CallTimeout; more than that is cut to it
	Effect  Effect
	Retry   Retry
	// Key is the operation's key as it stands in the URL, in a header or in the body. SameKey is refused for
	// a request that does not carry it.
	Key string
}

// AuthKind says how an Auth is made.
type AuthKind string

// The kinds of Auth.
const (
	Basic  AuthKind = "basic"  // Authorization: Basic; User and Pass
	Bearer AuthKind = "bearer" // Authorization: Bearer; Secret
	Header AuthKind = "header" // any header; Name, Prefix, Secret
	OAuth2 AuthKind = "oauth2" // Authorization with a token that the Client fetches; Profile, RenewGeneration
	HMAC   AuthKind = "hmac"   // any header; Name, Prefix, Key, Algorithm, Encoding, Message
)

// Auth fills one header with what the plugin must not see. Secrets are given by name.
type Auth struct {
	Kind AuthKind

	User, Pass string // Basic: names of two secrets
	Secret     string // Bearer, Header: name of the secret

	Name   string // Header, HMAC: the header; empty for Authorization
	Prefix string // Header, HMAC: stands before the value as it is, space included

	Profile string // OAuth2: name of the profile
	// RenewGeneration is the Response.TokenGeneration of an answer that refused the token. If that token is
	// still the one in use, a new one is fetched first. Zero means that there was no refusal.
	RenewGeneration uint64

	Key       string          // HMAC: name of the key
	Algorithm vault.Algorithm // HMAC: what to sign with; the key must allow it
	Encoding  Encoding        // HMAC: of the signature
	Message   []byte          // HMAC: what is signed
}

// Encoding is how a signature is written into a header.
type Encoding string

// The encodings.
const (
	Hex       Encoding = "hex"       // lower case
	Base64    Encoding = "base64"    // with padding
	Base64URL Encoding = "base64url" // without padding
)

// FormSecret is one form field whose value is a secret.
type FormSecret struct {
	Field  string // the field's name on the wire
	Secret string // the secret's name
}

// Response is a whole answer of the provider.
type Response struct {
	Status int
	Header []Field // sorted by name; fields of one name in the order they came
	Body   []byte  // decompressed
	// TokenGeneration is the generation of the access token that was sent, for Auth.RenewGeneration; zero if
	// none.
	TokenGeneration uint64
}

// Get returns the first value of a header, by its name in any case, or "".
func (r *Response) Get(name string) string {
	name = http.CanonicalHeaderKey(name)
	for _, f := range r.Header {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}
