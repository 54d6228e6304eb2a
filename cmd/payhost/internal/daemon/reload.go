package daemon

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// Reload goes over to another configuration while payments go on. Everything new is
// loaded and checked beside the old first; on an error, of type [config.Errors] if
// the configuration is at fault, nothing has changed. A connection that is not
// changed is left alone. What runs on one that is changed or taken away ends on it.
func (d *Daemon) Reload(ctx context.Context, next *config.Config) error {
	return d.ReloadFrom(ctx, func() (*config.Config, error) { return next, nil })
}

// ReloadFrom is [Daemon.Reload] to what load returns. That it can't be loaded counts
// as a reload that failed.
func (d *Daemon) ReloadFrom(ctx context.Context, load func() (*config.Config, error)) error {
	d.change.Lock()
	defer d.change.Unlock()
	next, err := load()
	if err == nil {
		err = d.reload(ctx, next)
	}
	d.metrics.reloaded(err)
	return err
}

func (d *Daemon) reload(ctx context.Context, next *config.Config) error {
	if d.stopping.Load() {
		return errStopping
	}
	if problems := fixed(d.config, next); len(problems) > 0 {
		return problems
	}
	if err := d.rehearse(ctx, next); err != nil {
		return err
	}
	if err := d.api.SetTokens(tokens(next)); err != nil {
		return config.Errors{"auth.tokens: " + err.Error()}
	}
	settings := engineSettings(next)
	d.engine.SetEndpoints(settings.endpoints)
	d.engine.SetPolicies(settings.late, settings.rates)
	d.warnOfDoubts(ctx, next)
	for _, name := range slices.Sorted(maps.Keys(d.config.Connections)) {
		if d.changed(name, next) {
			d.disconnect(name)
		}
	}
	d.boot(ctx, next)
	d.config = next
	_ = d.connectAll(ctx) // rehearsed; what fails all the same is noted and logged
	d.log.SetLevel(hclog.LevelFromString(next.Log.Level))
	return nil
}

// changed reports whether a connection is another one in the next configuration, or
// none.
func (d *Daemon) changed(name string, next *config.Config) bool {
	now, had := d.config.Connections[name]
	then, has := next.Connections[name]
	return had != has || !reflect.DeepEqual(now, then)
}

// fixed names what can't be changed while payhost runs.
func fixed(now, next *config.Config) config.Errors {
	var list config.Errors
	for _, f := range []struct {
		field string
		same  bool
	}{
		{"listen", now.Listen == next.Listen},
		{"public_url", now.PublicURL == next.PublicURL},
		{"data_dir", now.DataDir == next.DataDir},
		{"database_url", now.DatabaseURL == next.DatabaseURL},
		{"log.format", now.Log.Format == next.Log.Format},
		{"limits", now.Limits == next.Limits},
		{"retention", now.Retention == next.Retention},
		{"record", reflect.DeepEqual(now.Record, next.Record)},
	} {
		if !f.same {
			list = append(list, f.field+restart)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now.Plugins)) {
		if _, stays := next.Plugins[name]; stays && isolation(now.Plugins, name) != isolation(next.Plugins, name) {
			list = append(list, "plugins."+name+".isolation"+restart)
		}
	}
	return list
}

const restart = ": can't be changed while payhost runs: restart it"

// rehearse loads and connects whatever is new in a second host beside the running
// one, which is thrown away.
func (d *Daemon) rehearse(ctx context.Context, next *config.Config) error {
	stage, err := host.New(d.hostConfig(next, hclog.NewNullLogger()))
	if err != nil {
		return err
	}
	defer stage.Close()
	var problems config.Errors
	for _, name := range slices.Sorted(maps.Keys(next.Plugins)) {
		if !d.touched(ctx, name, next) {
			continue
		}
		if err := d.rehearsePlugin(ctx, stage, name, next); err != nil {
			problems = append(problems, "plugins."+name+": "+err.Error())
			continue
		}
		problems = append(problems, d.rehearseConnections(ctx, stage, name, next)...)
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}

// touched reports whether a plugin will run another revision, or any of its
// connections is new or changed.
func (d *Daemon) touched(ctx context.Context, plugin string, next *config.Config) bool {
	if !reflect.DeepEqual(d.config.Plugins[plugin], next.Plugins[plugin]) {
		return true
	}
	for name, c := range next.Connections {
		if c.Plugin == plugin && d.changed(name, next) {
			return true
		}
	}
	plan, err := d.plugins.Plan(ctx, plugin, d.source(plugin, next.Plugins[plugin]))
	rev, runs := d.host.Revision(plugin)
	switch {
	case err != nil:
		return runs // it was broken before: no reason to refuse
	case plan.Native != nil:
		return false
	}
	return !runs || rev.Digest() != plan.SHA256
}

// rehearsePlugin puts on the stage what will run, over what runs now, so that a
// revision that does not fit the stored state, or lacks what is under way needs, is
// refused here.
func (d *Daemon) rehearsePlugin(ctx context.Context, stage *host.Host, name string, next *config.Config) error {
	plan, err := d.plugins.Plan(ctx, name, d.source(name, next.Plugins[name]))
	if err != nil {
		return err
	}
	now, runs := d.plugins.Running(ctx, name)
	if !runs || plan.Native != nil || now.SHA256 == plan.SHA256 {
		if _, err = stage.Load(ctx, name, plan); err != nil {
			return err
		}
		return d.rehearseCanary(ctx, stage, name, plan)
	}
	if _, err := stage.Load(ctx, name, now); err != nil {
		return err
	}
	_, err = stage.SwapIf(ctx, name, plan, d.plugins.Unneeded(ctx, name))
	return err
}

// rehearseCanary puts the canary on the stage that will run beside the plan: connections
// must fit it, too.
func (d *Daemon) rehearseCanary(ctx context.Context, stage *host.Host, name string, plan host.Source) error {
	canary, percent, err := d.plugins.PlanCanary(ctx, name, plan)
	if err != nil || percent == 0 {
		return err
	}
	_, err = stage.StartCanary(ctx, name, canary, percent, func(host.Losses) error { return nil })
	return err
}

func (d *Daemon) rehearseConnections(ctx context.Context, stage *host.Host, plugin string, next *config.Config) config.Errors {
	var problems config.Errors
	for _, name := range slices.Sorted(maps.Keys(next.Connections)) {
		c := next.Connections[name]
		if c.Plugin != plugin {
			continue
		}
		if _, broken := d.problems[name]; broken && !d.changed(name, next) {
			continue
		}
		cc, err := ConnectionConfig(name, c)
		if err == nil {
			_, err = stage.Connect(ctx, cc)
		}
		if err != nil {
			problems = append(problems, pay.AsError(err).Error())
		}
	}
	return problems
}

// warnOfDoubts says what of a connection that goes away is still open: nobody will
// ask the provider about it until the connection is back.
func (d *Daemon) warnOfDoubts(ctx context.Context, next *config.Config) {
	stats, err := d.store.Stats(ctx, time.Now())
	if err != nil {
		return
	}
	for name, n := range stats.InDoubt {
		if _, stays := next.Connections[name]; !stays && n > 0 {
			d.log.Warn("connection with payments in doubt is taken away: nothing asks after them", "connection", name, "in_doubt", n)
		}
	}
}
