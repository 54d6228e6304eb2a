package payments

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/store"
)

const (
	sweepEvery  = 2 * time.Second
	retainEvery = time.Hour
	defaultRate = 10 // status calls a second of one connection
)

// Engine runs operations and keeps their truth. All its methods are safe for
// concurrent use.
//
// Each operation takes the caller's key: a repeat of the same request answers what
// the first one came to, and sends nothing, unless the first is proven to have had
// no effect and may be sent again under its key. In doubt is no error. The answer's
// book is as it stands after the operation.
type Engine struct {
	config Config
	host   *host.Host
	store  store.Store
	log    hclog.Logger
	flight singleflight.Group // requests with the same key, within this process

	mu       sync.Mutex
	problems map[string]string // connections that are not connected, and why
	limits   map[string]*rate.Limiter
	stopJobs func(context.Context) error
	closed   bool

	running sync.WaitGroup  // operations and background work under way
	life    context.Context // of background work
	end     context.CancelFunc
	jobs    context.Context // of jobs: it ends first, so that a long one does not hold up the rest
	endJobs context.CancelFunc
}

// New returns an engine. It reads nothing and starts nothing yet; operations work
// at once, and [Engine.Start] begins the background work.
func New(c Config) (*Engine, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	e := &Engine{
		config: c, host: c.Host, store: c.Store, log: c.Logger.Named("engine"),
		problems: map[string]string{}, limits: map[string]*rate.Limiter{},
	}
	e.life, e.end = context.WithCancel(context.Background())
	e.jobs, e.endJobs = context.WithCancel(e.life)
	return e, nil
}

// Start recovers what a process that is gone left running, and begins the background
// work: probes, repeats, expiry, deliveries, sweeps and retention.
func (e *Engine) Start(ctx context.Context) error {
	if err := e.Recover(ctx); err != nil {
		return err
	}
	stop, err := e.store.StartJobs(ctx, store.Work{
		Do: e.Do, Timeout: jobTimeout,
		Periodic: []store.Periodic{
			{Job: store.Job{Kind: store.JobSweep}, Every: sweepEvery},
			{Job: store.Job{Kind: store.JobRetain}, Every: retainEvery},
		},
	})
	if err != nil {
		return storeError(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopJobs = stop
	return nil
}

// Close refuses new operations, waits for those under way until ctx ends, and stops
// the background work. What did not end is parked: its rows are durable, and the
// next process goes on from them. The error is the context's if it ended first.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	stop := e.stopJobs
	e.mu.Unlock()
	e.endJobs()
	var stopped error
	if stop != nil {
		stopped = stop(ctx)
	}
	idle := make(chan struct{})
	go func() { e.running.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-ctx.Done():
		stopped = errors.Join(stopped, ctx.Err())
	}
	e.end()
	<-idle // every call has a deadline of its own, and background work ends with its context
	return stopped
}

// Ready reports what keeps the engine from work; nil if nothing does.
func (e *Engine) Ready(ctx context.Context) error {
	e.mu.Lock()
	closed := e.closed
	e.mu.Unlock()
	if closed {
		return errClosed()
	}
	return storeError(e.store.Ping(ctx))
}

// enter counts an operation in; false once the engine is closed.
func (e *Engine) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.running.Add(1)
	return true
}

// background does something beside the caller. It is begun also while the engine
// closes, by what is still under way.
func (e *Engine) background(do func(context.Context)) {
	e.running.Go(func() { do(e.life) })
}

// limiter bounds the status calls of a connection.
func (e *Engine) limiter(connection string) *rate.Limiter {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.limits[connection]
	if l == nil {
		n := e.config.Rates[connection]
		if n <= 0 {
			n = defaultRate
		}
		l = rate.NewLimiter(rate.Limit(n), max(1, n))
		e.limits[connection] = l
	}
	return l
}

// retain deletes what is older than it has to be kept.
func (e *Engine) retain(ctx context.Context) error {
	keep := e.config.Retention
	for _, r := range []struct {
		what store.Prunable
		keep time.Duration
	}{
		{store.PruneKeys, keep.Keys},
		{store.PruneEvents, keep.Events},
		{store.PruneNotifications, keep.Notifications},
		{store.PruneRequests, keep.Requests},
	} {
		for ctx.Err() == nil {
			n, err := e.store.Prune(ctx, r.what, e.now().Add(-r.keep), 1000)
			if err != nil {
				return err
			}
			if n < 1000 {
				break
			}
		}
	}
	return ctx.Err()
}
