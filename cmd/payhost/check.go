package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/cmd/payhost/internal/daemon"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// finding is one line of what check found.
type finding struct {
	Kind   string `json:"kind"` // config, plugin, connection
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

func newCheck(out *output) *cobra.Command {
	var path string
	var offline bool
	c := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Check a configuration: load its plugins, make its connections, ping its providers",
		Long: `Check reads the configuration as serve would, loads each plugin, makes each connection and, where the
plugin can, asks the provider whether it is there. Nothing is paid and nothing is stored, but for compiled plugins where
this user's own serve keeps them already. It exits 1 if anything is wrong; one broken plugin or connection does not keep
the others from being checked.`,
		Example: "  payhost check --config payhost.yaml\n  payhost check --config payhost.yaml --offline --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return &usageError{errors.New("--config is missing")}
			}
			return out.findings(check(cmd.Context(), path, offline))
		},
	}
	c.Flags().StringVar(&path, "config", "", "the configuration file")
	c.Flags().BoolVar(&offline, "offline", false, "do not ping the providers")
	return c
}

// check returns what it found; it stops early only if the configuration can't be
// read at all.
func check(ctx context.Context, path string, offline bool) []finding {
	conf, err := config.Load(path, nil)
	if err != nil {
		var list config.Errors
		if !errors.As(err, &list) {
			list = config.Errors{err.Error()}
		}
		var found []finding
		for _, problem := range list {
			found = append(found, finding{Kind: "config", Name: path, Detail: problem})
		}
		return found
	}
	found := []finding{{Kind: "config", Name: path, OK: true, Detail: "well formed"}}
	hostConfig := daemon.HostConfig(conf, daemon.Logger(conf, os.Stderr))
	if !owns(hostConfig.CacheDir) { // a folder of another user is not to be used, and one made here would not be by serve
		hostConfig.CacheDir = ""
	}
	h, err := host.New(hostConfig)
	if err != nil {
		return append(found, finding{Kind: "config", Name: path, Detail: err.Error()})
	}
	defer h.Close()
	for _, name := range slices.Sorted(maps.Keys(conf.Plugins)) {
		found = append(found, checkPlugin(ctx, h, name, conf.Plugins[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(conf.Connections)) {
		found = append(found, checkConnection(ctx, h, name, conf.Connections[name], offline))
	}
	return found
}

func checkPlugin(ctx context.Context, h *host.Host, name string, p config.Plugin) finding {
	rev, err := h.Load(ctx, name, host.Source{Path: p.Path, SHA256: p.SHA256})
	if err != nil {
		return finding{Kind: "plugin", Name: name, Detail: err.Error()}
	}
	m := rev.Manifest()
	return finding{Kind: "plugin", Name: name, OK: true, Detail: m.ID + " " + m.Version + ", sha256 " + rev.Digest()}
}

func checkConnection(ctx context.Context, h *host.Host, name string, c config.Connection, offline bool) finding {
	f := finding{Kind: "connection", Name: name}
	cc, err := daemon.ConnectionConfig(name, c)
	if err == nil {
		var conn *host.Connection
		if conn, err = h.Connect(ctx, cc); err == nil {
			f.Detail, err = ping(ctx, conn, offline)
		}
	}
	if err != nil {
		f.Detail = err.Error()
		if e := pay.AsError(err); e.Field != "" {
			f.Detail += " [" + e.Class.String() + "]"
		}
		return f
	}
	f.OK = true
	return f
}

func ping(ctx context.Context, conn *host.Connection, offline bool) (string, error) {
	if offline {
		return "settings, secrets and keys fit; not pinged", nil
	}
	err := conn.Ping(ctx)
	switch {
	case err == nil:
		return "provider answers", nil
	case pay.ClassOf(err) == pay.ClassUnsupported:
		return "settings, secrets and keys fit; the provider has no ping", nil
	}
	return "", err
}

// findings prints a list and reports whether all is well.
func (o *output) findings(list []finding) error {
	bad := false
	for _, f := range list {
		bad = bad || !f.OK
	}
	if o.format == "json" {
		if err := o.json(list); err != nil {
			return err
		}
	} else {
		w := tabwriter.NewWriter(o.stdout, 0, 4, 2, ' ', 0)
		for _, f := range list {
			mark := "ok"
			if !f.OK {
				mark = "FAILED"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", mark, f.Kind, f.Name, f.Detail)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if bad {
		return errReported
	}
	return nil
}

func (o *output) json(v any) error {
	enc := json.NewEncoder(o.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
