// Package sdk is what a plugin author imports to write a payment provider in Go.
//
// A provider is a value with the methods of [Provider]. Whatever else it can do
// it says by having more methods: [Binder], [Releaser], [Confirmer], [Canceler],
// [Refunder], [RefundProber], [RefundCloser], [Receipter], [Notifiee], [Pinger],
// [ErrorCataloger]. The module's main package registers it, and that is all:
//
//	package main
//
//	func init() { sdk.Register(acme.New()) } // a reactor module never runs main
//
//	func main() {}
//
// [RegisterMethods] does the same with methods listed one by one, for a smaller module.
//
// # What a plugin may do
//
// Each method is handed a [Host], good for that one call. Through it the plugin
// sends HTTP ([Host.Send]), checks signatures and decrypts ([Host.Verify],
// [Host.Decrypt]), keeps tokens and nonces ([Host.Put]), reads the clock and logs.
// There is no other way out of the sandbox: no net/http, no files, no time.Now.
// Secrets, private keys and certificates have names only; the host uses them.
//
// # What a plugin answers
//
// A writing method answers a pay.Result whose Outcome is the plugin's reading of
// the provider's answer: applied, accepted, declined, not_applied or in_doubt. The
// host has its own evidence of the wire and makes the verdict: an error returned
// by the plugin after bytes left is a doubt, not a failure. So a plugin returns
// errors freely; it can't lose money by it.
//
// # What a call leaves behind
//
// As a rule the host puts an instance back after each call to its image: the memory
// as it was after the init functions and one describe. So
//
//   - what init functions and package-level declarations made is there in every call;
//   - what a call put into package-level variables is gone in the next one: a cache, a
//     counter, a sync.Once that ran, a token with its time. Keep what must stay with
//     [Host.Put], and build tables in init functions, not at their first use;
//   - math/rand, the seeds of maps and hash/maphash repeat themselves, in the same
//     order, after every restore. An id or nonce that another call could get too comes
//     from [Host.Random], which asks the host and never repeats;
//   - a time that was read is the time of some call; read [Host.Now] again.
//
// An operator may turn this off, and natively there is no such thing, so a plugin
// must not depend on being put back either: package-level variables that calls write
// to are a mistake in all cases.
//
// A call is fast while it stays in the memory that the image has: the SDK makes room
// for it at describe, about 1 MiB. A call that makes the memory grow costs the host the
// instance, some milliseconds.
//
// # Testing
//
// Package sdktest runs a provider natively in go test against a written HTTP
// transcript, with a clock and a random source that the test owns.
package sdk
