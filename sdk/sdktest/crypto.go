package sdktest

import (
	"crypto/md5" //nolint:gosec // providers that still ask for it can be tested
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"slices"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// Digest hashes a blob.
func (c *call) Digest(alg, blob int32, p []byte) int32 {
	data, code := c.blob(blob)
	if code < 0 {
		return code
	}
	var h hash.Hash
	switch abi.DigestAlgorithm(alg) {
	case abi.SHA256:
		h = sha256.New()
	case abi.SHA384:
		h = sha512.New384()
	case abi.SHA512:
		h = sha512.New()
	case abi.SHA1:
		h = sha1.New() //nolint:gosec // see above
	case abi.MD5:
		h = md5.New() //nolint:gosec // see above
	default:
		return c.fail(abi.Unsupported, pay.ClassPluginFault, "digest: unknown algorithm")
	}
	h.Write(data)
	return give(p, h.Sum(nil))
}

// Sign signs a blob.
func (c *call) Sign(spec []byte, blob int32) int32 {
	return c.transform(spec, blob, func(key any, a algorithm, data []byte) ([]byte, bool) {
		return a.sign(key, data)
	})
}

// Encrypt encrypts a blob.
func (c *call) Encrypt(spec []byte, blob int32) int32 {
	return c.transform(spec, blob, func(key any, a algorithm, data []byte) ([]byte, bool) {
		public, ok := publicOf(key).(*rsa.PublicKey)
		if !ok || !a.encrypts() {
			return nil, false
		}
		var out []byte
		var err error
		if a.scheme == "RSA1_5" {
			out, err = rsa.EncryptPKCS1v15(rand.Reader, public, data) //nolint:staticcheck // some have nothing else
		} else {
			out, err = rsa.EncryptOAEP(a.hash.New(), rand.Reader, public, data, nil)
		}
		return out, err == nil
	})
}

// Decrypt decrypts a blob.
func (c *call) Decrypt(spec []byte, blob int32) int32 {
	return c.transform(spec, blob, func(key any, a algorithm, data []byte) ([]byte, bool) {
		private, ok := key.(*rsa.PrivateKey)
		if !ok || !a.encrypts() {
			return nil, false
		}
		var out []byte
		var err error
		if a.scheme == "RSA1_5" {
			out, err = rsa.DecryptPKCS1v15(nil, private, data) //nolint:staticcheck // see Encrypt
		} else {
			out, err = rsa.DecryptOAEP(a.hash.New(), nil, private, data, nil)
		}
		return out, err == nil
	})
}

// Verify checks a signature.
func (c *call) Verify(spec []byte, blob, sig int32) int32 {
	key, a, code := c.keyOf(spec)
	if code < 0 {
		return code
	}
	data, code := c.blob(blob)
	if code < 0 {
		return code
	}
	signature, code := c.blob(sig)
	switch {
	case code < 0:
		return code
	case a.verify(key, data, signature):
		return 1
	}
	return 0
}

func (c *call) transform(
	spec []byte, blob int32, do func(key any, a algorithm, data []byte) ([]byte, bool),
) int32 {
	key, a, code := c.keyOf(spec)
	if code < 0 {
		return code
	}
	data, code := c.blob(blob)
	if code < 0 {
		return code
	}
	out, ok := do(key, a, data)
	if !ok {
		return c.fail(abi.BadArgument, pay.ClassIntegrity, "data does not decrypt, or the key does not fit")
	}
	return c.newBlob(out)
}

// keyOf finds the key and the algorithm that a spec names.
func (c *call) keyOf(spec []byte) (any, algorithm, int32) {
	m, err := abi.DecodeCryptoSpec(spec)
	if err != nil {
		return nil, algorithm{}, c.fail(abi.BadArgument, pay.ClassPluginFault, "crypto spec: "+err.Error())
	}
	return c.boundKey(m.Key, m.Algorithm)
}

// boundKey returns a key if the manifest declares it for the algorithm and the
// connection has it.
func (c *call) boundKey(name, alg string) (any, algorithm, int32) {
	c.p.t.Helper()
	at := slices.IndexFunc(c.p.manifest.Keys, func(k pay.KeySpec) bool { return k.Name == name })
	if at < 0 {
		return nil, algorithm{}, c.refuse("key " + name + " is not in the manifest")
	}
	if declared := c.p.manifest.Keys[at].Algorithms; len(declared) > 0 && !slices.Contains(declared, alg) {
		return nil, algorithm{}, c.refuse("key " + name + " is not declared for algorithm " + alg)
	}
	key, ok := c.p.config.Keys[name]
	if !ok {
		message := "key " + name + " is not bound to the connection"
		return nil, algorithm{}, c.fail(abi.NotFound, pay.ClassConfig, message)
	}
	a, known := algorithmOf(alg)
	if !known || !a.fits(key) {
		message := "algorithm " + alg + " does not fit key " + name
		return nil, algorithm{}, c.fail(abi.Unsupported, pay.ClassConfig, message)
	}
	return key, a, 0
}
