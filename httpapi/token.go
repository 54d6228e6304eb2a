package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/time/rate"

	"github.com/payhost/payhost/payments"
)

// Scope is what a token may be used for. Neither contains the other.
type Scope string

// The scopes.
const (
	ScopePayments Scope = "payments" // payments, refunds, receipts, events, the in-doubt list, probes
	ScopeAdmin    Scope = "admin"    // plugins, resolving a doubt, dead letters
)

// anyScope is for what every token may see.
const anyScope Scope = "any"

// Token lets a caller in. Name is who calls: it is the caller of idempotency keys,
// and stands in timelines and logs.
type Token struct {
	Name   string
	Token  string
	Scopes []Scope
}

// keyring holds the tokens as digests. It is replaced as a whole.
type keyring struct {
	keys []key
}

type key struct {
	name   string
	digest [sha256.Size]byte
	scopes []Scope
	bucket *rate.Limiter // nil for no limit
}

// SetTokens replaces the tokens while calls go on; those under way are not
// touched. An error says what is wrong and leaves the old ones in place.
func (a *API) SetTokens(tokens []Token) error {
	next := &keyring{}
	old := a.keys.Load()
	for _, t := range tokens {
		if err := t.validate(); err != nil {
			return err
		}
		k := key{name: t.Name, digest: sha256.Sum256([]byte(t.Token)), scopes: slices.Clone(t.Scopes)}
		for _, other := range next.keys {
			switch {
			case other.name == k.name:
				return fmt.Errorf("httpapi: token %q: name stands twice", t.Name)
			case other.digest == k.digest:
				return fmt.Errorf("httpapi: token %q: the same token as %q", t.Name, other.name)
			}
		}
		if k.bucket = old.bucket(t.Name); k.bucket == nil && a.config.Limits.Rate > 0 {
			k.bucket = rate.NewLimiter(rate.Limit(a.config.Limits.Rate), a.config.Limits.Burst)
		}
		next.keys = append(next.keys, k)
		if len(t.Token) < 16 {
			a.log.Warn("token is short enough to be guessed", "token", t.Name)
		}
	}
	a.keys.Store(next)
	return nil
}

func (t Token) validate() error {
	switch t.Name {
	case "":
		return errors.New("httpapi: a token has no name")
	case payments.HostCaller:
		return fmt.Errorf("httpapi: token %q: the name is the engine's own, idempotency keys are kept by it", t.Name)
	}
	if t.Token == "" || strings.ContainsFunc(t.Token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return fmt.Errorf("httpapi: token %q: not one or more printable ASCII characters", t.Name)
	}
	if len(t.Scopes) == 0 {
		return fmt.Errorf("httpapi: token %q: no scopes", t.Name)
	}
	for _, s := range t.Scopes {
		if s != ScopePayments && s != ScopeAdmin {
			return fmt.Errorf("httpapi: token %q: unknown scope %q", t.Name, s)
		}
	}
	return nil
}

// find looks at every key, so that the time it takes tells nothing.
func (r *keyring) find(token string) *key {
	digest := sha256.Sum256([]byte(token))
	found := -1
	for i := range r.keys {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(digest[:], r.keys[i].digest[:]), i, found)
	}
	if found < 0 {
		return nil
	}
	return &r.keys[found]
}

func (r *keyring) bucket(name string) *rate.Limiter {
	if r == nil {
		return nil
	}
	for i := range r.keys {
		if r.keys[i].name == name {
			return r.keys[i].bucket
		}
	}
	return nil
}

func (k *key) may(scope Scope) bool {
	return scope == anyScope || slices.Contains(k.scopes, scope)
}

// bearer returns the token of a request. A browser can't send a Bearer header for
// the pages that it opens, so there the password of Basic does, too.
func bearer(r *http.Request, page bool) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if page {
		_, password, _ := r.BasicAuth()
		return password
	}
	return ""
}
