package wasm_test

import "github.com/payhost/payhost/sdk/abi"

// witness is a host that notes its arguments, a slice as its length, and answers
// 77 with an out value of 99.
type witness struct{ saw []int64 }

var _ abi.Imports = (*witness)(nil)

// seen is what a witness must see when argument i of an import is 8 x (i+1).
var seen = map[string][]int64{
	"input":       {8, 24},
	"reply":       {16},
	"last_error":  {16},
	"features":    {16},
	"config":      {16},
	"now_ns":      {-1},
	"deadline_ns": {-2},
	"random":      {16},
	"blob_new":    {8},
	"blob_write":  {8, 24},
	"blob_read":   {8, 16, 32},
	"blob_len":    {8},
	"blob_free":   {8, -3},
	"http_send":   {16, 24},
	"digest":      {8, 16, 32},
	"sign":        {16, 24, -4},
	"verify":      {16, 24, 32},
	"encrypt":     {16, 24, -5},
	"decrypt":     {16, 24, -6},
	"kv_get":      {16},
	"kv_put":      {16, 24, 32, 40},
	"kv_del":      {16, 24},
	"kv_incr":     {16, 24, 32},
	"kv_list":     {16, 32, 40},
	"log":         {8, 24},
	"span_start":  {16},
	"span_end":    {8, 24},
}

const answer, outValue = 77, 99

func (w *witness) note(list ...int64) int32 {
	w.saw = list
	return answer
}

func size(p []byte) int64 { return int64(len(p)) }

func (w *witness) Input(off uint32, p []byte) int32 { return w.note(int64(off), size(p)) }
func (w *witness) Reply(p []byte) int32             { return w.note(size(p)) }
func (w *witness) LastError(p []byte) int32         { return w.note(size(p)) }
func (w *witness) Features(p []byte) int32          { return w.note(size(p)) }
func (w *witness) Config(p []byte) int32            { return w.note(size(p)) }
func (w *witness) NowNS() int64                     { return int64(w.note(-1)) }
func (w *witness) DeadlineNS() int64                { return int64(w.note(-2)) }
func (w *witness) Random(p []byte) int32            { return w.note(size(p)) }
func (w *witness) BlobNew(capacity int64) int32     { return w.note(capacity) }
func (w *witness) BlobWrite(h int32, p []byte) int32 {
	return w.note(int64(h), size(p))
}

func (w *witness) BlobRead(h int32, off int64, p []byte) int32 {
	return w.note(int64(h), off, size(p))
}
func (w *witness) BlobLen(h int32) int64  { return int64(w.note(int64(h))) }
func (w *witness) BlobFree(h int32) int32 { return w.note(int64(h), -3) }
func (w *witness) HTTPSend(req []byte, body int32) int32 {
	return w.note(size(req), int64(body))
}

func (w *witness) Digest(alg, blob int32, p []byte) int32 {
	return w.note(int64(alg), int64(blob), size(p))
}

func (w *witness) Sign(spec []byte, blob int32) int32 {
	return w.note(size(spec), int64(blob), -4)
}

func (w *witness) Verify(spec []byte, blob, sig int32) int32 {
	return w.note(size(spec), int64(blob), int64(sig))
}

func (w *witness) Encrypt(spec []byte, blob int32) int32 {
	return w.note(size(spec), int64(blob), -5)
}

func (w *witness) Decrypt(spec []byte, blob int32) int32 {
	return w.note(size(spec), int64(blob), -6)
}
func (w *witness) KVGet(key []byte) (int32, int64) { return w.note(size(key)), outValue }
func (w *witness) KVPut(key []byte, value int32, ttlMS, expect int64) (int32, int64) {
	return w.note(size(key), int64(value), ttlMS, expect), outValue
}
func (w *witness) KVDel(key []byte, expect int64) int32 { return w.note(size(key), expect) }
func (w *witness) KVIncr(key []byte, delta, ttlMS int64) (int32, int64) {
	return w.note(size(key), delta, ttlMS), outValue
}

func (w *witness) KVList(prefix, cursor []byte, limit int32) int32 {
	return w.note(size(prefix), size(cursor), int64(limit))
}
func (w *witness) Log(level int32, line []byte) int32 { return w.note(int64(level), size(line)) }
func (w *witness) SpanStart(name []byte) int32        { return w.note(size(name)) }
func (w *witness) SpanEnd(id int32, attrs []byte) int32 {
	return w.note(int64(id), size(attrs))
}
