package vault

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
)

// Sign signs the data; hashing it is part of the algorithm. It returns ErrAlgorithm or ErrNoPrivateKey.
func (k *Key) Sign(alg Algorithm, data []byte) ([]byte, error) {
	c, m, err := k.use("sign", alg, false)
	if err != nil {
		return nil, err
	}
	if c.scheme == schemeHMAC {
		return c.mac(m.secret, data), nil
	}
	if m.private == nil {
		return nil, k.fail("sign", ErrNoPrivateKey)
	}
	signature, err := c.sign(m.private, data)
	if err != nil {
		return nil, k.fail("sign", err)
	}
	return signature, nil
}

// Verify checks that signature is that of the data by this key. It returns ErrSignature if it is not,
// ErrAlgorithm if the algorithm is refused.
func (k *Key) Verify(alg Algorithm, data, signature []byte) error {
	c, m, err := k.use("verify", alg, false)
	if err != nil {
		return err
	}
	if !c.verify(m, data, signature) {
		return k.fail("verify", ErrSignature)
	}
	return nil
}

func (c construction) sign(private crypto.Signer, data []byte) ([]byte, error) {
	switch c.scheme {
	case schemeEd25519:
		return private.Sign(rand.Reader, data, crypto.Hash(0))
	case schemePSS:
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: c.hash}
		return private.Sign(rand.Reader, c.digest(data), options)
	case schemeECDSA:
		if !c.der {
			return c.signFixed(private.(*ecdsa.PrivateKey), data)
		}
	}
	return private.Sign(rand.Reader, c.digest(data), c.hash)
}

// signFixed makes R||S, each as long as the curve's order.
func (c construction) signFixed(private *ecdsa.PrivateKey, data []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, private, c.digest(data))
	if err != nil {
		return nil, err
	}
	size := c.numberSize()
	signature := make([]byte, 2*size)
	r.FillBytes(signature[:size])
	s.FillBytes(signature[size:])
	return signature, nil
}

func (c construction) verify(m material, data, signature []byte) bool {
	switch public := m.public.(type) {
	case nil:
		return hmac.Equal(c.mac(m.secret, data), signature)
	case ed25519.PublicKey:
		return ed25519.Verify(public, data, signature)
	case *ecdsa.PublicKey:
		return c.verifyECDSA(public, data, signature)
	case *rsa.PublicKey:
		if c.scheme == schemePKCS1Signature {
			return rsa.VerifyPKCS1v15(public, c.hash, c.digest(data), signature) == nil
		}
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}
		return rsa.VerifyPSS(public, c.hash, c.digest(data), signature, options) == nil
	}
	return false
}

func (c construction) verifyECDSA(public *ecdsa.PublicKey, data, signature []byte) bool {
	if c.der {
		return ecdsa.VerifyASN1(public, c.digest(data), signature)
	}
	size := c.numberSize()
	if len(signature) != 2*size {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
	return ecdsa.Verify(public, c.digest(data), r, s)
}

// numberSize is the length of R, and of S, in bytes.
func (c construction) numberSize() int { return (c.curve.Params().BitSize + 7) / 8 }

func (c construction) digest(data []byte) []byte {
	h := c.hash.New()
	h.Write(data)
	return h.Sum(nil)
}

func (c construction) mac(secret Secret, data []byte) []byte {
	h := hmac.New(c.hash.New, []byte(secret.Reveal()))
	h.Write(data)
	return h.Sum(nil)
}
