// Package smartpay is the payhost plugin for the cash-register API of KD Pay/Smart
// Pay (Russia, RUB): the payer shows a QR code at the till, the till claims it,
// releases the amount, waits, and confirms.
//
// It follows "Smart Pay. Описание API для подключения кассы"; comments name that
// document's sections. The document gives paths and the order of calls and little
// else: the rest of the wire is an assumption, and all of it stands in wire.go.
// What was decided, and what to ask the provider, is in docs/providers/smartpay.md.
package smartpay
