// Package e2e measures the work of package benchwork where it is done: a merchant's
// request comes in over HTTP, and a provider is asked over TLS 1.3 on kept loopback
// connections. Only the benchmark of nodes has a ledger; internal/load measures that
// further. It holds benchmarks and their test.
package e2e
