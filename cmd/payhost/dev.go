package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/cmd/payhost/internal/demo"
)

func newDev(out *output) *cobra.Command {
	o := demo.Options{}
	var level string
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run payhost with the simulators of its providers, and stay up",
		Long: `Dev does the start that demo does and stays up until it is interrupted: payhost with the three plugins, connected to
the three simulators, and a receiver of its webhooks, which prints every event. It prints where everything is as lines for
a shell. $PAYHOST_TOKEN is the token, if it is set. Nothing is kept, unless --data-dir says where.`,
		Example: `  payhost dev
  payhost dev --listen 127.0.0.1:9000 --data-dir ./data`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Token = os.Getenv("PAYHOST_TOKEN")
			var err error
			if o.Logger, err = stageLogger(out, level); err != nil {
				return err
			}
			return dev(cmd.Context(), out, o)
		},
	}
	stageFlags(c, &o)
	c.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:8080", "address of payhost's API")
	c.Flags().StringVar(&o.DataDir, "data-dir", "", "where to keep payhost's data; empty for a temporary folder")
	c.Flags().StringVar(&level, "log", "warn", "log level: off, error, warn, info, debug")
	return c
}

func dev(ctx context.Context, out *output, o demo.Options) error {
	var printing sync.Mutex // events come while the start is printed
	o.Event = func(e demo.Event) {
		printing.Lock()
		defer printing.Unlock()
		if out.format == "text" {
			fmt.Fprintf(out.stdout, "# event %s of %s, signature verified\n", e.Type, e.Payment)
		}
	}
	stage, err := demo.Start(ctx, o)
	if err != nil {
		return err
	}
	printing.Lock()
	err = out.stage(stage)
	printing.Unlock()
	if err == nil {
		err = stage.Wait(ctx)
	}
	return cmp.Or(err, stage.Close())
}

// stage prints where everything is.
func (o *output) stage(s *demo.Stage) error {
	view := map[string]string{"PAYHOST_URL": s.URL(), "PAYHOST_TOKEN": s.Token}
	order := []string{"PAYHOST_URL", "PAYHOST_TOKEN"}
	for _, scene := range s.Scenes {
		name := strings.ToUpper(scene.Provider) + "_SIM"
		view[name] = scene.Control
		order = append(order, name)
	}
	if o.format == "json" {
		return o.json(view)
	}
	fmt.Fprintf(o.stdout, "# payhost serves %s; its API is described at %s/docs\n", s.URL(), s.URL())
	for _, name := range order {
		fmt.Fprintf(o.stdout, "export %s=%s\n", name, view[name])
	}
	for _, scene := range s.Scenes {
		text := "payment pages are linked by next_action.url"
		if scene.Provider == "smartpay" {
			text = "the payer's code is at " + scene.Control + "/payer"
		}
		fmt.Fprintf(o.stdout, "# %s: connection %s; control API under %s/_sim/; %s\n", scene.Provider, scene.Connection, scene.Control, text)
	}
	_, err := fmt.Fprintln(o.stdout, "# interrupt to stop")
	return err
}
