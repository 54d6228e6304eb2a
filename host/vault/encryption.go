package vault

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
)

// Encrypt encrypts data for the key. What fits is the size of the RSA key in bytes less 66 (RSA-OAEP-256), 42
// (RSA-OAEP) or 11 (RSA1_5). It returns ErrTooLarge or ErrAlgorithm.
func (k *Key) Encrypt(alg Algorithm, data []byte) ([]byte, error) {
	c, m, err := k.use("encrypt", alg, true)
	if err != nil {
		return nil, err
	}
	encrypted, err := c.encrypt(m.public.(*rsa.PublicKey), data)
	if errors.Is(err, rsa.ErrMessageTooLong) {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, k.fail("encrypt", err)
	}
	return encrypted, nil
}

// Decrypt decrypts what was encrypted for the key; the data is as long as the RSA key, no shorter and no
// longer. It returns ErrDecrypt, ErrNoPrivateKey or ErrAlgorithm.
//
// ErrDecrypt is one error for every reason: a wrong length, a wrong key, a wrong padding. With RSA1_5 that is
// not enough by itself: whoever learns merely *that* decryption failed, for many texts of their choice, can
// read a message that was encrypted for the key (Bleichenbacher's attack), and success or failure cannot be
// hidden from the caller. So a caller must answer its peer in the same way, in the same time, whether
// decryption failed or the decrypted text was worthless; and a key that is allowed RSA1_5 should not be used
// for signing as well.
func (k *Key) Decrypt(alg Algorithm, data []byte) ([]byte, error) {
	c, m, err := k.use("decrypt", alg, true)
	if err != nil {
		return nil, err
	}
	private, ok := m.private.(*rsa.PrivateKey)
	if !ok {
		return nil, k.fail("decrypt", ErrNoPrivateKey)
	}
	// The length is public, so this branch tells nothing; it keeps large inputs away from the arithmetic.
	if len(data) != private.Size() {
		return nil, k.fail("decrypt", ErrDecrypt)
	}
	plain, err := c.decrypt(private, data)
	if err != nil {
		return nil, k.fail("decrypt", ErrDecrypt)
	}
	return plain, nil
}

func (c construction) encrypt(public *rsa.PublicKey, data []byte) ([]byte, error) {
	if c.scheme == schemePKCS1Encryption {
		//nolint:staticcheck // deprecated for good reason; there are providers that offer nothing else
		return rsa.EncryptPKCS1v15(rand.Reader, public, data)
	}
	return rsa.EncryptOAEP(c.hash.New(), rand.Reader, public, data, nil)
}

func (c construction) decrypt(private *rsa.PrivateKey, data []byte) ([]byte, error) {
	if c.scheme == schemePKCS1Encryption {
		//nolint:staticcheck // see encrypt; the padding is checked in constant time
		return rsa.DecryptPKCS1v15(nil, private, data)
	}
	return rsa.DecryptOAEP(c.hash.New(), nil, private, data, nil)
}
