// Package e2e measures the work of package benchwork where it is done: a merchant's
// request comes in over HTTP, and a provider is asked over TLS 1.3 on kept loopback
// connections. There is no ledger here; internal/load measures with one. It holds
// benchmarks and their test.
package e2e
