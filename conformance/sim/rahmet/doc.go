// Package rahmet simulates RahmetPay: token, availability, create (v1 and v2), status, refund, the links
// called after a payment, and a payment page. It is strict where the provider's document is plain, and lets
// a test decide where the document is silent or contradicts itself: see GET /_sim/settings and package
// simkit for the control API.
//
// # Calls
//
//	POST /auth/token                      client_id, client_secret, grant_type; a token lasts 3 h
//	GET  /orders/v1/preorder/availability
//	POST /orders/v1/preorder/create       answers url
//	POST /orders/v2/preorder/create       answers inner_url and external_url
//	POST /orders/v1/preorder/status       merchant_order_ids[] or merchant_order_ids[0], [1] …
//	POST /orders/v1/preorder/refund       header X-Idempotency-Key, a UUID v4, is optional
//	GET  /pay?id=HASH                     the payment page; its buttons post to the same address
//
// Bodies are application/x-www-form-urlencoded and nothing else; every call but the first needs exactly
// "Authorization: Bearer TOKEN". Every answer is {"error_code","status","message","data"}. The document
// lists no error codes but 4 (client authentication failed); the others here are invented: 2 and 3 for a
// bad token request and 9 for a refused token, as the OAuth library behind that text has them, then 404,
// 409 and 422.
//
// # Objects and outcomes
//
// An order's id is the preorder_id, its ref the merchant_order_id. Its states and outcomes are unpaid,
// paid, declined, expired, partially_refunded and refunded. More outcomes make something happen without
// setting a state: payer_pays (as the button does, checklink included), postlink, postlink_other_amount and
// failed_postlink (sends that call now, true or not). A refund has the outcomes pending, partial, settled
// and failed.
//
// Money effects: a charge when the payer pays; a refund when it is settled, which is refund_delay after it
// was accepted; with the outcome partial, it comes in two halves.
//
// # Magic amounts
//
// Whole tenge; only the last three digits count, so 5901 is as good as 901.
//
//	901  create: paid at once
//	902  create: declined at once, failed_postlink is called; the payer may try again
//	903  create: the order is made, the answer is lost (the first time for that merchant_order_id)
//	904  create: nothing is made, the connection is cut (the first time for that merchant_order_id)
//	905  create: declined, then paid
//	906  create: expired at once; a late payment is possible
//	911  refund: accepted, the answer is lost (the first time for that order and key)
//	912  refund: accepted, and stays pending until moved
//	913  refund: accepted, then fails; status never shows it
//	914  refund: refused
package rahmet
