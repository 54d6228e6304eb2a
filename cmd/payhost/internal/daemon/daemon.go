// Package daemon is payhost serve: it puts the store, the host, the plugins, the
// connections, the engine and the HTTP API together, runs them, changes them on a
// reload, and takes them apart in an order that loses nothing.
package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/httpapi"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/store"
)

// Options are what a daemon is made of.
type Options struct {
	Config *config.Config
	Logger hclog.Logger // nil for none; its level follows the configuration's on a reload
	// Sources say where plugins come from instead of their path, by name: a demonstration and tests run Go
	// providers in-process so.
	Sources map[string]host.Source
	// CacheDir holds compiled plugins instead of a folder in the data folder.
	CacheDir string
	// Compiler puts a plugin's machine code into that folder by other means than this process; nil for none. See
	// [host.Config].
	Compiler func(ctx context.Context, cacheDir string, module []byte) error
	// Listener is served instead of one at the configuration's address; the daemon closes it.
	Listener net.Listener
}

// Daemon is payhost serve. Make it with [New], run it with [Daemon.Run], and close
// it if it is not run.
type Daemon struct {
	log     hclog.Logger
	sources map[string]host.Source

	cacheDir string
	compiler func(ctx context.Context, cacheDir string, module []byte) error
	grace    time.Duration // how long what runs may take to end

	store    store.Store
	storage  kv.Store
	host     *host.Host
	plugins  *payments.Plugins
	engine   *payments.Engine
	metrics  *metrics
	records  *recordings // nil if nothing is recorded
	listener net.Listener
	server   *http.Server
	api      *httpapi.API
	opened   atomic.Bool
	stopping atomic.Bool

	change   sync.Mutex // one reload at a time
	config   *config.Config
	problems map[string]string // of connections, as last logged
	unloaded map[string]string // plugins that could not be loaded, and why, as last logged

	isolation atomic.Pointer[map[string]config.Plugin] // what plugins are loaded by

	closeOnce sync.Once
	closeErr  error
}

// New opens everything and listens; nothing is served yet. A broken plugin or
// connection is logged and shown by the API, and does not keep the others down; an
// error is what keeps payhost itself from work. It is of type [config.Errors] if the
// configuration of a connection is wrong: a secret or setting is missing, or refused.
func New(ctx context.Context, o Options) (*Daemon, error) {
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	d := &Daemon{
		log: o.Logger, sources: o.Sources, cacheDir: o.CacheDir, compiler: o.Compiler, listener: o.Listener, config: o.Config,
		grace: 2 * o.Config.Limits.CallTimeout, metrics: newMetrics(), problems: map[string]string{},
		unloaded: map[string]string{},
	}
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.opened.Store(true)
	return d, nil
}

// open makes the parts, each on those before it.
func (d *Daemon) open(ctx context.Context) error {
	if err := d.openStores(ctx); err != nil {
		return err
	}
	hostConfig := d.hostConfig(d.config, d.log)
	hostConfig.Storage, hostConfig.Isolation = d.storage, d.isolationOf
	if d.records = newRecordings(d.config.Record, d.log.Named("record")); d.records != nil {
		hostConfig.Record = d.records.record
	}
	var err error
	if d.host, err = host.New(hostConfig); err != nil {
		return err
	}
	d.plugins = payments.NewPlugins(d.host, d.store, d.log)
	d.boot(ctx, d.config)
	if d.engine, err = payments.New(d.engineConfig()); err != nil {
		return err
	}
	if mistakes := d.connectAll(ctx); len(mistakes) > 0 {
		return mistakes
	}
	d.metrics.watch(d)
	if d.api, err = d.newAPI(); err != nil {
		return err
	}
	if d.listener == nil {
		if d.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", d.config.Listen); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	d.server = d.newServer()
	return nil
}

func (d *Daemon) hostConfig(c *config.Config, log hclog.Logger) host.Config {
	hc := HostConfig(c, log)
	hc.CacheDir = cmp.Or(d.cacheDir, hc.CacheDir)
	if d.compiler != nil {
		hc.Compiler = func(ctx context.Context, module []byte) error {
			if !d.opened.Load() {
				return host.ErrCompileHere // nobody calls yet
			}
			return d.compiler(ctx, hc.CacheDir, module)
		}
	}
	return hc
}

// URL is where the daemon listens, "http://127.0.0.1:8080".
func (d *Daemon) URL() string { return "http://" + d.listener.Addr().String() }

// Run serves until ctx ends, and then stops: nothing new is accepted, what runs may
// end within twice the call timeout, the rest is parked, and everything is closed.
// What is parked is durable: the next start goes on from it.
func (d *Daemon) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var loops sync.WaitGroup
	defer func() { stop(); loops.Wait() }()
	if err := d.engine.Start(background); err != nil {
		return errors.Join(err, d.Close())
	}
	loops.Go(func() { d.plugins.Follow(background) })
	loops.Go(func() { d.mend(background) })
	served := make(chan error, 1)
	go func() { served <- d.server.Serve(d.listener) }()
	d.log.Info("payhost serves", "url", d.URL(), "version", host.Version)
	var err error
	select {
	case <-ctx.Done():
	case err = <-served:
		err = fmt.Errorf("serve: %w", err)
	}
	d.stopping.Store(true)
	d.log.Info("payhost stops", "grace", d.grace.String())
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.grace)
	defer cancel()
	if d.server.Shutdown(deadline) != nil {
		_ = d.server.Close() // who still waits is cut off; what was asked for is in the ledger
	}
	stop()
	loops.Wait()
	return errors.Join(err, d.close(deadline))
}

// Close frees everything. After Run it does nothing.
func (d *Daemon) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), d.grace)
	defer cancel()
	return d.close(ctx)
}

// close takes the parts apart: first what uses others. The host waits for the calls
// that run, each of which ends by its own deadline, and the store is there until
// their outcomes are written.
func (d *Daemon) close(ctx context.Context) error {
	d.closeOnce.Do(func() {
		d.change.Lock() // a reload under way ends first; later ones are refused
		defer d.change.Unlock()
		d.stopping.Store(true)
		var errs []error
		if d.listener != nil {
			_ = d.listener.Close() // closed by the server already, if it ran
		}
		if d.engine != nil {
			if err := d.engine.Close(ctx); err != nil {
				d.log.Warn("operations that did not end in time are parked", "error", err)
			}
		}
		if d.host != nil {
			errs = append(errs, d.host.Close())
		}
		d.records.close()
		if d.storage != nil {
			errs = append(errs, d.storage.Close())
		}
		if d.store != nil {
			errs = append(errs, d.store.Close())
		}
		d.closeErr = errors.Join(errs...)
		d.log.Info("payhost stopped")
	})
	return d.closeErr
}
