package pgtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/payhost/payhost/internal/pgtest"
)

// leaving is the environment variable by which this test's program is started again
// to leave in the middle of a test.
const leaving = "PAYHOST_PGTEST_LEAVING"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// ask returns the one value that a query has.
func ask[T any](t testing.TB, conn *pgx.Conn, query string, args ...any) T {
	t.Helper()
	var value T
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

func exec1(t testing.TB, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// TestDatabase wants each database empty, apart from the others, durable in the way that
// lasts through a killed process, and gone after the test.
func TestDatabase(t *testing.T) {
	t.Parallel()
	var names []string
	t.Run("apart", func(t *testing.T) {
		for range 2 {
			url := pgtest.Database(t)
			if !strings.HasPrefix(url, "postgres://") {
				t.Errorf("URL %q", url)
			}
			conn := connect(t, url)
			names = append(names, ask[string](t, conn, "SELECT current_database()"))
			exec1(t, conn, "CREATE TABLE here (x int)")
			if value := ask[string](t, conn, "SELECT current_setting('synchronous_commit')"); value != "on" {
				t.Errorf("synchronous_commit is %s", value)
			}
		}
		if names[0] == names[1] {
			t.Errorf("the same database twice: %s", names[0])
		}
	})
	for range 3 { // a collection must not take the server for unused
		runtime.GC()
	}
	conn := connect(t, pgtest.Database(t))
	if n := ask[int](t, conn, "SELECT count(*) FROM pg_database WHERE datname = ANY($1)", names); n != 0 {
		t.Errorf("%d databases of a test that is over", n)
	}
}

// TestServer stops and crashes a server: what was committed is there afterwards,
// under the same URL.
func TestServer(t *testing.T) {
	t.Parallel()
	s := pgtest.NewServer(t)
	url := s.Database()
	conn := connect(t, url)
	exec1(t, conn, "CREATE TABLE kept (x int)")
	for round, end := range []func(){s.Stop, s.Crash} {
		exec1(t, conn, "INSERT INTO kept VALUES (1)")
		end()
		if err := conn.Ping(t.Context()); err == nil {
			t.Fatal("the connection outlived its server")
		}
		if other, err := pgx.Connect(t.Context(), url); err == nil {
			_ = other.Close(t.Context())
			t.Fatal("a stopped server took a connection")
		}
		s.Start()
		conn = connect(t, url)
		if n := ask[int](t, conn, "SELECT count(*) FROM kept"); n != round+1 {
			t.Errorf("round %d: %d rows", round, n)
		}
	}
	s.Stop() // and so it may end
}

// TestNothingIsLeft has a process leave in the middle of a test, by itself and by a
// kill: its cluster and its folder go, too.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"exit", "kill"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			temp, err := os.MkdirTemp("", "payhost-pgtest-")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(temp) })
			if err := os.Chmod(temp, 0o777); err != nil { // the server's user must come through
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestLeaving$", "-test.v")
			cmd.Env = append(os.Environ(), leaving+"="+how, "TMPDIR="+temp, "PAYHOST_TEST_POSTGRES=")
			out, err := cmd.CombinedOutput()
			if strings.Contains(string(out), "no PostgreSQL") {
				t.Skip("no PostgreSQL")
			}
			if err == nil || !strings.Contains(string(out), "data in "+temp) {
				t.Fatalf("it did not leave in the middle: %v\n%s", err, out)
			}
			waitGone(t, temp)
		})
	}
}

// waitGone waits until nothing is left in a folder.
func waitGone(t *testing.T, dir string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for {
		left, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("left behind: %q", left)
		case <-tick.C:
		}
	}
}

// TestLeaving is the process that leaves.
func TestLeaving(t *testing.T) {
	how := os.Getenv(leaving)
	if how == "" {
		t.Skip("for TestNothingIsLeft")
	}
	conn := connect(t, pgtest.Database(t))
	fmt.Println("data in", ask[string](t, conn, "SELECT current_setting('data_directory')"))
	if how == "exit" {
		os.Exit(3)
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	t.Fatal(err)
}

// BenchmarkDisk holds that a benchmark pays for the disk: it is a commit of one row.
func BenchmarkDisk(b *testing.B) {
	conn := connect(b, pgtest.Database(b))
	if value := ask[string](b, conn, "SELECT current_setting('fsync')"); value != "on" {
		b.Fatalf("fsync is %s", value)
	}
	exec1(b, conn, "CREATE TABLE here (x int)")
	for b.Loop() {
		exec1(b, conn, "INSERT INTO here VALUES (1)")
	}
}

// TestCopy gives each its own copy of what was prepared once.
func TestCopy(t *testing.T) {
	t.Parallel()
	const there = `SELECT count(*) FROM pg_tables WHERE tablename = 'prepared'`
	prepare := func(url string) error {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(t.Context(), "CREATE TABLE prepared (n int); INSERT INTO prepared VALUES (1)")
		return errors.Join(err, conn.Close(t.Context()))
	}
	one := connect(t, pgtest.Copy(t, prepare))
	two := connect(t, pgtest.Copy(t, func(string) error { return errors.New("prepared again") }))
	if os.Getenv("PAYHOST_TEST_POSTGRES") != "" { // a server that outlives the process
		if n := ask[int](t, one, there) + ask[int](t, two, there); n != 0 {
			t.Errorf("%d tables were prepared, and nobody will drop the database that was copied", n)
		}
		return
	}
	exec1(t, one, "INSERT INTO prepared VALUES (2)")
	if n := ask[int](t, two, "SELECT count(*) FROM prepared"); n != 1 {
		t.Errorf("the other copy has %d rows, want the one that was prepared", n)
	}
}
