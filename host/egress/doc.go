// Package egress is the only way from a plugin to a provider: one [Client] per connection sends the requests
// that plugins ask for, and keeps the evidence of what left.
//
// Before anything leaves, a request is held against the allow-list, the header rules, the size limits and the
// bindings of secrets; a request that breaks one is [Refused]. The address is checked again when the socket
// connects, after DNS. Secrets are named by the plugin and put in by the Client, and an answer that holds one
// is withheld.
//
// # Evidence
//
// Every call returns an [Exchange], the journal of its attempts. What it says about the wire is the ground on
// which the host decides the outcome of an operation that moves money:
//
//   - [NotSent]: no byte of the request was handed to any connection. The operation had no effect.
//   - [Unknown]: bytes left and no whole answer came back. The operation may have had its effect.
//   - [Answered]: the provider gave a whole answer.
//
// Three things make this exact. One attempt uses one connection: net/http resends GET-like requests, and
// requests that bear an idempotency key, when a kept connection breaks; here the second connection is denied
// to it, and each connection counts what it is given (see conn.go). The verdict is final: once an attempt has
// ended, its connections refuse to write. And the protocol is HTTP/1.1 alone: there one connection carries
// one request at a time, so that what a connection wrote is what the request sent, while HTTP/2 mixes many
// requests into one stream of bytes and resends those that a closing server disowns.
//
// A repeat is made only by the retry class that the caller gives ([Never], [SameKey], [RepeatRead]).
package egress
