// Package certs makes the certificates and keys that tests, the demo and the
// simulators need: an authority, servers on the loopback, clients by name, and
// RSA key pairs for signed codes.
//
// Everything is generated at run time from crypto/rand and lives for Lifetime.
// Nothing here is fit for production: the authority's key stays in memory of the
// process and there is no revocation.
package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Lifetime is how long a certificate is valid after it was made.
const Lifetime = 60 * 24 * time.Hour

// clockSkew dates certificates back, for a peer whose clock is behind.
const clockSkew = time.Hour

// An Authority signs certificates. It is safe for concurrent use.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

// NewAuthority makes a self-signed authority with the given common name and an
// ECDSA P-256 key. Two authorities of one name do not trust each other. It
// returns an error only when the system's randomness fails.
func NewAuthority(name string) (*Authority, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	template, err := template(name, time.Now())
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.MaxPathLenZero = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("certs: sign authority %q: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certs: read authority %q back: %w", name, err)
	}
	return &Authority{cert: cert, key: key, pem: encode("CERTIFICATE", der)}, nil
}

// PEM returns the authority's certificate, as a peer's list of trusted roots.
func (a *Authority) PEM() []byte { return append([]byte(nil), a.pem...) }

// Pool returns a pool with the authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// WriteFile writes the authority's certificate as PEM to path.
func (a *Authority) WriteFile(path string) error { return writePublic(path, a.pem) }

// Server makes a server certificate for host names and IP addresses; without
// any, for 127.0.0.1, ::1 and localhost.
func (a *Authority) Server(hosts ...string) (*Identity, error) {
	if len(hosts) == 0 {
		hosts = []string{"127.0.0.1", "::1", "localhost"}
	}
	t, err := template(hosts[0], time.Now())
	if err != nil {
		return nil, err
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	return a.sign(t)
}

// Client makes a client certificate whose common name is name.
func (a *Authority) Client(name string) (*Identity, error) {
	return a.ClientFrom(name, time.Now())
}

// ClientFrom is Client for a certificate made at the given moment: one of more
// than Lifetime ago has expired, one of the future is not yet valid.
func (a *Authority) ClientFrom(name string, made time.Time) (*Identity, error) {
	t, err := template(name, made)
	if err != nil {
		return nil, err
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.sign(t)
}

func (a *Authority) sign(t *x509.Certificate) (*Identity, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("certs: sign %q: %w", t.Subject.CommonName, err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("certs: encode the key of %q: %w", t.Subject.CommonName, err)
	}
	certPEM, keyPEM := encode("CERTIFICATE", der), encode("PRIVATE KEY", keyDER)
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("certs: read %q back: %w", t.Subject.CommonName, err)
	}
	return &Identity{CertPEM: certPEM, KeyPEM: keyPEM, TLS: pair}, nil
}

// An Identity is a certificate with its private key.
type Identity struct {
	CertPEM []byte          // one CERTIFICATE block
	KeyPEM  []byte          // one PRIVATE KEY block (PKCS #8)
	TLS     tls.Certificate // the same pair, ready for tls.Config
}

// WriteFiles writes name.crt and name.key as PEM into dir, which must exist; the
// key is readable by the owner alone.
func (id *Identity) WriteFiles(dir, name string) error {
	if err := writePublic(filepath.Join(dir, name+".crt"), id.CertPEM); err != nil {
		return err
	}
	return writePrivate(filepath.Join(dir, name+".key"), id.KeyPEM)
}

// template has what authority, server and client certificates share.
func template(name string, made time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("certs: serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber:          serial.Add(serial, big.NewInt(1)), // never zero
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             made.Add(-clockSkew),
		NotAfter:              made.Add(Lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}, nil
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("certs: generate key: %w", err)
	}
	return key, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func writePublic(path string, data []byte) error { return write(path, data, 0o644) }

func writePrivate(path string, data []byte) error { return write(path, data, 0o600) }

func write(path string, data []byte, mode os.FileMode) error {
	if err := os.WriteFile(path, data, mode); err != nil {
		return fmt.Errorf("certs: write: %w", err)
	}
	return nil
}
