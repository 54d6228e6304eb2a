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
	return lent(t, server(t), "template0")
}

// Copy returns the URL of a fresh database as prepare makes an empty one, dropped like
// that of [Database]. Prepare runs once in a process, whoever asks, and a copy takes a
// fraction of its time. On a server that is given it does not run, since nobody would
// drop what it leaves there: the database is empty.
func Copy(t testing.TB, prepare func(url string) error) string {
	t.Helper()
	s := server(t)
	if kept == nil {
		return lent(t, s, "template0")
	}
	prepared.Do(func() {
		var given string
		given, prepared.name = create(t, s, "template0")
		prepared.err = prepare(given)
	})
	if prepared.err != nil {
		t.Fatalf("prepare a database: %v", prepared.err)
	}
	return lent(t, s, prepared.name)
}

// prepared is the database that is copied. It ends with the cluster.
var prepared struct {
	sync.Once
	name string
	err  error
}

// lent creates a database that is dropped at the end of the test.
func lent(t testing.TB, s *session, template string) string {
	t.Helper()
	given, name := create(t, s, template)
	t.Cleanup(func() {
		// Whoever still uses the database loses it: a test that leaks is to be seen by its own checks.
		if err := s.do("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return given
}

// server returns a session with the server of this process.
func server(t testing.TB) *session {
	t.Helper()
	s, err := shared()
	if err != nil {
		refuse(t, err)
	}
	return s
}

var shared = sync.OnceValues(func() (*session, error) {
	if given := os.Getenv("PAYHOST_TEST_POSTGRES"); given != "" {
		return &session{base: given}, nil
	}
	var err error
	if kept, err = startCluster(); err != nil {
		return nil, err
	}
	return &session{base: kept.url()}, nil
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

// create makes a copy of a database on a server, and returns its URL and name.
func create(t testing.TB, s *session, template string) (string, string) {
	t.Helper()
	u, err := url.Parse(s.base)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		t.Fatal("PAYHOST_TEST_POSTGRES is not a URL of the form postgres://user@host/database")
	}
	name := "payhost_test_" + strings.ToLower(rand.Text()[:16])
	how := "CREATE DATABASE " + name + " TEMPLATE " + template
	if kept != nil && kept.copiesFiles() {
		how += " STRATEGY FILE_COPY" // a third of the time where nobody waits for the disk
	}
	if err := s.do(how); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	u.Path = "/" + name
	return u.String(), name
}

// session runs statements on a server, one at a time on one connection: to connect takes
// as long as most of them.
type session struct {
	base string // the server's URL
	mu   sync.Mutex
	conn *pgx.Conn // nil if there is none
}

// do runs one statement.
func (s *session) do(statement string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s.conn == nil || s.conn.IsClosed() {
		conn, err := pgx.Connect(ctx, s.base)
		if err != nil {
			return err
		}
		s.conn = conn
	}
	_, err := s.conn.Exec(ctx, statement)
	return err
}

func (s *session) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil
	}
	return s.conn.Close(context.Background())
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
	admin := &session{base: s.cluster.url()}
	given, _ := create(s.t, admin, "template0")
	if err := admin.close(); err != nil {
		s.t.Error(err)
	}
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
