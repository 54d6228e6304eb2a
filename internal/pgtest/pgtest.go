// Package pgtest gives tests a real PostgreSQL: databases that are fresh, empty and
// dropped at the end of the test.
//
//	url := pgtest.Database(t)
//
// The first call in a process starts a cluster for it, in a temporary folder and
// reachable by a socket in there only. There is nothing to stop: the cluster ends
// with the process, however that ends, and takes its folder along. Its settings are
// PostgreSQL's own, but it waits for the disk (fsync) in benchmarks only. It sorts text
// by the rules of a language, as production's may, where the build of PostgreSQL has
// them.
//
// If PAYHOST_TEST_POSTGRES is set, to the URL of a server on which databases may be
// created, that server is used instead. Without PostgreSQL tests are skipped, unless
// CI is "true": then they fail.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long anything that is asked of a server may take.
const patience = time.Minute

// errNone: there is no PostgreSQL on this machine.
var errNone = errors.New("no PostgreSQL: neither PAYHOST_TEST_POSTGRES is set, nor are initdb and postgres installed")

// Database returns the URL, "postgres://…", of a fresh and empty database, which is
// dropped at the end of the test.
func Database(t testing.TB) string {
	t.Helper()
	base, err := shared()
	if err != nil {
		refuse(t, err)
	}
	given, name := create(t, base)
	t.Cleanup(func() {
		// Whoever still uses the database loses it: a test that leaks is to be seen by its own checks.
		if err := do(base, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return given
}

// shared returns the URL of the server of this process.
var shared = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("PAYHOST_TEST_POSTGRES"); given != "" {
		return given, nil
	}
	var err error
	if kept, err = startCluster(); err != nil {
		return "", err
	}
	return kept.url(), nil
})

// kept is the cluster of this process. It is a variable so that the collector does
// not close its pipe, which would end it.
var kept *cluster

// refuse ends the test: it is skipped where there is no PostgreSQL and need not be.
func refuse(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errNone) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	t.Fatal(err)
}

// create makes a database on the server that base is a URL of, and returns its URL
// and name.
func create(t testing.TB, base string) (string, string) {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		t.Fatal("PAYHOST_TEST_POSTGRES is not a URL of the form postgres://user@host/database")
	}
	name := "payhost_test_" + strings.ToLower(rand.Text()[:16])
	if err := do(base, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	u.Path = "/" + name
	return u.String(), name
}

// do runs one statement on a connection of its own.
func do(base, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, base)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// Server is a cluster of a test's own, that it may stop and start.
type Server struct {
	t       testing.TB
	cluster *cluster
}

// NewServer starts a cluster, which ends with the test. It is a process of its own
// even if PAYHOST_TEST_POSTGRES is set. It takes about a second: most tests want
// [Database].
func NewServer(t testing.TB) *Server {
	t.Helper()
	c, err := startCluster()
	if err != nil {
		refuse(t, err)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Errorf("end a PostgreSQL: %v", err)
		}
	})
	return &Server{t: t, cluster: c}
}

// Database returns the URL of a fresh and empty database on this server, which ends
// with the server. The URL stays good when the server is stopped and started.
func (s *Server) Database() string {
	s.t.Helper()
	given, _ := create(s.t, s.cluster.url())
	return given
}

// Stop ends the server as an administrator would: who is connected is told so, what
// runs is rolled back. It returns when the server is gone.
func (s *Server) Stop() {
	s.t.Helper()
	s.ask("stop fast")
}

// Crash ends the server without a word to anyone and without a checkpoint, as a
// power cut would; [Server.Start] recovers what was committed.
func (s *Server) Crash() {
	s.t.Helper()
	s.ask("stop immediate")
}

// Start starts a server that was stopped and returns when it serves.
func (s *Server) Start() {
	s.t.Helper()
	s.ask("start")
}

func (s *Server) ask(command string) {
	s.t.Helper()
	if err := s.cluster.ask(command); err != nil {
		s.t.Fatal(fmt.Errorf("%s: %w", command, err))
	}
}
