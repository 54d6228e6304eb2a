package store_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/payments/store/storetest"
)

func TestSQLiteFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "payments.db")
	s := openSQLite(t, path)
	if !s.Exclusive() {
		t.Error("not exclusive")
	}
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", suffix, mode)
		}
	}
	_, err := store.OpenSQLite(t.Context(), path, store.Config{})
	if err == nil || !strings.Contains(err.Error(), "payments.db: is in use by another process") {
		t.Errorf("second opener: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openSQLite(t, path)
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSQLiteRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	text := filepath.Join(folder, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(folder, "newer.db")
	if err := openSQLite(t, newer).Close(); err != nil {
		t.Fatal(err)
	}
	if err := raw(t, newer, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`); err != nil {
		t.Fatal(err)
	}
	jobs := filepath.Join(folder, "jobs.db")
	if err := openSQLite(t, jobs).Close(); err != nil {
		t.Fatal(err)
	}
	if err := raw(t, jobs, `INSERT INTO river_migration (line, version) VALUES ('main', 999)`); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		jobs:                                     "was written by a newer program",
		filepath.Join(folder, "nowhere", "x.db"): "its folder does not exist",
		folder:                                   "is not a regular file",
		text:                                     "is not a SQLite database",
		newer:                                    "was written by a newer program",
	}
	for path, want := range tests {
		_, err := store.OpenSQLite(t.Context(), path, store.Config{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), folder+"/") {
			t.Errorf("%s: %v, want %s", filepath.Base(path), err, want)
		}
	}
}

// raw runs SQL on a file beside the store.
func raw(t *testing.T, path, text string) error {
	t.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(t.Context(), text)
	return err
}

func TestSQLiteAppendOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "payments.db")
	s := openSQLite(t, path)
	defer func() { _ = s.Close() }()
	b, entries := storetest.Book("shop-1", "order-1")
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Append(b, time.Time{}, entries) }); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`UPDATE entry SET body = '{}'`, `DELETE FROM entry`, `REPLACE INTO entry SELECT * FROM entry`} {
		if err := raw(t, path, text); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if list, err := s.Entries(t.Context(), b.ID); err != nil || len(list) != 3 {
		t.Errorf("entries: %v, %v", list, err)
	}
}

// TestUniqueKey compares with what River stores: a later River may do it in another way.
func TestUniqueKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "payments.db")
	s := openSQLite(t, path)
	defer func() { _ = s.Close() }()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, job := range []store.Job{
		{Kind: store.JobProbe, Key: "shop-1"},
		{Kind: store.JobDeliver, Key: `"<&>" ключ \u2028`},
		{Kind: store.JobSweep},
		{Kind: store.JobRetain, Key: "a b"},
	} {
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Enqueue(job) }); err != nil {
			t.Fatal(err)
		}
		var key []byte
		row := db.QueryRowContext(t.Context(), `SELECT unique_key FROM river_job WHERE kind = ?`, string(job.Kind))
		if err := row.Scan(&key); err != nil || !bytes.Equal(key, store.UniqueKey(job.Kind, job.Key)) {
			t.Errorf("%v: River's key is %x, %v", job, key, err)
		}
	}
}

func TestSQLiteSharesCommits(t *testing.T) {
	t.Parallel()
	var commits, updates atomic.Int64
	s, err := store.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "payments.db"), store.Config{
		Committed: func(_ time.Duration, n int) { commits.Add(1); updates.Add(int64(n)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var wg sync.WaitGroup
	const callers, rounds = 64, 10
	for range callers {
		wg.Go(func() {
			for range rounds {
				if err := storetest.Pay(t.Context(), s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := updates.Load(); n != 2*callers*rounds {
		t.Errorf("%d updates were told of, want %d", n, 2*callers*rounds)
	}
	if n := commits.Load(); n > callers*rounds {
		t.Errorf("%d commits for %d updates: they are not shared", n, updates.Load())
	}
}

// TestSQLiteFull lets the database grow no further: the update fails, and works again when there is room.
func TestSQLiteFull(t *testing.T) {
	t.Parallel()
	s := openSQLite(t, filepath.Join(t.TempDir(), "payments.db"))
	defer func() { _ = s.Close() }()
	if err := store.LimitPages(t.Context(), s, 200); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var kept []string
	fill := func(i int) error {
		b, entries := storetest.Book("shop-1", "order-1")
		b.Metadata["fill"] = strings.Repeat("x", 20_000)
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Append(b, time.Time{}, entries) })
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			kept = append(kept, b.ID)
		}
		return err
	}
	var wg sync.WaitGroup
	var failed atomic.Int64
	for range 16 {
		wg.Go(func() {
			for i := range 30 {
				if err := fill(i); err != nil {
					failed.Add(1)
					if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "FULL") {
						t.Errorf("full: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	if failed.Load() == 0 || len(kept) == 0 {
		t.Errorf("%d failed, %d were kept", failed.Load(), len(kept))
	}
	if err := store.LimitPages(t.Context(), s, 1<<30); err != nil {
		t.Fatal(err)
	}
	if err := fill(0); err != nil {
		t.Errorf("with room again: %v", err)
	}
	for _, id := range kept {
		if _, err := s.Book(t.Context(), id); err != nil {
			t.Errorf("a committed book: %v", err)
		}
	}
}

// TestSQLiteKill writes in a process that is killed: all that was told to be committed is there.
func TestSQLiteKill(t *testing.T) {
	const variable = "PAYHOST_TEST_STORE_KILL"
	if path := os.Getenv(variable); path != "" {
		writeUntilKilled(path)
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "payments.db")
	for round := range 3 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSQLiteKill$")
		child.Env = append(os.Environ(), variable+"="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		var told []string
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if book, ok := ledger.BookOf(lines.Text()); ok {
				told = append(told, book)
			}
			if len(told) == 200*(round+1) {
				_ = child.Process.Kill()
			}
		}
		_ = child.Wait()
		if len(told) < 200 {
			t.Fatalf("the child wrote %d books only", len(told))
		}
		s := openSQLite(t, path)
		for _, id := range told {
			b, err := s.Book(t.Context(), id)
			if err != nil {
				t.Errorf("committed, but %v", err)
				continue
			}
			if list, err := s.Entries(t.Context(), id); err != nil || int64(len(list)) != b.Version {
				t.Errorf("book of version %d has %d entries, %v", b.Version, len(list), err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// writeUntilKilled tells of every book once it is committed.
func writeUntilKilled(path string) {
	ctx := context.Background()
	s, err := store.OpenSQLite(ctx, path, store.Config{})
	if err != nil {
		panic(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				b, entries := storetest.Book("shop-1", "order-1")
				if err := s.Update(ctx, func(tx store.Tx) error { return tx.Append(b, time.Time{}, entries) }); err != nil {
					panic(err)
				}
				_, _ = os.Stdout.WriteString(b.PaymentID() + "\n")
			}
		})
	}
	wg.Wait()
}
