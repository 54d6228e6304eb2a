// Package pay holds the words of the lifecycle contract: money, the operations
// a plugin can be asked for, their outcomes, what a merchant sees of a payment,
// and the table of transitions between those states.
//
// It is a leaf: plugins, the host and the engine above it all import it, and it
// imports the standard library only. It is linked into every plugin, so it does
// without reflection and without package fmt.
//
// # Two layers
//
// An operation is one intent to affect a provider: create, release, refund. It
// ends in an [Outcome], and the host decides it from the [Evidence] of the wire.
// A [Payment], [Refund] or [Receipt] is what the merchant sees. It is folded
// from [Observation] values; a plugin never sets such a state itself.
//
// # Money
//
// [Money] is an int64 of minor units and an ISO 4217 currency. Decimal text
// exists only where a provider's wire asks for it, and no float anywhere.
package pay
