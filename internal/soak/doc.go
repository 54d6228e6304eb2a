// Package soak runs payhost for long and looks for what only time shows: good
// plugins under mixed load, with faults, canaries, swaps and hostile plugins beside them,
// while memory, goroutines, files and mappings must stay as they were. It is a test,
// and benchmarks of what a hostile neighbor costs.
package soak
