package sdktest

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// entry is one stored value.
type entry struct {
	value   []byte
	version int64
	expires time.Time // zero for never
}

// store is the connection's storage. It outlives calls. A version is never used
// twice under one key, also not after a delete or an expiry.
type store struct {
	entries  map[string]entry
	versions int64
}

func (s *store) get(key string, now time.Time) (entry, bool) {
	e, ok := s.entries[key]
	if ok && !e.expires.IsZero() && !now.Before(e.expires) {
		return entry{}, false
	}
	return e, ok
}

func (s *store) set(key string, value []byte, expires time.Time) int64 {
	if s.entries == nil {
		s.entries = map[string]entry{}
	}
	s.versions++
	s.entries[key] = entry{value: bytes.Clone(value), version: s.versions, expires: expires}
	return s.versions
}

// after is when what is stored now for a time is gone: never for 0.
func after(now time.Time, ttl time.Duration) time.Time {
	if ttl <= 0 {
		return time.Time{}
	}
	return now.Add(ttl)
}

// fits reports whether what is there is as a compare-and-set expects.
func (s *store) fits(key string, expect int64, now time.Time) bool {
	e, ok := s.get(key, now)
	switch expect {
	case abi.ExpectAny:
		return true
	case abi.ExpectAbsent:
		return !ok
	}
	return ok && e.version == expect
}

// What a host lets nobody pass.
const (
	maxPage = 1000                                                // keys of one page
	maxTTL  = int64(10 * 365 * 24 * time.Hour / time.Millisecond) // of a value, in milliseconds
)

// storage reports whether the call may use storage for this key, or why not.
func (c *call) storage(key []byte) int32 {
	switch {
	case !c.p.manifest.Storage:
		return c.refuse("the plugin uses storage, the manifest does not declare it")
	case c.op.Kind() == pay.KindPure && c.op != pay.OpNotification:
		return c.refuse(c.op.String() + " may not use storage")
	case c.over():
		return c.late()
	case len(key) > abi.MaxKey:
		return c.fail(abi.TooLarge, pay.ClassPluginFault, "key is too large")
	case len(key) == 0 || !utf8.Valid(key):
		return c.fail(abi.BadArgument, pay.ClassPluginFault, "key is empty or not UTF-8")
	}
	return 0
}

// ttl reports whether something may be kept so long.
func (c *call) ttl(ms int64) int32 {
	if ms < 0 || ms > maxTTL {
		return c.fail(abi.BadArgument, pay.ClassPluginFault, "ttl must be 0 to ten years")
	}
	return 0
}

// expected reports whether what is there is as a compare-and-set expects.
func (c *call) expected(key []byte, expect int64) int32 {
	switch {
	case expect < abi.ExpectAny:
		return c.fail(abi.BadArgument, pay.ClassPluginFault, "expect is out of range")
	case !c.p.store.fits(string(key), expect, c.p.now):
		return c.fail(abi.Conflict, pay.ClassStateConflict, "key is not as expected")
	}
	return 0
}

// KVGet reads a value.
func (c *call) KVGet(key []byte) (h int32, version int64) {
	if code := c.storage(key); code < 0 {
		return code, 0
	}
	e, ok := c.p.store.get(string(key), c.p.now)
	if !ok {
		return c.fail(abi.NotFound, pay.ClassNotFound, "key is not there"), 0
	}
	return c.newBlob(bytes.Clone(e.value)), e.version
}

// KVPut writes a value.
func (c *call) KVPut(key []byte, value int32, ttlMS, expect int64) (code int32, version int64) {
	if code := c.storage(key); code < 0 {
		return code, 0
	}
	data, code := c.blob(value)
	switch {
	case code < 0:
		return code, 0
	case len(data) > abi.MaxValue:
		return c.fail(abi.TooLarge, pay.ClassPluginFault, "value is too large"), 0
	}
	if code := c.ttl(ttlMS); code < 0 {
		return code, 0
	}
	if code := c.expected(key, expect); code < 0 {
		return code, 0
	}
	return 0, c.p.store.set(string(key), data, after(c.p.now, time.Duration(ttlMS)*time.Millisecond))
}

// KVDel deletes a key.
func (c *call) KVDel(key []byte, expect int64) int32 {
	if code := c.storage(key); code < 0 {
		return code
	}
	if _, ok := c.p.store.get(string(key), c.p.now); !ok && expect >= abi.ExpectAny {
		return c.fail(abi.NotFound, pay.ClassNotFound, "key is not there")
	}
	if code := c.expected(key, expect); code < 0 {
		return code
	}
	delete(c.p.store.entries, string(key))
	return 0
}

// KVIncr adds to a counter.
func (c *call) KVIncr(key []byte, delta, ttlMS int64) (code int32, value int64) {
	if code := c.storage(key); code < 0 {
		return code, 0
	}
	if code := c.ttl(ttlMS); code < 0 {
		return code, 0
	}
	old, ok := c.p.store.get(string(key), c.p.now)
	if !ok { // one that is there keeps its expiry
		old = entry{value: []byte("0"), expires: after(c.p.now, time.Duration(ttlMS)*time.Millisecond)}
	}
	sum, fits := added(string(old.value), delta)
	if !fits {
		return c.fail(abi.BadArgument, pay.ClassPluginFault, "value is no counter, or would overflow"), 0
	}
	c.p.store.set(string(key), strconv.AppendInt(nil, sum, 10), old.expires)
	return 0, sum
}

// added adds to a counter. What would not be written in the same way, "007", is none,
// and neither is a sum beyond 64 bits.
func added(text string, delta int64) (sum int64, ok bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	sum = n + delta
	return sum, err == nil && strconv.FormatInt(n, 10) == text && (delta < 0) == (sum < n)
}

// KVList lists keys in their order.
func (c *call) KVList(prefix, cursor []byte, limit int32) int32 {
	if code := c.storage([]byte("list")); code < 0 {
		return code
	}
	if limit < 1 || limit > maxPage {
		return c.fail(abi.BadArgument, pay.ClassPluginFault, "kv_list: limit must be 1 to 1000")
	}
	var page abi.KVPage
	for key := range c.p.store.entries {
		_, lives := c.p.store.get(key, c.p.now)
		if lives && strings.HasPrefix(key, string(prefix)) && key > string(cursor) {
			page.Keys = append(page.Keys, key)
		}
	}
	slices.Sort(page.Keys)
	if len(page.Keys) > int(limit) {
		page.Keys = page.Keys[:limit]
		page.Cursor = page.Keys[limit-1]
	}
	return c.newBlob(abi.AppendKVPage(nil, &page))
}
