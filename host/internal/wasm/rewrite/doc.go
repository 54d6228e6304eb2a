// Package rewrite changes a WebAssembly binary at load so that its code can be
// stopped and its instances put back to an earlier state. wazero's compiled code
// can't be preempted by Go: a guest in a loop would hold not only its caller but
// the garbage collector, and so the process. wazero's own checks cost a Go guest
// five to six times its run time; the countdown added here costs about a tenth.
//
// The package reads only as much of the binary as it must change. Whatever it
// writes is validated by wazero afterwards, so a mistake here is a module that is
// refused, never one that runs astray.
package rewrite
