package certs

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
)

// rsaBits is the size of generated RSA keys.
const rsaBits = 2048

// A KeyPair is an RSA key of 2048 bits with its public half.
type KeyPair struct {
	Private    *rsa.PrivateKey
	PrivatePEM []byte // one PRIVATE KEY block (PKCS #8)
	PublicPEM  []byte // one PUBLIC KEY block (PKIX)
}

// NewKeyPair generates an RSA key pair; it takes some tenths of a second. It
// returns an error only when the system's randomness fails.
func NewKeyPair() (*KeyPair, error) {
	key, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return nil, fmt.Errorf("certs: generate rsa key: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("certs: encode rsa private key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("certs: encode rsa public key: %w", err)
	}
	return &KeyPair{
		Private:    key,
		PrivatePEM: encode("PRIVATE KEY", private),
		PublicPEM:  encode("PUBLIC KEY", public),
	}, nil
}

// WritePrivate writes the private key as PEM to path, readable by the owner alone.
func (p *KeyPair) WritePrivate(path string) error { return writePrivate(path, p.PrivatePEM) }

// WritePublic writes the public key as PEM to path.
func (p *KeyPair) WritePublic(path string) error { return writePublic(path, p.PublicPEM) }
