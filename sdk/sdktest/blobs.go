package sdktest

import (
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// blobs are the buffers that a call holds for its guest. Handles begin at 1.
type blobs struct {
	list [][]byte // nil for a freed one
	live int
	left int
}

func (c *call) newBlob(b []byte) int32 {
	s := &c.blobs
	if s.live >= abi.MaxHandles || len(b) > s.left {
		return c.fail(abi.Quota, pay.ClassPluginFault, "blobs: too many or too large")
	}
	if b == nil {
		b = []byte{}
	}
	s.left -= len(b)
	s.live++
	s.list = append(s.list, b)
	return int32(len(s.list))
}

// blob returns a blob that lives.
func (c *call) blob(h int32) ([]byte, int32) {
	if h < 1 || int(h) > len(c.blobs.list) || c.blobs.list[h-1] == nil {
		return nil, c.fail(abi.BadHandle, pay.ClassPluginFault, "no such blob")
	}
	return c.blobs.list[h-1], 0
}

// BlobNew makes an empty blob.
func (c *call) BlobNew(capacity int64) int32 {
	if capacity < 0 || capacity > int64(c.blobs.left) {
		return c.fail(abi.Quota, pay.ClassPluginFault, "blob_new: larger than the call may hold")
	}
	return c.newBlob(nil)
}

// BlobWrite appends to a blob.
func (c *call) BlobWrite(h int32, p []byte) int32 {
	b, code := c.blob(h)
	if code < 0 {
		return code
	}
	if len(p) > c.blobs.left {
		return c.fail(abi.Quota, pay.ClassPluginFault, "blob_write: larger than the call may hold")
	}
	c.blobs.left -= len(p)
	c.blobs.list[h-1] = append(b, p...)
	return int32(len(p))
}

// BlobRead copies a part of a blob.
func (c *call) BlobRead(h int32, off int64, p []byte) int32 {
	b, code := c.blob(h)
	if code < 0 {
		return code
	}
	if off < 0 || off > int64(len(b)) {
		return c.fail(abi.BadArgument, pay.ClassPluginFault, "blob_read: offset behind the end")
	}
	return int32(copy(p, b[off:]))
}

// BlobLen returns a blob's length.
func (c *call) BlobLen(h int32) int64 {
	b, code := c.blob(h)
	if code < 0 {
		return int64(code)
	}
	return int64(len(b))
}

// BlobFree gives a blob and its room back.
func (c *call) BlobFree(h int32) int32 {
	b, code := c.blob(h)
	if code < 0 {
		return code
	}
	c.blobs.left += len(b)
	c.blobs.live--
	c.blobs.list[h-1] = nil
	return 0
}
