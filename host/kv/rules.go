package kv

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

var errClosed = fmt.Errorf("%w: the store is closed", ErrUnavailable)

// The rules of this file are one for all stores: what arguments are valid, what a write does to what is
// there.

// sweepLimit is how many expired entries a write removes besides its own work.
const sweepLimit = 16

// record is an entry as the stores keep it.
type record struct {
	value   []byte
	version int64
	expires int64 // microseconds since 1970; 0 for never
}

func (r record) expired(now int64) bool { return r.expires != 0 && r.expires <= now }

func (r record) item(key string) Item {
	return Item{Key: key, Size: len(r.value), Version: r.version, ExpiresAt: timeOf(r.expires)}
}

func (r record) entry() Entry {
	value := r.value
	if value == nil {
		value = []byte{}
	}
	return Entry{Value: value, Version: r.version, ExpiresAt: timeOf(r.expires)}
}

// usage is what a space holds, or may hold.
type usage struct {
	keys  int64
	bytes int64
}

// exceeds reports whether u is more than the quota. A space that is over its quota, since the quota was
// lowered, may still shrink: so only what a write adds is looked at.
func (c Config) exceeds(u, added usage) bool {
	return added.keys > 0 && u.keys > int64(c.MaxKeys) || added.bytes > 0 && u.bytes > c.MaxBytes
}

// growth is what a write adds to its space.
func growth(key string, old *record, value []byte) usage {
	if old == nil {
		return usage{keys: 1, bytes: int64(len(key) + len(value))}
	}
	return usage{bytes: int64(len(value) - len(old.value))}
}

func checkKey(space, key string) error {
	if err := checkName("space", space); err != nil {
		return err
	}
	return checkName("key", key)
}

func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: the %s is empty", ErrInvalid, what)
	case len(name) > MaxKeyLen:
		return fmt.Errorf("%w: the %s has %d bytes, the limit is %d", ErrTooLarge, what, len(name), MaxKeyLen)
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: the %s is not UTF-8", ErrInvalid, what)
	}
	return nil
}

func checkValue(value []byte) error {
	if len(value) > MaxValueLen {
		return fmt.Errorf("%w: the value has %d bytes, the limit is %d", ErrTooLarge, len(value), MaxValueLen)
	}
	return nil
}

func checkPut(space, key string, value []byte, ttl time.Duration, expect int64) error {
	return cmp.Or(checkKey(space, key), checkValue(value), checkTTL(ttl), checkExpect(expect))
}

func checkDelete(space, key string, expect int64) error {
	return cmp.Or(checkKey(space, key), checkExpect(expect))
}

func checkIncr(space, key string, ttl time.Duration) error {
	return cmp.Or(checkKey(space, key), checkTTL(ttl))
}

func checkTTL(ttl time.Duration) error {
	if ttl < 0 {
		return fmt.Errorf("%w: the ttl is negative", ErrInvalid)
	}
	return nil
}

func checkExpect(expect int64) error {
	if expect < Any {
		return fmt.Errorf("%w: the expected version is %d", ErrInvalid, expect)
	}
	return nil
}

func checkList(space, prefix, cursor string, limit int) error {
	if err := checkName("space", space); err != nil {
		return err
	}
	if limit < 1 || limit > MaxPage {
		return fmt.Errorf("%w: the limit is %d, 1 to %d are allowed", ErrInvalid, limit, MaxPage)
	}
	if len(prefix) > MaxKeyLen || len(cursor) > MaxKeyLen {
		return fmt.Errorf("%w: the prefix or the cursor is longer than a key", ErrTooLarge)
	}
	return nil
}

// met reports whether what is there, nil for nothing, has the expected version.
func met(old *record, expect int64) bool {
	switch {
	case expect == Any:
		return true
	case old == nil:
		return expect == Absent
	}
	return old.version == expect
}

// added returns the counter old plus delta, as text and as number; nil for old counts as 0.
func added(old *record, delta int64) ([]byte, int64, error) {
	var count int64
	if old != nil {
		text := string(old.value)
		var err error
		count, err = strconv.ParseInt(text, 10, 64)
		// What would not be written in the same way is not a counter: "+1", "007", "-0".
		if err != nil || strconv.FormatInt(count, 10) != text {
			return nil, 0, ErrNotCounter
		}
	}
	if delta > 0 && count > math.MaxInt64-delta || delta < 0 && count < math.MinInt64-delta {
		return nil, 0, ErrOverflow
	}
	count += delta
	return strconv.AppendInt(nil, count, 10), count, nil
}

// micros is the unit of the stores' clock.
func micros(at time.Time) int64 { return at.UnixMicro() }

// expiry returns when an entry written now expires; 0 for never. A ttl below a microsecond counts as one.
func expiry(now int64, ttl time.Duration) int64 {
	if ttl == 0 {
		return 0
	}
	return now + max(ttl.Microseconds(), 1)
}

func timeOf(expires int64) time.Time {
	if expires == 0 {
		return time.Time{}
	}
	return time.UnixMicro(expires).UTC()
}

// wrap names the operation.
func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("kv %s: %w", operation, err)
}
