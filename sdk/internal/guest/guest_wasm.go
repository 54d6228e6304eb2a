//go:build wasip1

// Package guest binds the host functions of the ABI: under Wasm the imports of
// module payhost_v1, natively whatever implementation the call was given.
package guest

import (
	"unsafe"

	"github.com/payhost/payhost/sdk/abi"
)

// Imports calls the host functions of the module. It carries nothing: under Wasm
// there is one host, and it knows which call is running.
type Imports struct{}

// A plugin that does not use a group of imports must not have them, so that its
// manifest need not justify them. The linker drops what is not called, which is
// why these are methods of a concrete type and not of an interface.

//go:wasmimport payhost_v1 input
func input(off uint32, p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 reply
func reply(p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 last_error
func lastError(p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 features
func features(p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 config
func config(p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 now_ns
func nowNS() int64

//go:wasmimport payhost_v1 deadline_ns
func deadlineNS() int64

//go:wasmimport payhost_v1 random
func random(p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 blob_new
func blobNew(capacity int64) int32

//go:wasmimport payhost_v1 blob_write
func blobWrite(h int32, p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 blob_read
func blobRead(h int32, off int64, p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 blob_len
func blobLen(h int32) int64

//go:wasmimport payhost_v1 blob_free
func blobFree(h int32) int32

//go:wasmimport payhost_v1 http_send
func httpSend(p unsafe.Pointer, n uint32, body int32) int32

//go:wasmimport payhost_v1 digest
func digest(alg, blob int32, p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 sign
func sign(p unsafe.Pointer, n uint32, blob int32) int32

//go:wasmimport payhost_v1 verify
func verify(p unsafe.Pointer, n uint32, blob, sig int32) int32

//go:wasmimport payhost_v1 encrypt
func encrypt(p unsafe.Pointer, n uint32, blob int32) int32

//go:wasmimport payhost_v1 decrypt
func decrypt(p unsafe.Pointer, n uint32, blob int32) int32

//go:wasmimport payhost_v1 kv_get
func kvGet(p unsafe.Pointer, n uint32, version unsafe.Pointer) int32

//go:wasmimport payhost_v1 kv_put
func kvPut(p unsafe.Pointer, n uint32, value int32, ttlMS, expect int64, version unsafe.Pointer) int32

//go:wasmimport payhost_v1 kv_del
func kvDel(p unsafe.Pointer, n uint32, expect int64) int32

//go:wasmimport payhost_v1 kv_incr
func kvIncr(p unsafe.Pointer, n uint32, delta, ttlMS int64, out unsafe.Pointer) int32

//go:wasmimport payhost_v1 kv_list
func kvList(p unsafe.Pointer, n uint32, cursor unsafe.Pointer, cn uint32, limit int32) int32

//go:wasmimport payhost_v1 log
func logLine(level int32, p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 span_start
func spanStart(p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 span_end
func spanEnd(id int32, p unsafe.Pointer, n uint32) int32

func ptr(p []byte) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.SliceData(p)), uint32(len(p))
}

// The methods below are those of [abi.Imports].

func (Imports) Input(off uint32, p []byte) int32 { a, n := ptr(p); return input(off, a, n) }
func (Imports) Reply(p []byte) int32             { a, n := ptr(p); return reply(a, n) }
func (Imports) LastError(p []byte) int32         { a, n := ptr(p); return lastError(a, n) }
func (Imports) Features(p []byte) int32          { a, n := ptr(p); return features(a, n) }
func (Imports) Config(p []byte) int32            { a, n := ptr(p); return config(a, n) }
func (Imports) NowNS() int64                     { return nowNS() }
func (Imports) DeadlineNS() int64                { return deadlineNS() }
func (Imports) Random(p []byte) int32            { a, n := ptr(p); return random(a, n) }
func (Imports) BlobNew(capacity int64) int32     { return blobNew(capacity) }
func (Imports) BlobLen(h int32) int64            { return blobLen(h) }
func (Imports) BlobFree(h int32) int32           { return blobFree(h) }

func (Imports) BlobWrite(h int32, p []byte) int32 { a, n := ptr(p); return blobWrite(h, a, n) }

func (Imports) BlobRead(h int32, off int64, p []byte) int32 {
	a, n := ptr(p)
	return blobRead(h, off, a, n)
}

func (Imports) HTTPSend(req []byte, body int32) int32 { a, n := ptr(req); return httpSend(a, n, body) }

func (Imports) Digest(alg, blob int32, p []byte) int32 {
	a, n := ptr(p)
	return digest(alg, blob, a, n)
}

func (Imports) Sign(spec []byte, blob int32) int32 { a, n := ptr(spec); return sign(a, n, blob) }

func (Imports) Verify(spec []byte, blob, sig int32) int32 {
	a, n := ptr(spec)
	return verify(a, n, blob, sig)
}

func (Imports) Encrypt(spec []byte, blob int32) int32 { a, n := ptr(spec); return encrypt(a, n, blob) }

func (Imports) Decrypt(spec []byte, blob int32) int32 { a, n := ptr(spec); return decrypt(a, n, blob) }

func (Imports) KVGet(key []byte) (int32, int64) {
	var version int64
	a, n := ptr(key)
	h := kvGet(a, n, unsafe.Pointer(&version))
	return h, version
}

func (Imports) KVPut(key []byte, value int32, ttlMS, expect int64) (int32, int64) {
	var version int64
	a, n := ptr(key)
	code := kvPut(a, n, value, ttlMS, expect, unsafe.Pointer(&version))
	return code, version
}

func (Imports) KVDel(key []byte, expect int64) int32 { a, n := ptr(key); return kvDel(a, n, expect) }

func (Imports) KVIncr(key []byte, delta, ttlMS int64) (int32, int64) {
	var value int64
	a, n := ptr(key)
	code := kvIncr(a, n, delta, ttlMS, unsafe.Pointer(&value))
	return code, value
}

func (Imports) KVList(prefix, cursor []byte, limit int32) int32 {
	a, n := ptr(prefix)
	c, cn := ptr(cursor)
	return kvList(a, n, c, cn, limit)
}

func (Imports) Log(level int32, line []byte) int32   { a, n := ptr(line); return logLine(level, a, n) }
func (Imports) SpanStart(name []byte) int32          { a, n := ptr(name); return spanStart(a, n) }
func (Imports) SpanEnd(id int32, attrs []byte) int32 { a, n := ptr(attrs); return spanEnd(id, a, n) }

var _ abi.Imports = Imports{}
