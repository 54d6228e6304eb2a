package abi

// Imports is the host's side of one call, as Go sees it: the functions of import
// module payhost_v1 with slices in place of pointers. The host implements it; the
// Wasm layer maps guest memory onto it; the SDK's native mode calls it directly,
// so that a plugin runs the same with and without Wasm.
//
// A returned int32 or int64 at or above zero is a count or a handle; below zero
// it is a [Code]. LastError, Features, Config and Digest copy what fits into a
// short buffer and return the full length; Input and BlobRead, which have an
// offset, return how many bytes they copied. Nobody keeps a slice past the call:
// a host that decodes one copies it first, since what the decoders return shares
// memory with it.
type Imports interface {
	// Input copies the input message from off into p.
	Input(off uint32, p []byte) int32
	// Reply gives the reply message, once; a second time is Conflict.
	Reply(p []byte) int32
	// LastError copies an encoded error message (as in [Reply]) that explains the
	// last negative code of this call; nothing if there was none.
	LastError(p []byte) int32
	// Features copies the [Features] message: what this host can do and grants.
	Features(p []byte) int32
	// Config copies the [ConnectionConfig] message.
	Config(p []byte) int32

	// NowNS is the host's clock in nanoseconds since 1970.
	NowNS() int64
	// DeadlineNS is how many nanoseconds the call has left; 0 when it is over.
	DeadlineNS() int64
	// Random fills p with cryptographically strong bytes.
	Random(p []byte) int32

	// BlobNew makes an empty buffer at the host and returns its handle.
	BlobNew(capacity int64) int32
	// BlobWrite appends p.
	BlobWrite(h int32, p []byte) int32
	// BlobRead copies from off into p and returns how many bytes it copied.
	BlobRead(h int32, off int64, p []byte) int32
	// BlobLen returns the length in bytes.
	BlobLen(h int32) int64
	// BlobFree gives the handle back.
	BlobFree(h int32) int32

	// HTTPSend sends an [HTTPRequest] with a body blob (0 for none) and returns
	// the handle of a blob with the [HTTPResponse].
	HTTPSend(req []byte, body int32) int32

	// Digest hashes a blob into p.
	Digest(alg int32, blob int32, p []byte) int32
	// Sign returns the handle of a signature blob; spec is a [CryptoSpec].
	Sign(spec []byte, blob int32) int32
	// Verify returns 1 if sig fits the blob, 0 if not.
	Verify(spec []byte, blob, sig int32) int32
	// Encrypt returns the handle of a ciphertext blob.
	Encrypt(spec []byte, blob int32) int32
	// Decrypt returns the handle of a plaintext blob; BadArgument if it does not
	// decrypt, whatever the reason.
	Decrypt(spec []byte, blob int32) int32

	// KVGet returns the handle of the value's blob and its version.
	KVGet(key []byte) (h int32, version int64)
	// KVPut stores a blob; ttl in milliseconds, 0 for none.
	KVPut(key []byte, value int32, ttlMS, expect int64) (code int32, version int64)
	// KVDel deletes a key.
	KVDel(key []byte, expect int64) int32
	// KVIncr adds delta to a counter and returns its new value.
	KVIncr(key []byte, delta, ttlMS int64) (code int32, value int64)
	// KVList returns the handle of a blob with a [KVPage].
	KVList(prefix, cursor []byte, limit int32) int32

	// Log writes one line.
	Log(level int32, line []byte) int32
	// SpanStart begins a span and returns its id.
	SpanStart(name []byte) int32
	// SpanEnd ends it; attrs is text of the form "key=value key=value".
	SpanEnd(id int32, attrs []byte) int32
}

// Guest is a plugin as a function: what payhost_call is for a module. It returns
// 0 if a reply was given, or a [Code]. The SDK makes one of a Go provider for
// native use.
type Guest func(host Imports, op int32, inputLen int32) int32

// ValueType is a Wasm value type in an import's or export's signature.
type ValueType byte

// The two types the ABI uses, by their number in the Wasm binary format.
const (
	I32 ValueType = 0x7f
	I64 ValueType = 0x7e
)

// Signature is one function of the ABI by name and types.
type Signature struct {
	Name    string
	Params  []ValueType
	Results []ValueType
	Group   string // "" for always allowed, else what the manifest must justify
}

// Groups of imports that a manifest must justify.
const (
	GroupHTTP    = "egress"
	GroupCrypto  = "keys"
	GroupStorage = "storage"
)

// ImportTable returns the signatures of module payhost_v1 at this minor version.
func ImportTable() []Signature {
	i, l := I32, I64
	one := []ValueType{i}
	sig := func(group, name string, results []ValueType, params ...ValueType) Signature {
		return Signature{Name: name, Params: params, Results: results, Group: group}
	}
	return []Signature{
		sig("", "input", one, i, i, i),
		sig("", "reply", one, i, i),
		sig("", "last_error", one, i, i),
		sig("", "features", one, i, i),
		sig("", "config", one, i, i),
		sig("", "now_ns", []ValueType{l}),
		sig("", "deadline_ns", []ValueType{l}),
		sig("", "random", one, i, i),
		sig("", "blob_new", one, l),
		sig("", "blob_write", one, i, i, i),
		sig("", "blob_read", one, i, l, i, i),
		sig("", "blob_len", []ValueType{l}, i),
		sig("", "blob_free", one, i),
		sig(GroupHTTP, "http_send", one, i, i, i),
		sig("", "digest", one, i, i, i, i),
		sig(GroupCrypto, "sign", one, i, i, i),
		sig(GroupCrypto, "verify", one, i, i, i, i),
		sig(GroupCrypto, "encrypt", one, i, i, i),
		sig(GroupCrypto, "decrypt", one, i, i, i),
		sig(GroupStorage, "kv_get", one, i, i, i),
		sig(GroupStorage, "kv_put", one, i, i, i, l, l, i),
		sig(GroupStorage, "kv_del", one, i, i, l),
		sig(GroupStorage, "kv_incr", one, i, i, l, l, i),
		sig(GroupStorage, "kv_list", one, i, i, i, i, i),
		sig("", "log", one, i, i, i),
		sig("", "span_start", one, i, i),
		sig("", "span_end", one, i, i, i),
	}
}
