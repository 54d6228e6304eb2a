package vault_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/host/vault"
)

var (
	rsaAlgorithms = []vault.Algorithm{
		vault.RS256, vault.RS384, vault.RS512, vault.PS256, vault.PS384, vault.PS512,
		vault.RSAOAEP256, vault.RSAOAEP, vault.RSA15,
	}
	hmacAlgorithms = []vault.Algorithm{vault.HS256, vault.HS384, vault.HS512}
)

// keyring is a pair and the algorithms that fit it, with another key of the same type.
type keyring struct {
	name       string
	private    crypto.Signer
	other      crypto.Signer
	algorithms []vault.Algorithm
}

func keyrings() []keyring {
	return []keyring{
		{"RSA", rsaKey(), otherRSAKey(), rsaAlgorithms},
		{"P-256", p256Key(), makeECDSA(p256Key().Curve), []vault.Algorithm{vault.ES256, vault.ES256DER}},
		{"P-384", p384Key(), makeECDSA(p384Key().Curve), []vault.Algorithm{vault.ES384, vault.ES384DER}},
		{"P-521", p521Key(), makeECDSA(p521Key().Curve), []vault.Algorithm{vault.ES512, vault.ES512DER}},
		{"Ed25519", edKey(), otherEdKey(), []vault.Algorithm{vault.EdDSA}},
	}
}

func newKey(t *testing.T, config vault.KeyConfig) *vault.Key {
	t.Helper()
	key, err := vault.NewKey("test", config)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestKeyRoundTrips(t *testing.T) {
	t.Parallel()
	for _, ring := range keyrings() {
		own := newKey(t, vault.KeyConfig{PrivateKeyPEM: pkcs8(ring.private), Algorithms: ring.algorithms})
		publicPEM := pkix509(ring.private.Public())
		public := newKey(t, vault.KeyConfig{PublicKeyPEM: publicPEM, Algorithms: ring.algorithms})
		other := newKey(t, vault.KeyConfig{PrivateKeyPEM: pkcs8(ring.other), Algorithms: ring.algorithms})
		for _, alg := range ring.algorithms {
			t.Run(ring.name+"/"+string(alg), func(t *testing.T) {
				t.Parallel()
				if strings.HasPrefix(string(alg), "RSA") {
					checkEncryption(t, alg, own, public, other)
				} else {
					checkSignature(t, alg, own, public, other)
				}
			})
		}
	}
	own := newKey(t, vault.KeyConfig{Secret: vault.NewSecret("a shared secret"), Algorithms: hmacAlgorithms})
	other := newKey(t, vault.KeyConfig{Secret: vault.NewSecret("another secret"), Algorithms: hmacAlgorithms})
	for _, alg := range hmacAlgorithms {
		t.Run("HMAC/"+string(alg), func(t *testing.T) {
			t.Parallel()
			checkSignature(t, alg, own, own, other)
		})
	}
}

func checkSignature(t *testing.T, alg vault.Algorithm, own, public, other *vault.Key) {
	for _, data := range [][]byte{nil, []byte("one"), bytes.Repeat([]byte("x"), 100_000)} {
		signature, err := own.Sign(alg, data)
		if err != nil {
			t.Fatal(err)
		}
		if err := public.Verify(alg, data, signature); err != nil {
			t.Errorf("own signature over %d bytes: %v", len(data), err)
		}
		forged := map[string]error{
			"other data":     public.Verify(alg, append([]byte("!"), data...), signature),
			"other key":      other.Verify(alg, data, signature),
			"changed":        public.Verify(alg, data, flipped(signature)),
			"empty":          public.Verify(alg, data, nil),
			"all zero":       public.Verify(alg, data, make([]byte, len(signature))),
			"cut":            public.Verify(alg, data, signature[:len(signature)-1]),
			"longer":         public.Verify(alg, data, append(bytes.Clone(signature), 0)),
			"leading zeroes": public.Verify(alg, data, append(make([]byte, 1024), signature...)),
		}
		for what, err := range forged {
			if !errors.Is(err, vault.ErrSignature) {
				t.Errorf("%s: Verify = %v, want ErrSignature", what, err)
			}
		}
	}
}

func checkEncryption(t *testing.T, alg vault.Algorithm, own, public, other *vault.Key) {
	most := map[vault.Algorithm]int{vault.RSAOAEP256: 190, vault.RSAOAEP: 214, vault.RSA15: 245}[alg]
	for _, size := range []int{0, 1, most} {
		data := bytes.Repeat([]byte("d"), size)
		encrypted, err := public.Encrypt(alg, data)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := own.Decrypt(alg, encrypted)
		if err != nil || !bytes.Equal(plain, data) {
			t.Errorf("%d bytes: Decrypt = %q, %v", size, plain, err)
		}
		if _, err := public.Decrypt(alg, encrypted); !errors.Is(err, vault.ErrNoPrivateKey) {
			t.Errorf("by the public half: Decrypt = %v, want ErrNoPrivateKey", err)
		}
		_, otherErr := other.Decrypt(alg, encrypted)
		_, changedErr := own.Decrypt(alg, flipped(encrypted))
		_, shortErr := own.Decrypt(alg, encrypted[1:])
		_, longErr := own.Decrypt(alg, make([]byte, 1<<20))
		_, largeErr := own.Decrypt(alg, bytes.Repeat([]byte{0xFF}, len(encrypted)))
		for _, err := range []error{otherErr, changedErr, shortErr, longErr, largeErr} {
			if !errors.Is(err, vault.ErrDecrypt) {
				t.Fatalf("Decrypt = %v, want ErrDecrypt", err)
			}
			if diff := cmp.Diff(otherErr.Error(), err.Error()); diff != "" {
				t.Errorf("errors of decryption can be told apart:\n%s", diff)
			}
		}
	}
	if _, err := public.Encrypt(alg, make([]byte, most+1)); !errors.Is(err, vault.ErrTooLarge) {
		t.Errorf("%d bytes: Encrypt = %v, want ErrTooLarge", most+1, err)
	}
}

func flipped(data []byte) []byte {
	out := bytes.Clone(data)
	out[len(out)/2] ^= 1
	return out
}

// The other side is the standard library here, so that a mistake on both of our sides does not pass.
func TestSignatureEncodings(t *testing.T) {
	t.Parallel()
	data := []byte("payhost")
	digest := sha256.Sum256(data)
	key := newKey(t, vault.KeyConfig{
		PrivateKeyPEM: pkcs8(p256Key()),
		Algorithms:    []vault.Algorithm{vault.ES256, vault.ES256DER},
	})
	fixed := must(key.Sign(vault.ES256, data))
	if len(fixed) != 64 {
		t.Errorf("ES256 signature has %d bytes, want 64", len(fixed))
	}
	der := must(key.Sign(vault.ES256DER, data))
	if !ecdsa.VerifyASN1(&p256Key().PublicKey, digest[:], der) {
		t.Error("the standard library refuses the ES256-DER signature")
	}
	if err := key.Verify(vault.ES256, data, der); !errors.Is(err, vault.ErrSignature) {
		t.Errorf("ES256 takes a DER signature: %v", err)
	}
	if err := key.Verify(vault.ES256DER, data, fixed); !errors.Is(err, vault.ErrSignature) {
		t.Errorf("ES256-DER takes an R||S signature: %v", err)
	}
}

func TestKeyRefusesAlgorithms(t *testing.T) {
	t.Parallel()
	key := newKey(t, private(pkcs8(rsaKey()), vault.RS256, vault.RSAOAEP256))
	encrypted := must(key.Encrypt(vault.RSAOAEP256, []byte("d")))
	uses := map[string]func(vault.Algorithm) error{
		"Sign":    func(alg vault.Algorithm) error { _, err := key.Sign(alg, []byte("d")); return err },
		"Verify":  func(alg vault.Algorithm) error { return key.Verify(alg, []byte("d"), []byte("s")) },
		"Encrypt": func(alg vault.Algorithm) error { _, err := key.Encrypt(alg, []byte("d")); return err },
		"Decrypt": func(alg vault.Algorithm) error { _, err := key.Decrypt(alg, encrypted); return err },
	}
	refused := []vault.Algorithm{
		vault.RS384, vault.PS256, vault.RSAOAEP, vault.RSA15, vault.ES256, vault.HS256,
		vault.EdDSA, "", "none", "RS", "rs256", vault.Algorithm(strings.Repeat("A", 10_000)),
	}
	for name, use := range uses {
		wrongUse := vault.RSAOAEP256
		if name == "Encrypt" || name == "Decrypt" {
			wrongUse = vault.RS256
		}
		for _, alg := range append([]vault.Algorithm{wrongUse}, refused...) {
			err := use(alg)
			if !errors.Is(err, vault.ErrAlgorithm) {
				t.Errorf("%s(%.20q) = %v, want ErrAlgorithm", name, alg, err)
			} else if len(err.Error()) > 200 {
				t.Errorf("%s: the error repeats %d bytes of the caller's", name, len(err.Error()))
			}
		}
	}
}
