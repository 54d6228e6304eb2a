package host

import (
	"github.com/payhost/payhost/sdk/abi"
)

// blobs are the buffers that a call holds for its guest. Handles begin at 1 and
// are not used again within the call.
type blobs struct {
	list [][]byte // nil for a freed one
	live int
	left int64 // bytes that may still be taken
}

// add keeps b as a new blob; false if there are too many or they are too large.
func (s *blobs) add(b []byte) (int32, bool) {
	if s.live >= abi.MaxHandles || len(s.list) >= 64*abi.MaxHandles || int64(len(b)) > s.left {
		return 0, false
	}
	if b == nil {
		b = []byte{}
	}
	s.left -= int64(len(b))
	s.live++
	s.list = append(s.list, b)
	return int32(len(s.list)), true
}

// get returns a blob that lives.
func (s *blobs) get(h int32) ([]byte, bool) {
	if h < 1 || int(h) > len(s.list) || s.list[h-1] == nil {
		return nil, false
	}
	return s.list[h-1], true
}

// newBlob keeps bytes for the guest, or says that there is no room.
func (c *call) newBlob(b []byte) int32 {
	h, ok := c.blobs.add(b)
	if !ok {
		return c.bad(abi.Quota, "blobs: too many or too large")
	}
	return h
}

// blob returns a blob of the guest.
func (c *call) blob(h int32) ([]byte, int32) {
	b, ok := c.blobs.get(h)
	if !ok {
		return nil, c.bad(abi.BadHandle, "no such blob")
	}
	return b, 0
}

// BlobNew makes an empty blob. The capacity is a hint and is not reserved, so
// that a lie costs nothing.
func (c *call) BlobNew(capacity int64) int32 {
	if capacity < 0 || capacity > c.blobs.left {
		return c.bad(abi.Quota, "blob_new: larger than the call may hold")
	}
	return c.newBlob(make([]byte, 0, min(capacity, 4<<10)))
}

// BlobWrite appends to a blob.
func (c *call) BlobWrite(h int32, p []byte) int32 {
	b, code := c.blob(h)
	if code < 0 {
		return code
	}
	if int64(len(p)) > c.blobs.left {
		return c.bad(abi.Quota, "blob_write: larger than the call may hold")
	}
	c.blobs.left -= int64(len(p))
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
		return c.bad(abi.BadArgument, "blob_read: offset behind the end")
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
	c.blobs.left += int64(len(b))
	c.blobs.live--
	c.blobs.list[h-1] = nil
	return 0
}
