package abi

import (
	"unsafe"

	"github.com/payhost/payhost/sdk/pay"
)

// AuthKind says which secret slot an [Auth] fills.
type AuthKind uint8

// The kinds of auth.
const (
	AuthBasic  AuthKind = 1 // User and Secret name two secrets
	AuthBearer AuthKind = 2 // Secret, as "Authorization: Bearer …"
	AuthHeader AuthKind = 3 // Secret in header Header, after Prefix
	AuthOAuth2 AuthKind = 4 // a token of profile Profile, kept by the host
	AuthHMAC   AuthKind = 5 // HMAC of Message under key Key in header Header
)

// Auth asks the host to put a credential into a request. It holds names only.
type Auth struct {
	Kind            AuthKind
	User            string // secret's name
	Secret          string // secret's name
	Header          string
	Prefix          string
	Profile         string // OAuth2 profile of the manifest
	RenewGeneration int64  // drop the cached token of this generation first
	Key             string // key's name
	Algorithm       string // "HS256", "HS384", "HS512"
	Encoding        string // "hex", "base64", "base64url"
	Message         []byte // what to sign
}

// FormSecret asks the host to append a form field with a secret's value.
type FormSecret struct {
	Field  string
	Secret string // secret's name
}

// HTTPRequest is the head of an outbound call; the body is a blob.
type HTTPRequest struct {
	Method    string
	URL       string // absolute
	Header    []pay.Field
	Auth      *Auth
	Form      []FormSecret
	TLS       string // identity's name; "" for the connection's default
	TimeoutMS int64  // 0 for the host's
	Effect    uint8  // EffectRead or EffectMoney
}

// HTTPResponse is the head of an answer; Body is a blob's handle, 0 for none.
type HTTPResponse struct {
	Status          int
	Header          []pay.Field
	Body            int32
	BodyLen         int64
	TokenGeneration int64 // of the OAuth2 token that was used, for RenewGeneration
}

// CryptoSpec names an algorithm and a key.
type CryptoSpec struct {
	Algorithm string
	Key       string
}

// KVPage is one page of keys; Cursor is "" on the last one.
type KVPage struct {
	Keys   []string
	Cursor string
}

// ConnectionConfig is what a plugin sees of its connection. There is no secret
// in it.
type ConnectionConfig struct {
	Connection string
	BaseURL    string   // without a slash at the end
	Settings   []byte   // JSON object, already checked against the schema
	Keys       []string // names of the keys that are bound
	Secrets    []string // names of the secrets that are bound
	Identities []string // names of the TLS identities that are bound
}

// Features is what a host can do.
type Features struct {
	Host      string // "payhost 0.1.0"
	ABIMinor  int
	MaxCalls  int
	MaxMemory int64 // bytes
}

// AppendHTTPRequest appends the message of http_send.
func AppendHTTPRequest(b []byte, m *HTTPRequest) []byte {
	return encode(b, unsafe.Pointer(m), &requestMessage)
}

// DecodeHTTPRequest reads the message of http_send.
func DecodeHTTPRequest(b []byte) (m HTTPRequest, err error) {
	if err = decode(b, unsafe.Pointer(&m), &requestMessage); err != nil {
		m = HTTPRequest{}
	}
	return m, err
}

// AppendHTTPResponse appends the answer of http_send.
func AppendHTTPResponse(b []byte, m *HTTPResponse) []byte {
	return encode(b, unsafe.Pointer(m), &responseMessage)
}

// DecodeHTTPResponse reads the answer of http_send.
func DecodeHTTPResponse(b []byte) (m HTTPResponse, err error) {
	if err = decode(b, unsafe.Pointer(&m), &responseMessage); err != nil {
		m = HTTPResponse{}
	}
	return m, err
}

// AppendCryptoSpec appends the spec of sign, verify, encrypt and decrypt.
func AppendCryptoSpec(b []byte, m *CryptoSpec) []byte {
	return encode(b, unsafe.Pointer(m), &cryptoMessage)
}

// DecodeCryptoSpec reads the spec of sign, verify, encrypt and decrypt.
func DecodeCryptoSpec(b []byte) (m CryptoSpec, err error) {
	if err = decode(b, unsafe.Pointer(&m), &cryptoMessage); err != nil {
		m = CryptoSpec{}
	}
	return m, err
}

// AppendKVPage appends the answer of kv_list.
func AppendKVPage(b []byte, m *KVPage) []byte {
	return encode(b, unsafe.Pointer(m), &pageMessage)
}

// DecodeKVPage reads the answer of kv_list.
func DecodeKVPage(b []byte) (m KVPage, err error) {
	if err = decode(b, unsafe.Pointer(&m), &pageMessage); err != nil {
		m = KVPage{}
	}
	return m, err
}

// AppendConnectionConfig appends the answer of config.
func AppendConnectionConfig(b []byte, m *ConnectionConfig) []byte {
	return encode(b, unsafe.Pointer(m), &configMessage)
}

// DecodeConnectionConfig reads the answer of config.
func DecodeConnectionConfig(b []byte) (m ConnectionConfig, err error) {
	if err = decode(b, unsafe.Pointer(&m), &configMessage); err != nil {
		m = ConnectionConfig{}
	}
	return m, err
}

// AppendFeatures appends the answer of features.
func AppendFeatures(b []byte, m *Features) []byte {
	return encode(b, unsafe.Pointer(m), &featuresMessage)
}

// DecodeFeatures reads the answer of features.
func DecodeFeatures(b []byte) (m Features, err error) {
	if err = decode(b, unsafe.Pointer(&m), &featuresMessage); err != nil {
		m = Features{}
	}
	return m, err
}

var requestMessage = message{
	size: unsafe.Sizeof(HTTPRequest{}),
	fields: []field{
		{kind: text, at: unsafe.Offsetof(HTTPRequest{}.Method)},
		{kind: text, at: unsafe.Offsetof(HTTPRequest{}.URL)},
		{kind: list, at: unsafe.Offsetof(HTTPRequest{}.Header), part: &fieldMessage},
		{kind: pointer, at: unsafe.Offsetof(HTTPRequest{}.Auth), part: &authMessage},
		{kind: list, at: unsafe.Offsetof(HTTPRequest{}.Form), part: &formMessage},
		{kind: text, at: unsafe.Offsetof(HTTPRequest{}.TLS)},
		{kind: number, at: unsafe.Offsetof(HTTPRequest{}.TimeoutMS)},
		{kind: enum, at: unsafe.Offsetof(HTTPRequest{}.Effect)},
	},
}

var formMessage = message{
	size: unsafe.Sizeof(FormSecret{}), grow: growForm,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(FormSecret{}.Field)},
		{kind: text, at: unsafe.Offsetof(FormSecret{}.Secret)},
	},
}

var authMessage = message{
	size: unsafe.Sizeof(Auth{}), grow: growAuth,
	fields: []field{
		{kind: enum, at: unsafe.Offsetof(Auth{}.Kind)},
		{kind: text, at: unsafe.Offsetof(Auth{}.User)},
		{kind: text, at: unsafe.Offsetof(Auth{}.Secret)},
		{kind: text, at: unsafe.Offsetof(Auth{}.Header)},
		{kind: text, at: unsafe.Offsetof(Auth{}.Prefix)},
		{kind: text, at: unsafe.Offsetof(Auth{}.Profile)},
		{kind: number, at: unsafe.Offsetof(Auth{}.RenewGeneration)},
		{kind: text, at: unsafe.Offsetof(Auth{}.Key)},
		{kind: text, at: unsafe.Offsetof(Auth{}.Algorithm)},
		{kind: text, at: unsafe.Offsetof(Auth{}.Encoding)},
		{kind: raw, at: unsafe.Offsetof(Auth{}.Message)},
	},
}

var responseMessage = message{
	size: unsafe.Sizeof(HTTPResponse{}),
	fields: []field{
		{kind: count, at: unsafe.Offsetof(HTTPResponse{}.Status)},
		{kind: list, at: unsafe.Offsetof(HTTPResponse{}.Header), part: &fieldMessage},
		{kind: handle, at: unsafe.Offsetof(HTTPResponse{}.Body)},
		{kind: number, at: unsafe.Offsetof(HTTPResponse{}.BodyLen)},
		{kind: number, at: unsafe.Offsetof(HTTPResponse{}.TokenGeneration)},
	},
}

var cryptoMessage = message{
	size: unsafe.Sizeof(CryptoSpec{}),
	fields: []field{
		{kind: text, at: unsafe.Offsetof(CryptoSpec{}.Algorithm)},
		{kind: text, at: unsafe.Offsetof(CryptoSpec{}.Key)},
	},
}

var pageMessage = message{
	size: unsafe.Sizeof(KVPage{}),
	fields: []field{
		{kind: texts, at: unsafe.Offsetof(KVPage{}.Keys), part: &textMessage},
		{kind: text, at: unsafe.Offsetof(KVPage{}.Cursor)},
	},
}

var configMessage = message{
	size: unsafe.Sizeof(ConnectionConfig{}),
	fields: []field{
		{kind: text, at: unsafe.Offsetof(ConnectionConfig{}.Connection)},
		{kind: text, at: unsafe.Offsetof(ConnectionConfig{}.BaseURL)},
		{kind: raw, at: unsafe.Offsetof(ConnectionConfig{}.Settings)},
		{kind: texts, at: unsafe.Offsetof(ConnectionConfig{}.Keys), part: &textMessage},
		{kind: texts, at: unsafe.Offsetof(ConnectionConfig{}.Secrets), part: &textMessage},
		{kind: texts, at: unsafe.Offsetof(ConnectionConfig{}.Identities), part: &textMessage},
	},
}

var featuresMessage = message{
	size: unsafe.Sizeof(Features{}),
	fields: []field{
		{kind: text, at: unsafe.Offsetof(Features{}.Host)},
		{kind: count, at: unsafe.Offsetof(Features{}.ABIMinor)},
		{kind: count, at: unsafe.Offsetof(Features{}.MaxCalls)},
		{kind: number, at: unsafe.Offsetof(Features{}.MaxMemory)},
	},
}
