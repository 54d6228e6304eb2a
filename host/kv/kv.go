// Package kv is the key-value storage of plugins: tokens, cookies, nonces, cursors. It is not for the ledger
// of payments.
//
// A Store is divided into spaces, one for each connection and schema of its plugin's state; the host chooses
// the space, so a plugin cannot reach another's. A key holds a value, a version and maybe an expiry. Versions
// make compare-and-set possible: a write may demand the version it read. The version of a key grows with
// every write and never comes back, not even after the key was deleted or expired.
//
// There are three stores: Memory, SQLite for one machine, and Postgres for any number of them. Package kvtest
// holds what all must pass.
package kv

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// Limits that no configuration changes.
const (
	MaxKeyLen   = 256       // bytes of a key, and of a space's name
	MaxValueLen = 256 << 10 // bytes of a value
	MaxPage     = 1000      // entries in one Page
)

// Versions with a meaning of their own, for the argument expect. Every real version is above Absent.
const (
	Any    int64 = -1 // whatever is there, or nothing
	Absent int64 = 0  // the key must not be there
)

// What a Store returns. Compare with errors.Is. All but ErrUnavailable and the context's errors mean that
// nothing was changed.
var (
	// ErrInvalid: an argument that no state of the store makes valid.
	ErrInvalid = errors.New("invalid argument")
	// ErrTooLarge: a key above MaxKeyLen or a value above MaxValueLen.
	ErrTooLarge = errors.New("too large")
	// ErrNotFound: the key is not there, or has expired.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the key's version is not the expected one.
	ErrConflict = errors.New("version conflict")
	// ErrQuota: the write would exceed the keys or bytes that its space may have.
	ErrQuota = errors.New("quota exceeded")
	// ErrNotCounter: Incr of a value that is not a decimal integer of 64 bits.
	ErrNotCounter = errors.New("not a counter")
	// ErrOverflow: Incr beyond 64 bits.
	ErrOverflow = errors.New("counter overflow")
	// ErrUnavailable: the database failed, or the store is closed. A write may have happened or not.
	ErrUnavailable = errors.New("storage unavailable")
)

// Store is a key-value storage. It may be used from many goroutines; each call is atomic, also among
// processes that share a database.
//
// A space is a name of 1 to MaxKeyLen bytes of UTF-8, and so is a key; a value is any 0 to MaxValueLen bytes.
// A ttl is counted by the store's clock, in steps of a microsecond; 0 means for ever, less is ErrInvalid. An
// expect is Any, Absent, or the version that the key must have. Every method may also return the error of its
// context, ErrInvalid, ErrTooLarge for the key, or ErrUnavailable. Values that go in or come out are copied.
type Store interface {
	// Get returns the key's entry, or ErrNotFound.
	Get(ctx context.Context, space, key string) (Entry, error)

	// Put writes the key's value and expiry, in place of what was there, and returns its new version. It
	// returns ErrConflict if the version is not the expected one, ErrQuota, or ErrTooLarge.
	Put(ctx context.Context, space, key string, value []byte, ttl time.Duration, expect int64) (int64, error)

	// Delete removes the key. It returns ErrNotFound if it is not there, ErrConflict if its version is not
	// the expected one.
	Delete(ctx context.Context, space, key string, expect int64) error

	// Incr adds delta to a counter and returns the sum. A counter is a decimal integer of 64 bits in ASCII,
	// as Put may write it too. A key that is not there counts as 0 and gets the ttl; one that is keeps its
	// expiry. It returns ErrNotCounter, ErrOverflow or ErrQuota.
	Incr(ctx context.Context, space, key string, delta int64, ttl time.Duration) (int64, error)

	// List returns up to limit (1 to MaxPage) of the keys that begin with prefix, in the order of their
	// bytes. An empty cursor begins at the first; Page.Next goes on after the last. A key that is there
	// throughout is listed once, whatever is written or deleted meanwhile.
	List(ctx context.Context, space, prefix, cursor string, limit int) (Page, error)

	// Close waits for calls under way and frees what the store holds; later calls return ErrUnavailable.
	// Closing twice does no harm.
	Close() error
}

// Entry is what a key holds.
type Entry struct {
	Value     []byte // never nil
	Version   int64
	ExpiresAt time.Time // UTC; zero if the entry does not expire
}

// Item is a key in a Page.
type Item struct {
	Key       string
	Size      int // bytes of the value
	Version   int64
	ExpiresAt time.Time // UTC; zero if the entry does not expire
}

// Page is a part of a listing.
type Page struct {
	Items []Item
	Next  string // the cursor of the next page; empty if this is the last
}

// Config is common to all stores.
type Config struct {
	MaxKeys  int              // keys in one space; 0 means 10,000
	MaxBytes int64            // bytes of the keys and values in one space; 0 means 16 MiB
	Now      func() time.Time // the store's clock; nil means time.Now
}

// WithDefaults returns the configuration with every zero field set.
func (c Config) WithDefaults() Config {
	c.MaxKeys = cmp.Or(c.MaxKeys, 10_000)
	c.MaxBytes = cmp.Or(c.MaxBytes, 16<<20)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}
