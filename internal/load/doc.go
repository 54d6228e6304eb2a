// Package load measures payments through the whole of payhost: the HTTP API, the
// ledger, the plugin, and TLS to a provider that answers at once. It holds
// benchmarks and nothing else; docs/performance.md says how to run them.
package load
