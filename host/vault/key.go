package vault

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"
)

// What a Key's methods return. Compare with errors.Is.
var (
	// ErrAlgorithm: the algorithm is unknown, not allowed for this key, or not for this use of a key.
	ErrAlgorithm = errors.New("algorithm not allowed")
	// ErrNoPrivateKey: signing or decryption with a key of which only the public half is here.
	ErrNoPrivateKey = errors.New("key has no private half")
	// ErrSignature: the signature is not that of the data by this key.
	ErrSignature = errors.New("signature does not match")
	// ErrDecrypt: the data was not encrypted for this key. It never tells what is wrong with it.
	ErrDecrypt = errors.New("decryption refused")
	// ErrTooLarge: the data is longer than the key can encrypt.
	ErrTooLarge = errors.New("data too large for the key")
)

// KeyConfig says where a key comes from and what it may be used for. It holds either RSA, ECDSA or Ed25519
// material (a private key, a public key, or both, then of one pair), each from a file or from memory, or a
// shared secret.
//
// Files are PEM, of at most 1 MiB: private keys as PKCS #8, PKCS #1 or SEC 1 and not under a password; public
// keys as PKIX, PKCS #1 or within a certificate, of which only the key is used. RSA keys have 2048 to 8192
// bits.
type KeyConfig struct {
	PrivateKeyFile string
	PublicKeyFile  string
	PrivateKeyPEM  []byte
	PublicKeyPEM   []byte
	Secret         Secret      // for HS256, HS384, HS512
	Algorithms     []Algorithm // what the key may be used for; at least one, each fit for the key

	// OnReloadError is told when a changed file does not load; the old key stays in use. It is called from
	// the method that noticed, once for each failure. May be nil. Within a Vault, Config.OnReloadError is
	// used.
	OnReloadError func(name string, err error)
}

// Format writes "[key]" for every verb, for the sake of PrivateKeyPEM.
func (c KeyConfig) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[key]") }

// MarshalText returns "[key]", for the sake of PrivateKeyPEM.
func (c KeyConfig) MarshalText() ([]byte, error) { return []byte("[key]"), nil }

// Key is a key by name. It may be used from many goroutines. Files are looked at again at every use, and read
// again when they changed; a change that does not load leaves the old key in use.
type Key struct {
	name       string
	algorithms []Algorithm
	material   *watched[material]
}

// material is the key itself: a pair, a public key alone, or a secret.
type material struct {
	private crypto.Signer
	public  crypto.PublicKey // nil for a secret
	secret  Secret
}

// NewKey loads a key. The error joins a *FieldError for every problem; its fields begin with "keys.NAME.".
func NewKey(name string, config KeyConfig) (*Key, error) {
	config.PrivateKeyPEM = slices.Clone(config.PrivateKeyPEM)
	config.PublicKeyPEM = slices.Clone(config.PublicKeyPEM)
	config.Algorithms = slices.Clone(config.Algorithms)
	loader := keyLoader{prefix: "keys." + name + ".", config: config}
	if err := loader.validate(); err != nil {
		return nil, err
	}
	key := &Key{name: name, algorithms: config.Algorithms, material: &watched[material]{
		every:   lookEvery,
		name:    name,
		sources: loader.sources(),
		load:    loader.load,
		onError: config.OnReloadError,
	}}
	if err := key.material.open(); err != nil {
		return nil, err
	}
	return key, nil
}

// Name returns the key's name.
func (k *Key) Name() string { return k.name }

// Algorithms returns what the key may be used for, in the order of its configuration.
func (k *Key) Algorithms() []Algorithm { return slices.Clone(k.algorithms) }

// use returns what an operation needs, or why the algorithm is refused.
func (k *Key) use(operation string, alg Algorithm, encrypts bool) (construction, material, error) {
	c, known := alg.construction()
	if !known || c.scheme.encrypts() != encrypts || !slices.Contains(k.algorithms, alg) {
		err := fmt.Errorf("%w: %q", ErrAlgorithm, shorten(string(alg)))
		return construction{}, material{}, k.fail(operation, err)
	}
	m, _ := k.material.current()
	return c, m, nil
}

// fail names the operation and the key.
func (k *Key) fail(operation string, err error) error {
	return fmt.Errorf("%s with key %q: %w", operation, k.name, err)
}

// keyLoader makes the material of a key from its configuration and the contents of its files.
type keyLoader struct {
	prefix string
	config KeyConfig
}

func (l keyLoader) problem(field, format string, args ...any) error {
	return &FieldError{Field: l.prefix + field, Problem: fmt.Sprintf(format, args...)}
}

// validate checks what can be said before any file is read.
func (l keyLoader) validate() error {
	c := l.config
	var problems []error
	if c.PrivateKeyFile != "" && c.PrivateKeyPEM != nil {
		problems = append(problems, l.problem("private_key_file", "is set beside private_key: choose one"))
	}
	if c.PublicKeyFile != "" && c.PublicKeyPEM != nil {
		problems = append(problems, l.problem("public_key_file", "is set beside public_key: choose one"))
	}
	pair := c.PrivateKeyFile != "" || c.PrivateKeyPEM != nil || c.PublicKeyFile != "" || c.PublicKeyPEM != nil
	switch {
	case pair && c.Secret.Len() > 0:
		problems = append(problems, l.problem("secret", "is set beside a private or public key: choose one"))
	case !pair && c.Secret.Len() == 0:
		problems = append(problems, l.problem("private_key_file",
			"no key is given: set private_key_file, public_key_file or secret"))
	}
	if len(c.Algorithms) == 0 {
		problems = append(problems, l.problem("alg", "no algorithm is allowed"))
	}
	for _, alg := range c.Algorithms {
		if _, known := alg.construction(); !known {
			// It is not shown: where alg and secret were mixed up, it is the secret.
			problems = append(problems, l.problem("alg", "unknown algorithm: known are %s", knownAlgorithms))
		}
	}
	return errors.Join(problems...)
}

// source names the material of one half: a file, or what was given in memory.
func (l keyLoader) source(half, path string) source {
	if path == "" {
		return source{field: l.prefix + half}
	}
	return source{field: l.prefix + half + "_file", path: path}
}

func (l keyLoader) sources() []source {
	var sources []source
	if path := l.config.PrivateKeyFile; path != "" {
		sources = append(sources, l.source("private_key", path))
	}
	if path := l.config.PublicKeyFile; path != "" {
		sources = append(sources, l.source("public_key", path))
	}
	return sources
}

// load takes the contents in the order of sources.
func (l keyLoader) load(contents []content) (material, error) {
	take := func(path string, inMemory []byte) content {
		if path == "" {
			return content{data: inMemory}
		}
		next := contents[0]
		contents = contents[1:]
		return next
	}
	c, m := l.config, material{secret: l.config.Secret}
	var problems []error
	if c.PrivateKeyFile != "" || c.PrivateKeyPEM != nil {
		src := l.source("private_key", c.PrivateKeyFile)
		data := take(c.PrivateKeyFile, c.PrivateKeyPEM)
		if private, ok := parsed(src, data, parsePrivateKey, &problems); ok {
			m.private, m.public = private, private.Public()
		}
	}
	if c.PublicKeyFile != "" || c.PublicKeyPEM != nil {
		src := l.source("public_key", c.PublicKeyFile)
		data := take(c.PublicKeyFile, c.PublicKeyPEM)
		if public, ok := parsed(src, data, parsePublicKey, &problems); ok {
			if m.public != nil && !samePublicKey(m.public, public) {
				problems = append(problems, src.fail(errors.New("is not of one pair with the private key")))
			}
			m.public = public
		}
	}
	if len(problems) > 0 {
		return material{}, errors.Join(problems...)
	}
	return m, l.fits(m)
}

// fits checks the algorithms against the key, also after a rotation: a new key of another type is a mistake.
func (l keyLoader) fits(m material) error {
	var problems []error
	for _, alg := range l.config.Algorithms {
		if c, _ := alg.construction(); !c.fits(m) {
			problems = append(problems, l.problem("alg", "%s does not fit %s", alg, m.kind()))
		}
	}
	return errors.Join(problems...)
}
