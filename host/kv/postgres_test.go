package kv_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/host/kv/kvtest"
	"github.com/payhost/payhost/internal/pgtest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	kvtest.Run(t, func(t *testing.T, config kv.Config) kv.Store {
		return openPostgres(t, newPool(t, pgtest.Database(t)), config)
	})
}

// newPool is a node's pool, set up by what options say.
func newPool(tb testing.TB, url string, options ...func(*pgxpool.Config)) *pgxpool.Pool {
	tb.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		tb.Fatal(err)
	}
	for _, option := range options {
		option(config)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(pool.Close)
	return pool
}

func openPostgres(tb testing.TB, pool *pgxpool.Pool, config kv.Config) *kv.Postgres {
	tb.Helper()
	store, err := kv.OpenPostgres(context.Background(), pool, config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

func execPool(t *testing.T, pool *pgxpool.Pool, statement string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// Nodes may start at once on an empty database, and see each other's writes.
func TestPostgresOpenedTogether(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	var all sync.WaitGroup
	for range 6 {
		pool := newPool(t, url)
		all.Go(func() {
			store, err := kv.OpenPostgres(t.Context(), pool, kv.Config{})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := store.Incr(t.Context(), space, "opened", 1, 0); err != nil {
				t.Error(err)
			}
			if err := store.Close(); err != nil {
				t.Error(err)
			}
			if err := pool.Ping(t.Context()); err != nil {
				t.Errorf("the store closed a pool that is not its own: %v", err)
			}
		})
	}
	all.Wait()
	entry, err := openPostgres(t, newPool(t, url), kv.Config{}).Get(t.Context(), space, "opened")
	if err != nil || string(entry.Value) != "6" {
		t.Errorf("opened = %q, %v, want 6", entry.Value, err)
	}
}

// Two nodes contend for the same keys.
func TestPostgresAmongNodes(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	stores := []*kv.Postgres{
		openPostgres(t, newPool(t, url), kv.Config{}), openPostgres(t, newPool(t, url), kv.Config{}),
	}
	var all sync.WaitGroup
	for _, store := range stores {
		all.Go(func() {
			if err := contend(t.Context(), store); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	checkContest(t, stores[0])
}

// A quota holds among nodes: neither can slip in beside the other.
func TestPostgresQuotaAmongNodes(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	const most = 5
	config := kv.Config{MaxKeys: most}
	stores := []*kv.Postgres{openPostgres(t, newPool(t, url), config), openPostgres(t, newPool(t, url), config)}
	var all sync.WaitGroup
	for i := range 4 * most {
		all.Go(func() {
			_, err := stores[i%2].Put(t.Context(), space, fmt.Sprint(i), nil, 0, kv.Absent)
			if err != nil && !errors.Is(err, kv.ErrQuota) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	page, err := stores[0].List(t.Context(), space, "", "", 100)
	if err != nil || len(page.Items) != most {
		t.Errorf("%d keys, %v, want %d", len(page.Items), err, most)
	}
}

// A database that is lost makes every call unavailable, and nothing else; when it
// is back, the store goes on by itself, and no version comes back.
func TestPostgresLost(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t)
	url := server.Database()
	store := openPostgres(t, newPool(t, url), kv.Config{})
	version, err := store.Put(t.Context(), space, "k", []byte("1"), 0, kv.Any)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := store.Put(t.Context(), space, "gone", nil, 0, kv.Any)
	if err := errors.Join(err, store.Delete(t.Context(), space, "gone", gone)); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(){server.Stop, server.Crash} {
		end()
		for what, err := range calls(t.Context(), store) {
			if !errors.Is(err, kv.ErrUnavailable) {
				t.Errorf("%s: %v, want ErrUnavailable", what, err)
			} else if text := err.Error(); strings.Contains(text, "payhost") || strings.Contains(text, ".s.PGSQL") {
				t.Errorf("%s: %q tells where the database is", what, text)
			}
		}
		if _, err := kv.OpenPostgres(t.Context(), newPool(t, url), kv.Config{}); !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("open: %v", err)
		}
		server.Start()
		if next := putSoon(t, store, "k", "1"); next <= version {
			t.Errorf("version %d after %d", next, version)
		} else {
			version = next
		}
		entry, err := store.Get(t.Context(), space, "k")
		if err != nil || string(entry.Value) != "1" || entry.Version != version {
			t.Errorf("get %+v, %v", entry, err)
		}
		if again := putSoon(t, store, "gone", ""); again <= gone {
			t.Errorf("a deleted key's version came back: %d after %d", again, gone)
		} else {
			gone = again
		}
	}
}

// calls returns the error of every call on a key.
func calls(ctx context.Context, store kv.Store) map[string]error {
	_, get := store.Get(ctx, space, "k")
	_, put := store.Put(ctx, space, "k", nil, 0, kv.Any)
	_, incr := store.Incr(ctx, space, "k", 1, 0)
	_, list := store.List(ctx, space, "", "", 1)
	return map[string]error{
		"get": get, "put": put, "incr": incr, "list": list, "delete": store.Delete(ctx, space, "k", kv.Any),
	}
}

// putSoon writes a key, in as many attempts as a pool may have dead connections.
func putSoon(t *testing.T, store kv.Store, key, value string) int64 {
	t.Helper()
	var err error
	for range 10 {
		var version int64
		if version, err = store.Put(t.Context(), space, key, []byte(value), 0, kv.Any); err == nil {
			return version
		}
		if !errors.Is(err, kv.ErrUnavailable) {
			break
		}
	}
	t.Fatalf("it does not recover: %v", err)
	return 0
}

// A caller that waits for another node's write goes away when its context ends, and
// does not wait for ever without one.
func TestPostgresWaits(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	pool := newPool(t, url)
	store := openPostgres(t, pool, kv.Config{})
	if _, err := store.Put(t.Context(), space, "k", []byte("v"), 0, kv.Any); err != nil {
		t.Fatal(err)
	}
	other, err := newPool(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(t.Context(), "SELECT * FROM kv_space FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = store.Put(ctx, space, "k", []byte("w"), 0, kv.Any)
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("put = %v: the caller ended it, the store is well", err)
	}
	if _, err := store.Put(t.Context(), space, "k", []byte("w"), 0, kv.Any); !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("put behind a node that hangs = %v, want ErrUnavailable", err)
	}
	if entry, err := store.Get(t.Context(), space, "k"); err != nil || string(entry.Value) != "v" {
		t.Errorf("get beside a writer = %q, %v", entry.Value, err)
	}
	if _, err := store.Put(t.Context(), "another space", "k", []byte("w"), 0, kv.Any); err != nil {
		t.Errorf("put beside a writer of another space: %v", err)
	}
	if err := other.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), space, "k", []byte("x"), 0, kv.Any); err != nil {
		t.Errorf("put after the other is done: %v", err)
	}
}

// The sums by which quotas are kept are those of the entries, whatever happened;
// nothing is left of an empty space, nor of one that is no longer written to.
func TestPostgresKeepsSums(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	clock := kvtest.NewClock()
	pool := newPool(t, pgtest.Database(t))
	store := openPostgres(t, pool, kv.Config{Now: clock.Now})
	for i := range 30 {
		for _, name := range []string{"a", "b"} {
			key, ttl := fmt.Sprintf("k%d", i%10), time.Duration(i%3)*time.Second
			if _, err := store.Put(ctx, name, key, make([]byte, i), ttl, kv.Any); err != nil {
				t.Fatal(err)
			}
		}
		clock.Advance(100 * time.Millisecond)
	}
	three := func(query string) (out [3]int) {
		t.Helper()
		if err := pool.QueryRow(ctx, query).Scan(&out[0], &out[1], &out[2]); err != nil {
			t.Fatal(err)
		}
		return out
	}
	check := func(when string, spaces int) {
		t.Helper()
		kept := three("SELECT count(*), coalesce(sum(keys), 0), coalesce(sum(bytes), 0) FROM kv_space")
		want := three("SELECT count(DISTINCT space), count(*), coalesce(sum(length(key) + length(value)), 0) FROM kv_entry")
		if kept != want || want[0] != spaces {
			t.Errorf("%s: sums %v, entries %v, want %d spaces", when, kept, want, spaces)
		}
	}
	check("after writing", 2)
	for i := range 10 {
		_ = store.Delete(ctx, "a", fmt.Sprintf("k%d", i), kv.Any) // some have expired
	}
	if _, err := store.Put(ctx, "c", "short", nil, time.Second, kv.Any); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Minute)
	openPostgres(t, pool, kv.Config{Now: clock.Now})
	check("after the next start", 1)
}

func TestPostgresRefusesToOpen(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		prepare string
		path    string // search path, empty for the usual one
		want    string
	}{
		"newer schema": {
			"CREATE TABLE kv_schema (version integer NOT NULL); INSERT INTO kv_schema VALUES (9)", "",
			"newer schema: it has version 9, this program knows 1",
		},
		"foreign table": {"CREATE TABLE kv_entry (x int)", "", "storage unavailable: database error 42P07"},
		"no right":      {"SELECT 1", "pg_catalog", "may not make its tables: grant CREATE on the schema"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := newPool(t, pgtest.Database(t), func(c *pgxpool.Config) {
				if tt.path != "" {
					c.ConnConfig.RuntimeParams["search_path"] = tt.path
				}
			})
			execPool(t, pool, tt.prepare)
			if _, err := kv.OpenPostgres(t.Context(), pool, kv.Config{}); err == nil || err.Error() != "kv open postgres: "+tt.want {
				t.Errorf("error %q, want %q", err, tt.want)
			}
		})
	}
}

func BenchmarkPostgres(b *testing.B) {
	store := openPostgres(b, newPool(b, pgtest.Database(b)), kv.Config{})
	value := make([]byte, 512)
	b.Run("put", func(b *testing.B) {
		for b.Loop() {
			if _, err := store.Put(b.Context(), space, "k", value, time.Hour, kv.Any); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("get", func(b *testing.B) {
		for b.Loop() {
			if _, err := store.Get(b.Context(), space, "k"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
