// Package simkit is what the provider simulators share: a [Kit] that journals every request, injects
// faults, keeps a ledger of money effects and a clock that can be advanced, and mounts the control API;
// exact decimals; the look of the payment pages; and a helper to listen on a port.
//
// A simulator gives the Kit two things: an http.Handler that speaks the provider's wire, and a [Model] that
// holds the provider's objects. Everything a test may do over HTTP it may also do in Go, by the methods of
// Kit.
//
// # Control API
//
// All paths live under /_sim/ and speak JSON. They are never journaled and never hit by a fault.
//
//	GET    /_sim/objects               every object; see [Object]
//	GET    /_sim/objects/{id}          one, by the provider's id or the merchant's (then the newest)
//	POST   /_sim/objects/{id}/outcome  {"outcome":"paid"}: moves it, whatever its state is; answers the object
//	GET    /_sim/faults                the faults still armed
//	POST   /_sim/faults                arms one; see [Fault]
//	DELETE /_sim/faults                disarms all
//	POST   /_sim/clock                 {"advance":"3h"}: answers {"now":"…"}
//	GET    /_sim/effects               the money effects, oldest first
//	GET    /_sim/requests              the requests as received, oldest first
//	GET    /_sim/deliveries            the calls that the simulator itself made to the merchant
//	GET    /_sim/settings              the configurable doubts: name, value, default, allowed, about
//	POST   /_sim/settings              {"name":"value"}: all of them or, when one is bad, none
//	POST   /_sim/reset                 as new: nothing kept, default settings, the clock put back
//
// Bad input is answered with 400 and {"error":"…","field":"…"}; an unknown object or call with 404 and the
// same body. The control API has no password: listen on a loopback address.
package simkit
