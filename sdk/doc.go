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
// # Testing
//
// Package sdktest runs a provider natively in go test against a written HTTP
// transcript, with a clock and a random source that the test owns.
package sdk
