package host

import (
	"crypto/md5"  //nolint:gosec // for providers that still ask for it
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"errors"

	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// Digest hashes a blob.
func (c *call) Digest(alg, h int32, p []byte) int32 {
	data, code := c.blob(h)
	if code < 0 {
		return code
	}
	var sum []byte
	switch abi.DigestAlgorithm(alg) {
	case abi.SHA256:
		s := sha256.Sum256(data)
		sum = s[:]
	case abi.SHA384:
		s := sha512.Sum384(data)
		sum = s[:]
	case abi.SHA512:
		s := sha512.Sum512(data)
		sum = s[:]
	case abi.SHA1:
		s := sha1.Sum(data) //nolint:gosec // see above
		sum = s[:]
	case abi.MD5:
		s := md5.Sum(data) //nolint:gosec // see above
		sum = s[:]
	default:
		return c.bad(abi.Unsupported, "digest: unknown algorithm")
	}
	return give(p, sum)
}

// key finds the key and the algorithm that a spec names.
func (c *call) key(spec []byte) (*vault.Key, vault.Algorithm, int32) {
	m, err := abi.DecodeCryptoSpec(spec)
	if err != nil {
		return nil, "", c.bad(abi.BadArgument, "crypto spec: "+err.Error())
	}
	if c.binding == nil {
		return nil, "", c.bad(abi.Denied, "describe may not use keys")
	}
	declared := false
	for _, k := range c.binding.revision.manifest.Keys {
		declared = declared || k.Name == m.Key
	}
	if !declared {
		return nil, "", c.bad(abi.Denied, "key "+m.Key+" is not in the manifest")
	}
	key, ok := c.binding.vault.Key(m.Key)
	if !ok {
		return nil, "", c.fail(abi.NotFound, pay.ClassConfig, "key "+m.Key+" is not bound to the connection")
	}
	return key, vault.Algorithm(m.Algorithm), 0
}

// transform runs a key's method over a blob and keeps what it gives.
func (c *call) transform(
	spec []byte, h int32, method func(*vault.Key, vault.Algorithm, []byte) ([]byte, error),
) int32 {
	key, alg, code := c.key(spec)
	if code < 0 {
		return code
	}
	data, code := c.blob(h)
	if code < 0 {
		return code
	}
	out, err := method(key, alg, data)
	if err != nil {
		return c.cryptoError(err)
	}
	return c.newBlob(out)
}

func (c *call) cryptoError(err error) int32 {
	switch {
	case errors.Is(err, vault.ErrAlgorithm):
		return c.fail(abi.Unsupported, pay.ClassConfig, "algorithm is not allowed for the key")
	case errors.Is(err, vault.ErrNoPrivateKey):
		return c.fail(abi.Denied, pay.ClassConfig, "key has no private part")
	case errors.Is(err, vault.ErrTooLarge):
		return c.fail(abi.TooLarge, pay.ClassInvalidRequest, "data is too large for the key")
	}
	return c.fail(abi.BadArgument, pay.ClassIntegrity, "data does not decrypt")
}

// Sign signs a blob.
func (c *call) Sign(spec []byte, h int32) int32 { return c.transform(spec, h, (*vault.Key).Sign) }

// Encrypt encrypts a blob.
func (c *call) Encrypt(spec []byte, h int32) int32 { return c.transform(spec, h, (*vault.Key).Encrypt) }

// Decrypt decrypts a blob.
func (c *call) Decrypt(spec []byte, h int32) int32 { return c.transform(spec, h, (*vault.Key).Decrypt) }

// Verify checks a signature.
func (c *call) Verify(spec []byte, h, sig int32) int32 {
	key, alg, code := c.key(spec)
	if code < 0 {
		return code
	}
	data, code := c.blob(h)
	if code < 0 {
		return code
	}
	signature, code := c.blob(sig)
	if code < 0 {
		return code
	}
	err := key.Verify(alg, data, signature)
	switch {
	case err == nil:
		return 1
	case errors.Is(err, vault.ErrSignature):
		return 0
	}
	return c.cryptoError(err)
}
