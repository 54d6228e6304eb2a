package abi

import "github.com/payhost/payhost/sdk/pay"

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
func AppendHTTPRequest(b []byte, m *HTTPRequest) []byte { return encode(b, m, putHTTPRequest) }

// DecodeHTTPRequest reads the message of http_send.
func DecodeHTTPRequest(b []byte) (HTTPRequest, error) { return decode(b, setHTTPRequest) }

// AppendHTTPResponse appends the answer of http_send.
func AppendHTTPResponse(b []byte, m *HTTPResponse) []byte { return encode(b, m, putHTTPResponse) }

// DecodeHTTPResponse reads the answer of http_send.
func DecodeHTTPResponse(b []byte) (HTTPResponse, error) { return decode(b, setHTTPResponse) }

// AppendCryptoSpec appends the spec of sign, verify, encrypt and decrypt.
func AppendCryptoSpec(b []byte, m *CryptoSpec) []byte {
	w := writer{b: b}
	putPair(&w, m.Algorithm, m.Key)
	return w.b
}

// DecodeCryptoSpec reads the spec of sign, verify, encrypt and decrypt.
func DecodeCryptoSpec(b []byte) (CryptoSpec, error) {
	return decode(b, func(m *CryptoSpec, field int, r *reader) bool {
		return setPair(&m.Algorithm, &m.Key, field, r)
	})
}

// AppendKVPage appends the answer of kv_list.
func AppendKVPage(b []byte, m *KVPage) []byte {
	w := writer{b: b}
	putStrings(&w, 1, m.Keys)
	w.string(2, m.Cursor)
	return w.b
}

// DecodeKVPage reads the answer of kv_list.
func DecodeKVPage(b []byte) (KVPage, error) {
	return decode(b, func(m *KVPage, field int, r *reader) bool {
		switch field {
		case 1:
			m.Keys = getString(r, m.Keys)
		case 2:
			m.Cursor = r.string()
		default:
			return false
		}
		return true
	})
}

// AppendConnectionConfig appends the answer of config.
func AppendConnectionConfig(b []byte, m *ConnectionConfig) []byte {
	w := writer{b: b}
	w.string(1, m.Connection)
	w.string(2, m.BaseURL)
	w.bytes(3, m.Settings)
	putStrings(&w, 4, m.Keys)
	putStrings(&w, 5, m.Secrets)
	putStrings(&w, 6, m.Identities)
	return w.b
}

// DecodeConnectionConfig reads the answer of config.
func DecodeConnectionConfig(b []byte) (ConnectionConfig, error) {
	return decode(b, func(m *ConnectionConfig, field int, r *reader) bool {
		switch field {
		case 1:
			m.Connection = r.string()
		case 2:
			m.BaseURL = r.string()
		case 3:
			m.Settings = r.bytes()
		case 4:
			m.Keys = getString(r, m.Keys)
		case 5:
			m.Secrets = getString(r, m.Secrets)
		case 6:
			m.Identities = getString(r, m.Identities)
		default:
			return false
		}
		return true
	})
}

// AppendFeatures appends the answer of features.
func AppendFeatures(b []byte, m *Features) []byte {
	w := writer{b: b}
	w.string(1, m.Host)
	w.int(2, int64(m.ABIMinor))
	w.int(3, int64(m.MaxCalls))
	w.int(4, m.MaxMemory)
	return w.b
}

// DecodeFeatures reads the answer of features.
func DecodeFeatures(b []byte) (Features, error) {
	return decode(b, func(m *Features, field int, r *reader) bool {
		switch field {
		case 1:
			m.Host = r.string()
		case 2:
			m.ABIMinor = r.number()
		case 3:
			m.MaxCalls = r.number()
		case 4:
			m.MaxMemory = r.int()
		default:
			return false
		}
		return true
	})
}

func putHTTPRequest(w *writer, m *HTTPRequest) {
	w.string(1, m.Method)
	w.string(2, m.URL)
	putList(w, 3, m.Header, putField)
	if m.Auth != nil {
		putSub(w, 4, m.Auth, putAuth)
	}
	putList(w, 5, m.Form, putFormSecret)
	w.string(6, m.TLS)
	w.int(7, m.TimeoutMS)
	w.int(8, int64(m.Effect))
}

func setHTTPRequest(m *HTTPRequest, field int, r *reader) bool {
	switch field {
	case 1:
		m.Method = r.string()
	case 2:
		m.URL = r.string()
	case 3:
		m.Header = getList(r, m.Header, setField)
	case 4:
		getNew(r, &m.Auth, setAuth)
	case 5:
		m.Form = getList(r, m.Form, setFormSecret)
	case 6:
		m.TLS = r.string()
	case 7:
		m.TimeoutMS = r.int()
	case 8:
		m.Effect = r.small()
	default:
		return false
	}
	return true
}

func putFormSecret(w *writer, m *FormSecret) { putPair(w, m.Field, m.Secret) }

func setFormSecret(m *FormSecret, field int, r *reader) bool {
	return setPair(&m.Field, &m.Secret, field, r)
}

func putAuth(w *writer, m *Auth) {
	w.int(1, int64(m.Kind))
	w.string(2, m.User)
	w.string(3, m.Secret)
	w.string(4, m.Header)
	w.string(5, m.Prefix)
	w.string(6, m.Profile)
	w.int(7, m.RenewGeneration)
	w.string(8, m.Key)
	w.string(9, m.Algorithm)
	w.string(10, m.Encoding)
	w.bytes(11, m.Message)
}

func setAuth(m *Auth, field int, r *reader) bool {
	switch field {
	case 1:
		m.Kind = AuthKind(r.small())
	case 2:
		m.User = r.string()
	case 3:
		m.Secret = r.string()
	case 4:
		m.Header = r.string()
	case 5:
		m.Prefix = r.string()
	case 6:
		m.Profile = r.string()
	case 7:
		m.RenewGeneration = r.int()
	case 8:
		m.Key = r.string()
	case 9:
		m.Algorithm = r.string()
	case 10:
		m.Encoding = r.string()
	case 11:
		m.Message = r.bytes()
	default:
		return false
	}
	return true
}

func putHTTPResponse(w *writer, m *HTTPResponse) {
	w.int(1, int64(m.Status))
	putList(w, 2, m.Header, putField)
	w.int(3, int64(m.Body))
	w.int(4, m.BodyLen)
	w.int(5, m.TokenGeneration)
}

func setHTTPResponse(m *HTTPResponse, field int, r *reader) bool {
	switch field {
	case 1:
		m.Status = r.number()
	case 2:
		m.Header = getList(r, m.Header, setField)
	case 3:
		m.Body = int32(r.number())
	case 4:
		m.BodyLen = r.int()
	case 5:
		m.TokenGeneration = r.int()
	default:
		return false
	}
	return true
}
