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
// own code can't name, since every index in it is held against the module's own; one
// function, called slow below; and an export for every mutable number, so that the
// host can read and set them. The added globals are the count of steps left in the
// slice, the room left on the host's stack in bytes, and a scratch.
//
//   - A check takes steps from the count, and calls slow if it is below zero. Slow
//     sets the count to [Slice] and calls tick: Go code, so that the scheduler and the
//     collector get their turn, and that can end the guest by a panic.
//   - A gate is a function that stands in the place of another, of its index and
//     type: it takes steps and room, calls the other, whose body is moved to the end,
//     and gives the room back. Slow traps if there is no room, and the host sees by
//     the global that this was the reason.
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
//   - At every call_indirect: a check and a gate in place, in which the call stands.
//   - At functions: those of a circle of direct calls in which no other is gated have
//     a gate. So has one whose calls could hold more than freeStack bytes of the
//     stack without passing a gate, or more than freeWay on the way to the next. One
//     that could do more than freeSteps steps without a check begins with a check.
//   - In long stretches: a check every farthest steps on any way.
//   - In front of an instruction that moves a block of memory or of a table: a check
//     of its length.
//   - Tables get their first size as their limit, so that they never grow.
//
// # Why it holds
//
// Time. Take the steps of the longest way from a function's entry to an instruction as
// its height. Every instruction but a branch back leads to one that is at least as
// much higher as it costs. So the steps of a call are at most the height of the
// highest instruction, which its entry's check takes, or its caller's if it has none,
// and the differences that the branches back take. Without loops and gates there is no
// other way to go on: direct calls without a gate form no circle.
//
// Stack. Between a gate and the next that is passed lie only functions without gates,
// in no circle; the most bytes that they can hold is what the gate takes. Behind the
// last gate at most freeStack more can be held, which is set aside, as it is for calls
// in front of the first. What a function holds is an estimate from above of what the
// engine will use, see frames: wherever it was too low, the engine's own limit still
// stands.
//
// # What it does not do
//
// It does not bound one instruction: a fill of all of memory is counted, but not
// interrupted, and takes as long as the host's memory takes. A step is a count and no
// time: one that waits for memory takes a hundred times longer than one that adds.
// It does not bound what the engine takes to compile a module, nor imports: those are
// counted as a call, and the host sees to their time. It does not hide the host's
// clock, caches or speculation. It does not stop what the host never calls to an end:
// the deadline is the host's, in tick.
//
// Whatever the package writes is validated by wazero afterwards, so a mistake here is
// a module that is refused or stopped, never one that leaves its memory.
package rewrite
