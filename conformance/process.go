package conformance

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/payhost/payhost/httpapi"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
)

// apiToken is what the merchant of a life shows.
const apiToken = "conformance-merchant-token"

// process is one process' worth of payhost: an engine over the life's ledger, and
// the API before it. It can be killed: then its writes fail and what it answers is
// not heard.
type process struct {
	store  *mortal
	engine *payments.Engine
	api    *httpapi.API
	dead   atomic.Bool
	closed sync.Once

	mu   sync.Mutex
	seen map[string]int // how often each boundary came by
	plan killPlan
}

// killPlan says at which boundary the process dies.
type killPlan struct {
	at  string
	nth int
}

// newProcess opens the life's ledger and an engine over it. The host is kept, since
// plugins have no state in memory; the connection is a new one.
func (l *Life) newProcess() (*process, error) {
	path := filepath.Join(l.dir, "payhost.db")
	if _, err := os.Stat(path); err != nil {
		if err := copyFile(path, l.suite.template); err != nil {
			return nil, err
		}
	}
	sqlite, err := store.OpenSQLite(l.ctx, path, store.Config{Now: l.station.clock.Now})
	if err != nil {
		return nil, err
	}
	p := &process{seen: map[string]int{}, plan: l.plan}
	l.plan = killPlan{} // the processes after it live
	p.store = &mortal{Store: sqlite, dead: &p.dead, noted: &l.noted}
	p.engine, err = payments.New(payments.Config{
		Host: l.station.host, Store: p.store, PublicURL: l.front.url, Now: l.station.clock.Now,
		CallTimeout: callTimeout, Rates: map[string]int{l.Connection: 10_000}, Logger: l.station.log.logger(l.Connection),
		Fault: func(point string) { l.boundary(p, point) },
	})
	if err != nil {
		_ = sqlite.Close()
		return nil, err
	}
	p.api, err = httpapi.New(httpapi.Config{
		Engine: p.engine, Limits: httpapi.Limits{Rate: -1, NotificationRate: -1}, Now: l.station.clock.Now,
		Tokens: []httpapi.Token{{Name: "shop", Token: apiToken, Scopes: []httpapi.Scope{"payments", "admin"}}},
	})
	if err == nil {
		err = p.engine.Recover(l.ctx)
	}
	if err != nil {
		p.close()
		return nil, fmt.Errorf("payhost: %w", err)
	}
	return p, nil
}

// boundary is passed wherever a crash could fall, and is where the process dies if
// that is the plan.
func (l *Life) boundary(p *process, point string) {
	p.mu.Lock()
	p.seen[point]++
	die := p.plan.at == point && p.seen[point] == p.plan.nth
	p.mu.Unlock()
	if die {
		p.die()
		l.Wire.Down()
	}
}

func (p *process) die() { p.dead.Store(true) }

// work does everything that is due now.
func (p *process) work(ctx context.Context) error {
	_, err := p.engine.Do(ctx, store.Job{Kind: store.JobSweep})
	return err
}

func (p *process) close() {
	p.closed.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*callTimeout)
		defer cancel()
		if p.engine != nil {
			_ = p.engine.Close(ctx)
		}
		_ = p.store.Close()
	})
}

// mortal is a store that writes nothing once its process is dead, and nothing while
// its disk is full.
type mortal struct {
	store.Store
	dead  *atomic.Bool
	noted *noted

	mu    sync.Mutex
	full  bool
	until int // updates that still find room
}

var (
	errDead = fmt.Errorf("the process was killed")
	errFull = fmt.Errorf("the disk is full")
)

func (m *mortal) gate() error {
	if m.dead.Load() {
		return errDead
	}
	return nil
}

// fill lets updates fail from the nth from now on; free lets them through again.
func (m *mortal) fill(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full, m.until = true, n-1
}

func (m *mortal) free() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = false
}

func (m *mortal) room() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !m.full:
		return nil
	case m.until > 0:
		m.until--
		return nil
	}
	return errFull
}

// Update is the store's, for the living. What it says of notifications is noted once
// it is written.
func (m *mortal) Update(ctx context.Context, do func(store.Tx) error) error {
	if err := m.gate(); err != nil {
		return err
	}
	if err := m.room(); err != nil {
		return err
	}
	var put []store.Notification
	err := m.Store.Update(ctx, func(tx store.Tx) error {
		put = nil
		return do(&noting{Tx: tx, put: &put})
	})
	if err == nil && len(put) > 0 {
		m.noted.add(put)
	}
	return err
}

// noting is a transaction that tells which notifications it writes.
type noting struct {
	store.Tx
	put *[]store.Notification
}

// PutNotification implements [store.Tx].
func (t *noting) PutNotification(n store.Notification) error {
	*t.put = append(*t.put, n)
	return t.Tx.PutNotification(n)
}

// noted is what became of the notifications of a life, oldest first.
type noted struct {
	mu   sync.Mutex
	list []store.Notification
}

func (n *noted) add(put []store.Notification) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, one := range put {
		i := slices.IndexFunc(n.list, func(old store.Notification) bool { return old.ID == one.ID })
		if i < 0 {
			n.list = append(n.list, one)
			continue
		}
		n.list[i] = one
	}
}

// all returns them as they are now.
func (n *noted) all() []store.Notification {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.list)
}

// Due is the store's, for the living.
func (m *mortal) Due(ctx context.Context, connection string, now, lease time.Time, limit int) ([]*ledger.Book, error) {
	if err := m.gate(); err != nil {
		return nil, err
	}
	return m.Store.Due(ctx, connection, now, lease, limit)
}

// Parked is the store's, for the living.
func (m *mortal) Parked(ctx context.Context, now, lease time.Time, limit int) ([]store.Notification, error) {
	if err := m.gate(); err != nil {
		return nil, err
	}
	return m.Store.Parked(ctx, now, lease, limit)
}

// newTemplate makes an empty ledger to copy: bringing one to its schema takes longer
// than a life.
func newTemplate(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "template.db")
	s, err := store.OpenSQLite(ctx, path, store.Config{})
	if err != nil {
		return "", err
	}
	return path, s.Close()
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
