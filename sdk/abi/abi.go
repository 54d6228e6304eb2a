package abi

// Names of the exports and imports. The import module's name is the major
// version: a later major version is another module, and a host may link both.
const (
	Module         = "payhost_v1"       // import module of the host functions
	ExportMemory   = "memory"           // the guest's one memory
	ExportInit     = "_initialize"      // WASI reactor start
	ExportMarker   = "payhost_abi_v1"   // names the ABI; does nothing
	ExportCall     = "payhost_call"     // (op, input_len) -> code
	ManifestName   = "payhost.manifest" // custom section that holds the manifest
	AnyMarker      = "payhost_abi_v"    // prefix of the markers of all versions
	WASIModule     = "wasi_snapshot_preview1"
	ConfigBaseURL  = "base_url" // EgressRule origin for the connection's own
	DefaultTLSName = "client"   // the identity that a connection's tls section binds
)

// Code is what a host function or payhost_call returns when it is negative;
// zero and above is a count, a handle or success.
type Code int32

// The codes. NotSent and OutcomeUnknown are apart on purpose: it is the one bit
// that payments need.
const (
	OK             Code = 0
	BadArgument    Code = -1  // a message that does not decode, a value out of range
	TooLarge       Code = -2  // over a size limit
	NotFound       Code = -3  // no such key, name or entry
	Conflict       Code = -4  // compare-and-set lost; a reply was already given
	Denied         Code = -5  // the manifest or the operator does not grant it
	Quota          Code = -6  // a number of calls, handles, keys is used up
	Deadline       Code = -7  // the call's time is over
	Unsupported    Code = -8  // operation or algorithm not implemented
	NotSent        Code = -9  // policy, DNS, connect or TLS: not one byte left
	OutcomeUnknown Code = -10 // bytes left, no whole answer came
	BadHandle      Code = -11 // no such blob or span in this call
	Internal       Code = -12 // the host's own fault
)

var codeNames = [...]string{
	"ok", "bad argument", "too large", "not found", "conflict", "denied", "quota", "deadline",
	"unsupported", "not sent", "outcome unknown", "bad handle", "internal",
}

// String returns the code's name.
func (c Code) String() string {
	// Negated as int64: a guest may return the one int32 that has no opposite.
	if i := -int64(c); i >= 0 && i < int64(len(codeNames)) {
		return codeNames[i]
	}
	return "unknown code"
}

// Error makes a Code an error for the SDK's users.
func (c Code) Error() string { return "host: " + c.String() }

// Limits of one call. A host may lower them by configuration and never raises a
// message limit.
const (
	MaxMessage = 256 << 10 // bytes of one control message
	MaxItems   = 1024      // entries of one repeated field
	MaxEntries = 8 << 10   // entries of all repeated fields of one message together
	MaxBlobs   = 32 << 20  // bytes of all blobs
	MaxHandles = 256       // blobs alive at once
	MaxCalls   = 16        // outbound HTTP calls
	MaxLog     = 64 << 10  // bytes of log lines
	MaxKey     = 256       // bytes of a storage key
	MaxValue   = 256 << 10 // bytes of a storage value
)

// HTTP effect of a request, stated by the plugin and only ever raised by the
// host: a call that the manifest does not list as reading counts as writing.
const (
	EffectRead  = 1
	EffectMoney = 2
)

// DigestAlgorithm names a hash for the digest import.
type DigestAlgorithm int32

// The digests.
const (
	SHA256 DigestAlgorithm = 1
	SHA384 DigestAlgorithm = 2
	SHA512 DigestAlgorithm = 3
	SHA1   DigestAlgorithm = 4 // for providers that still ask for it
	MD5    DigestAlgorithm = 5 // likewise
)

// Log levels of the log import.
const (
	LogDebug = 1
	LogInfo  = 2
	LogWarn  = 3
	LogError = 4
)

// Storage expectations of the kv_put and kv_del imports; any other value is the
// version that must be there.
const (
	ExpectAny    = -1
	ExpectAbsent = 0
)
