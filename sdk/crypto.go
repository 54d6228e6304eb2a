package sdk

import "github.com/payhost/payhost/sdk/abi"

// DigestAlgorithm names a hash for [Host.Digest].
type DigestAlgorithm = abi.DigestAlgorithm

// The digests. SHA-1 and MD5 are there for providers that still ask for them.
const (
	SHA256 = abi.SHA256
	SHA384 = abi.SHA384
	SHA512 = abi.SHA512
	SHA1   = abi.SHA1
	MD5    = abi.MD5
)

// Digest hashes data at the host, so that a plugin need not carry the code.
func (h *Host) Digest(alg DigestAlgorithm, data []byte) ([]byte, error) {
	blob, err := h.newBlob(data)
	if err != nil {
		return nil, err
	}
	defer h.g.BlobFree(blob)
	out := make([]byte, 64)
	n := h.g.Digest(int32(alg), blob, out)
	if err := h.check(n); err != nil {
		return nil, err
	}
	return out[:n], nil
}

// Sign signs data with a key by name. Algorithms are the JOSE names that the
// operator allows for the key: "RS256", "PS256", "ES256", "EdDSA", "HS256" …
func (h *Host) Sign(algorithm, key string, data []byte) ([]byte, error) {
	return h.transform(h.g.Sign, algorithm, key, data)
}

// Encrypt encrypts data to a key by name: "RSA-OAEP-256", "RSA-OAEP", "RSA1_5".
func (h *Host) Encrypt(algorithm, key string, data []byte) ([]byte, error) {
	return h.transform(h.g.Encrypt, algorithm, key, data)
}

// Decrypt decrypts data with a key by name. What does not decrypt is an error
// that says no more than that; compare with [IsBadInput].
func (h *Host) Decrypt(algorithm, key string, data []byte) ([]byte, error) {
	return h.transform(h.g.Decrypt, algorithm, key, data)
}

// Verify reports whether sig is a signature of data under a key by name. The
// error is for a check that could not be made, never for a wrong signature.
func (h *Host) Verify(algorithm, key string, data, sig []byte) (bool, error) {
	blob, err := h.newBlob(data)
	if err != nil {
		return false, err
	}
	defer h.g.BlobFree(blob)
	sigBlob, err := h.newBlob(sig)
	if err != nil {
		return false, err
	}
	defer h.g.BlobFree(sigBlob)
	code := h.g.Verify(spec(algorithm, key), blob, sigBlob)
	return code == 1, h.check(code)
}

// IsBadInput reports whether err says that the data handed to the host was bad:
// a ciphertext that does not decrypt.
func IsBadInput(err error) bool { return codeOf(err) == abi.BadArgument }

func (h *Host) transform(
	f func(spec []byte, blob int32) int32, algorithm, key string, data []byte,
) ([]byte, error) {
	blob, err := h.newBlob(data)
	if err != nil {
		return nil, err
	}
	defer h.g.BlobFree(blob)
	out := f(spec(algorithm, key), blob)
	if err := h.check(out); err != nil {
		return nil, err
	}
	return h.takeBlob(out, 0)
}

func spec(algorithm, key string) []byte {
	return abi.AppendCryptoSpec(nil, &abi.CryptoSpec{Algorithm: algorithm, Key: key})
}
