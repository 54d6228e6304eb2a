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
	entries []uint64 // of a listing
}

// Bits of an entry of /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst), of
// which there is one for each page of the process.
const (
	entryIsPresent = 1 << 63
	entryIsSwapped = 1 << 62
	entryIsFile    = 1 << 61 // still the file's own
	entriesAtOnce  = 512
)

// pageScanner asks the kernel which pages of the process were written.
type pageScanner struct {
	file *os.File
	fd   uintptr
	ask  func(s *pageScanner, r *scanRequest, memory []byte, visit func(lo, hi int)) (pages int, err error)
}

// scanning returns the scanner that is quickest, and listing the one for kernels before
// 6.7, which reads an entry for every page there is; nil where the kernel has it not,
// does not give it out, or is found not to tell the truth.
var (
	scanning = sync.OnceValue(func() *pageScanner { return newPageScanner((*pageScanner).scan) })
	listing  = sync.OnceValue(func() *pageScanner { return newPageScanner((*pageScanner).list) })
)

func newPageScanner(
	ask func(*pageScanner, *scanRequest, []byte, func(lo, hi int)) (int, error),
) *pageScanner {
	file, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return nil
	}
	s := &pageScanner{file: file, fd: file.Fd(), ask: ask}
	if os.Getpagesize() != pageSize || !s.works() {
		file.Close()
		return nil
	}
	return s
}

// works writes two pages of a mapping and looks whether the kernel names just these.
func (s *pageScanner) works() bool {
	const pages = 8
	p := newPicture(make([]byte, pages*pageSize), true)
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
	return s.ask(s, r, memory, visit)
}

// scan has the kernel look for them.
func (s *pageScanner) scan(r *scanRequest, memory []byte, visit func(lo, hi int)) (pages int, err error) {
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

// list reads what the kernel knows of every page.
func (s *pageScanner) list(r *scanRequest, memory []byte, visit func(lo, hi int)) (pages int, err error) {
	if r.entries == nil {
		r.entries = make([]uint64, entriesAtOnce)
	}
	base := int64(uintptr(unsafe.Pointer(unsafe.SliceData(memory)))) / pageSize
	for at := 0; at < len(memory); at += entriesAtOnce * pageSize {
		entries := r.entries[:min(entriesAtOnce, (len(memory)-at)/pageSize)]
		raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(entries))), 8*len(entries))
		if _, err := s.file.ReadAt(raw, 8*(base+int64(at)/pageSize)); err != nil {
			return pages, err
		}
		for lo := 0; lo < len(entries); lo++ {
			hi := lo
			for hi < len(entries) && own(entries[hi]) {
				hi++
			}
			if hi > lo {
				visit(at+lo*pageSize, at+hi*pageSize)
				pages += hi - lo
				lo = hi // that one is not
			}
		}
	}
	return pages, nil
}

// own reports whether a page is no longer the mapped file's.
func own(entry uint64) bool {
	return entry&(entryIsPresent|entryIsSwapped) != 0 && entry&entryIsFile == 0
}
