package ledger

import (
	"strconv"
	"strings"

	"github.com/oklog/ulid/v2"
)

// The kinds of object, by the prefix of their ids.
const (
	prefixPayment   = "pay_"
	prefixOperation = "op_"
	prefixRefund    = "ref_"
	prefixReceipt   = "rec_"
)

// NewID returns the id of a new book: a ULID, so that later books sort behind
// earlier ones.
func NewID() string { return strings.ToLower(ulid.Make().String()) }

// PaymentID returns the id of a book's payment.
func PaymentID(book string) string { return prefixPayment + book }

// OperationID returns the id of a book's nth operation, from 1.
func OperationID(book string, n int) string { return prefixOperation + book + "_" + strconv.Itoa(n) }

// RefundID returns the id of a book's nth refund, from 1.
func RefundID(book string, n int) string { return prefixRefund + book + "_" + strconv.Itoa(n) }

// ReceiptID returns the id of a book's nth receipt, from 1; 0 is for the receipt
// that stands alone.
func ReceiptID(book string, n int) string {
	if n == 0 {
		return prefixReceipt + book
	}
	return prefixReceipt + book + "_" + strconv.Itoa(n)
}

// BookOf returns the book that an object's id leads to, and false for a text that
// is no such id.
func BookOf(id string) (string, bool) {
	_, rest, ok := strings.Cut(id, "_")
	if !ok {
		return "", false
	}
	book, number, numbered := strings.Cut(rest, "_")
	prefix := id[:len(id)-len(rest)]
	switch prefix {
	case prefixPayment:
		ok = !numbered
	case prefixOperation, prefixRefund:
		ok = numbered
	case prefixReceipt:
	default:
		ok = false
	}
	if numbered {
		n, err := strconv.Atoi(number)
		ok = ok && err == nil && n > 0 && strconv.Itoa(n) == number
	}
	if _, err := ulid.ParseStrict(strings.ToUpper(book)); err != nil || strings.ToLower(book) != book {
		ok = false
	}
	if !ok {
		return "", false
	}
	return book, true
}
