package vault_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// The keys of the tests are made once: an RSA key takes a while.
var (
	rsaKey      = sync.OnceValue(func() *rsa.PrivateKey { return makeRSA(2048) })
	otherRSAKey = sync.OnceValue(func() *rsa.PrivateKey { return makeRSA(2048) })
	weakRSAKey  = sync.OnceValue(func() *rsa.PrivateKey { return makeRSA(1024) })
	p256Key     = sync.OnceValue(func() *ecdsa.PrivateKey { return makeECDSA(elliptic.P256()) })
	p384Key     = sync.OnceValue(func() *ecdsa.PrivateKey { return makeECDSA(elliptic.P384()) })
	p521Key     = sync.OnceValue(func() *ecdsa.PrivateKey { return makeECDSA(elliptic.P521()) })
	edKey       = sync.OnceValue(func() ed25519.PrivateKey { return must2(ed25519.GenerateKey(rand.Reader)) })
)

func otherEdKey() ed25519.PrivateKey { return must2(ed25519.GenerateKey(rand.Reader)) }

func makeRSA(bits int) *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, bits)) }

func makeECDSA(curve elliptic.Curve) *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func must2[A, B any](_ A, value B, err error) B { return must(value, err) }

func encode(blockType string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der})
}

func pkcs8(key any) []byte   { return encode("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key))) }
func pkix509(key any) []byte { return encode("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(key))) }

// leaf describes a certificate for a test.
type leaf struct {
	from, until time.Time // an hour ago and an hour from now if zero
	serial      int64
}

// selfSigned makes a certificate of the key that is its own authority.
func selfSigned(key crypto.Signer, l leaf) []byte {
	if l.from.IsZero() {
		l.from = time.Now().Add(-time.Hour)
	}
	if l.until.IsZero() {
		l.until = time.Now().Add(time.Hour)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(l.serial + 1),
		Subject:               pkix.Name{CommonName: "till 1"},
		NotBefore:             l.from,
		NotAfter:              l.until,
		DNSNames:              []string{"localhost"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return encode("CERTIFICATE", der)
}

// write puts a file into dir in one step, as a careful operator does, and returns its path.
func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	return path
}

// reports collects what OnReloadError is told.
type reports struct {
	mu  sync.Mutex
	all []string
}

func (r *reports) add(name string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, name+": "+err.Error())
}

func (r *reports) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.all...)
}
