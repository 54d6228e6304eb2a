// Package aurora simulates Aurora Pay, a provider that does not exist: the one that the example plugin and
// its guide speak to. Orders, refunds in parts, a payment page, and notifications that are signed. See
// package simkit for the control API, and GET /_sim/settings for what a test may decide.
//
// # Calls
//
//	POST /v1/orders       {"shop","order","amount","currency"[,"return_url","notify_url"]} → 201 {"id","page"}
//	GET  /v1/orders/{id}  → {"id","order","state","amount","paid","refunded","currency"}
//	POST /v1/refunds      {"order_id","amount"} → 201 {"id","order_id","amount"}
//	GET  /p/{id}          the payment page; its buttons post to the same address
//
// Every call under /v1 needs the header X-Api-Key, and a POST an Idempotency-Key of 1 to 128 visible
// characters: the same key and the same bytes of body give the first answer again. Amounts are read from the
// text of the JSON number, in euros; a third decimal is refused, and less than 0.50 of an order too. A member
// that is not listed is refused.
//
// Errors are {"code","message"[,"field"]}:
//
//	400 bad_field   a field is missing or wrong, or may not be so: a refund of more than is left
//	401 bad_key     the API key
//	402 declined    a definite no
//	404 not_found   no such order, no such path
//	409 key_reused  a known Idempotency-Key with another body
//	500 internal    by a magic amount
//
// # Notifications
//
// When an order becomes paid, failed or expired, and at each refund, the order's JSON is posted to its
// notify_url, once, as it was then. X-Aurora-Signature is the HMAC-SHA256 of the exact body under the
// webhook key, in lowercase hex. An expiry is told, and a delayed notification leaves, when the simulator is
// next asked anything.
//
// # Objects and outcomes
//
// An order's id is Aurora's and its ref the merchant's; its outcomes are new, paid, failed, expired and
// refunded, which gives back what is left. A refund's outcomes are done, which it is from the start, and
// failed, which takes the money back. A new order expires after its lifetime, 30 minutes.
//
// Money effects: a charge on the way into paid, a refund for each refund, a returned refund when one fails,
// a reversal when a control call takes a paid order elsewhere.
//
// # Magic amounts
//
// The last two digits, the cents, count: 5.91 is as good as 0.91.
//
//	.91  order: paid at once
//	.92  order: declined, nothing made
//	.93  order: 500 after the effect, the first time for that key
//	.94  order: 500 without effect, the first time for that key
//	.96  refund: declined
//	.97  refund: 500 after the effect, the first time for that key
//	.98  refund: 500 without effect, the first time for that key
package aurora
