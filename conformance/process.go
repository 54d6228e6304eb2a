package conformance

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	store  store.Store // mortal
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
	p.store = &mortal{Store: sqlite, dead: &p.dead}
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

// mortal is a store that writes nothing once its process is dead.
type mortal struct {
	store.Store
	dead *atomic.Bool
}

var errDead = fmt.Errorf("the process was killed")

func (m *mortal) gate() error {
	if m.dead.Load() {
		return errDead
	}
	return nil
}

// Update is the store's, for the living.
func (m *mortal) Update(ctx context.Context, do func(store.Tx) error) error {
	if err := m.gate(); err != nil {
		return err
	}
	return m.Store.Update(ctx, do)
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
