package vault

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// IdentityConfig names the PEM files of a TLS client identity: a certificate with its private key, or the
// certificates of the authorities that the server's certificate must come from, or both.
type IdentityConfig struct {
	CertFile string // the certificate, then any intermediate certificates; needs KeyFile
	KeyFile  string // the certificate's private key, not under a password; needs CertFile
	CAFile   string // trusted authorities in place of the system's

	// OnReloadError is told when a changed file does not load; the old identity stays in use. It is called
	// from Current, once for each failure. May be nil. Within a Vault, Config.OnReloadError is used.
	OnReloadError func(name string, err error)
	// Now is the clock for the certificate's dates; nil means time.Now.
	Now func() time.Time
}

// Material is what a TLS connection needs. It must not be changed: it is shared.
type Material struct {
	Certificate *tls.Certificate // nil if the identity has only authorities; Leaf is set
	Roots       *x509.CertPool   // nil if the system's authorities are meant
	Version     uint64           // 1 at first, one more for every change of the files
}

// Identity is a TLS identity by name. It may be used from many goroutines. It has no goroutine of its own.
type Identity struct {
	name  string
	files *watched[Material]
}

// OpenIdentity loads and validates an identity: the certificate and the key parse and match, the certificate
// is within its dates, the authorities parse. The error joins a *FieldError for every problem, with the
// fields tls.client_cert_file, tls.client_key_file and tls.ca_file; it names files by their base names.
func OpenIdentity(name string, config IdentityConfig) (*Identity, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	owner := fmt.Sprintf("identity %q: ", name)
	loader := identityLoader{
		now:  config.Now,
		cert: source{field: "tls.client_cert_file", path: config.CertFile, owner: owner},
		key:  source{field: "tls.client_key_file", path: config.KeyFile, owner: owner},
		ca:   source{field: "tls.ca_file", path: config.CAFile, owner: owner},
	}
	if err := loader.validate(owner); err != nil {
		return nil, err
	}
	identity := &Identity{name: name, files: &watched[Material]{
		every:   lookEvery,
		name:    name,
		sources: loader.sources(),
		load:    loader.load,
		onError: config.OnReloadError,
	}}
	if err := identity.files.open(); err != nil {
		return nil, err
	}
	return identity, nil
}

// Name returns the identity's name.
func (i *Identity) Name() string { return i.name }

// Current returns the identity as its files are, or were ten milliseconds ago: calls that come thick share a
// look. They are looked at by one stat each, and read if they changed. A change that does not load (a
// certificate whose key has not arrived yet, an expired certificate, a cut file) leaves the old material as a
// whole. A certificate that expires in use is still returned: the server will refuse it, and
// Certificate.Leaf.NotAfter tells it beforehand.
func (i *Identity) Current() Material {
	material, version := i.files.current()
	material.Version = version
	return material
}

// identityLoader makes the material of an identity from the contents of its files.
type identityLoader struct {
	now           func() time.Time
	cert, key, ca source
}

func (l identityLoader) validate(owner string) error {
	switch {
	case l.cert.path == "" && l.key.path == "" && l.ca.path == "":
		return &FieldError{Field: "tls", Problem: owner +
			"no file is given: set client_cert_file and client_key_file, or ca_file"}
	case l.cert.path == "" && l.key.path != "":
		return &FieldError{Field: l.cert.field, Problem: owner + "is missing beside client_key_file"}
	case l.cert.path != "" && l.key.path == "":
		return &FieldError{Field: l.key.field, Problem: owner + "is missing beside client_cert_file"}
	}
	return nil
}

func (l identityLoader) sources() []source {
	var sources []source
	if l.cert.path != "" {
		sources = append(sources, l.cert, l.key)
	}
	if l.ca.path != "" {
		sources = append(sources, l.ca)
	}
	return sources
}

// load takes the contents in the order of sources.
func (l identityLoader) load(contents []content) (Material, error) {
	var m Material
	var problems []error
	if l.cert.path != "" {
		m.Certificate = l.pair(contents[0], contents[1], &problems)
	}
	if l.ca.path != "" {
		authorities, _ := parsed(l.ca, contents[len(contents)-1], parseCertificates, &problems)
		m.Roots = x509.NewCertPool()
		for _, authority := range authorities {
			m.Roots.AddCert(authority)
		}
	}
	return m, errors.Join(problems...)
}

// pair joins the certificate to its key.
func (l identityLoader) pair(certContent, keyContent content, problems *[]error) *tls.Certificate {
	chain, certOK := parsed(l.cert, certContent, parseCertificates, problems)
	private, keyOK := parsed(l.key, keyContent, parsePrivateKey, problems)
	if certOK {
		if err := l.dates(chain[0]); err != nil {
			*problems = append(*problems, err)
		}
	}
	if !certOK || !keyOK {
		return nil
	}
	if !samePublicKey(chain[0].PublicKey, private.Public()) {
		certFile := filepath.Base(l.cert.path)
		err := fmt.Errorf("is not the key of the certificate in %s", certFile)
		*problems = append(*problems, l.key.fail(err))
	}
	certificate := &tls.Certificate{PrivateKey: private, Leaf: chain[0]}
	for _, cert := range chain {
		certificate.Certificate = append(certificate.Certificate, cert.Raw)
	}
	return certificate
}

func (l identityLoader) dates(leaf *x509.Certificate) error {
	now := l.now()
	if now.After(leaf.NotAfter) {
		return l.cert.fail(errors.New("the certificate expired at " + stamp(leaf.NotAfter)))
	}
	if now.Before(leaf.NotBefore) {
		problem := l.cert.fail(errors.New("the certificate is not valid before " + stamp(leaf.NotBefore)))
		// The one problem that time alone mends: a new certificate that is put in place early.
		problem.cause = errTryLater
		return problem
	}
	return nil
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
