package witness

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkMachine tells what a machine asks for memory and for its kernel, by the clock
// of the thread: an instance that is made, a plugin that is loaded and a database pay for
// pages that are touched for the first time, and on a virtual machine those may cost twenty
// times what they do on another whose processor is as fast.
func BenchmarkMachine(b *testing.B) {
	runtime.LockOSThread() // whose clock is read
	defer runtime.UnlockOSThread()
	const pages = 1024
	size, page := pages*unix.Getpagesize(), unix.Getpagesize()
	file, err := unix.MemfdCreate("payhost-witness", unix.MFD_CLOEXEC)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = unix.Close(file) }()
	if err := unix.Ftruncate(file, int64(size)); err != nil {
		b.Fatal(err)
	}
	var fresh, copied, calls time.Duration
	for b.Loop() {
		fresh += touch(b, -1, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, size, page)
		copied += touch(b, file, unix.MAP_PRIVATE, size, page)
		began := clock()
		for range pages {
			_ = unix.Getppid()
		}
		calls += clock() - began
	}
	each := func(all time.Duration) float64 { return float64(all.Nanoseconds()) / float64(b.N*pages) }
	b.ReportMetric(each(fresh), "page-ns")
	b.ReportMetric(each(copied), "private-page-ns")
	b.ReportMetric(each(calls), "call-ns")
}

// touch writes to every page of a new mapping.
func touch(b *testing.B, file, flags, size, page int) time.Duration {
	b.Helper()
	memory, err := unix.Mmap(file, 0, size, unix.PROT_READ|unix.PROT_WRITE, flags)
	if err != nil {
		b.Fatal(err)
	}
	_ = unix.Madvise(memory, unix.MADV_NOHUGEPAGE)
	began := clock()
	for at := 0; at < size; at += page {
		memory[at] = 1
	}
	took := clock() - began
	if err := unix.Munmap(memory); err != nil {
		b.Fatal(err)
	}
	return took
}
