package store

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// pgWriters is how many transactions of drafts are under way at once. More would each hold fewer updates.
	pgWriters = 2
	// pgShared is how many updates share a transaction of PostgreSQL at most.
	pgShared = 64
)

// pgCommitter writes drafts, many in one transaction and on one journey. It does not wait for company: whoever comes
// while its transactions are under way is in the next.
type pgCommitter struct {
	store *Postgres
	queue chan *pgUpdate
	done  sync.WaitGroup
}

// pgUpdate is a draft on its way.
type pgUpdate struct {
	update
	t *tx
}

func newPgCommitter(s *Postgres) *pgCommitter {
	c := &pgCommitter{store: s, queue: make(chan *pgUpdate, 2*pgShared)}
	for range pgWriters {
		c.done.Go(c.run)
	}
	return c
}

// submit returns once the draft is committed; errLive if it has to be run again.
func (c *pgCommitter) submit(ctx context.Context, t *tx) error {
	u := &pgUpdate{update: update{ctx: ctx, done: make(chan result, 1)}, t: t}
	select {
	case c.queue <- u:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case r := <-u.done:
		return r.err
	case <-ctx.Done():
		if u.state.CompareAndSwap(updateWaiting, updateGivenUp) {
			return ctx.Err()
		}
		return (<-u.done).err // it runs already, and may be committed
	}
}

// stop ends the writers once the queue is empty. Nobody may submit any more.
func (c *pgCommitter) stop() {
	close(c.queue)
	c.done.Wait()
}

func (c *pgCommitter) run() {
	var held []*pgUpdate // that met another of their group
	for {
		var first *pgUpdate
		if len(held) == 0 {
			u, ok := <-c.queue
			if !ok {
				return
			}
			first = u
		}
		var group []*pgUpdate
		group, held = c.gather(first, held)
		c.commit(group)
	}
}

// gather takes what waits, but of those that want the same only the first.
func (c *pgCommitter) gather(first *pgUpdate, waited []*pgUpdate) (group, held []*pgUpdate) {
	locks, books := make(map[int64]bool), make(map[string]bool)
	take := func(u *pgUpdate) {
		d := u.t.draft
		if d.meets(locks, books) {
			held = append(held, u)
			return
		}
		if !u.state.CompareAndSwap(updateWaiting, updateTaken) {
			return
		}
		for _, k := range d.locks {
			locks[k] = true
		}
		for _, id := range d.books {
			books[id] = true
		}
		group = append(group, u)
	}
	for _, u := range waited {
		take(u)
	}
	if first != nil {
		take(first)
	}
	for waits := 0; len(group)+len(held) < pgShared && waits < 2; {
		select {
		case u := <-c.queue:
			if u == nil {
				return group, held // closed
			}
			take(u)
		default:
			waits++
			runtime.Gosched() // those who just got their answer may be about to come again
		}
	}
	return group, held
}

// commit writes a group. A draft that does not hold leaves it, and the others are written without it.
func (c *pgCommitter) commit(group []*pgUpdate) {
	ctx, cancel := context.WithTimeout(context.Background(), c.store.patience)
	defer cancel()
	// In an order that is the same for everybody, so that two transactions do not wait for each other.
	slices.SortStableFunc(group, func(a, b *pgUpdate) int { return strings.Compare(a.t.draft.place(), b.t.draft.place()) })
	together := len(group) > 1
	for lost := 0; len(group) > 0; {
		culprit, err := c.write(ctx, group, together)
		switch {
		case err == nil:
			for _, u := range group {
				u.answer(nil)
			}
			return
		case culprit >= 0 && together:
			together = false // to see whose it is
		case culprit >= 0:
			group[culprit].answer(errLive)
			group = slices.Delete(group, culprit, culprit+1)
		case pgconn.SafeToRetry(err) && lost < mostTries:
			lost++ // the connection was gone before anything was sent
		case conflict(err):
			for _, u := range group {
				u.answer(errLive)
			}
			return
		default:
			for _, u := range group {
				u.answer(translate(u.ctx, err)) // that patience is at an end is no end of the caller's context
			}
			return
		}
	}
}

// write writes a group in one transaction. culprit is the draft that PostgreSQL refused, less than zero if it is none
// of them, or if nobody knows whether the transaction was committed.
func (c *pgCommitter) write(ctx context.Context, group []*pgUpdate, together bool) (culprit int, err error) {
	s := c.store
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return -1, err
	}
	q := beginPg(conn, &s.texts)
	defer s.end(ctx, q)
	var jobs []Job
	var locks []int64
	for _, u := range group {
		jobs = append(jobs, u.t.jobs...)
		locks = append(locks, u.t.draft.locks...)
	}
	if len(locks) > 0 {
		slices.Sort(locks)
		_ = q.later(ctx, sqlLocks, slices.Compact(locks)) // only queued
	}
	wishes := s.placer.wishes(jobs)
	known := !slices.ContainsFunc(wishes, func(w placed) bool { return !w.known })
	statements, owners := flat(group, together)
	began := time.Now()
	if failed, err := q.drafts(ctx, statements, known); err != nil {
		if failed >= 0 && refused(err) {
			return owners[failed], err
		}
		return -1, err
	}
	if !known {
		if wishes, err = s.placer.place(ctx, q, jobs); err != nil {
			return -1, err
		}
		if err := q.commit(ctx); err != nil {
			return -1, err
		}
	}
	s.placer.settle(wishes)
	s.config.Committed(time.Since(began), len(group))
	return -1, nil
}

// flat returns the statements of a group, merged if possible, and whose each is; if merged, that of no one.
func flat(group []*pgUpdate, together bool) (statements []drafted, owners []int) {
	if together {
		if merged, ok := merge(group); ok {
			return merged, make([]int, len(merged))
		}
	}
	for i, u := range group {
		statements = append(statements, u.t.draft.statements...)
		for range u.t.draft.statements {
			owners = append(owners, i)
		}
	}
	return statements, owners
}

// drafts sends what is queued, the statements, and the COMMIT if it is to end there, and reads the answers. failed is the
// statement that PostgreSQL refused, less than zero if it was none of them.
func (p *pgTx) drafts(ctx context.Context, statements []drafted, commit bool) (failed int, err error) {
	var batch pgx.Batch
	for _, s := range p.queue {
		batch.Queue(s.text, s.args...)
	}
	before := len(p.queue)
	for _, s := range statements {
		batch.Queue(p.texts.sql(s.text), s.args...)
	}
	if commit {
		batch.Queue(`COMMIT`)
	}
	p.queue, p.sent = nil, true
	results := p.conn.SendBatch(ctx, &batch)
	defer func() { err = orElse(results.Close(), err) }()
	for range before {
		if _, err := results.Exec(); err != nil {
			return -1, err
		}
	}
	for i := range statements {
		if err := statements[i].read(results); err != nil {
			return i, err
		}
	}
	if !commit {
		return -1, nil
	}
	tag, err := results.Exec()
	if err == nil && tag.String() != "COMMIT" {
		err = pgx.ErrTxCommitRollback // PostgreSQL does so after an error
	}
	return -1, err
}

// read reads the answer to a statement.
func (s *drafted) read(results pgx.BatchResults) error {
	if s.row == nil {
		_, err := results.Exec()
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for n := 0; rows.Next(); n++ {
		if err := s.row(n, rows.Scan); err != nil {
			return err
		}
	}
	rows.Close()
	return rows.Err()
}

// refused reports whether the server is there and has said no.
func refused(err error) bool {
	code := sqlState(err)
	return code != "" && !strings.HasPrefix(code, "57")
}

// place is where a draft comes in its transaction.
func (d *draft) place() string {
	if len(d.books) == 0 {
		return ""
	}
	return d.books[0]
}
