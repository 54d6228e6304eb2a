package daemon

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// mendEvery is how often a plugin that could not be loaded and a connection that could
// not be made are tried again: their files may have come, a plugin may have been activated.
const mendEvery = 15 * time.Second

// source is where a plugin comes from.
func (d *Daemon) source(name string, p config.Plugin) host.Source {
	if s, ok := d.sources[name]; ok {
		return s
	}
	return host.Source{Path: p.Path, SHA256: p.SHA256}
}

// isolationOf is how the plugins of the configuration in use, or of the one that is
// being put in place, are isolated.
func (d *Daemon) isolationOf(plugin string) host.Isolation {
	return isolation(*d.isolation.Load(), plugin)
}

// boot loads the plugins of a configuration, or brings them to its files.
func (d *Daemon) boot(ctx context.Context, c *config.Config) {
	d.isolation.Store(&c.Plugins)
	d.load(ctx, c, slices.Sorted(maps.Keys(c.Plugins)))
}

// load loads some plugins of a configuration. What keeps one from it is logged if it is
// new.
func (d *Daemon) load(ctx context.Context, c *config.Config, names []string) {
	var side errgroup.Group // side by side: part of loading is one thread's work
	side.SetLimit(runtime.GOMAXPROCS(0))
	failed := make([]error, len(names))
	for i, name := range names {
		side.Go(func() error {
			failed[i] = d.plugins.Boot(ctx, name, d.source(name, c.Plugins[name]))
			return nil // the others go on
		})
	}
	_ = side.Wait()
	for i, name := range names {
		err := failed[i]
		if err == nil {
			delete(d.unloaded, name)
		} else if d.unloaded[name] != err.Error() {
			d.unloaded[name] = err.Error()
			d.log.Error("plugin is not loaded", "plugin", name, "error", err)
		}
	}
}

// mendOnce tries again what could not be loaded or connected.
func (d *Daemon) mendOnce(ctx context.Context) {
	d.change.Lock()
	defer d.change.Unlock()
	d.load(ctx, d.config, slices.Sorted(maps.Keys(d.unloaded)))
	_ = d.connectAll(ctx) // noted and logged
}

// connectAll makes every connection that is configured and not made. It returns what
// the configuration itself says wrong of those that can't be made.
func (d *Daemon) connectAll(ctx context.Context) config.Errors {
	var mistakes config.Errors
	for _, name := range slices.Sorted(maps.Keys(d.config.Connections)) {
		if _, ok := d.host.Connection(name); ok {
			continue
		}
		if err := d.connect(ctx, name, d.config.Connections[name]); mistaken(err) {
			mistakes = append(mistakes, pay.AsError(err).Error())
		}
	}
	return mistakes
}

// mistaken reports whether a connection can't be made since its configuration says
// something wrong or too little: that stops a start as an unknown key does. What the
// configuration only points to is another matter, since it may come by itself: a
// plugin that is not loaded, a certificate or key that is not there or can't be read.
func mistaken(err error) bool {
	if err == nil {
		return false
	}
	e := pay.AsError(err)
	return e.Class == pay.ClassConfig && !strings.HasSuffix(e.Field, ".plugin") && !strings.HasSuffix(e.Field, "_file")
}

// connect makes one connection. A problem is noted where an operator looks for it,
// and logged if it is a new one.
func (d *Daemon) connect(ctx context.Context, name string, c config.Connection) error {
	cc, err := ConnectionConfig(name, c)
	if err == nil {
		_, err = d.host.Connect(ctx, cc)
	}
	if err == nil {
		d.engine.SetProblem(name, "")
		delete(d.problems, name)
		d.log.Info("connected", "connection", name, "plugin", c.Plugin, "base_url", c.BaseURL)
		return nil
	}
	d.engine.SetProblem(name, err.Error())
	if d.problems[name] != err.Error() {
		d.problems[name] = err.Error()
		d.log.Error("connection can't be made", "connection", name, "plugin", c.Plugin, "error", err)
	}
	return err
}

// disconnect takes a connection away, with what was noted of it.
func (d *Daemon) disconnect(name string) {
	d.host.Disconnect(name)
	d.engine.SetProblem(name, "")
	delete(d.problems, name)
	d.log.Info("disconnected", "connection", name)
}

// mend tries again what could not be loaded or connected, until ctx ends.
func (d *Daemon) mend(ctx context.Context) {
	tick := time.NewTicker(mendEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			d.mendOnce(ctx)
		}
	}
}
