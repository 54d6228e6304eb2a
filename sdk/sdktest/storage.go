package sdktest

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

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

func (s *store) set(key string, value []byte, ttl time.Duration, now time.Time) int64 {
	if s.entries == nil {
		s.entries = map[string]entry{}
	}
	s.versions++
	e := entry{value: bytes.Clone(value), version: s.versions}
	if ttl > 0 {
		e.expires = now.Add(ttl)
	}
	s.entries[key] = e
	return e.version
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

// storage reports whether the call may use storage for this key, or why not.
func (c *call) storage(key []byte) int32 {
	switch {
	case !c.p.manifest.Storage:
		return c.refuse("the plugin uses storage, the manifest does not declare it")
	case c.op.Kind() == pay.KindPure && c.op != pay.OpNotification:
		return c.refuse(c.op.String() + " may not use storage")
	case c.over():
		return c.late()
	case len(key) == 0 || len(key) > abi.MaxKey:
		return c.fail(abi.TooLarge, pay.ClassPluginFault, "key is empty or too large")
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
	case ttlMS < 0:
		return c.fail(abi.BadArgument, pay.ClassPluginFault, "ttl is negative"), 0
	case !c.p.store.fits(string(key), expect, c.p.now):
		return c.fail(abi.Conflict, pay.ClassStateConflict, "key is not as expected"), 0
	}
	return 0, c.p.store.set(string(key), data, time.Duration(ttlMS)*time.Millisecond, c.p.now)
}

// KVDel deletes a key.
func (c *call) KVDel(key []byte, expect int64) int32 {
	if code := c.storage(key); code < 0 {
		return code
	}
	if !c.p.store.fits(string(key), expect, c.p.now) {
		return c.fail(abi.Conflict, pay.ClassStateConflict, "key is not as expected")
	}
	delete(c.p.store.entries, string(key))
	return 0
}

// KVIncr adds to a counter.
func (c *call) KVIncr(key []byte, delta, ttlMS int64) (code int32, value int64) {
	if code := c.storage(key); code < 0 {
		return code, 0
	}
	if ttlMS < 0 {
		return c.fail(abi.BadArgument, pay.ClassPluginFault, "ttl is negative"), 0
	}
	n := int64(0)
	if e, ok := c.p.store.get(string(key), c.p.now); ok {
		var err error
		if n, err = strconv.ParseInt(string(e.value), 10, 64); err != nil {
			return c.fail(abi.BadArgument, pay.ClassPluginFault, "value is no counter"), 0
		}
	}
	n += delta
	c.p.store.set(string(key), strconv.AppendInt(nil, n, 10), time.Duration(ttlMS)*time.Millisecond, c.p.now)
	return 0, n
}

// KVList lists keys in their order.
func (c *call) KVList(prefix, cursor []byte, limit int32) int32 {
	if code := c.storage([]byte("list")); code < 0 {
		return code
	}
	if limit < 1 || limit > abi.MaxItems {
		return c.fail(abi.BadArgument, pay.ClassPluginFault, "kv_list: limit must be 1 to 1024")
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
