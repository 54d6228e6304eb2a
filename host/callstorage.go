package host

import (
	"errors"
	"time"

	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// storage reports whether the call may use storage now, or why not.
func (c *call) storage() int32 {
	switch {
	case c.binding == nil || !c.binding.revision.manifest.Storage:
		return c.bad(abi.Denied, "storage is not in the manifest")
	case c.op.Kind() == pay.KindPure && c.op != pay.OpNotification:
		return c.bad(abi.Denied, c.op.String()+" may not use storage")
	case c.over():
		return c.late()
	}
	return 0
}

func (c *call) space() string { return c.binding.space }

// KVGet reads a value.
func (c *call) KVGet(key []byte) (h int32, version int64) {
	if code := c.storage(); code < 0 {
		return code, 0
	}
	entry, err := c.host.config.Storage.Get(c.ctx, c.space(), string(key))
	if err != nil {
		return c.storageError(err), 0
	}
	return c.newBlob(entry.Value), entry.Version
}

// KVPut writes a value.
func (c *call) KVPut(key []byte, value int32, ttlMS, expect int64) (code int32, version int64) {
	if code := c.storage(); code < 0 {
		return code, 0
	}
	data, code := c.blob(value)
	if code < 0 {
		return code, 0
	}
	ttl, code := c.ttl(ttlMS)
	if code < 0 {
		return code, 0
	}
	version, err := c.host.config.Storage.Put(c.ctx, c.space(), string(key), data, ttl, expect)
	if err != nil {
		return c.storageError(err), 0
	}
	return 0, version
}

// KVDel deletes a key.
func (c *call) KVDel(key []byte, expect int64) int32 {
	if code := c.storage(); code < 0 {
		return code
	}
	if err := c.host.config.Storage.Delete(c.ctx, c.space(), string(key), expect); err != nil {
		return c.storageError(err)
	}
	return 0
}

// KVIncr adds to a counter.
func (c *call) KVIncr(key []byte, delta, ttlMS int64) (code int32, value int64) {
	if code := c.storage(); code < 0 {
		return code, 0
	}
	ttl, code := c.ttl(ttlMS)
	if code < 0 {
		return code, 0
	}
	value, err := c.host.config.Storage.Incr(c.ctx, c.space(), string(key), delta, ttl)
	if err != nil {
		return c.storageError(err), 0
	}
	return 0, value
}

// KVList lists keys.
func (c *call) KVList(prefix, cursor []byte, limit int32) int32 {
	if code := c.storage(); code < 0 {
		return code
	}
	if limit < 1 || limit > kv.MaxPage {
		return c.bad(abi.BadArgument, "kv_list: limit must be 1 to 1000")
	}
	page, err := c.host.config.Storage.List(c.ctx, c.space(), string(prefix), string(cursor), int(limit))
	if err != nil {
		return c.storageError(err)
	}
	out := abi.KVPage{Cursor: page.Next, Keys: make([]string, len(page.Items))}
	for i, item := range page.Items {
		out.Keys[i] = item.Key
	}
	return c.newBlob(abi.AppendKVPage(nil, &out))
}

func (c *call) ttl(ms int64) (time.Duration, int32) {
	const most = int64(10 * 365 * 24 * time.Hour / time.Millisecond)
	if ms < 0 || ms > most {
		return 0, c.bad(abi.BadArgument, "ttl must be 0 to ten years")
	}
	return time.Duration(ms) * time.Millisecond, 0
}

func (c *call) storageError(err error) int32 {
	switch {
	case errors.Is(err, kv.ErrNotFound):
		return c.fail(abi.NotFound, pay.ClassNotFound, "key is not there")
	case errors.Is(err, kv.ErrConflict):
		return c.fail(abi.Conflict, pay.ClassStateConflict, "key is not as expected")
	case errors.Is(err, kv.ErrTooLarge):
		return c.bad(abi.TooLarge, "key or value is too large")
	case errors.Is(err, kv.ErrQuota):
		return c.fail(abi.Quota, pay.ClassLimit, "storage of the connection is full")
	case errors.Is(err, kv.ErrNotCounter), errors.Is(err, kv.ErrOverflow):
		return c.bad(abi.BadArgument, "value is no counter, or would overflow")
	case errors.Is(err, kv.ErrInvalid):
		return c.bad(abi.BadArgument, "key is empty or not UTF-8, or expect is out of range")
	case c.over():
		return c.late()
	}
	c.log.Error("storage failed", "operation", c.op.String(), "error", err)
	return c.fail(abi.Internal, pay.ClassHostFault, "storage is not available")
}
