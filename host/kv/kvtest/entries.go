package kvtest

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/host/kv"
)

func testValues(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{})
	largest := bytes.Repeat([]byte{7}, kv.MaxValueLen)
	values := [][]byte{nil, {}, {0}, []byte("text"), []byte("\xff\x00\xfe"), largest}
	keys := []string{"k", " ", "ключ", "a\x00b", "'; --", "%_", strings.Repeat("k", kv.MaxKeyLen)}
	for _, key := range keys {
		b.wantMissing(key)
		for _, value := range values {
			version := b.put(key, string(value), 0)
			want := kv.Entry{Value: append([]byte{}, value...), Version: version}
			b.equal("entry", want, b.get(key))
		}
	}
	b.equal("size of the last", kv.MaxValueLen, len(b.get(keys[0]).Value))
}

func testCopies(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{})
	in := []byte("value")
	if _, err := b.store.Put(t.Context(), space, "k", in, 0, kv.Any); err != nil {
		t.Fatal(err)
	}
	in[0] = '!'
	b.get("k").Value[1] = '!'
	b.equal("value", "value", string(b.get("k").Value))
}

// A version never comes back, whatever happened to the key: else a compare-and-set could take the new value
// for the one that it read.
func testVersions(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{})
	last := int64(0)
	grown := func(what string, version int64) {
		t.Helper()
		if version <= last {
			t.Errorf("%s: version %d after %d", what, version, last)
		}
		last = version
	}
	grown("first", b.put("k", "1", 0))
	grown("equal value", b.put("k", "1", 0))
	if _, err := b.store.Incr(t.Context(), space, "k", 1, 0); err != nil {
		t.Fatal(err)
	}
	grown("counted", b.get("k").Version)
	b.delete("k")
	grown("deleted", b.put("k", "1", time.Second))
	b.clock.Advance(time.Second)
	grown("expired", b.put("k", "1", time.Second))
	b.clock.Advance(time.Second)
	b.wantMissing("k")
	for i := range 40 { // writes sweep: the expired entry is gone by now
		b.put(numbered(i), "", 0)
	}
	grown("swept", b.put("k", "1", 0))
}

func testExpectation(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{})
	put := func(expect int64) (int64, error) {
		return b.store.Put(t.Context(), space, "k", []byte("v"), time.Minute, expect)
	}
	fails := func(what string, wanted error, expectations ...int64) {
		t.Helper()
		for _, expect := range expectations {
			version, err := put(expect)
			b.want(what, err, wanted)
			b.equal(what+": version", int64(0), version)
		}
	}
	fails("absent key", kv.ErrConflict, 1, 7, math.MaxInt64)
	first, err := put(kv.Absent)
	b.want("absent key, expected so", err, nil)
	fails("present key", kv.ErrConflict, kv.Absent, first+1, math.MaxInt64)
	second, err := put(first)
	b.want("present key, expected so", err, nil)
	fails("old version", kv.ErrConflict, first)
	third, err := put(kv.Any)
	b.want("any", err, nil)

	b.want("delete, old version", b.store.Delete(t.Context(), space, "k", second), kv.ErrConflict)
	b.want("delete, expected absent", b.store.Delete(t.Context(), space, "k", kv.Absent), kv.ErrConflict)
	b.want("delete", b.store.Delete(t.Context(), space, "k", third), nil)
	for _, expect := range []int64{kv.Any, kv.Absent, third} {
		b.want("delete again", b.store.Delete(t.Context(), space, "k", expect), kv.ErrNotFound)
	}
	fails("deleted key", kv.ErrConflict, third)

	again, err := put(kv.Absent)
	b.want("deleted key, expected absent", err, nil)
	b.clock.Advance(time.Minute)
	fails("expired key", kv.ErrConflict, again)
	b.want("delete expired", b.store.Delete(t.Context(), space, "k", again), kv.ErrNotFound)
	_, err = put(kv.Absent)
	b.want("expired key, expected absent", err, nil)
}

func testArguments(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{})
	long := strings.Repeat("k", kv.MaxKeyLen+1)
	for name, wanted := range map[string]error{"": kv.ErrInvalid, "\xff": kv.ErrInvalid, long: kv.ErrTooLarge} {
		for what, err := range everyCall(t.Context(), b.store, name, "k") {
			b.want(what+" in a bad space", err, wanted)
		}
		for what, err := range everyCall(t.Context(), b.store, space, name) {
			if what == "list" && len(name) <= kv.MaxKeyLen {
				b.want("list of any prefix", err, nil)
				continue
			}
			b.want(what+" of a bad key", err, wanted)
		}
	}
	put := func(size int, ttl time.Duration, expect int64) error {
		_, err := b.store.Put(t.Context(), space, "k", make([]byte, size), ttl, expect)
		return err
	}
	b.want("large value", put(kv.MaxValueLen+1, 0, kv.Any), kv.ErrTooLarge)
	b.want("negative ttl", put(1, -1, kv.Any), kv.ErrInvalid)
	b.want("negative expectation", put(1, 0, -2), kv.ErrInvalid)
	b.want("negative expectation", b.store.Delete(t.Context(), space, "k", -2), kv.ErrInvalid)
	_, err := b.store.Incr(t.Context(), space, "k", 1, -1)
	b.want("negative ttl of a counter", err, kv.ErrInvalid)
	for _, limit := range []int{-1, 0, kv.MaxPage + 1} {
		_, err := b.store.List(t.Context(), space, "", "", limit)
		b.want("limit", err, kv.ErrInvalid)
	}
	_, err = b.store.List(t.Context(), space, "", long, 1)
	b.want("long cursor", err, kv.ErrTooLarge)
	b.wantMissing("k")
}

func testTTL(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{})
	b.put("stays", "v", 0)
	b.put("short", "v", time.Nanosecond)
	b.put("minute", "v", time.Minute)
	b.put("longest", "v", math.MaxInt64)
	b.equal("no expiry", time.Time{}, b.get("stays").ExpiresAt)
	b.equal("expiry", b.clock.Now().Add(time.Minute), b.get("minute").ExpiresAt)
	b.equal("expiry of the shortest", b.clock.Now().Add(time.Microsecond), b.get("short").ExpiresAt)

	b.clock.Advance(time.Microsecond)
	b.wantMissing("short")
	b.clock.Advance(time.Minute - 2*time.Microsecond)
	b.equal("keys just before", []string{"longest", "minute", "stays"}, b.keys("", 10))
	b.get("minute")
	b.clock.Advance(time.Microsecond)
	b.wantMissing("minute")
	b.equal("keys at the moment", []string{"longest", "stays"}, b.keys("", 10))

	b.put("renewed", "v", time.Minute)
	b.put("renewed", "v", time.Hour)
	b.put("kept", "v", time.Minute)
	b.put("kept", "v", 0)
	b.clock.Advance(30 * time.Minute)
	b.get("renewed")
	b.equal("a put without ttl takes the expiry away", time.Time{}, b.get("kept").ExpiresAt)
	b.clock.Advance(100 * 365 * 24 * time.Hour)
	b.equal("keys after a century", []string{"kept", "longest", "stays"}, b.keys("", 10))
}

func testCounter(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{})
	incr := func(key string, delta, want int64, wanted error) {
		t.Helper()
		sum, err := b.store.Incr(t.Context(), space, key, delta, time.Minute)
		b.want("incr "+key, err, wanted)
		b.equal("sum of "+key, want, sum)
	}
	incr("c", 5, 5, nil)
	incr("c", -7, -2, nil)
	incr("c", 0, -2, nil)
	b.equal("text", "-2", string(b.get("c").Value))

	b.clock.Advance(59 * time.Second)
	incr("c", 1, -1, nil)
	b.clock.Advance(time.Second)
	b.wantMissing("c") // the ttl is that of the first
	incr("c", 1, 1, nil)

	b.put("put", "41", 0)
	incr("put", 1, 42, nil)
	b.equal("expiry of a counter that Put made", time.Time{}, b.get("put").ExpiresAt)

	for _, text := range []string{"", "x", "1.5", "+1", "007", "-0", " 1", "1 ", "0x1", "9223372036854775808"} {
		b.put("bad", text, 0)
		incr("bad", 1, 0, kv.ErrNotCounter)
		b.equal("refused value", text, string(b.get("bad").Value))
	}
	incr("max", math.MaxInt64, math.MaxInt64, nil)
	incr("max", 1, 0, kv.ErrOverflow)
	incr("max", math.MinInt64, -1, nil)
	incr("max", math.MinInt64, 0, kv.ErrOverflow)
	incr("max", math.MaxInt64, math.MaxInt64-1, nil)
	incr("min", math.MinInt64, math.MinInt64, nil)
	incr("min", -1, 0, kv.ErrOverflow)
	b.equal("refused sum", "-9223372036854775808", string(b.get("min").Value))
}
