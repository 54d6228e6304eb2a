package pay

import "time"

// Idempotency says what the provider makes of a second send, per operation.
type Idempotency uint8

// The kinds of idempotency of contract section 5.
const (
	IdempotencyNone    Idempotency = 1 // never send again
	IdempotencyNative  Idempotency = 2 // same key, same effect: send again within the lifetime
	IdempotencyNatural Idempotency = 3 // our id is unique there: a duplicate means ask status
	IdempotencyLookup  Idempotency = 4 // ask status first, send again only if proven not applied
)

var idempotencyNames = names{
	IdempotencyNone: "none", IdempotencyNative: "native", IdempotencyNatural: "natural",
	IdempotencyLookup: "lookup",
}

// String returns the word used in documents.
func (i Idempotency) String() string { return idempotencyNames.of(uint8(i)) }

// KeyForm says how the host shapes a provider key.
type KeyForm uint8

// The forms of provider keys. All are made from the operation's own key, so that
// the same operation always has the same provider key.
const (
	KeyNone    KeyForm = 0 // the operation sends no key
	KeyText    KeyForm = 1 // letters and digits, at most MaxLen
	KeyUUID    KeyForm = 2 // a UUID, version 4 by its bits
	KeyOrder   KeyForm = 3 // the merchant's order id, then "<order>-2", "<order>-3"
	KeyCounter KeyForm = 4 // "<setting>-<unix seconds>-<counter>", made once and stored
)

var keyFormNames = []string{"none", "text", "uuid", "order", "counter"}

// String returns the word used in documents.
func (k KeyForm) String() string {
	if int(k) < len(keyFormNames) {
		return keyFormNames[k]
	}
	return "unknown"
}

// OperationSpec is what a manifest says of one operation.
type OperationSpec struct {
	Operation   Operation
	Idempotency Idempotency   // of a writing operation
	KeyLifetime time.Duration // how long the provider remembers a key; 0 if not known
	KeyForm     KeyForm
	KeyMaxLen   int    // characters; 0 for 64
	KeySetting  string // KeyCounter: the setting that begins the key
	MoneyCalls  int    // writing calls it may make, 0 to 4
}

// Flow names a shape of payment that a plugin offers.
type Flow uint8

// The flows of contract section 8.
const (
	FlowTill     Flow = 1 // the payer shows a code: create, bind, release, confirm
	FlowRedirect Flow = 2 // the payer follows a link
	FlowQR       Flow = 3 // the payer scans a code that we show
)

var flowNames = names{FlowTill: "till", FlowRedirect: "redirect", FlowQR: "qr"}

// String returns the word used in documents.
func (f Flow) String() string { return flowNames.of(uint8(f)) }

// CurrencySpec is a currency a plugin takes, all in minor units.
type CurrencySpec struct {
	Currency Currency
	Step     int64 // amounts are multiples of it; 1 for any
	Min, Max int64 // Max 0 for no limit
}

// EgressRule is one place a plugin wants to reach. Origin is "base_url" for the
// connection's own, or "https://host[:port]".
type EgressRule struct {
	Origin     string
	Methods    []string // empty for any
	PathPrefix string   // empty for any
	Read       bool     // calls here change nothing, so they may be repeated
}

// Slot is a place in a request where the host may put a secret.
type Slot uint8

// The secret slots.
const (
	SlotBasic  Slot = 1
	SlotBearer Slot = 2
	SlotHeader Slot = 3
	SlotForm   Slot = 4
	SlotOAuth2 Slot = 5
)

var slotNames = names{
	SlotBasic: "basic", SlotBearer: "bearer", SlotHeader: "header", SlotForm: "form", SlotOAuth2: "oauth2",
}

// String returns the word used in documents.
func (s Slot) String() string { return slotNames.of(uint8(s)) }

// SecretSpec is a secret that a plugin needs by name. It can only be put into
// the slots named here, towards the manifest's own egress.
type SecretSpec struct {
	Name     string
	Title    string // for the operator
	Required bool
	Slots    []Slot
}

// KeySpec is a cryptographic key that a plugin needs by name.
type KeySpec struct {
	Name       string
	Title      string
	Required   bool
	Algorithms []string // such as "RSA-OAEP-256", "RS256"
}

// IdentitySpec is a TLS client identity that a plugin needs by name. The name
// "client" is what a connection's `tls` section binds.
type IdentitySpec struct {
	Name     string
	Title    string
	Required bool
}

// OAuth2Profile is how the host fetches a token by client credentials.
type OAuth2Profile struct {
	Name            string
	TokenPath       string // path under base_url, "/auth/token"
	ClientID        string // secret's name
	ClientSecret    string // secret's name
	BasicAuth       bool   // credentials in the Authorization header, not the form
	Scope           string
	TokenField      string // path in the JSON answer, "data.token"
	ExpiresField    string // path of the lifetime in seconds
	ErrorField      string // path of an error code, "" if errors come by HTTP status
	ErrorOK         string // value of ErrorField that means success
	DefaultLifetime time.Duration
}

// StateSchema numbers the layout of what a plugin keeps in key-value storage.
type StateSchema struct {
	Writes int
	Reads  []int
}

// Manifest is what a plugin says of itself. It stands in the module's
// payhost.manifest section and is what describe answers; the two must be equal.
type Manifest struct {
	ID                string // lowercase, digits and dashes
	Version           string // semantic version
	Title             string
	Operations        []OperationSpec
	Flows             []Flow
	Currencies        []CurrencySpec
	Egress            []EgressRule
	Secrets           []SecretSpec
	Keys              []KeySpec
	Identities        []IdentitySpec
	OAuth2            []OAuth2Profile
	PollInterval      time.Duration // the provider's minimum between status calls
	BatchSize         int           // references per status call, 1 or more
	VisibilityHorizon time.Duration // how long not_found proves nothing
	Notification      Authenticity  // the best a notification can be
	NotProcessed503   bool          // a 503 answer means the request was not processed
	Storage           bool          // uses key-value storage
	State             StateSchema
	SettingsSchema    string // JSON Schema of the settings
}

// Operation returns the spec of an operation, and false if the plugin does not
// declare it.
func (m *Manifest) Operation(op Operation) (OperationSpec, bool) {
	for _, spec := range m.Operations {
		if spec.Operation == op {
			return spec, true
		}
	}
	return OperationSpec{}, false
}

// Currency returns the spec of a currency, and false if the plugin does not
// take it.
func (m *Manifest) Currency(c Currency) (CurrencySpec, bool) {
	for _, spec := range m.Currencies {
		if spec.Currency == c {
			return spec, true
		}
	}
	return CurrencySpec{}, false
}
