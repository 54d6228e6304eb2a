package sdktest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"strings"
)

// algorithm is a JOSE name taken apart.
type algorithm struct {
	scheme string // "RS", "PS", "ES", "HS", "EdDSA", "RSA-OAEP", "RSA1_5"
	hash   crypto.Hash
	der    bool // ES only: an ASN.1 signature in place of R and S side by side
}

func algorithmOf(name string) (algorithm, bool) {
	switch name {
	case "EdDSA", "RSA1_5":
		return algorithm{scheme: name}, true
	case "RSA-OAEP":
		return algorithm{scheme: name, hash: crypto.SHA1}, true
	case "RSA-OAEP-256":
		return algorithm{scheme: "RSA-OAEP", hash: crypto.SHA256}, true
	}
	base, der := strings.CutSuffix(name, "-DER")
	if len(base) != 5 || der && base[:2] != "ES" {
		return algorithm{}, false
	}
	a := algorithm{scheme: base[:2], der: der}
	switch base[2:] {
	case "256":
		a.hash = crypto.SHA256
	case "384":
		a.hash = crypto.SHA384
	case "512":
		a.hash = crypto.SHA512
	}
	known := a.scheme == "RS" || a.scheme == "PS" || a.scheme == "ES" || a.scheme == "HS"
	return a, known && a.hash != 0
}

// fits reports whether a key can be used with the algorithm at all.
func (a algorithm) fits(key any) bool {
	var ok bool
	switch a.scheme {
	case "HS":
		_, ok = key.([]byte)
	case "EdDSA":
		_, ok = publicOf(key).(ed25519.PublicKey)
	case "ES":
		_, ok = publicOf(key).(*ecdsa.PublicKey)
	default:
		_, ok = publicOf(key).(*rsa.PublicKey)
	}
	return ok
}

func (a algorithm) encrypts() bool { return a.scheme == "RSA-OAEP" || a.scheme == "RSA1_5" }

// publicOf returns the public part of a private key, and any other key as it is.
func publicOf(key any) any {
	if private, ok := key.(crypto.Signer); ok {
		return private.Public()
	}
	return key
}

// sign returns a signature, or false if the key has no private part.
func (a algorithm) sign(key any, data []byte) ([]byte, bool) {
	var out []byte
	var err error
	switch k := key.(type) {
	case []byte:
		mac := hmac.New(a.hash.New, k)
		mac.Write(data)
		return mac.Sum(nil), true
	case ed25519.PrivateKey:
		return ed25519.Sign(k, data), true
	case *ecdsa.PrivateKey:
		if a.der {
			out, err = ecdsa.SignASN1(rand.Reader, k, a.digest(data))
			break
		}
		var r, s *big.Int
		if r, s, err = ecdsa.Sign(rand.Reader, k, a.digest(data)); err == nil {
			size := numberSize(&k.PublicKey)
			out = make([]byte, 2*size)
			r.FillBytes(out[:size])
			s.FillBytes(out[size:])
		}
	case *rsa.PrivateKey:
		switch a.scheme {
		case "RS":
			out, err = rsa.SignPKCS1v15(nil, k, a.hash, a.digest(data))
		case "PS":
			options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			out, err = rsa.SignPSS(rand.Reader, k, a.hash, a.digest(data), options)
		}
	}
	return out, err == nil && out != nil
}

// verify reports whether a signature fits.
func (a algorithm) verify(key any, data, signature []byte) bool {
	switch k := publicOf(key).(type) {
	case []byte:
		want, _ := a.sign(k, data)
		return hmac.Equal(want, signature)
	case ed25519.PublicKey:
		return ed25519.Verify(k, data, signature)
	case *ecdsa.PublicKey:
		if a.der {
			return ecdsa.VerifyASN1(k, a.digest(data), signature)
		}
		size := numberSize(k)
		if len(signature) != 2*size {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		return ecdsa.Verify(k, a.digest(data), r, s)
	case *rsa.PublicKey:
		switch a.scheme {
		case "RS":
			return rsa.VerifyPKCS1v15(k, a.hash, a.digest(data), signature) == nil
		case "PS":
			return rsa.VerifyPSS(k, a.hash, a.digest(data), signature, nil) == nil
		}
	}
	return false
}

func (a algorithm) digest(data []byte) []byte {
	h := a.hash.New()
	h.Write(data)
	return h.Sum(nil)
}

// numberSize is the length of R, and of S, in bytes.
func numberSize(k *ecdsa.PublicKey) int { return (k.Curve.Params().BitSize + 7) / 8 }
