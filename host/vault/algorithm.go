package vault

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha1"   // RSA-OAEP is defined over SHA-1
	_ "crypto/sha256" // RS256 and its kin
	_ "crypto/sha512" // RS384, RS512 and their kin
)

// Algorithm names one use of a key, spelled as in the JOSE registry (RFC 7518, RFC 8037) where that has a
// name.
type Algorithm string

// Encryption and decryption. RSA1_5 is here because old providers have nothing else: see Key.Decrypt.
const (
	RSAOAEP256 Algorithm = "RSA-OAEP-256" // RSA-OAEP over SHA-256
	RSAOAEP    Algorithm = "RSA-OAEP"     // RSA-OAEP over SHA-1
	RSA15      Algorithm = "RSA1_5"       // RSA, PKCS #1 v1.5
)

// Signatures. ES256, ES384 and ES512 sign with P-256, P-384 and P-521; their signature is R||S, each number
// in as many bytes as the curve has (64, 96, 132 in all), as JOSE wants it. The -DER names are the same
// signatures as an ASN.1 SEQUENCE of two INTEGERs, as OpenSSL and most mobile platforms write them. PS* sign
// with a salt as long as the hash and verify any salt. EdDSA is Ed25519 over the data itself.
const (
	RS256    Algorithm = "RS256"
	RS384    Algorithm = "RS384"
	RS512    Algorithm = "RS512"
	PS256    Algorithm = "PS256"
	PS384    Algorithm = "PS384"
	PS512    Algorithm = "PS512"
	ES256    Algorithm = "ES256"
	ES384    Algorithm = "ES384"
	ES512    Algorithm = "ES512"
	ES256DER Algorithm = "ES256-DER"
	ES384DER Algorithm = "ES384-DER"
	ES512DER Algorithm = "ES512-DER"
	EdDSA    Algorithm = "EdDSA"
	HS256    Algorithm = "HS256"
	HS384    Algorithm = "HS384"
	HS512    Algorithm = "HS512"
)

// knownAlgorithms are those names, for a person.
const knownAlgorithms = "RSA-OAEP-256, RSA-OAEP, RSA1_5, RS256, RS384, RS512, PS256, PS384, PS512, " +
	"ES256, ES384, ES512, ES256-DER, ES384-DER, ES512-DER, EdDSA, HS256, HS384, HS512"

// scheme is the construction behind an algorithm.
type scheme int

const (
	schemeOAEP scheme = iota + 1
	schemePKCS1Encryption
	schemePKCS1Signature
	schemePSS
	schemeECDSA
	schemeEd25519
	schemeHMAC
)

// encrypts reports whether the scheme is for Encrypt and Decrypt; the others are for Sign and Verify.
func (s scheme) encrypts() bool { return s == schemeOAEP || s == schemePKCS1Encryption }

// construction is an algorithm taken apart.
type construction struct {
	scheme scheme
	hash   crypto.Hash
	curve  elliptic.Curve // schemeECDSA only
	der    bool           // schemeECDSA only: ASN.1 instead of R||S
}

// construction takes the algorithm apart; false if the name is unknown.
func (a Algorithm) construction() (construction, bool) {
	switch a {
	case RSAOAEP256:
		return construction{scheme: schemeOAEP, hash: crypto.SHA256}, true
	case RSAOAEP:
		return construction{scheme: schemeOAEP, hash: crypto.SHA1}, true
	case RSA15:
		return construction{scheme: schemePKCS1Encryption}, true
	case RS256, RS384, RS512:
		return construction{scheme: schemePKCS1Signature, hash: a.hash()}, true
	case PS256, PS384, PS512:
		return construction{scheme: schemePSS, hash: a.hash()}, true
	case ES256, ES256DER:
		return construction{schemeECDSA, a.hash(), elliptic.P256(), a == ES256DER}, true
	case ES384, ES384DER:
		return construction{schemeECDSA, a.hash(), elliptic.P384(), a == ES384DER}, true
	case ES512, ES512DER:
		return construction{schemeECDSA, a.hash(), elliptic.P521(), a == ES512DER}, true
	case EdDSA:
		return construction{scheme: schemeEd25519}, true
	case HS256, HS384, HS512:
		return construction{scheme: schemeHMAC, hash: a.hash()}, true
	}
	return construction{}, false
}

// hash reads the hash off a JOSE name, whose digits tell it.
func (a Algorithm) hash() crypto.Hash {
	switch a[2:5] {
	case "384":
		return crypto.SHA384
	case "512":
		return crypto.SHA512
	}
	return crypto.SHA256
}

// fits reports whether the construction can use the material, by the type of the key alone.
func (c construction) fits(m material) bool {
	switch public := m.public.(type) {
	case *rsa.PublicKey:
		switch c.scheme {
		case schemeOAEP, schemePKCS1Encryption, schemePKCS1Signature, schemePSS:
			return true
		}
	case *ecdsa.PublicKey:
		return c.scheme == schemeECDSA && public.Curve == c.curve
	case ed25519.PublicKey:
		return c.scheme == schemeEd25519
	case nil:
		return c.scheme == schemeHMAC
	}
	return false
}

// kind names the type of the key, for messages.
func (m material) kind() string {
	switch public := m.public.(type) {
	case *rsa.PublicKey:
		return "an RSA key"
	case *ecdsa.PublicKey:
		return "an ECDSA key on " + public.Curve.Params().Name
	case ed25519.PublicKey:
		return "an Ed25519 key"
	}
	return "a shared secret"
}
