// Command hostile is a plugin that misbehaves on demand: payhost_call's first
// argument says how. It stands on its own, without the SDK, so that the engine's
// tests depend on nothing but Go.
package main

import (
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// The operations, as the tests number them.
const (
	opEmpty = iota
	opLoop
	opLoopCalls
	opMutual
	opExponential
	opEndlessRecursion
	opSleep
	opGoroutines
	opSelect
	opGrow
	opPanic
	opExit
	opNil
	opFlood
	opFloodThenPanic
	opWASI
	opInitialized
	opWork
	opHostCalls
	opWildRead
	opRecovered
	opOutOfSelf
	opKeep
	opKept
	opDeep
	opCollect
	opMany
	opGrowOnce
	opStreams
	opDice
)

//go:wasmimport payhost_v1 input
func input(off uint32, p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 reply
func reply(p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 now_ns
func nowNS() int64

//go:wasmimport payhost_v1 deadline_ns
func deadlineNS() int64

//go:wasmimport payhost_v1 random
func random(p unsafe.Pointer, n uint32) int32

//go:wasmimport payhost_v1 blob_new
func blobNew(capacity int64) int32

//go:wasmimport payhost_v1 http_send
func httpSend(p unsafe.Pointer, n uint32, body int32) int32

//go:wasmimport payhost_v1 kv_get
func kvGet(p unsafe.Pointer, n uint32, version unsafe.Pointer) int32

//go:wasmimport payhost_v1 log
func hostLog(level int32, p unsafe.Pointer, n uint32) int32

var (
	sink   uint64
	kept   [][]byte
	secret int32
	ledger map[int32]string
	initOK int32 // which imports answered during initialization
)

// init is the only code that runs inside _initialize.
func init() {
	kept = append(kept, make([]byte, 1<<20)) // room, so that few calls grow the memory
	kept = nil
	runtime.GC()
	var b [8]byte
	p, n := unsafe.Pointer(&b), uint32(len(b))
	answered := func(bit int32, ok bool) {
		if ok {
			initOK |= 1 << bit
		}
	}
	answered(0, nowNS() > 0)
	answered(1, random(p, n) == int32(n))
	answered(2, hostLog(1, p, n) >= 0)
	answered(3, input(0, p, n) >= 0)
	answered(4, reply(p, n) >= 0)
	answered(5, blobNew(1) >= 0)
	answered(6, httpSend(p, n, 0) >= 0)
	answered(7, kvGet(p, n, p) >= 0)
	answered(8, deadlineNS() >= 0)
}

func main() {}

//go:wasmexport payhost_abi_v1
func marker() {}

//go:wasmexport payhost_call
func call(op, inputLen int32) int32 {
	switch op {
	case opLoop:
		for {
			sink++
		}
	case opLoopCalls:
		for {
			step()
		}
	case opMutual:
		return int32(even(1<<12) & even(1<<12) & even(1<<12) & even(1<<12))
	case opExponential:
		return int32(fib(90))
	case opEndlessRecursion:
		return int32(endless(1))
	case opSleep:
		time.Sleep(time.Hour)
	case opGoroutines:
		for range 8 {
			go func() {
				for {
					step()
				}
			}()
		}
		time.Sleep(time.Hour)
	case opSelect:
		select {}
	case opGrow:
		for {
			kept = append(kept, make([]byte, 1<<20))
		}
	case opPanic:
		panic("cannot go on: order 17")
	case opExit:
		os.Exit(3)
	case opNil:
		var p *[4]int32
		return p[inputLen&3]
	case opFlood:
		for {
			flood()
		}
	case opFloodThenPanic:
		for range 64 {
			flood()
		}
		panic("after the flood")
	case opWASI:
		return wasi()
	case opInitialized:
		return initOK
	case opWork:
		return work(inputLen)
	case opHostCalls:
		for range inputLen {
			sink += uint64(nowNS())
		}
	case opWildRead:
		return *(*int32)(unsafe.Pointer(uintptr(0xfffffff0)))
	case opRecovered:
		return recovered()
	case opKeep:
		return keep(inputLen)
	case opKept:
		return found()
	case opDeep:
		return deep(inputLen)
	case opCollect:
		for range 32 {
			kept = append(kept[:0], make([]byte, 8<<10))
		}
		runtime.GC()
	case opMany:
		return many(inputLen)
	case opGrowOnce:
		kept = append(kept, make([]byte, int(inputLen)))
	case opStreams:
		return streams(inputLen)
	case opDice:
		return int32(rand.Uint32() >> 1)
	case opOutOfSelf:
		return input(0, unsafe.Pointer(uintptr(0xffff0000)), 64)
	}
	return 0
}

//go:noinline
func step() { sink++ }

//go:noinline
func even(n uint32) uint32 {
	if n == 0 {
		return 1
	}
	return odd(n - 1)
}

//go:noinline
func odd(n uint32) uint32 {
	if n == 0 {
		return 0
	}
	return even(n - 1)
}

//go:noinline
func fib(n uint32) uint32 {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

//go:noinline
func endless(n uint64) uint64 { return endless(n+1) + sink }

func flood() {
	line := make([]byte, 4096)
	for i := range line {
		line[i] = 'x'
	}
	_, _ = os.Stdout.Write(line)
	_, _ = os.Stderr.Write(line)
}

// work is an honest computation: xorshift over n rounds with a small table.
func work(n int32) int32 {
	var table [64]uint32
	x := uint32(2463534242)
	for i := range n {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		table[x&63] += x + uint32(i)
	}
	var sum uint32
	for _, v := range table {
		sum ^= v
	}
	return int32(sum & 0x7fffffff)
}

// recovered panics and recovers, which is a plugin's own business.
func recovered() (code int32) {
	defer func() {
		if recover() != nil {
			code = 7
		}
	}()
	var p *int32
	return *p
}

// wasi reports, one bit each, what of the system it could reach.
func wasi() int32 {
	var got int32
	if _, err := os.ReadFile("/etc/passwd"); err == nil {
		got |= 1 << 0
	}
	if list, err := os.ReadDir("/"); err == nil && len(list) > 0 {
		got |= 1 << 1
	}
	if len(os.Environ()) > 0 {
		got |= 1 << 2
	}
	if len(os.Args) > 0 {
		got |= 1 << 3
	}
	if f, err := os.Create("/tmp/hostile"); err == nil {
		_ = f.Close()
		got |= 1 << 4
	}
	if b, _ := io.ReadAll(os.Stdin); len(b) > 0 {
		got |= 1 << 5
	}
	for fd := uintptr(3); fd < 16; fd++ {
		if _, err := os.NewFile(fd, "inherited").Stat(); err == nil {
			got |= 1 << 6
		}
	}
	if wd, err := os.ReadDir("."); err == nil && len(wd) > 0 {
		got |= 1 << 7
	}
	return got
}

// keep leaves a number wherever a plugin could: in a global, on the heap, in a map,
// and in a goroutine that outlives the call.
func keep(n int32) int32 {
	secret = n
	kept = append(kept, []byte(strconv.Itoa(int(n))))
	if ledger == nil {
		ledger = map[int32]string{}
	}
	ledger[n] = "kept"
	go func() {
		for range 3 {
			runtime.Gosched()
			sink += uint64(n)
		}
	}()
	return n
}

// found reports whether anything of a call before is there, one bit each.
func found() (bits int32) {
	runtime.Gosched()
	if secret != 0 {
		bits |= 1
	}
	if len(kept) != 0 {
		bits |= 2
	}
	if len(ledger) != 0 {
		bits |= 4
	}
	if sink != 0 {
		bits |= 8
	}
	if runtime.NumGoroutine() > goroutines {
		bits |= 16
	}
	return bits
}

// goroutines is how many there are before the first call.
var goroutines = runtime.NumGoroutine() + 1 // and the one that serves a call

// deep recurses, so that the stack of the goroutine is moved to a larger one.
//
//go:noinline
func deep(n int32) int32 {
	var room [16]int32
	room[n&15] = n
	if n == 0 {
		return 0
	}
	return deep(n-1) + room[n&15] - n + 1
}

// many runs goroutines that talk to each other.
func many(n int32) int32 {
	var wait sync.WaitGroup
	numbers := make(chan int32)
	for i := range n {
		wait.Go(func() { numbers <- i })
	}
	go func() { wait.Wait(); close(numbers) }()
	var sum int32
	for i := range numbers {
		sum += i
	}
	secret += sum
	return sum
}

// streams closes, renumbers and changes what stands behind stdout, if it may, and
// reports whether stdout is still what it was.
func streams(n int32) int32 {
	if n == 1 {
		_ = syscall.Close(1)
		_ = syscall.SetNonblock(1, true)
	}
	if _, err := syscall.Write(1, []byte("still here")); err != nil {
		return 1
	}
	return 0
}
