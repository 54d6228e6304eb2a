package kvtest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/host/kv"
)

func testKeyQuota(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{MaxKeys: 3})
	for i := range 3 {
		b.put(numbered(i), "v", 0)
	}
	_, err := b.store.Put(t.Context(), space, "one more", nil, 0, kv.Any)
	b.want("put of a fourth key", err, kv.ErrQuota)
	_, err = b.store.Incr(t.Context(), space, "one more", 1, 0)
	b.want("incr of a fourth key", err, kv.ErrQuota)
	_, err = b.store.Put(t.Context(), space, "one more", nil, 0, 5)
	b.want("a conflict comes before the quota", err, kv.ErrConflict)
	b.put(numbered(1), "another value", 0)
	_, err = b.store.Put(t.Context(), "another space", "k", nil, 0, kv.Any)
	b.want("put into another space", err, nil)
	b.delete(numbered(0))
	b.put("one more", "v", 0)
	b.equal("keys", []string{"k001", "k002", "one more"}, b.keys("", 10))
}

func testByteQuota(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{MaxBytes: 100})
	full := strings.Repeat("v", 49)
	b.put("a", full, 0)
	b.put("b", full, 0)
	over := func(key, value string) error {
		_, err := b.store.Put(t.Context(), space, key, []byte(value), 0, kv.Any)
		return err
	}
	b.want("new key", over("c", ""), kv.ErrQuota)
	b.want("longer value", over("a", full+"v"), kv.ErrQuota)
	b.want("equal length", over("a", strings.Repeat("w", 49)), nil)
	b.want("shorter value", over("a", full[:40]), nil)
	b.want("exactly full", over("c", full[:8]), nil)
	b.want("full again", over("d", ""), kv.ErrQuota)
	b.equal("refused writes change nothing", 40, len(b.get("a").Value))
	b.want("above alone", over("b", strings.Repeat("v", 101)), kv.ErrQuota)

	b.put("b", "9", 0)
	_, err := b.store.Incr(t.Context(), space, "b", 1, 0)
	b.want("a counter that grows by a digit", err, nil)
}

// What has expired does not count, even when nobody has swept it.
func testQuotaSwept(t *testing.T, open Open) {
	const keys = 100 // more than a write sweeps by the way
	b := setup(t, open, kv.Config{MaxKeys: keys})
	for i := range keys {
		b.put(numbered(i), "v", time.Minute)
	}
	_, err := b.store.Put(t.Context(), space, "n", nil, 0, kv.Any)
	b.want("put when full", err, kv.ErrQuota)
	b.clock.Advance(time.Minute)
	for i := range keys {
		b.put("new "+numbered(i), "v", 0)
	}
	_, err = b.store.Put(t.Context(), space, "n", nil, 0, kv.Any)
	b.want("put when full again", err, kv.ErrQuota)
	b.equal("keys", keys, len(b.keys("", 7)))

	b = setup(t, open, kv.Config{MaxBytes: keys * 5})
	for i := range keys {
		b.put(numbered(i), "v", time.Minute)
	}
	b.clock.Advance(time.Minute)
	b.put("as large as all of them", strings.Repeat("v", keys*5-len("as large as all of them")), 0)
	_, err = b.store.Put(t.Context(), space, "n", nil, 0, kv.Any)
	b.want("put when full of bytes", err, kv.ErrQuota)
}

func testSpaces(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{})
	// Pairs that would be one if space and key were simply joined.
	pairs := [][2]string{{"a", "bc"}, {"ab", "c"}, {"a/b", "c"}, {"a", "b/c"}, {"a\x00b", "c"}, {"a", "\x00b"}}
	for _, pair := range pairs {
		_, err := b.store.Put(t.Context(), pair[0], pair[1], []byte(pair[0]+"|"+pair[1]), 0, kv.Absent)
		b.want("put", err, nil)
	}
	for _, pair := range pairs {
		entry, err := b.store.Get(t.Context(), pair[0], pair[1])
		b.want("get", err, nil)
		b.equal("value", pair[0]+"|"+pair[1], string(entry.Value))
	}
	page, err := b.store.List(t.Context(), "a", "", "", 10)
	b.want("list", err, nil)
	b.equal("keys of one space", 3, len(page.Items))
	page, err = b.store.List(t.Context(), "nobody's", "", "", 10)
	b.want("list of an empty space", err, nil)
	b.equal("empty page", kv.Page{}, page)
}

func testList(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{})
	all := []string{
		"\x00", "A", "a", "a/1", "a/10", "a/2", "a0", "b%", "b%c", "b_", "bc", "я", "яя",
		"\U0010FFFF", "\U0010FFFFz",
	}
	for _, key := range all {
		b.put(key, "value", time.Hour)
	}
	slices.Sort(all)
	prefixes := []string{
		"", "a", "a/", "b%", "b_", "я", "\xd1", "\U0010FFFF", "\xf4", "\xff", "\xff\xff", "nothing",
	}
	for _, prefix := range prefixes {
		var want []string
		for _, key := range all {
			if strings.HasPrefix(key, prefix) {
				want = append(want, key)
			}
		}
		for _, size := range []int{1, 2, len(all), kv.MaxPage} {
			b.equal("keys with prefix "+prefix, want, b.keys(prefix, size))
		}
	}
	page, err := b.store.List(t.Context(), space, "a/10", "", 1)
	b.want("list", err, nil)
	b.equal("page", kv.Page{Items: []kv.Item{{
		Key: "a/10", Size: 5, Version: b.get("a/10").Version, ExpiresAt: b.clock.Now().Add(time.Hour),
	}}}, page)
}

// Keys vanish and appear between the pages: those that stay are listed once each.
func testListWhileDeleting(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{})
	for i := range 60 {
		b.put(numbered(i), "v", 0)
	}
	var listed []string
	for cursor, more := "", true; more; more = cursor != "" {
		page, err := b.store.List(t.Context(), space, "k", cursor, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			listed = append(listed, item.Key)
			b.delete(item.Key) // the cursor's own key goes as well
		}
		b.put("a before", "v", 0)
		cursor = page.Next
	}
	var want []string
	for i := range 60 {
		want = append(want, numbered(i))
	}
	b.equal("listed", want, listed)
	b.equal("left", []string{"a before"}, b.keys("", 10))
}

func testOneWinner(t *testing.T, open Open) {
	const rivals = 12
	b := setup(t, open, kv.Config{})
	expect := kv.Absent
	for round := range 5 {
		var mu sync.Mutex
		var winners []int64
		together(rivals, func(i int) {
			version, err := b.store.Put(t.Context(), space, "k", []byte{byte(i)}, 0, expect)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				winners = append(winners, version)
			} else if !errors.Is(err, kv.ErrConflict) {
				t.Errorf("round %d: %v", round, err)
			}
		})
		if len(winners) != 1 {
			t.Fatalf("round %d: %d winners, want 1", round, len(winners))
		}
		expect = winners[0]
	}
	deleted := make(chan bool, rivals)
	together(rivals, func(int) {
		err := b.store.Delete(t.Context(), space, "k", expect)
		if err == nil {
			deleted <- true
		} else if !errors.Is(err, kv.ErrNotFound) {
			t.Errorf("delete: %v", err)
		}
	})
	b.equal("deleted by", 1, len(deleted))
}

func testAllCounted(t *testing.T, open Open) {
	const workers, each = 8, 10
	b := setup(t, open, kv.Config{})
	var mu sync.Mutex
	seen := map[int64]bool{}
	together(workers, func(int) {
		for range each {
			sum, err := b.store.Incr(t.Context(), space, "c", 1, 0)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			seen[sum] = true
			mu.Unlock()
		}
	})
	b.equal("different sums", workers*each, len(seen))
	b.equal("last", "80", string(b.get("c").Value))
}
