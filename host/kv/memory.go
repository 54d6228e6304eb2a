package kv

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Memory is a Store that forgets everything at its end.
type Memory struct {
	config Config

	mu      sync.Mutex
	spaces  map[string]*memorySpace // nil once closed
	version int64                   // the last one given, whatever the key: so no key sees one again
}

// memorySpace is what a space holds, expired entries included until they are swept.
type memorySpace struct {
	records map[string]record
	used    usage
}

var _ Store = (*Memory)(nil)

// NewMemory makes an empty Store.
func NewMemory(config Config) *Memory {
	return &Memory{config: config.WithDefaults(), spaces: make(map[string]*memorySpace)}
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, space, key string) (Entry, error) {
	if err := checkKey(space, key); err != nil {
		return Entry{}, wrap("get", err)
	}
	var entry Entry
	err := m.do(ctx, func(now int64) error {
		old := m.live(space, key, now)
		if old == nil {
			return ErrNotFound
		}
		entry = old.entry()
		entry.Value = slices.Clone(entry.Value)
		return nil
	})
	return entry, wrap("get", err)
}

// Put implements Store.
func (m *Memory) Put(
	ctx context.Context, space, key string, value []byte, ttl time.Duration, expect int64,
) (int64, error) {
	if err := checkPut(space, key, value, ttl, expect); err != nil {
		return 0, wrap("put", err)
	}
	var version int64
	err := m.do(ctx, func(now int64) error {
		old := m.live(space, key, now)
		if !met(old, expect) {
			return ErrConflict
		}
		next := record{value: bytes.Clone(value), expires: expiry(now, ttl)}
		var err error
		version, err = m.write(space, key, old, next, now)
		return err
	})
	return version, wrap("put", err)
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, space, key string, expect int64) error {
	if err := checkDelete(space, key, expect); err != nil {
		return wrap("delete", err)
	}
	return wrap("delete", m.do(ctx, func(now int64) error {
		old := m.live(space, key, now)
		if old == nil {
			return ErrNotFound
		}
		if !met(old, expect) {
			return ErrConflict
		}
		m.remove(space, key)
		return nil
	}))
}

// Incr implements Store.
func (m *Memory) Incr(
	ctx context.Context, space, key string, delta int64, ttl time.Duration,
) (int64, error) {
	if err := checkIncr(space, key, ttl); err != nil {
		return 0, wrap("incr", err)
	}
	var sum int64
	err := m.do(ctx, func(now int64) error {
		old := m.live(space, key, now)
		value, count, err := added(old, delta)
		if err != nil {
			return err
		}
		next := record{value: value, expires: expiry(now, ttl)}
		if old != nil {
			next.expires = old.expires
		}
		sum = count
		_, err = m.write(space, key, old, next, now)
		return err
	})
	if err != nil {
		return 0, wrap("incr", err)
	}
	return sum, nil
}

// List implements Store.
func (m *Memory) List(ctx context.Context, space, prefix, cursor string, limit int) (Page, error) {
	if err := checkList(space, prefix, cursor, limit); err != nil {
		return Page{}, wrap("list", err)
	}
	var page Page
	err := m.do(ctx, func(now int64) error {
		s := m.spaces[space]
		if s == nil {
			return nil
		}
		var keys []string
		for key, r := range s.records {
			if strings.HasPrefix(key, prefix) && key > cursor && !r.expired(now) {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		if len(keys) > limit {
			keys = keys[:limit]
			page.Next = keys[limit-1]
		}
		for _, key := range keys {
			page.Items = append(page.Items, s.records[key].item(key))
		}
		return nil
	})
	return page, wrap("list", err)
}

// Close implements Store.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spaces = nil
	return nil
}

// do runs one call under the lock.
func (m *Memory) do(ctx context.Context, call func(now int64) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now := micros(m.config.Now())
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.spaces == nil {
		return errClosed
	}
	return call(now)
}

// live returns a record that has not expired; nil if there is none. One that has expired is removed.
func (m *Memory) live(space, key string, now int64) *record {
	s := m.spaces[space]
	if s == nil {
		return nil
	}
	r, ok := s.records[key]
	if !ok {
		return nil
	}
	if r.expired(now) {
		m.remove(space, key)
		return nil
	}
	return &r
}

// write stores next in place of old, if the quota allows.
func (m *Memory) write(space, key string, old *record, next record, now int64) (int64, error) {
	m.sweep(space, now, sweepLimit)
	more := growth(key, old, next.value)
	if m.exceeds(space, more) {
		m.sweep(space, now, -1)
		if m.exceeds(space, more) {
			return 0, ErrQuota
		}
	}
	s := m.spaces[space]
	if s == nil {
		s = &memorySpace{records: make(map[string]record)}
		m.spaces[space] = s
	}
	m.version++
	next.version = m.version
	s.records[key] = next
	s.used.keys += more.keys
	s.used.bytes += more.bytes
	return next.version, nil
}

func (m *Memory) exceeds(space string, more usage) bool {
	var used usage
	if s := m.spaces[space]; s != nil {
		used = s.used
	}
	return m.config.exceeds(usage{used.keys + more.keys, used.bytes + more.bytes}, more)
}

// sweep removes expired entries among the next few that it looks at, or among all if limit is negative. A map
// is gone through from a random place, so every entry has its turn.
func (m *Memory) sweep(space string, now int64, limit int) {
	s := m.spaces[space]
	if s == nil {
		return
	}
	for key := range maps.Keys(s.records) {
		if limit == 0 {
			return
		}
		limit--
		if s.records[key].expired(now) {
			m.remove(space, key)
		}
	}
}

func (m *Memory) remove(space, key string) {
	s := m.spaces[space]
	s.used.keys--
	s.used.bytes -= int64(len(key) + len(s.records[key].value))
	delete(s.records, key)
	if len(s.records) == 0 {
		delete(m.spaces, space)
	}
}
