package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/cmd/payhost/internal/scaffold"
	"github.com/payhost/payhost/host"
)

func newNew(out *output) *cobra.Command {
	o := scaffold.Options{Version: host.Version}
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Begin a plugin: a Go module that compiles, loads and passes its tests",
		Long: `New writes a plugin into a directory of its own: manifest and operations of the flow, tests with a transcript, a
scenario for the conformance suite, a Makefile. It speaks a wire that is invented; what is the provider's own is marked
"PROVIDER:". A directory that holds something is refused.`,
		Example: `  payhost plugin new acme --flow qr --module github.com/shop/payhost-acme`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o.Name = args[0]
			files, err := scaffold.Write(o)
			if errors.Is(err, scaffold.ErrOptions) {
				return &usageError{err}
			}
			if err != nil {
				return err
			}
			return out.begun(o, files)
		},
	}
	c.Flags().StringVar(&o.Dir, "dir", "", "where it goes (default: ./NAME)")
	c.Flags().StringVar(&o.Flow, "flow", scaffold.FlowRedirect, "how a payer pays: "+strings.Join(scaffold.Flows(), ", "))
	c.Flags().StringVar(&o.Module, "module", "", "path of its Go module (default: example.com/NAME)")
	c.Flags().StringVar(&o.Replace, "replace", "", "build against payhost's source in this directory, not a version that is fetched")
	return c
}

// begun prints what was written and what to do next.
func (o *output) begun(options scaffold.Options, files []string) error {
	dir := options.Dir
	if dir == "" {
		dir = options.Name
	}
	if o.format == "json" {
		return o.json(map[string]any{"name": options.Name, "flow": options.Flow, "dir": dir, "files": files})
	}
	for _, f := range files {
		fmt.Fprintln(o.stdout, dir+"/"+f)
	}
	fetch := ""
	if options.Replace == "" {
		fetch = " && go get github.com/payhost/payhost@v" + options.Version
	}
	fmt.Fprintf(o.stdout, "\nnext: cd %s%s && make test\n", shellWord(dir), fetch)
	return nil
}
