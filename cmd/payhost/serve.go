package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/cmd/payhost/internal/daemon"
	"github.com/payhost/payhost/host"
)

func newServe(out *output, compiler compiler) *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run payhost: the HTTP API, the payments engine, the plugins",
		Long: `Serve runs payhost until it is interrupted. SIGTERM and SIGINT stop it: nothing new is accepted, what runs may
end within twice limits.call_timeout, the rest goes on at the next start. SIGHUP reads the configuration again: if
anything in it is wrong the running one stays whole, and the log says which field. Flags win over the environment, and
that over the file. docs/operations.md tells the rest.`,
		Example: "  payhost serve --config payhost.yaml\n  payhost serve --config payhost.yaml --listen 127.0.0.1:9090 --log-format text",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return &usageError{errors.New("--config is missing")}
			}
			return serve(cmd.Context(), out, compiler, path, given(cmd.Flags()))
		},
	}
	c.Flags().StringVar(&path, "config", "", "the configuration file")
	for _, f := range scalars() {
		c.Flags().String(f.flag, "", f.about)
	}
	return c
}

// scalar is a key of the configuration that is a flag, too.
type scalar struct{ flag, key, about string }

func scalars() []scalar {
	return []scalar{
		{"listen", "listen", "address of the HTTP API, host:port"},
		{"public-url", "public_url", "how providers and payers reach payhost"},
		{"data-dir", "data_dir", "folder of the SQLite store and the compiled plugins"},
		{"database-url", "database_url", "postgres://…, in place of the SQLite store"},
		{"log-level", "log.level", "trace, debug, info, warn, error or off"},
		{"log-format", "log.format", "json or text"},
	}
}

// given returns the flags that were set, by the keys of the configuration.
func given(flags *pflag.FlagSet) map[string]any {
	out := map[string]any{}
	for _, f := range scalars() {
		if flags.Changed(f.flag) {
			out[f.key], _ = flags.GetString(f.flag)
		}
	}
	return out
}

// collectLess lets the heap grow to four times what lives before it is collected,
// unless the environment says otherwise: payhost keeps little and makes much, and
// measured on SQLite that is a tenth more payments.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
}

func serve(ctx context.Context, out *output, compiler compiler, path string, flags map[string]any) error {
	defer private()()
	collectLess()
	hup := make(chan os.Signal, 1) // before anybody knows that payhost runs
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	c, err := config.Load(path, flags)
	if err != nil {
		return err
	}
	log := daemon.Logger(c, out.stderr)
	d, err := daemon.New(ctx, daemon.Options{Config: c, Logger: log, Compiler: compiler})
	if err != nil {
		return err
	}
	if err := out.serving(d.URL()); err != nil {
		return errors.Join(err, d.Close())
	}
	done := make(chan struct{})
	var reloads sync.WaitGroup
	reloads.Go(func() {
		for {
			select {
			case <-hup:
				reload(ctx, log, d, path, flags)
			case <-done:
				return
			}
		}
	})
	err = d.Run(ctx)
	close(done)
	reloads.Wait()
	return err
}

// reload reads the configuration again. Whatever is wrong is logged by its field.
func reload(ctx context.Context, log hclog.Logger, d *daemon.Daemon, path string, flags map[string]any) {
	err := d.ReloadFrom(ctx, func() (*config.Config, error) { return config.Load(path, flags) })
	if err == nil {
		log.Info("configuration reloaded", "path", path)
		return
	}
	var list config.Errors
	if !errors.As(err, &list) {
		list = config.Errors{err.Error()}
	}
	for _, problem := range list {
		log.Error("configuration is not reloaded: the running one stays", "problem", problem)
	}
}

// serving tells where payhost listens.
func (o *output) serving(url string) error {
	if o.format == "json" {
		return o.json(map[string]string{"url": url, "version": host.Version})
	}
	_, err := fmt.Fprintf(o.stdout, "payhost %s serves %s\n", host.Version, url)
	return err
}
