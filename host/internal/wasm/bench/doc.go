// Package bench measures the engine alone: calls, isolation, the CPU bound, loading
// and memory. It holds benchmarks and their test; make bench builds the plugins that
// they run, and bench/README.md says what becomes of the figures.
package bench
