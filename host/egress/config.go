package egress

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/host/vault"
)

// Config is what [New] needs. Only Allow must be given: a Client without rules refuses every request.
type Config struct {
	// Allow is what the plugin asked for and the operator granted. A request passes if one rule matches it.
	Allow []Rule
	// AllowPrivate grants loopback, private, link-local and carrier-grade NAT addresses and the like.
	// Multicast and broadcast addresses and the clouds' metadata services stay forbidden.
	AllowPrivate bool

	// Vault holds the secrets, keys and identities of this connection; nil means that there are none.
	Vault *vault.Vault
	// Scrubber knows the values that no answer may hold, and access tokens are added to it; nil for a new one
	// of the Vault. Give the one that also masks the logs, so that it learns the tokens.
	Scrubber *vault.Scrubber
	// SecretBindings says where each secret may go, by the secret's name. A secret that is not here goes
	// nowhere.
	SecretBindings map[string]SecretBinding
	// IdentityBindings says to which origins each TLS identity may be shown, by the identity's name. An
	// identity that is not here is shown to nobody.
	IdentityBindings map[string][]Rule
	// OAuth2 is the profiles that Auth may name.
	OAuth2 map[string]OAuth2Profile

	Limits Limits
	Retry  Retrying

	// Logger gets one line per call at debug level, with no secret in it; nil means none.
	Logger hclog.Logger
	// Resolver answers the names; nil means the system's.
	Resolver *net.Resolver
	// Now is the clock of token lifetimes, certificates and the journal; nil means time.Now. Timeouts always
	// use the real clock.
	Now func() time.Time
	// Wire, if not nil, stands on every new connection; see [Wire].
	Wire Wire
}

// Wire puts something between a Client and the provider: whoever tests, to make the network fail. connect
// makes the connection as it would be without a Wire, to an address that the policy allows and with TLS and
// the identity; what Wire returns is used in its place, and carries what would have gone through TLS. It may
// fail, call connect later or never. The journal counts what is handed to the connection that Wire returned.
type Wire func(ctx context.Context, address string, connect func(context.Context) (net.Conn, error)) (net.Conn, error)

// SecretBinding says where one secret may go: only in one of the slots, and only to one of the origins.
type SecretBinding struct {
	// Slots are "basic", "bearer", "oauth2", "header" and "form"; the last two may be narrowed to one name,
	// as in "header:X-Api-Key" (any case) or "form:client_secret" (exact).
	Slots []string
	// Rules are matched like those of Config.Allow, method and path included.
	Rules []Rule
}

// Limits bounds a call. A zero field means its default; a negative one is an error.
type Limits struct {
	RequestBytes  int64 // body of a request; default 1 MiB
	ResponseBytes int64 // body of an answer, before and after decompression; default 8 MiB
	HeaderBytes   int   // head of a request; head of an answer with its 1xx; default 64 KiB
	Headers       int   // fields in a head, either way; default 100
	Concurrent    int   // requests on the wire at once; the others wait; default 64

	ConnectTimeout time.Duration // DNS, TCP and TLS together; default 5 s
	CallTimeout    time.Duration // a whole Do, waits and repeats included; default 10 s
	IdleTimeout    time.Duration // how long an unused connection is kept; default 30 s
}

// Retrying bounds repeats. A zero field means its default; a negative one is an error.
type Retrying struct {
	ReadAttempts  int // sends of a RepeatRead request, the first one included; default 3
	KeyedAttempts int // sends of a SameKey request, the first one included; default 2
	// MinWait is the wait before the first repeat; it doubles from there, and up to half is taken off at
	// random. Default 100 ms.
	MinWait time.Duration
	MaxWait time.Duration // the longest wait of these; a Retry-After may be longer; default 2 s
}

// withDefaults returns the configuration with every zero field set.
func (c Config) withDefaults() Config {
	l, r := &c.Limits, &c.Retry
	l.RequestBytes = cmp.Or(l.RequestBytes, 1<<20)
	l.ResponseBytes = cmp.Or(l.ResponseBytes, 8<<20)
	l.HeaderBytes = cmp.Or(l.HeaderBytes, 64<<10)
	l.Headers = cmp.Or(l.Headers, 100)
	l.Concurrent = cmp.Or(l.Concurrent, 64)
	l.ConnectTimeout = cmp.Or(l.ConnectTimeout, 5*time.Second)
	l.CallTimeout = cmp.Or(l.CallTimeout, 10*time.Second)
	l.IdleTimeout = cmp.Or(l.IdleTimeout, 30*time.Second)
	r.ReadAttempts = cmp.Or(r.ReadAttempts, 3)
	r.KeyedAttempts = cmp.Or(r.KeyedAttempts, 2)
	r.MinWait = cmp.Or(r.MinWait, 100*time.Millisecond)
	r.MaxWait = cmp.Or(r.MaxWait, 2*time.Second)
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	if c.Scrubber == nil {
		c.Scrubber = vault.NewScrubber(c.Vault)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// validate checks numbers and the parts that need each other. Rules and profiles are checked where they are
// compiled.
func (c Config) validate() error {
	l, r := c.Limits, c.Retry
	for _, n := range []struct {
		field string
		value int64
	}{
		{"limits.request_bytes", l.RequestBytes},
		{"limits.response_bytes", l.ResponseBytes},
		{"limits.header_bytes", int64(l.HeaderBytes)},
		{"limits.headers", int64(l.Headers)},
		{"limits.concurrent", int64(l.Concurrent)},
		{"limits.connect_timeout", int64(l.ConnectTimeout)},
		{"limits.call_timeout", int64(l.CallTimeout)},
		{"limits.idle_timeout", int64(l.IdleTimeout)},
		{"retry.read_attempts", int64(r.ReadAttempts)},
		{"retry.keyed_attempts", int64(r.KeyedAttempts)},
		{"retry.min_wait", int64(r.MinWait)},
		{"retry.max_wait", int64(r.MaxWait)},
	} {
		if n.value < 0 {
			return fmt.Errorf("egress: %s: is negative", n.field)
		}
	}
	if r.MaxWait < r.MinWait {
		return errors.New("egress: retry.max_wait: is below retry.min_wait")
	}
	return nil
}
