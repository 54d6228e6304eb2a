// Package smartpay simulates the cash-register API of KD Pay/Smart Pay: real
// mutual TLS, real cookies, real cryptography, invented money.
//
// The provider's document gives the paths, the order of the calls and the QR
// code's structure. Field names, units, states, error codes, key algorithms and
// lifetimes are assumptions of this project until the provider's OpenAPI file is
// at hand; all of them are spoken in wire.go, codes.go and qr.go, and every doubt
// about behavior that matters is a setting (see /_sim/settings).
//
// # Two listeners
//
// The provider's own paths are served over mutual TLS: a client without a
// certificate of the simulator's authority is refused at the handshake. The
// control API (package simkit) and the payer's page are served over plain HTTP on
// a second, loopback listener, since a browser and curl must reach them:
//
//	GET  /payer                   a fresh signed QR code as the payer's app shows it, and the open purchases
//	GET  /payer/code              the code's JSON text, for scripts: ?user=, ?flaw= (see [Flaw]), ?age=10m
//	POST /payer/purchases/{id}    action=approve or action=decline
//	     /_sim/…                  the control API
//
// # Objects
//
// The control API knows purchases (success, fail, canceled, wait), refunds
// (success, fail, wait) and receipts, which cannot be moved. A purchase whose
// amount is not known yet keeps the word "success" or "wait" for later.
//
// The ledger has a charge when money is taken, a reversal when a taken payment is
// voided whole, and a refund when a refund succeeds; a refund that bounces
// afterwards is a charge under the refund's own key. Amounts are kopecks. Object
// and Ref name the purchase; Key is the till's id of the purchase or refund.
package smartpay
