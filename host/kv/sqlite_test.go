package kv_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/host/kv/kvtest"
)

const space = "rahmet-main/1"

// rivalFile is the environment variable by which this test's program is started again as a second process.
const rivalFile = "PAYHOST_KV_RIVAL_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(rivalFile); path != "" {
		if err := compete(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	kvtest.Run(t, func(t *testing.T, config kv.Config) kv.Store {
		return open(t, filepath.Join(t.TempDir(), "kv.db"), config)
	})
}

func open(t *testing.T, path string, config kv.Config) *kv.SQLite {
	t.Helper()
	store, err := kv.OpenSQLite(t.Context(), path, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// raw opens the file beside the store, to see or to spoil what is in it.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec1(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestSQLiteSurvivesReopening(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	clock := kvtest.NewClock()
	config := kv.Config{MaxKeys: 3, Now: clock.Now}
	path := filepath.Join(t.TempDir(), "kv.db")

	first := open(t, path, config)
	version, err := first.Put(ctx, space, "token", []byte("v"), time.Minute, kv.Any)
	if err != nil {
		t.Fatal(err)
	}
	gone, _ := first.Put(ctx, space, "gone", nil, 0, kv.Any)
	if err := errors.Join(first.Delete(ctx, space, "gone", gone), first.Close()); err != nil {
		t.Fatal(err)
	}

	second := open(t, path, config)
	entry, err := second.Get(ctx, space, "token")
	want := kv.Entry{Value: []byte("v"), Version: version, ExpiresAt: clock.Now().Add(time.Minute)}
	if diff := cmp.Diff(want, entry); err != nil || diff != "" {
		t.Errorf("after reopening: %v\n%s", err, diff)
	}
	if again, err := second.Put(ctx, space, "gone", nil, 0, kv.Absent); err != nil || again <= gone {
		t.Errorf("version %d (%v) after %d: a deleted key's version came back", again, err, gone)
	}
	if _, err := second.Put(ctx, space, "c", nil, 0, kv.Any); err != nil {
		t.Error(err)
	}
	if _, err := second.Put(ctx, space, "d", nil, 0, kv.Any); !errors.Is(err, kv.ErrQuota) {
		t.Errorf("the quota is forgotten: %v", err)
	}
	clock.Advance(time.Minute)
	if _, err := second.Get(ctx, space, "token"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("the expiry is forgotten: %v", err)
	}
}

func TestSQLiteFile(t *testing.T) {
	t.Parallel()
	// Names with what has a meaning in a URI.
	for _, name := range []string{"kv.db", "a b?mode=memory&x=%41#y.db", "ключи.db"} {
		path := filepath.Join(t.TempDir(), name)
		if name == "kv.db" {
			if err := os.WriteFile(path, nil, 0o644); err != nil { // made by hand, too open
				t.Fatal(err)
			}
		}
		store := open(t, path, kv.Config{})
		if _, err := store.Put(t.Context(), space, "k", []byte("v"), 0, kv.Any); err != nil {
			t.Fatal(err)
		}
		var files []string
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			info, err := entry.Info()
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, entry.Name())
			if mode := info.Mode().Perm(); mode != 0o600 {
				t.Errorf("%s has mode %o, want 600", entry.Name(), mode)
			}
		}
		if diff := cmp.Diff([]string{name, name + "-shm", name + "-wal"}, files); diff != "" {
			t.Errorf("files:\n%s", diff)
		}
	}
}

func TestSQLiteRefusesToOpen(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		prepare func(t *testing.T, path string)
		want    string
	}{
		"no folder": {func(t *testing.T, path string) {
			if err := os.Remove(filepath.Dir(path)); err != nil {
				t.Fatal(err)
			}
		}, "its folder does not exist"},
		"folder is a file": {func(t *testing.T, path string) {
			folder := filepath.Dir(path)
			if err := errors.Join(os.Remove(folder), os.WriteFile(folder, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}, "not a directory"},
		"a folder itself": {func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "is not a regular file"},
		"not a database": {func(t *testing.T, path string) {
			text := strings.Repeat("listen: 127.0.0.1\n", 500)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "is not a SQLite database"},
		"read-only": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, nil, 0o400); err != nil {
				t.Fatal(err)
			}
		}, "is read-only"},
		"newer schema": {func(t *testing.T, path string) {
			exec1(t, raw(t, path), "CREATE TABLE kv_schema (version INTEGER NOT NULL) STRICT;"+
				"INSERT INTO kv_schema VALUES (9)")
		}, "newer schema: it has version 9, this program knows 1"},
		"foreign table": {func(t *testing.T, path string) {
			exec1(t, raw(t, path), "CREATE TABLE kv_entry (x)")
		}, "storage unavailable"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "data")
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(folder, "kv.db")
			test.prepare(t, path)
			store, err := kv.OpenSQLite(t.Context(), path, kv.Config{})
			if err == nil {
				t.Fatal(errors.Join(errors.New("it opened"), store.Close()))
			}
			if !strings.HasPrefix(err.Error(), "kv open kv.db: "+test.want) {
				t.Errorf("error %q, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), folder) {
				t.Errorf("error %q tells the folder", err)
			}
		})
	}
}

func TestSQLiteTellsThatItIsUnavailable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kv.db")
	store := open(t, path, kv.Config{})
	if _, err := store.Put(t.Context(), space, "k", []byte("v"), 0, kv.Any); err != nil {
		t.Fatal(err)
	}
	exec1(t, raw(t, path), "DROP TABLE kv_entry")
	_, get := store.Get(t.Context(), space, "k")
	_, put := store.Put(t.Context(), space, "k", nil, 0, kv.Any)
	_, incr := store.Incr(t.Context(), space, "k", 1, 0)
	_, list := store.List(t.Context(), space, "", "", 1)
	for what, err := range map[string]error{
		"get": get, "put": put, "incr": incr, "list": list,
		"delete": store.Delete(t.Context(), space, "k", kv.Any),
	} {
		if !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", what, err)
		} else if text := err.Error(); strings.Contains(text, "kv_entry") || strings.Contains(text, path) {
			t.Errorf("%s: %q tells what is inside", what, text)
		}
	}
}

// The sums by which quotas are kept are those of the entries, whatever happened; nothing is left of an empty
// space.
func TestSQLiteKeepsSums(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	clock := kvtest.NewClock()
	path := filepath.Join(t.TempDir(), "kv.db")
	store := open(t, path, kv.Config{Now: clock.Now})
	for i := range 30 {
		for _, name := range []string{"a", "b"} {
			key := fmt.Sprintf("k%d", i%10)
			ttl := time.Duration(i%3) * time.Second
			if _, err := store.Put(ctx, name, key, make([]byte, i), ttl, kv.Any); err != nil {
				t.Fatal(err)
			}
		}
		clock.Advance(100 * time.Millisecond)
	}
	const sums = "SELECT count(*), coalesce(sum(keys), 0), coalesce(sum(bytes), 0) FROM kv_space"
	const entries = "SELECT count(DISTINCT space), count(*), coalesce(sum(length(key) + length(value)), 0) " +
		"FROM kv_entry"
	db := raw(t, path)
	three := func(query string) (out [3]int) {
		t.Helper()
		if err := db.QueryRowContext(ctx, query).Scan(&out[0], &out[1], &out[2]); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if kept, want := three(sums), three(entries); kept != want || want[0] != 2 {
		t.Errorf("sums %v, entries %v", kept, want)
	}
	for i := range 10 {
		_ = store.Delete(ctx, "a", fmt.Sprintf("k%d", i), kv.Any) // some have expired
	}
	clock.Advance(time.Minute)
	if _, err := store.Put(ctx, "b", "last", nil, 0, kv.Any); err != nil {
		t.Fatal(err)
	}
	if kept, want := three(sums), three(entries); kept != want || want[0] != 1 {
		t.Errorf("after deleting: sums %v, entries %v", kept, want)
	}
}

// A caller that waits for another process's write goes away when its context ends.
func TestSQLiteWaitObeysContext(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kv.db")
	store := open(t, path, kv.Config{})
	if _, err := store.Put(t.Context(), space, "k", []byte("v"), 0, kv.Any); err != nil {
		t.Fatal(err)
	}
	other, err := raw(t, path).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err = store.Put(ctx, space, "k", []byte("w"), 0, kv.Any)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("put = %v, want DeadlineExceeded", err)
	}
	if errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("put = %v: the caller ended it, the store is well", err)
	}
	if waited := time.Since(began); waited > 2*time.Second {
		t.Errorf("it waited for %v", waited)
	}
	if entry, err := store.Get(t.Context(), space, "k"); err != nil || string(entry.Value) != "v" {
		t.Errorf("get beside a writer = %q, %v", entry.Value, err)
	}
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	_ = other.Close()
	if _, err := store.Put(t.Context(), space, "k", []byte("x"), 0, kv.Any); err != nil {
		t.Errorf("put after the other is done: %v", err)
	}
}

// Stores on one new file may be opened at once, and see each other's writes.
func TestSQLiteOpenedTogether(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kv.db")
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			store, err := kv.OpenSQLite(t.Context(), path, kv.Config{})
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
		})
	}
	all.Wait()
	entry, err := open(t, path, kv.Config{}).Get(t.Context(), space, "opened")
	if err != nil || string(entry.Value) != "6" {
		t.Errorf("opened = %q, %v, want 6", entry.Value, err)
	}
}

// What two processes do at once: count, and take numbered turns by compare-and-set.
const rivalRounds = 60

func compete(path string) error {
	ctx := context.Background()
	store, err := kv.OpenSQLite(ctx, path, kv.Config{})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	return contend(ctx, store)
}

func contend(ctx context.Context, store kv.Store) error {
	for round := range rivalRounds {
		if _, err := store.Incr(ctx, space, "count", 1, 0); err != nil {
			return err
		}
		_, err := store.Put(ctx, space, fmt.Sprintf("turn/%03d", round), nil, 0, kv.Absent)
		if errors.Is(err, kv.ErrConflict) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := store.Incr(ctx, space, "won", 1, 0); err != nil {
			return err
		}
	}
	return nil
}

func TestSQLiteInTwoProcesses(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal("this program can't find itself")
	}
	path := filepath.Join(t.TempDir(), "kv.db")
	rival := exec.CommandContext(t.Context(), program)
	rival.Env = append(os.Environ(), rivalFile+"="+path)
	var output strings.Builder
	rival.Stderr = &output
	if err := rival.Start(); err != nil {
		t.Fatal(err)
	}
	ownErr := compete(path)
	if err := rival.Wait(); err != nil || ownErr != nil {
		t.Fatalf("this process: %v; the other: %v %s", ownErr, err, output.String())
	}
	checkContest(t, open(t, path, kv.Config{}))
}

// checkContest looks at what two that contended have left.
func checkContest(t *testing.T, store kv.Store) {
	t.Helper()
	for key, want := range map[string]int{"count": 2 * rivalRounds, "won": rivalRounds} {
		entry, err := store.Get(t.Context(), space, key)
		if err != nil || string(entry.Value) != fmt.Sprint(want) {
			t.Errorf("%s = %q, %v, want %d", key, entry.Value, err, want)
		}
	}
}

func BenchmarkSQLite(b *testing.B) {
	store, err := kv.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "kv.db"), kv.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
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
