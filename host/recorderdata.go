package host

import (
	"time"

	"github.com/payhost/payhost/sdk/abi"
)

// The part of the recorder that writes down keys and storage.

// digestNames are the digests as a recording names them.
var digestNames = map[abi.DigestAlgorithm]string{
	abi.SHA256: "SHA-256", abi.SHA384: "SHA-384", abi.SHA512: "SHA-512", abi.SHA1: "SHA-1", abi.MD5: "MD5",
}

// Digest notes what was hashed.
func (r *recorder) Digest(alg, h int32, p []byte) int32 {
	n := r.call.Digest(alg, h, p)
	c := &RecordedCrypto{Algorithm: digestNames[abi.DigestAlgorithm(alg)], Data: r.held(h)}
	if n > 0 {
		c.Result = r.keep(p[:min(int(n), len(p))])
	}
	r.note("digest", int64(n), ImportCall{Crypto: c})
	return n
}

// use is what is known of a use of a key before it.
func (r *recorder) use(spec []byte, h int32) *RecordedCrypto {
	m, _ := abi.DecodeCryptoSpec(r.keep(spec)) // the code says if it did not decode
	return &RecordedCrypto{Algorithm: m.Algorithm, Key: m.Key, Data: r.held(h)}
}

func (r *recorder) used(name string, c *RecordedCrypto, code int32) int32 {
	c.Result = r.held(code)
	c.Length = len(c.Result)
	r.note(name, int64(code), ImportCall{Crypto: c})
	return code
}

// Sign notes the text and its signature.
func (r *recorder) Sign(spec []byte, h int32) int32 {
	c := r.use(spec, h)
	return r.used("sign", c, r.call.Sign(spec, h))
}

// Encrypt notes the text and what became of it.
func (r *recorder) Encrypt(spec []byte, h int32) int32 {
	c := r.use(spec, h)
	return r.used("encrypt", c, r.call.Encrypt(spec, h))
}

// Decrypt notes what was decrypted, and the plaintext, which [Recording.Mask] takes
// out.
func (r *recorder) Decrypt(spec []byte, h int32) int32 {
	c := r.use(spec, h)
	return r.used("decrypt", c, r.call.Decrypt(spec, h))
}

// Verify notes the text, the signature and whether they fit.
func (r *recorder) Verify(spec []byte, h, sig int32) int32 {
	c := r.use(spec, h)
	c.Signature = r.held(sig)
	code := r.call.Verify(spec, h, sig)
	c.Valid = code == 1
	r.note("verify", int64(code), ImportCall{Crypto: c})
	return code
}

// KVGet notes the value that was there.
func (r *recorder) KVGet(key []byte) (h int32, version int64) {
	h, version = r.call.KVGet(key)
	r.note("kv_get", int64(h), ImportCall{Storage: &RecordedStorage{Key: r.keep(key), Value: r.held(h), Version: version}})
	return h, version
}

// KVPut notes the value that was written.
func (r *recorder) KVPut(key []byte, value int32, ttlMS, expect int64) (code int32, version int64) {
	code, version = r.call.KVPut(key, value, ttlMS, expect)
	r.note("kv_put", int64(code), ImportCall{Storage: &RecordedStorage{
		Key: r.keep(key), Value: r.held(value), TTL: lifetime(ttlMS), Expect: expect, Version: version,
	}})
	return code, version
}

// KVDel notes what was deleted.
func (r *recorder) KVDel(key []byte, expect int64) int32 {
	code := r.call.KVDel(key, expect)
	r.note("kv_del", int64(code), ImportCall{Storage: &RecordedStorage{Key: r.keep(key), Expect: expect}})
	return code
}

// KVIncr notes the counter.
func (r *recorder) KVIncr(key []byte, delta, ttlMS int64) (code int32, value int64) {
	code, value = r.call.KVIncr(key, delta, ttlMS)
	r.note("kv_incr", int64(code), ImportCall{Storage: &RecordedStorage{
		Key: r.keep(key), Delta: delta, TTL: lifetime(ttlMS), Count: value,
	}})
	return code, value
}

// KVList notes the page.
func (r *recorder) KVList(prefix, cursor []byte, limit int32) int32 {
	h := r.call.KVList(prefix, cursor, limit)
	s := &RecordedStorage{Key: r.keep(prefix), Cursor: r.keep(cursor), Limit: int(limit)}
	if raw := r.held(h); raw != nil {
		if page, err := abi.DecodeKVPage(raw); err == nil {
			s.Page = &page
		}
	}
	r.note("kv_list", int64(h), ImportCall{Storage: s})
	return h
}

// lifetime is a number of milliseconds that a guest gave, cut to what is one.
func lifetime(ms int64) time.Duration {
	const most = int64(1<<63-1) / int64(time.Millisecond)
	return time.Duration(min(max(ms, -most), most)) * time.Millisecond
}
