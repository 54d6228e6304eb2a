package kvtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/payhost/payhost/host/kv"
)

// The quotas of the model are small, so that they are met often.
const (
	modelKeys  = 4
	modelBytes = 60
)

// testModel drives a store and a plain map by the same random calls; they must answer the same.
func testModel(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{MaxKeys: modelKeys, MaxBytes: modelBytes})
	var runs atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			store: b.store,
			clock: b.clock,
			// A space of its own for every run, as one store serves them all.
			space:   fmt.Sprintf("run %d", runs.Add(1)),
			entries: map[string]kv.Entry{},
			last:    map[string]int64{},
		}
		t.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"put":     m.put,
			"delete":  m.delete,
			"incr":    m.incr,
			"list":    m.list,
			"advance": m.advance,
		})
	})
}

// model is what a store should hold.
type model struct {
	store   kv.Store
	clock   *Clock
	space   string
	entries map[string]kv.Entry
	last    map[string]int64 // the last version of every key that ever was
}

var (
	anyKey   = rapid.SampledFrom([]string{"a", "ab", "abc", "b", "ц"})
	anyValue = rapid.OneOf(
		rapid.SliceOfN(rapid.Byte(), 0, 30),
		rapid.Map(rapid.Int64(), func(n int64) []byte { return strconv.AppendInt(nil, n, 10) }),
	)
	anyTTL = rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, time.Second, time.Minute})
)

// expectation draws what a caller may expect: nothing, absence, the right version, or a wrong one.
func (m *model) expectation(t *rapid.T, key string) int64 {
	return rapid.SampledFrom([]int64{
		kv.Any, kv.Absent, m.entries[key].Version, m.last[key], m.last[key] + 1,
	}).Draw(t, "expect")
}

func (m *model) put(t *rapid.T) {
	key, value, ttl := anyKey.Draw(t, "key"), anyValue.Draw(t, "value"), anyTTL.Draw(t, "ttl")
	expect := m.expectation(t, key)
	version, err := m.store.Put(t.Context(), m.space, key, value, ttl, expect)

	switch old := m.entries[key]; {
	case expect != kv.Any && expect != old.Version: // an absent key has version 0 here, which is Absent
		same(t, kv.ErrConflict, err)
	case m.full(key, value):
		same(t, kv.ErrQuota, err)
	default:
		same(t, nil, err)
		m.remember(t, key, kv.Entry{Value: value, Version: version, ExpiresAt: m.expiry(ttl)})
	}
}

func (m *model) incr(t *rapid.T) {
	key, ttl := anyKey.Draw(t, "key"), anyTTL.Draw(t, "ttl")
	delta := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-9, 9)).Draw(t, "delta")
	sum, err := m.store.Incr(t.Context(), m.space, key, delta, ttl)

	old, there := m.entries[key]
	count, expiresAt := int64(0), m.expiry(ttl)
	if there {
		var parseErr error
		count, parseErr = strconv.ParseInt(string(old.Value), 10, 64)
		if parseErr != nil || strconv.FormatInt(count, 10) != string(old.Value) {
			same(t, kv.ErrNotCounter, err)
			return
		}
		expiresAt = old.ExpiresAt
	}
	want := count + delta
	value := strconv.AppendInt(nil, want, 10)
	switch {
	case (want > count) != (delta > 0) && delta != 0:
		same(t, kv.ErrOverflow, err)
	case m.full(key, value):
		same(t, kv.ErrQuota, err)
	default:
		same(t, nil, err)
		if sum != want {
			t.Fatalf("sum %d, want %d", sum, want)
		}
		entry, err := m.store.Get(t.Context(), m.space, key)
		same(t, nil, err)
		m.remember(t, key, kv.Entry{Value: value, Version: entry.Version, ExpiresAt: expiresAt})
	}
}

func (m *model) delete(t *rapid.T) {
	key := anyKey.Draw(t, "key")
	expect := m.expectation(t, key)
	err := m.store.Delete(t.Context(), m.space, key, expect)
	old, there := m.entries[key]
	switch {
	case !there:
		same(t, kv.ErrNotFound, err)
	case expect != kv.Any && expect != old.Version:
		same(t, kv.ErrConflict, err)
	default:
		same(t, nil, err)
		delete(m.entries, key)
	}
}

func (m *model) list(t *rapid.T) {
	prefix := rapid.SampledFrom([]string{"", "a", "ab", "\xd1", "z"}).Draw(t, "prefix")
	cursor := rapid.SampledFrom([]string{"", "a", "aa", "abc", "zz"}).Draw(t, "cursor")
	limit := rapid.IntRange(1, 4).Draw(t, "limit")
	page, err := m.store.List(t.Context(), m.space, prefix, cursor, limit)
	same(t, nil, err)

	var want kv.Page
	for _, key := range slices.Sorted(maps.Keys(m.entries)) {
		if !strings.HasPrefix(key, prefix) || key <= cursor {
			continue
		}
		if len(want.Items) == limit {
			want.Next = want.Items[limit-1].Key
			break
		}
		entry := m.entries[key]
		want.Items = append(want.Items, kv.Item{
			Key: key, Size: len(entry.Value), Version: entry.Version, ExpiresAt: entry.ExpiresAt,
		})
	}
	if diff := cmp.Diff(want, page); diff != "" {
		t.Fatalf("page:\n%s", diff)
	}
}

func (m *model) advance(t *rapid.T) {
	by := rapid.SampledFrom([]time.Duration{
		time.Microsecond, time.Millisecond, time.Second - time.Microsecond, time.Second, time.Minute,
	}).Draw(t, "by")
	m.clock.Advance(by)
	for key, entry := range m.entries {
		if !entry.ExpiresAt.IsZero() && !entry.ExpiresAt.After(m.clock.Now()) {
			delete(m.entries, key)
		}
	}
}

// check compares every key after every call.
func (m *model) check(t *rapid.T) {
	for _, key := range []string{"a", "ab", "abc", "b", "ц"} {
		entry, err := m.store.Get(t.Context(), m.space, key)
		want, there := m.entries[key]
		if !there {
			same(t, kv.ErrNotFound, err)
			continue
		}
		same(t, nil, err)
		if diff := cmp.Diff(want, entry); diff != "" {
			t.Fatalf("entry of %s:\n%s", key, diff)
		}
	}
}

func (m *model) remember(t *rapid.T, key string, entry kv.Entry) {
	if entry.Version <= m.last[key] {
		t.Fatalf("version %d of %s after %d", entry.Version, key, m.last[key])
	}
	m.entries[key], m.last[key] = entry, entry.Version
}

// full says whether a write exceeds a quota and adds to what it exceeds.
func (m *model) full(key string, value []byte) bool {
	old, there := m.entries[key]
	bytes := len(value) - len(old.Value)
	if !there {
		bytes += len(key)
	}
	total := bytes
	for k, entry := range m.entries {
		total += len(k) + len(entry.Value)
	}
	return !there && len(m.entries) == modelKeys || bytes > 0 && total > modelBytes
}

func (m *model) expiry(ttl time.Duration) time.Time {
	if ttl == 0 {
		return time.Time{}
	}
	return m.clock.Now().Add(ttl)
}

func same(t *rapid.T, want, got error) {
	if !errors.Is(got, want) {
		t.Fatalf("error %v, want %v", got, want)
	}
}
