//go:build linux && (amd64 || arm64)

package wasm

import (
	"errors"
	"os"
	"unsafe"

	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

const pageSize = 4096

// mapping is a linear memory with room reserved up to its limit, so that it grows
// without moving, and that can show a picture: pages that nobody has written are
// the picture's own, shared by all instances.
type mapping struct {
	all     []byte
	grant   func(n int64) bool // of what all instances of the module may have together
	granted int64
	picture *picture
	usual   int          // pages that a call was seen to write; 0 until it is known
	scanner *pageScanner // nil if there is none
	request scanRequest
}

var _ experimental.LinearMemory = (*mapping)(nil)

// newMapping reserves room for most bytes; nil if the system has none, as under
// strict accounting of address space. Grant is asked before the memory grows.
func newMapping(most uint64, grant func(int64) bool) *mapping {
	all, err := unix.Mmap(-1, 0, int(most), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil
	}
	return &mapping{all: all, grant: grant} // on the heap, as the request in it must be
}

// track has the kernel asked, from now on, which pages were written, if it can tell.
func (m *mapping) track(by Memory) {
	switch by {
	case MemoryScanned:
		if m.scanner = scanning(); m.scanner == nil {
			m.scanner = listing()
		}
	case MemoryListed:
		m.scanner = listing()
	}
}

// Reallocate returns the first size bytes of the room, or nil if it is too small or
// they are not granted.
func (m *mapping) Reallocate(size uint64) []byte {
	if more := int64(size) - m.granted; size > uint64(len(m.all)) || more > 0 && !m.grant(more) {
		return nil
	}
	m.granted = max(m.granted, int64(size))
	return m.all[:size:len(m.all)]
}

// Free gives the room back. The engine calls it when the instance is closed.
func (m *mapping) Free() {
	if m.all != nil {
		_ = unix.Munmap(m.all)
		m.all = nil
		own := m.granted
		if m.picture != nil {
			own -= int64(m.picture.size()) // given back by show
		}
		m.grant(-own) // at once, lest others be granted in between what nobody has
	}
}

// show lays the picture over the beginning of the memory; what stood there is gone.
func (m *mapping) show(p *picture) error {
	if p.file == nil {
		return os.ErrInvalid
	}
	err := mmapFixed(m.all, p.size(), int(p.file.Fd()))
	if err == nil {
		m.picture = p
		m.grant(-int64(p.size())) // it is everybody's
	}
	return err
}

// restore copies back the pages that were written since the picture was laid, which
// stay mapped, so that the next call takes no page faults for them. It reports
// false if the kernel can't tell which these are.
//
// The kernel tells what was ever written, so the set only grows. If it has become
// much larger than what one call writes, all pages are let go, and the next call
// shows again what it needs.
func (m *mapping) restore() (pages int, ok bool) {
	if m.scanner == nil {
		return 0, false
	}
	pages, err := m.scanner.written(&m.request, m.all[:m.picture.size()], func(lo, hi int) {
		copy(m.all[lo:hi], m.picture.bytes[lo:hi])
	})
	switch {
	case err != nil:
		return 0, false
	case m.usual == 0:
		m.usual = pages
	case pages > 2*m.usual+32:
		m.drop()
	}
	return pages, true
}

// drop lets go of all pages that are the instance's own: it shows the picture again.
func (m *mapping) drop() {
	if m.picture != nil && unix.Madvise(m.all[:m.picture.size()], unix.MADV_DONTNEED) == nil {
		m.usual = 0
	}
}

// picture is the memory of an image, in a file without a name that nobody can
// change any more.
type picture struct {
	bytes []byte
	file  *os.File // nil if it is only in the process's own memory
}

// newPicture copies memory into a picture, one that mappings can show if asked and if the
// system has a file for it. Without, instances are put back by copying all of it.
func newPicture(memory []byte, mapped bool) *picture {
	if mapped {
		for range sealings {
			p, err := newFilePicture(memory)
			if err == nil {
				return p
			}
			if !errors.Is(err, unix.EBUSY) {
				break
			}
		}
	}
	return &picture{bytes: append([]byte(nil), memory...)}
}

// sealings is how often a file is tried: the kernel refuses to seal one of which somebody,
// it may be the kernel itself, holds on to a page for longer than it waits.
const sealings = 3

// memfd makes a file without a name; tests put another in its place.
var memfd = unix.MemfdCreate

func newFilePicture(memory []byte) (*picture, error) {
	fd, err := memfd("payhost-image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	p := &picture{file: os.NewFile(uintptr(fd), "image")}
	if err := p.fill(memory); err != nil {
		p.file.Close()
		return nil, err
	}
	return p, nil
}

// fill writes the pages that are not all zeros and seals the file.
func (p *picture) fill(memory []byte) error {
	if err := p.file.Truncate(int64(len(memory))); err != nil {
		return err
	}
	for at := 0; at < len(memory); at += pageSize {
		if page := memory[at:min(at+pageSize, len(memory))]; !zero(page) {
			if _, err := p.file.WriteAt(page, int64(at)); err != nil {
				return err
			}
		}
	}
	fd := int(p.file.Fd())
	seals := unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return err
	}
	var err error
	p.bytes, err = unix.Mmap(fd, 0, len(memory), unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_POPULATE)
	return err
}

func zero(page []byte) bool {
	for _, b := range page {
		if b != 0 {
			return false
		}
	}
	return true
}

func (p *picture) size() int { return len(p.bytes) }

// free gives the picture back; mappings that show it keep what they show.
func (p *picture) free() {
	if p.file != nil {
		_ = unix.Munmap(p.bytes)
		p.file.Close()
	}
	p.bytes, p.file = nil, nil
}

// mmapFixed maps size bytes of a file privately over the beginning of room.
func mmapFixed(room []byte, size, fd int) error {
	_, err := unix.MmapPtr(fd, 0, unsafe.Pointer(unsafe.SliceData(room)), uintptr(size),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	return err
}
