// Package yeniltoleg simulates Yenil-Toleg: register, getPaymentStatus, cancel, refund, and a payment page.
// It is strict where the provider's document is plain, and lets a test decide where the document is silent
// or contradicts itself: see GET /_sim/settings and package simkit for the control API.
//
// # Calls
//
//	POST /api/v1/payment/register                      idempotent by idempotencyKey
//	GET  /api/v1/payment/getPaymentStatus/{paymentId}
//	POST /api/v1/payment/cancel                        only from Pending
//	POST /api/v1/payment/refund                        whole, only from Succeeded
//	GET  /payments/checkout/confirmation/{page}        the payment page; its buttons post to the same address
//	GET  /payment/merchants/online/payment_ru.html     the same page in the bank's form, ?mdOrder={page}
//
// Bodies are application/json. Every call needs exactly "Authorization: Bearer TOKEN". Errors are problem
// details with the field names and messages of ASP.NET: capitals, Cyrillic. Amounts are read from the text
// of the JSON number; a third decimal is refused. expireAt and expiresAt have no zone: they are
// Options.Zone's.
//
// # Objects and outcomes
//
// A payment's id is the paymentId, its ref the orderNumber. Its states and outcomes are Pending,
// InProgress, Succeeded, Canceled, Refunded, Failed and Expired; an outcome may be written in any case and
// with underscores. An unpaid payment is Expired when expireAt passes first, and Failed when the session,
// 15 minutes, ends first.
//
// Money effects: a charge on the way into Succeeded, a refund on the way into Refunded, a reversal when a
// control call takes a paid payment elsewhere.
//
// # Magic amounts
//
// The last two digits, the tenge, count: 5.91 is as good as 0.91.
//
//	.91  register: Succeeded at once
//	.92  register: Failed at once
//	.93  register: 500 after the effect, the first time for that key
//	.94  register: 500 without effect, the first time for that key
//	.95  register: InProgress at once
//	.96  register: 200 with result false, a message and no paymentId
//	.97  refund: 500 after the effect, the first time
//	.98  refund: 500 without effect, the first time
package yeniltoleg
