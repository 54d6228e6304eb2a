// Package kvtest is the suite that every kv.Store must pass.
package kvtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/host/kv"
)

// Open makes an empty store for a test, closed when the test ends.
type Open func(t *testing.T, config kv.Config) kv.Store

// Run runs the suite against the stores that open makes.
func Run(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Open){
		"values":      testValues,
		"copies":      testCopies,
		"versions":    testVersions,
		"expectation": testExpectation,
		"arguments":   testArguments,
		"ttl":         testTTL,
		"counter":     testCounter,
		"key quota":   testKeyQuota,
		"byte quota":  testByteQuota,
		"quota swept": testQuotaSwept,
		"spaces":      testSpaces,
		"list":        testList,
		"list paged":  testListWhileDeleting,
		"one winner":  testOneWinner,
		"all counted": testAllCounted,
		"context":     testContext,
		"closed":      testClosed,
		"model":       testModel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

const space = "rahmet-main/1"

// Clock is a clock that stands until it is moved. It may be used from many goroutines.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock makes a Clock that stands at some moment of 2025.
func NewClock() *Clock {
	return &Clock{now: time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)}
}

// Now returns where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// bench is a store with the calls that a test makes, each of which must not fail.
type bench struct {
	*testing.T
	store kv.Store
	clock *Clock
}

func setup(t *testing.T, open Open, config kv.Config) bench {
	t.Helper()
	clock := NewClock()
	config.Now = clock.Now
	return bench{T: t, store: open(t, config), clock: clock}
}

func (b bench) put(key, value string, ttl time.Duration) int64 {
	b.Helper()
	version, err := b.store.Put(b.Context(), space, key, []byte(value), ttl, kv.Any)
	if err != nil {
		b.Fatal(err)
	}
	return version
}

func (b bench) get(key string) kv.Entry {
	b.Helper()
	entry, err := b.store.Get(b.Context(), space, key)
	if err != nil {
		b.Fatal(err)
	}
	return entry
}

func (b bench) delete(key string) {
	b.Helper()
	if err := b.store.Delete(b.Context(), space, key, kv.Any); err != nil {
		b.Fatal(err)
	}
}

// want checks the error of a call; wanted is nil for none.
func (b bench) want(what string, err, wanted error) {
	b.Helper()
	if !errors.Is(err, wanted) {
		b.Errorf("%s: error %v, want %v", what, err, wanted)
	}
}

func (b bench) wantMissing(key string) {
	b.Helper()
	_, err := b.store.Get(b.Context(), space, key)
	b.want("get "+key, err, kv.ErrNotFound)
}

// keys lists all keys with the prefix, in pages of the size.
func (b bench) keys(prefix string, size int) []string {
	b.Helper()
	var keys []string
	for cursor, more := "", true; more; more = cursor != "" {
		page, err := b.store.List(b.Context(), space, prefix, cursor, size)
		if err != nil {
			b.Fatal(err)
		}
		for _, item := range page.Items {
			keys = append(keys, item.Key)
		}
		if len(page.Items) > size || page.Next != "" && len(page.Items) < size {
			b.Fatalf("a page of %d has %d items, next %q", size, len(page.Items), page.Next)
		}
		cursor = page.Next
	}
	return keys
}

func (b bench) equal(what string, want, got any) {
	b.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("%s:\n%s", what, diff)
	}
}

func testContext(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{})
	b.put("k", "v", 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, err := range everyCall(ctx, b.store, space, "k") {
		b.want(what, err, context.Canceled)
	}
	b.equal("value after canceled calls", "v", string(b.get("k").Value))
}

func testClosed(t *testing.T, open Open) {
	b := setup(t, open, kv.Config{})
	b.put("k", "v", 0)
	for range 2 {
		b.want("close", b.store.Close(), nil)
	}
	for what, err := range everyCall(t.Context(), b.store, space, "k") {
		b.want(what, err, kv.ErrUnavailable)
	}
}

// everyCall returns the error of every call on a key.
func everyCall(ctx context.Context, store kv.Store, space, key string) map[string]error {
	_, get := store.Get(ctx, space, key)
	_, put := store.Put(ctx, space, key, []byte("new"), 0, kv.Any)
	_, incr := store.Incr(ctx, space, key, 1, 0)
	del := store.Delete(ctx, space, key, kv.Any)
	_, list := store.List(ctx, space, key, "", 10)
	return map[string]error{"get": get, "put": put, "incr": incr, "delete": del, "list": list}
}

// together runs a function n times at once and waits for all.
func together(n int, run func(i int)) {
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			run(i)
		})
	}
	close(start)
	all.Wait()
}

func numbered(i int) string { return fmt.Sprintf("k%03d", i) }
