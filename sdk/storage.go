package sdk

import (
	"time"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// Storage expectations for [Host.Put] and [Host.Delete]; any other number is the
// version that must be there.
const (
	Any    = abi.ExpectAny    // whatever is there
	Absent = abi.ExpectAbsent // nothing may be there
)

// Get reads a value of the connection's storage and its version. A key that is
// not there is an error that [IsNotFound] knows.
//
// Storage is for tokens, cookies, nonces and cursors, shared by all instances of
// the plugin and kept over restarts and swaps. Payments live in the host's ledger.
func (h *Host) Get(key string) ([]byte, int64, error) {
	blob, version := h.g.KVGet([]byte(key))
	if err := h.check(blob); err != nil {
		return nil, 0, err
	}
	value, err := h.takeBlob(blob, 0)
	return value, version, err
}

// Put writes a value of at most 256 KiB under a key of at most 256 bytes, for a
// time (0 for good, else a millisecond or more), if what is there is as expected: [Any], [Absent] or a
// version. It returns the new version; a lost race is an error that [IsConflict]
// knows.
func (h *Host) Put(key string, value []byte, ttl time.Duration, expect int64) (int64, error) {
	blob, err := h.newBlob(value)
	if err != nil {
		return 0, err
	}
	code, version := h.g.KVPut([]byte(key), blob, lifetime(ttl), expect)
	h.freeBlob(blob, len(value))
	return version, h.check(code)
}

// lifetime is a time in milliseconds. What is shorter than one is not for good, as 0 is.
func lifetime(ttl time.Duration) int64 {
	if 0 < ttl && ttl < time.Millisecond {
		return 1
	}
	return ttl.Milliseconds()
}

// Delete removes a key if what is there is as expected.
func (h *Host) Delete(key string, expect int64) error {
	return h.check(h.g.KVDel([]byte(key), expect))
}

// Incr adds delta to a counter, which begins at 0, and returns its new value.
// It is atomic over all instances.
func (h *Host) Incr(key string, delta int64, ttl time.Duration) (int64, error) {
	code, value := h.g.KVIncr([]byte(key), delta, lifetime(ttl))
	return value, h.check(code)
}

// Keys lists keys with a prefix, at most limit of them, after the cursor that the
// last page gave ("" for the first). The cursor returned is "" on the last page.
func (h *Host) Keys(prefix, cursor string, limit int) (keys []string, next string, err error) {
	blob := h.g.KVList([]byte(prefix), []byte(cursor), int32(limit))
	if err := h.check(blob); err != nil {
		return nil, "", err
	}
	raw, err := h.takeBlob(blob, 0)
	if err != nil {
		return nil, "", err
	}
	page, err := abi.DecodeKVPage(raw)
	return page.Keys, page.Cursor, err
}

// IsNotFound reports whether err says that a storage key is not there.
func IsNotFound(err error) bool { return codeOf(err) == abi.NotFound }

// IsConflict reports whether err says that a compare-and-set was lost.
func IsConflict(err error) bool { return codeOf(err) == abi.Conflict }

func codeOf(err error) abi.Code {
	if e, ok := err.(*pay.Error); ok { //nolint:errorlint // made by Host.check, never wrapped
		if code, ok := e.Err.(abi.Code); ok { //nolint:errorlint // likewise
			return code
		}
	}
	return 0
}
