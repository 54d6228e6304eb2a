// Package rewrite changes a WebAssembly binary at load so that its code can be
// stopped, its calls can't go too deep, and its instances can be put back to an
// earlier state. wazero's compiled code can't be preempted by Go: a guest in a loop
// would hold not only its caller but the garbage collector, and so the process.
// wazero's own checks cost a Go guest five to six times its run time, do not stop
// code without loops, and let a recursion take 100 MB of the host's stack.
//
// # What is added
//
// One import, payhost_internal.tick; three globals of type i32, which the module's
// own code can't name, since every index in it is held against the module's own; a
// function called slow below, and helpers that move blocks of memory; and an export for
// every mutable number, so that the host can read and set them. The added globals are
// the count of steps left in the slice, the room left on the host's stack in bytes,
// and a scratch.
//
//   - A check takes steps from the count, and calls slow if it is below zero. Slow
//     sets the count to [Slice] and calls tick: Go code, so that the scheduler and the
//     collector get their turn, and that can end the guest by a panic.
//   - A gate is a function that stands in the place of another, of its index and
//     type: it takes steps and room, calls the other, whose body is moved to the end,
//     and gives the room back. Slow traps if there is no room, and the host sees by
//     the global that this was the reason.
//   - A helper stands for memory.copy, memory.fill, or memory.init of one segment. It
//     does what the instruction does, in pieces of at most 64 KiB, from the last to the
//     first where the source is overwritten from below, and in front of each it has a
//     check for its bytes. What is out of bounds as a whole it leaves to the instruction,
//     which traps before it writes anything.
//
// An import of a host function, and not a flag in memory, because a store by another
// goroutine that only compiled code reads is outside Go's memory model, and because
// it makes the count of ticks a measure of the work done.
//
// # Where
//
//   - At every branch back to a loop: a check of the steps on the longest way from the
//     loop's head to the branch. In front of a table of branches that has one to a
//     loop, and of one to a loop that takes values, the check stands in place. All
//     others leave by a label around the loop to a check behind its end, since a call
//     inside a loop costs every round: the engine keeps then on the stack what would
//     be in registers.
//   - At a branch to a loop that begins with a table of branches, where the number that the
//     table looks at stands in front of the branch: the branch goes where the table leads, if that is
//     farther on in the loop, and needs no check. The Go compiler writes all its jumps so.
//   - At every call_indirect: a check and a gate in place, in which the call stands.
//   - At functions: those of a circle of direct calls in which no other is gated have
//     a gate. So has one whose calls could hold more than freeStack bytes of the
//     stack without passing a gate, or more than freeWay on the way to the next. One
//     that could do more than freeSteps steps without a check begins with a check.
//   - In long stretches: a check every farthest steps on any way.
//   - At an instruction that moves a block of memory: it is counted by its length, a step
//     a byte. If the slice is over then, or the length is more than a piece, a helper is
//     called in its place. A length of at most 1 KiB that is written in front of the
//     instruction is counted when the module is rewritten, like any other step.
//   - In front of one that moves entries of a table, or data of a segment that is no
//     longer than a piece: a check of half its length.
//   - Tables get their first size as their limit, so that they never grow.
//
// # Why it holds
//
// Time. Take the steps of the longest way from a function's entry to an instruction as
// its height. Every instruction but a branch back leads to one that is at least as
// much higher as it costs. So the steps of a call are at most the height of the
// highest instruction, which its entry's check takes, or its caller's if it has none,
// and the differences that the branches back take. Without loops and gates there is no
// other way to go on: direct calls without a gate form no circle. What a helper does
// in one round of its loop, and in front of it, each round's check takes; it has one
// round at least, and no more than there are pieces. So no instruction that is run
// moves more than a piece of memory, and a helper no more than a slice has steps, and a
// piece, between two ticks.
//
// Stack. Between a gate and the next that is passed lie only functions without gates,
// in no circle; the most bytes that they can hold is what the gate takes. Behind the
// last gate at most freeStack more can be held, which is set aside, as it is for calls
// in front of the first. What a function holds is an estimate from above of what the
// engine will use, see frames: wherever it was too low, the engine's own limit still
// stands. A helper counts as a function without a gate; it calls none but slow.
//
// # What it does not do
//
// It does not interrupt one instruction. The longest is one on a table, of at most
// [MaxTable] entries of eight bytes. memory.grow leaves the compiled code and counts for
// 300 steps: a memory that the host has mapped grows by a longer slice of the same room;
// where there is no such mapping the engine may copy all of it, in one go. A step is a
// count and no time: one that waits for memory takes a hundred times longer than one
// that adds.
// It does not bound what the engine takes to compile a module, nor imports: those are
// counted as a call, and the host sees to their time. It does not hide the host's
// clock, caches or speculation. It does not stop what the host never calls to an end:
// the deadline is the host's, in tick.
//
// Whatever the package writes is validated by wazero before it is compiled, so a mistake here is
// a module that is refused or stopped, never one that leaves its memory.
package rewrite
