package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

const (
	// leastConns is one that listens, two that write, and one that reads.
	leastConns = 4
	// mostTries is how often an update is tried that PostgreSQL asks to try again.
	mostTries = 10
	// patience is how long a COMMIT is waited for, even if the caller has gone: what became of it is worth to know.
	patience = 30 * time.Second
	// sqlByIndex settles for a connection how its statements are planned. All of them go by an index, whatever the values: to
	// plan one anew takes longer than to run it. And it must be no plan that is good while the tables are small, or while
	// nothing is known of them, as it is kept while they grow.
	sqlByIndex = `SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off;
		SET enable_sort = off; SET enable_incremental_sort = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
		SET max_parallel_workers_per_gather = 0; SET jit = off`
)

// Postgres is a Store in PostgreSQL 13 or later, for many processes at once.
type Postgres struct {
	*core
	pool      *pgxpool.Pool
	texts     numbered
	placer    *placer
	committer *pgCommitter
	patience  time.Duration      // see there
	stop      context.CancelFunc // of what runs in the background
	heard     chan struct{}      // closed when nobody listens any more

	mu     sync.RWMutex // held for reading by every call, so that Close waits for them
	closed bool

	runner runner
}

var _ Store = (*Postgres)(nil)

// OpenPostgres connects to the database of a URL and brings it to this program's
// schema; several processes may do so at once. The URL may say pool_max_conns, which is
// 4 or more. Errors name the database's host and name: it cannot be reached, it refuses
// the user, or it was written by a newer program.
func OpenPostgres(ctx context.Context, url string, config Config) (*Postgres, error) {
	poolConfig, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("store open: the URL of the database cannot be read") // it may hold a password
	}
	if !strings.Contains(url, "pool_max_conns") {
		poolConfig.MaxConns = connections()
	} else if poolConfig.MaxConns < leastConns {
		return nil, fmt.Errorf("store open: pool_max_conns is %d, and fewer than %d connections may wait for each other for ever",
			poolConfig.MaxConns, leastConns)
	}
	s, err := openPostgres(ctx, poolConfig, config.withDefaults())
	if err != nil {
		host := poolConfig.ConnConfig.Host
		if strings.HasPrefix(host, "/") {
			host = "local socket"
		}
		return nil, fmt.Errorf("store open %s/%s: %w", host, poolConfig.ConnConfig.Database, err)
	}
	return s, nil
}

// connections is the size of the pool unless the URL says pool_max_conns. More of them than can work at once only get in
// each other's way: with eight an update took three quarters of what it did with 64, on two processors.
func connections() int32 {
	return int32(max(10, min(100, 4*runtime.NumCPU()))) //nolint:gosec // a small number
}

func openPostgres(ctx context.Context, poolConfig *pgxpool.Config, config Config) (*Postgres, error) {
	poolConfig.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sqlByIndex)
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, poolConfig)
	if err != nil {
		return nil, translate(ctx, err)
	}
	s := &Postgres{pool: pool, patience: patience, heard: make(chan struct{})}
	s.core = &core{config: config, dialect: postgresDialect(), backend: s, changes: make(chan struct{}, 1)}
	s.placer = newPlacer(s.dialect, s, config.Logger, false)
	inserter, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: riverLog(config.Logger)})
	if err == nil {
		err = migratePostgres(ctx, pool, config.Logger)
	}
	if err != nil {
		pool.Close()
		return nil, translate(ctx, err)
	}
	s.placer.insert = func(
		ctx context.Context, q querier, jobs []river.InsertManyParams,
	) ([]*rivertype.JobInsertResult, error) {
		return inserter.InsertManyTx(ctx, q.(*pgTx), jobs)
	}
	s.committer = newPgCommitter(s)
	background, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	go s.placer.run(background)
	go s.listen(background)
	return s, nil
}

// Pool returns the connections of the store, for others that keep their tables in
// the same database. It belongs to the store, which closes it.
func (s *Postgres) Pool() *pgxpool.Pool { return s.pool }

// Exclusive implements Store.
func (s *Postgres) Exclusive() bool { return false }

// read implements backend.
func (s *Postgres) read(ctx context.Context, do func(q querier) error) error {
	return s.call(ctx, func() error { return do(&pgReader{pool: s.pool, texts: &s.texts}) })
}

// change implements backend.
func (s *Postgres) change(ctx context.Context, do func(t *tx) error) error {
	return s.run(ctx, do, false)
}

// update implements backend. It begins as a draft; one that does not hold is run again with a transaction open.
func (s *Postgres) update(ctx context.Context, do func(t *tx) error) error {
	return s.run(ctx, do, true)
}

func (s *Postgres) run(ctx context.Context, do func(t *tx) error, drafted bool) error {
	return s.call(ctx, func() error {
		for try := 1; ; try++ {
			again, err := s.try(ctx, do, drafted)
			if errors.Is(err, errLive) {
				drafted = false
				continue
			}
			if err == nil || !again || try == mostTries {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration(rand.Int64N(int64(try) * int64(5*time.Millisecond)))): //nolint:gosec // no secret
			}
		}
	})
}

// call runs a call while the store is open.
func (s *Postgres) call(ctx context.Context, call func() error) error {
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

// try runs do once. It reports whether another try may succeed: two transactions were in each other's way, or the
// connection was lost before anything was done.
func (s *Postgres) try(ctx context.Context, do func(t *tx) error, drafted bool) (again bool, err error) {
	t := &tx{ctx: ctx, caller: ctx, dialect: s.dialect, now: s.config.Now()}
	if drafted {
		t.draft = &draft{store: s}
		t.q = &unopened{store: s, t: t}
	} else if t.q, err = s.begin(ctx); err != nil {
		return false, err
	}
	defer func() {
		if q, open := t.q.(*pgTx); open {
			s.end(ctx, q)
		}
	}()
	if err = do(t); err == nil {
		err = t.failed
	}
	if errors.Is(t.failed, errLive) {
		return true, errLive
	}
	if err != nil {
		return conflict(err) || conflict(t.failed), err
	}
	if t.draft != nil && len(t.draft.statements)+len(t.draft.locks)+len(t.jobs) > 0 {
		return false, s.committer.submit(ctx, t)
	}
	return s.commit(ctx, t)
}

// commit ends the transaction of an update that has one to itself.
func (s *Postgres) commit(ctx context.Context, t *tx) (again bool, err error) {
	q, open := t.q.(*pgTx)
	if !open {
		return false, nil
	}
	wishes, err := s.placer.place(ctx, q, t.jobs)
	if err != nil {
		return conflict(err), translate(ctx, err)
	}
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	start := time.Now()
	if err := q.commit(patient); err != nil {
		return conflict(err), translate(ctx, err) // that patience is at an end is no end of the caller's context
	}
	s.placer.settle(wishes)
	s.config.Committed(time.Since(start), 1)
	return false, nil
}

// begin opens a transaction, or rather has one opened with its first statement.
func (s *Postgres) begin(ctx context.Context) (*pgTx, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, translate(ctx, err)
	}
	return beginPg(conn, &s.texts), nil
}

// end gives the connection of a transaction back. It rolls back what was not committed.
func (s *Postgres) end(ctx context.Context, q *pgTx) {
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	q.rollback(patient)
	q.conn.Release()
}

// conflict reports whether two transactions were in each other's way, or nothing was sent to the database.
func conflict(err error) bool {
	code := sqlState(err)
	return code == "40001" || code == "40P01" || err != nil && pgconn.SafeToRetry(err)
}

// StartJobs implements Store. The jobs go on when ctx ends: only stop stops them.
func (s *Postgres) StartJobs(ctx context.Context, w Work) (func(context.Context) error, error) {
	return s.runner.start(func() (func(context.Context) error, error) {
		stop, err := startJobs(ctx, w, s.placer, s.config.Logger, func(c *river.Config) (*river.Client[pgx.Tx], error) {
			return river.NewClient(riverpgxv5.New(s.pool), c)
		})
		return stop, translate(ctx, err)
	})
}

// Close implements Store. Jobs that still run are canceled.
func (s *Postgres) Close() error {
	s.runner.close()
	s.stop()
	<-s.placer.done
	<-s.heard
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.committer.stop()
		s.pool.Close()
	}
	return nil
}

// listen feeds Changes with what any process tells of, and connects again when the connection is lost.
func (s *Postgres) listen(ctx context.Context) {
	defer close(s.heard)
	const soon, late = 100 * time.Millisecond, 5 * time.Second
	for wait := soon; ctx.Err() == nil; {
		err := s.hear(ctx, func() { wait = soon })
		if ctx.Err() != nil {
			return
		}
		s.config.Logger.Debug("nobody listens to activations", "error", err, "again_in", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, late)
	}
}

// hear listens on a connection of its own until it is lost.
func (s *Postgres) hear(ctx context.Context, connected func()) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `LISTEN `+activationChannel); err != nil {
		return err
	}
	connected()
	s.changed() // for what was told while nobody listened
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
		s.changed()
	}
}
