// Package ledger is the durable truth about payments: append-only entries, and
// the book that is folded from them.
//
// An [Entry] says what was asked, sent, answered or seen. A [Book] is one
// payment with its operations, refunds and receipts, or one receipt that stands
// alone. It is what [Book.Apply] makes of its entries, in their order, and
// nothing else: the stored copy of a book is a cache that [Fold] can always make
// again.
//
// Folding is pure: it reads no clock, asks nobody, and the same entries always
// give the same book. An entry that says what is known already changes nothing,
// so it may be written twice. Observations may come in any order: the transition
// table of package pay decides what an old one is still worth.
//
// # Names
//
// A book's id is a ULID. The ids that the API shows are made of it, so that each
// leads to its book: "pay_<book>" the payment, "op_<book>_3" its third operation,
// "ref_<book>_1" its first refund, "rec_<book>_1" its first receipt; a receipt
// that stands alone is "rec_<book>".
package ledger
