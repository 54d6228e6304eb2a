package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"
	"modernc.org/sqlite"
)

const (
	// busyTimeout is how long a call waits for a tool that has the file open, such as a backup.
	busyTimeout = 5 * time.Second
	// readerPool is how many reads may run at once.
	readerPool = 4
)

// SQLite is a Store in one SQLite file, in WAL mode, with every commit synced to
// the disk before it is told of.
//
// All that is written goes through one connection. Updates share a commit (see committer); River takes the connection
// between two commits, so neither ever waits for a lock of the other.
type SQLite struct {
	*core
	writer, readers *sql.DB
	prepared        statements // of readers
	lock            *os.File
	committer       *committer
	stuck           atomic.Bool // the last update failed for the database's sake
	placer          *placer
	stopPlacer      context.CancelFunc

	mu     sync.RWMutex // held for reading by every call, so that Close waits for them
	closed bool

	runner runner
}

var _ Store = (*SQLite)(nil)

// OpenSQLite opens the database at path, or makes it, with mode 0600, and brings it
// to this program's schema; its folder must be there. A file path+".lock" keeps
// other processes out. Errors name the file by its base name: another process has
// it, the folder is not there, it is not a SQLite database, it cannot be written, or
// it was written by a newer program.
func OpenSQLite(ctx context.Context, path string, config Config) (*SQLite, error) {
	s, err := openSQLite(ctx, path, config.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("store open %s: %w", filepath.Base(path), err)
	}
	return s, nil
}

func openSQLite(ctx context.Context, path string, config Config) (*SQLite, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, errors.New("the working folder is gone")
	}
	s := &SQLite{}
	if s.lock, err = lockFile(path + ".lock"); err != nil {
		return nil, err
	}
	if err := findFile(path); err != nil {
		return nil, errors.Join(err, unlock(s.lock))
	}
	s.writer, err = pool(path, 1, url.Values{
		"_busy_timeout": {fmt.Sprint(busyTimeout.Milliseconds())},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_txlock":       {"immediate"},
		"_pragma":       {"wal_autocheckpoint(8000)", "cache_size(-65536)"},
	})
	if err == nil {
		s.readers, err = pool(path, readerPool, url.Values{
			"_busy_timeout": {fmt.Sprint(busyTimeout.Milliseconds())}, "_query_only": {"true"},
		})
	}
	if err != nil {
		return nil, errors.Join(errors.New("its name cannot be written as a URI"), unlock(s.lock))
	}
	if err := migrateSQLite(ctx, s.writer, config.Logger); err != nil {
		return nil, errors.Join(openProblem(ctx, err), s.release())
	}
	if err := tighten(path); err != nil {
		return nil, errors.Join(err, s.release())
	}
	if err := s.begin(config); err != nil {
		return nil, err
	}
	return s, nil
}

// begin starts what runs in the background.
func (s *SQLite) begin(config Config) error {
	s.prepared.db = s.readers
	s.core = &core{config: config, dialect: sqliteDialect(), backend: s, changes: make(chan struct{}, 1)}
	s.placer = newPlacer(s.dialect, s, config.Logger, true)
	inserter, err := river.NewClient(riversqlite.New(s.writer), &river.Config{Logger: riverLog(config.Logger)})
	if err != nil {
		return errors.Join(err, s.release())
	}
	s.placer.insert = func(
		ctx context.Context, q querier, jobs []river.InsertManyParams,
	) ([]*rivertype.JobInsertResult, error) {
		return inserter.InsertManyTx(ctx, q.(*sqlTx).tx, jobs)
	}
	s.committer = newCommitter(s)
	go s.committer.run()
	ctx, cancel := context.WithCancel(context.Background())
	s.stopPlacer = cancel
	go s.placer.run(ctx)
	return nil
}

// pool makes a pool whose connections stay, as each has its prepared statements and its cache of pages.
func pool(path string, connections int, options url.Values) (*sql.DB, error) {
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: options.Encode()}
	connector, err := sqlite.NewConnector(uri.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// read implements backend.
func (s *SQLite) read(ctx context.Context, do func(q querier) error) error {
	return s.call(ctx, func() error { return do(&sqlReader{statements: &s.prepared}) })
}

// change implements backend.
func (s *SQLite) change(ctx context.Context, do func(t *tx) error) error {
	return s.call(ctx, func() error {
		err := s.committer.submit(ctx, do)
		switch {
		case err == nil:
			s.stuck.Store(false)
		case errors.Is(err, ErrUnavailable):
			s.stuck.Store(true)
		}
		return err
	})
}

// sqlTouch writes a page and changes nothing: what nobody uses is 0 already. A row that is
// set to what it is would not be written.
const sqlTouch = `PRAGMA user_version = 0`

// Ping implements Store. After an update that failed it takes one that does not: what
// is on a full disk can still be read.
func (s *SQLite) Ping(ctx context.Context) error {
	if !s.stuck.Load() {
		return s.core.Ping(ctx)
	}
	return s.change(ctx, func(t *tx) error { return t.later(sqlTouch) })
}

// update implements backend.
func (s *SQLite) update(ctx context.Context, do func(t *tx) error) error { return s.change(ctx, do) }

// call runs a call while the store is open.
func (s *SQLite) call(ctx context.Context, call func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	return call()
}

// Exclusive implements Store.
func (s *SQLite) Exclusive() bool { return true }

// StartJobs implements Store. The jobs go on when ctx ends: only stop stops them.
func (s *SQLite) StartJobs(ctx context.Context, w Work) (func(context.Context) error, error) {
	return s.runner.start(func() (func(context.Context) error, error) {
		// What runs by the books belonged to a process that is gone.
		err := s.change(ctx, func(t *tx) error { return t.later(sqlReviveJobs, s.placer.time(time.Now())) })
		if err != nil {
			return nil, err
		}
		stop, err := startJobs(ctx, w, s.placer, s.config.Logger, func(c *river.Config) (*river.Client[*sql.Tx], error) {
			return river.NewClient(riversqlite.New(s.writer), c)
		})
		return stop, translate(ctx, err)
	})
}

// Close implements Store. It folds the WAL into the file. Jobs that still run are canceled.
func (s *SQLite) Close() error {
	s.runner.close()
	s.stopPlacer()
	<-s.placer.done
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.committer.stop()
	if err := s.release(); err != nil {
		return fmt.Errorf("store close: %w", err)
	}
	return nil
}

// release closes the files, the writer last: the last connection to close folds the WAL, and readers may not write.
func (s *SQLite) release() error {
	err := errors.Join(s.readers.Close(), s.writer.Close())
	return errors.Join(translate(context.Background(), err), unlock(s.lock))
}
