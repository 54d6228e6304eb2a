package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/payhost/payhost/cmd/payhost/internal/demo"
)

func newDemo(out *output) *cobra.Command {
	o := demo.Options{}
	var faults []string
	var level string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Take a payment through its whole life at every provider, against the simulators",
		Long: `Demo starts the three simulators on loopback and payhost itself on a SQLite store in a temporary folder, with the
plugins as built, and takes one payment through its whole life at each provider over the HTTP API: SmartPay over mutual TLS
with the payer's code decrypted and its signature checked, answers that are lost and found again, and every event received
as a signed webhook. Every step is held against the contract; at the first that is not as it says, demo stops and exits 1.

A fault breaks an answer of a simulator before the run, in the JSON of its control API.`,
		Example: `  payhost demo
  payhost demo --only yeniltoleg
  payhost demo --fault 'rahmet={"path":"/orders/v1/preorder/status","fault":"html"}'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, text := range faults {
				f, err := parseFault(text)
				if err != nil {
					return &usageError{err}
				}
				o.Faults = append(o.Faults, f)
			}
			for _, name := range o.Only {
				if !known(name) {
					return &usageError{fmt.Errorf("--only: no provider %q", name)}
				}
			}
			for _, f := range o.Faults {
				if len(o.Only) > 0 && !slices.Contains(o.Only, f.Provider) {
					return &usageError{fmt.Errorf("--fault: %s is not run, by --only", f.Provider)}
				}
			}
			var err error
			if o.Logger, err = stageLogger(out, level); err != nil {
				return err
			}
			return runDemo(cmd.Context(), out, o)
		},
	}
	stageFlags(c, &o)
	c.Flags().StringSliceVar(&o.Only, "only", nil, "providers to run, with commas between")
	c.Flags().StringArrayVar(&faults, "fault", nil, "PROVIDER=JSON: break an answer of a simulator; may be repeated")
	c.Flags().StringVar(&level, "log", "off", "log level: off, error, warn, info, debug")
	return c
}

// stageFlags are common to demo and dev.
func stageFlags(c *cobra.Command, o *demo.Options) {
	c.Flags().StringVar(&o.PluginDir, "plugins", "build/plugins", "where the built plugins are")
	c.Flags().StringVar(&o.CacheDir, "cache", "", "where to keep compiled plugins; empty for no cache")
}

// stageLogger logs for demo and dev.
func stageLogger(out *output, level string) (hclog.Logger, error) {
	l := hclog.LevelFromString(level)
	if l == hclog.NoLevel {
		return nil, &usageError{fmt.Errorf("--log: %q is not one of off, error, warn, info, debug", level)}
	}
	return hclog.New(&hclog.LoggerOptions{Name: "payhost", Level: l, Output: out.stderr}), nil
}

func runDemo(ctx context.Context, out *output, o demo.Options) error {
	steps, err := demo.Run(ctx, o)
	if out.format == "json" {
		if jsonErr := out.json(steps); jsonErr != nil {
			return jsonErr
		}
	} else if printErr := demo.Print(out.stdout, steps); printErr != nil {
		return printErr
	}
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if out.format == "text" {
		fmt.Fprintf(out.stdout, "\n%d steps, all as the contract says\n", len(steps))
	}
	return nil
}

func parseFault(text string) (demo.Fault, error) {
	name, body, ok := strings.Cut(text, "=")
	if !ok || !known(name) {
		return demo.Fault{}, fmt.Errorf("--fault: %q is not PROVIDER=JSON with one of %s", text,
			strings.Join(demo.Providers(), ", "))
	}
	return demo.Fault{Provider: name, JSON: body}, nil
}

func known(name string) bool {
	return slices.Contains(demo.Providers(), name)
}
