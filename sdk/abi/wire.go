package abi

import "errors"

// Errors of the decoders.
var (
	// ErrWire says that bytes are not a message of the schema: cut short, a wrong
	// wire type, a number out of range, text that is not UTF-8.
	ErrWire = errors.New("malformed message")
	// ErrTooMany says that a repeated field has more than [MaxItems] entries, or
	// that all of a message's repeated fields together have more than [MaxEntries].
	ErrTooMany = errors.New("too many entries in a message")
)

const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)
