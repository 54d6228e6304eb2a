//go:build linux && (amd64 || arm64)

package wasm

import (
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pagemapScan is the ioctl PAGEMAP_SCAN of Linux 6.7, and scanArg its struct
// pm_scan_arg (include/uapi/linux/fs.h).
const pagemapScan = 0xC0606610

type scanArg struct {
	size, flags               uint64
	start, end, walkEnd       uint64
	vec, vecLen, maxPages     uint64
	inverted, mask, any, what uint64
}

// scanRegion is struct page_region.
type scanRegion struct{ start, end, _ uint64 }

// Categories of pages.
const (
	pageIsFile    = 1 << 2 // still the file's own
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
)

// scanRequest is what one scan needs. It lies on the heap: the kernel is given its
// address as a number, and a stack may move.
type scanRequest struct {
	arg     scanArg
	regions [64]scanRegion
}

// pageScanner asks the kernel which pages of the process were written.
type pageScanner struct {
	file *os.File
	fd   uintptr
}

// pagemap returns the scanner; nil where the kernel is older than 6.7, does not give
// it out, or is found not to tell the truth.
var pagemap = sync.OnceValue(func() *pageScanner {
	file, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return nil
	}
	s := &pageScanner{file: file, fd: file.Fd()}
	if !s.works() {
		file.Close()
		return nil
	}
	return s
})

// works writes two pages of a mapping and looks whether the kernel names just these.
func (s *pageScanner) works() bool {
	const pages = 8
	p, err := newPicture(make([]byte, pages*pageSize), true)
	if err != nil {
		return false
	}
	defer p.free()
	m := newMapping(pages*pageSize, func(int64) bool { return true })
	if m == nil {
		return false
	}
	defer m.Free()
	if m.show(p) != nil {
		return false
	}
	m.all[pageSize], m.all[6*pageSize] = 1, m.all[4*pageSize]+1
	var found []int
	n, err := s.written(&m.request, m.all, func(lo, hi int) { found = append(found, lo/pageSize, hi/pageSize) })
	return err == nil && n == 2 && len(found) == 4 && found[0] == 1 && found[1] == 2 && found[2] == 6 && found[3] == 7
}

// written calls visit with the ranges of memory, in bytes, whose pages are no longer
// the mapped file's own, and returns how many pages these are.
func (s *pageScanner) written(r *scanRequest, memory []byte, visit func(lo, hi int)) (pages int, err error) {
	base := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(memory))))
	r.arg = scanArg{
		size: uint64(unsafe.Sizeof(r.arg)), start: base, end: base + uint64(len(memory)),
		vec: uint64(uintptr(unsafe.Pointer(&r.regions))), vecLen: uint64(len(r.regions)),
		inverted: pageIsFile, mask: pageIsFile, any: pageIsPresent | pageIsSwapped, what: pageIsFile,
	}
	for r.arg.start < r.arg.end {
		n, _, errno := unix.Syscall(unix.SYS_IOCTL, s.fd, pagemapScan, uintptr(unsafe.Pointer(&r.arg)))
		if errno != 0 {
			return pages, errno
		}
		for _, found := range r.regions[:n] {
			lo, hi := int(found.start-base), int(found.end-base)
			visit(lo, hi)
			pages += (hi - lo) / pageSize
		}
		if n < uintptr(len(r.regions)) {
			break
		}
		r.arg.start = r.arg.walkEnd
	}
	return pages, nil
}
