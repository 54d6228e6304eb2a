package store

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// mostShared is how many updates share a commit at most.
const mostShared = 128

// committer runs the updates of SQLite one after the other and commits many of them
// at once: to sync the disk takes longer than all the rest. It does not wait for
// company. Whoever comes while a commit is under way is in the next.
type committer struct {
	store    *SQLite
	queue    chan *update
	stopped  chan struct{}
	prepared map[string]*sql.Stmt
}

// update is one call of Update on its way.
type update struct {
	ctx   context.Context
	do    func(t *tx) error
	state atomic.Int32 // waiting, then taken by the committer or given up by the caller
	done  chan result
}

type result struct {
	err   error
	panic any // what do panicked with
}

const (
	updateWaiting = iota
	updateTaken
	updateGivenUp
)

// Statements of one update within the transaction of many.
const (
	sqlSavepoint = `SAVEPOINT one`
	sqlRelease   = `RELEASE one`
	sqlRollback  = `ROLLBACK TO one`
)

func newCommitter(s *SQLite) *committer {
	return &committer{
		store: s, queue: make(chan *update, 2*mostShared), stopped: make(chan struct{}),
		prepared: make(map[string]*sql.Stmt),
	}
}

// submit runs do in a transaction and returns once it is committed. A panic of do goes on in the caller.
func (c *committer) submit(ctx context.Context, do func(t *tx) error) error {
	u := &update{ctx: ctx, do: do, done: make(chan result, 1)}
	select {
	case c.queue <- u:
	case <-ctx.Done():
		return ctx.Err()
	}
	var r result
	select {
	case r = <-u.done:
	case <-ctx.Done():
		if u.state.CompareAndSwap(updateWaiting, updateGivenUp) {
			return ctx.Err()
		}
		r = <-u.done // it runs already, and may be committed
	}
	if r.panic != nil {
		panic(r.panic)
	}
	return r.err
}

// stop ends run once the queue is empty. Nobody may submit any more.
func (c *committer) stop() {
	close(c.queue)
	<-c.stopped
}

func (c *committer) run() {
	defer close(c.stopped)
	for first := range c.queue {
		c.commit(first)
	}
}

// group is the updates of one transaction.
type group struct {
	conn      *sql.Conn
	q         *sqlTx
	now       time.Time
	careful   bool // each update has a savepoint
	ran       int
	updates   []*update // those that succeeded and wait for the commit
	jobs      []Job
	activated bool
	spoiled   bool  // an update failed and left something behind
	broken    error // the transaction is gone
}

// begin begins the transaction of a group.
func (c *committer) begin(ctx context.Context, conn *sql.Conn) (*group, error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, translate(ctx, err)
	}
	q := &sqlTx{tx: tx, prepared: c.prepared, here: make(map[string]*sql.Stmt)}
	return &group{conn: conn, q: q, now: c.store.config.Now()}, nil
}

// commit makes a transaction of the first update and all that wait or come while they run.
func (c *committer) commit(first *update) {
	ctx := context.Background()
	conn, err := c.store.writer.Conn(ctx)
	if err != nil {
		first.answer(translate(ctx, err))
		return
	}
	defer func() { _ = conn.Close() }()
	g, err := c.begin(ctx, conn)
	if err != nil {
		first.answer(err)
		return
	}
	for u := first; u != nil; u = c.another(g) {
		if !u.state.CompareAndSwap(updateWaiting, updateTaken) {
			continue
		}
		if g.run(ctx, u); g.spoiled {
			g = c.again(ctx, g)
		}
	}
	c.finish(ctx, g)
	c.prepare(ctx, conn, g.q.missing)
}

// again runs the updates of a group once more without the one that spoiled it. Savepoints cost a copy of every page
// that an update touches, and few updates fail after they wrote, so only the second run has them.
func (c *committer) again(ctx context.Context, g *group) *group {
	g.rollback(ctx)
	next, err := c.begin(ctx, g.conn)
	if err != nil {
		for _, u := range g.updates {
			u.answer(err)
		}
		return &group{conn: g.conn, q: g.q, broken: err}
	}
	next.careful, next.q.missing = true, g.q.missing
	for _, u := range g.updates {
		next.run(ctx, u)
	}
	return next
}

// another returns the next update of the group; nil to commit.
func (c *committer) another(g *group) *update {
	if g.ran >= mostShared || g.broken != nil {
		return nil
	}
	for range 2 {
		select {
		case u := <-c.queue: // nil once it is closed
			return u
		default:
			runtime.Gosched() // those who just got their answer may be about to come again
		}
	}
	return nil
}

// run runs one update so that it can fail alone.
func (g *group) run(ctx context.Context, u *update) {
	if g.broken == nil && g.careful {
		_, g.broken = g.q.exec(ctx, sqlSavepoint)
	}
	if g.broken != nil {
		u.answer(g.broken)
		return
	}
	g.ran++
	t := &tx{ctx: ctx, caller: u.ctx, q: g.q, now: g.now}
	r := call(t, u.do)
	if r.err == nil && r.panic == nil {
		g.updates = append(g.updates, u)
		g.jobs = append(g.jobs, t.jobs...)
		g.activated = g.activated || t.activated
		if g.careful {
			_, g.broken = g.q.exec(ctx, sqlRelease)
		}
		return
	}
	switch {
	case g.careful:
		// A full disk rolls the whole transaction back: then there is no savepoint.
		_, err := g.q.exec(ctx, sqlRollback)
		if err == nil {
			_, err = g.q.exec(ctx, sqlRelease)
		}
		if g.broken = err; err != nil && t.failed != nil {
			g.broken = t.failed // what really happened
		}
	case t.wrote:
		g.spoiled = true
	}
	u.done <- r
}

// call runs do. What makes a commit impossible is its error, whatever it says.
func call(t *tx, do func(t *tx) error) (r result) {
	defer func() {
		if v := recover(); v != nil {
			r.panic = fmt.Sprintf("%v\n\n%s", v, debug.Stack())
		}
	}()
	r.err = do(t)
	if r.err == nil {
		r.err = t.failed
	}
	return r
}

// finish commits and answers.
func (c *committer) finish(ctx context.Context, g *group) {
	if g.broken != nil || len(g.updates) == 0 {
		g.rollback(ctx)
		for _, u := range g.updates {
			u.answer(g.broken)
		}
		return
	}
	began := time.Now()
	wishes, err := c.store.placer.place(ctx, g.q, g.jobs)
	if err == nil {
		err = g.q.tx.Commit()
	}
	if err != nil {
		g.rollback(ctx)
	} else {
		c.store.placer.settle(wishes)
		c.store.config.Committed(time.Since(began), len(g.updates))
		if g.activated {
			c.store.changed()
		}
	}
	for _, u := range g.updates {
		u.answer(translate(ctx, err))
	}
}

// rollback ends the transaction, whatever state it is in: a COMMIT that failed for want of space leaves it open.
func (g *group) rollback(ctx context.Context) {
	if err := g.q.tx.Rollback(); err != nil {
		_, _ = g.conn.ExecContext(ctx, `ROLLBACK`)
	}
}

// prepare prepares statements for all transactions to come.
func (c *committer) prepare(ctx context.Context, conn *sql.Conn, missing []string) {
	if len(missing) == 0 {
		return
	}
	_ = conn.Close() // there is no other
	for _, text := range missing {
		if _, ok := c.prepared[text]; ok {
			continue
		}
		if stmt, err := c.store.writer.PrepareContext(ctx, text); err == nil {
			c.prepared[text] = stmt
		}
	}
}

func (u *update) answer(err error) { u.done <- result{err: err} }
