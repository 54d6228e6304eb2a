// Package vault holds what a plugin may name but never see: secrets, keys and TLS identities. A plugin says
// "sign with the key qr_sign" or "connect as the identity till"; the host looks the name up here and uses
// what it finds.
//
// Keys and identities that come from files follow their files: every use looks whether a file changed (one
// stat for each) and reads it again if it did. A new state that does not load, such as a certificate whose
// key has not arrived yet, leaves the old one in use and is told to Config.OnReloadError. The package starts
// no goroutine.
//
// A Secret prints as "[secret]" wherever it is printed. A Scrubber finds secrets in what comes back from
// outside, and masks them, card numbers and e-mail addresses in what is written down.
package vault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// MaxSecretLen is the longest secret a Vault takes, in bytes.
const MaxSecretLen = 16 << 10

// Config says what a Vault holds, by name.
type Config struct {
	Secrets    map[string]Secret // 1 to MaxSecretLen bytes each
	Keys       map[string]KeyConfig
	Identities map[string]IdentityConfig

	// OnReloadError is told when a changed file of a key or an identity does not load; the old one stays in
	// use. It is called from the use that noticed, once for each failure, maybe from many goroutines. May be
	// nil. It takes the place of the hooks in Keys and Identities that are not set.
	OnReloadError func(name string, err error)
	// Now is the clock for the dates of certificates; nil means time.Now.
	Now func() time.Time
}

// Vault is what one connection may use. It does not change after New, other than by following its files, and
// may be used from many goroutines. It needs no closing.
type Vault struct {
	secrets    map[string]Secret
	keys       map[string]*Key
	identities map[string]*Identity
}

// FieldError is a problem with one field of the configuration.
type FieldError struct {
	Field   string // the path below the connection, such as keys.qr_sign.public_key_file
	Problem string // never holds contents of a file or a secret

	cause error // for errors.Is, within this package
}

// Error returns the field and the problem.
func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// Unwrap returns what the problem came from, if anything.
func (e *FieldError) Unwrap() error { return e.cause }

// FieldErrors returns every *FieldError within err, in order: what to show where problems are listed.
func FieldErrors(err error) []*FieldError {
	switch e := err.(type) { //nolint:errorlint // it is the tree itself that is walked
	case *FieldError:
		return []*FieldError{e}
	case interface{ Unwrap() []error }:
		var found []*FieldError
		for _, one := range e.Unwrap() {
			found = append(found, FieldErrors(one)...)
		}
		return found
	case interface{ Unwrap() error }:
		return FieldErrors(e.Unwrap())
	}
	return nil
}

// New loads everything that config names. Its error joins a *FieldError for every problem there is, in the
// order of secrets, keys, identities, each by name; a Vault is returned only if there is none.
func New(config Config) (*Vault, error) {
	v := &Vault{
		secrets:    maps.Clone(config.Secrets),
		keys:       make(map[string]*Key, len(config.Keys)),
		identities: make(map[string]*Identity, len(config.Identities)),
	}
	var problems []error
	for _, name := range sortedNames(config.Secrets) {
		problems = append(problems, checkSecret(name, config.Secrets[name]))
	}
	for _, name := range sortedNames(config.Keys) {
		key, err := openKey(name, config)
		problems = append(problems, err)
		v.keys[name] = key
	}
	for _, name := range sortedNames(config.Identities) {
		identity, err := openIdentity(name, config)
		problems = append(problems, err)
		v.identities[name] = identity
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return v, nil
}

// Secret returns the secret of that name.
func (v *Vault) Secret(name string) (Secret, bool) {
	secret, ok := v.secrets[name]
	return secret, ok
}

// Key returns the key of that name.
func (v *Vault) Key(name string) (*Key, bool) {
	key, ok := v.keys[name]
	return key, ok
}

// Identity returns the TLS identity of that name.
func (v *Vault) Identity(name string) (*Identity, bool) {
	identity, ok := v.identities[name]
	return identity, ok
}

// SecretNames returns the names of the secrets, sorted.
func (v *Vault) SecretNames() []string { return sortedNames(v.secrets) }

// KeyNames returns the names of the keys, sorted.
func (v *Vault) KeyNames() []string { return sortedNames(v.keys) }

// IdentityNames returns the names of the TLS identities, sorted.
func (v *Vault) IdentityNames() []string { return sortedNames(v.identities) }

func checkSecret(name string, secret Secret) error {
	field := "secrets." + name
	switch n := secret.Len(); {
	case name == "":
		return &FieldError{Field: "secrets", Problem: "a secret has no name"}
	case n == 0:
		return &FieldError{Field: field, Problem: "is empty"}
	case n > MaxSecretLen:
		problem := fmt.Sprintf("has %d bytes: at most %d are accepted", n, MaxSecretLen)
		return &FieldError{Field: field, Problem: problem}
	}
	return nil
}

func openKey(name string, config Config) (*Key, error) {
	if name == "" {
		return nil, &FieldError{Field: "keys", Problem: "a key has no name"}
	}
	key := config.Keys[name]
	if key.OnReloadError == nil {
		key.OnReloadError = config.OnReloadError
	}
	return NewKey(name, key)
}

func openIdentity(name string, config Config) (*Identity, error) {
	if name == "" {
		return nil, &FieldError{Field: "tls", Problem: "an identity has no name"}
	}
	identity := config.Identities[name]
	if identity.OnReloadError == nil {
		identity.OnReloadError = config.OnReloadError
	}
	if identity.Now == nil {
		identity.Now = config.Now
	}
	return OpenIdentity(name, identity)
}

func sortedNames[V any](byName map[string]V) []string {
	return slices.Sorted(maps.Keys(byName))
}
