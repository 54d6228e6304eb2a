package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
)

// revisionCommands are the plugin commands that ask a running payhost.
func revisionCommands(out *output) []*cobra.Command {
	a := &api{out: out}
	commands := []*cobra.Command{a.pluginList(), a.pluginPush(), a.pluginActivate(), a.pluginRollback()}
	for _, c := range commands {
		a.flags(c)
	}
	return commands
}

func (a *api) pluginList() *cobra.Command {
	return &cobra.Command{
		Use: "list [NAME]", Short: "List the plugins of a running payhost, or the revisions of one", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				answer, err := a.get(cmd, "/v1/plugins", nil)
				if err != nil {
					return err
				}
				return show(a, answer, a.plugins)
			}
			answer, err := a.get(cmd, "/v1/plugins/"+url.PathEscape(args[0])+"/revisions", nil)
			if err != nil {
				return err
			}
			return show(a, answer, a.revisions)
		},
	}
}

func (a *api) pluginPush() *cobra.Command {
	var activate, force bool
	c := &cobra.Command{
		Use: "push NAME FILE.wasm", Short: "Upload a revision of a plugin; it is checked and stored, not yet used",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if force && !activate {
				return &usageError{errors.New("--force is about putting the revision in place: give --activate, too")}
			}
			binary, err := os.ReadFile(args[1])
			if err != nil {
				return err
			}
			path := "/v1/plugins/" + url.PathEscape(args[0])
			answer, err := a.call(cmd, client.Request{
				Method: http.MethodPost, Path: path + "/revisions", Body: client.Raw(binary),
			}, false)
			if err != nil {
				return err
			}
			if !activate {
				return show(a, answer, func(r client.Revision) {
					fmt.Fprintf(a.out.stdout, "stored %s %s %s\nput it in place: payhost plugin activate %s %s\n",
						args[0], r.Version, r.Digest, args[0], r.Digest)
				})
			}
			var r client.Revision
			if err := answer.Into(&r); err != nil {
				return err
			}
			return a.activate(cmd, path+"/activate", activation{Digest: r.Digest, Force: force})
		},
	}
	c.Flags().BoolVar(&activate, "activate", false, "put it in place, too")
	forceFlag(c, &force)
	return c
}

// activation is the body of activate, and without a digest of rollback.
type activation struct {
	Digest        string `json:"digest,omitempty"`
	CanaryPercent *int   `json:"canary_percent,omitempty"`
	Force         bool   `json:"force,omitempty"`
}

func forceFlag(c *cobra.Command, force *bool) {
	c.Flags().BoolVar(force, "force", false, "put it in place though it lacks what payments under way need")
}

func (a *api) pluginActivate() *cobra.Command {
	var force bool
	var percent int
	c := &cobra.Command{
		Use: "activate NAME DIGEST", Short: "Put a stored revision in place while payments go on", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			body := activation{Digest: args[1], Force: force}
			if cmd.Flags().Changed("canary-percent") {
				body.CanaryPercent = &percent
			}
			return a.activate(cmd, "/v1/plugins/"+url.PathEscape(args[0])+"/activate", body)
		},
	}
	c.Flags().IntVar(&percent, "canary-percent", 100, "run it beside the one in place, for so many percent of the payments")
	forceFlag(c, &force)
	return c
}

func (a *api) pluginRollback() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use: "rollback NAME", Short: "End a canary, or put the revision in place that was there before", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.activate(cmd, "/v1/plugins/"+url.PathEscape(args[0])+"/rollback", activation{Force: force})
		},
	}
	forceFlag(c, &force)
	return c
}

func (a *api) activate(cmd *cobra.Command, path string, body activation) error {
	answer, err := a.call(cmd, client.Request{Method: http.MethodPost, Path: path, Body: body}, false)
	if err != nil {
		return err
	}
	return show(a, answer, func(v client.Activation) {
		share := ""
		if v.Canary < 100 {
			share = fmt.Sprintf(" for %d %% of the payments", v.Canary)
		}
		fmt.Fprintf(a.out.stdout, "%s runs %s%s (%s, by %s)\n", v.Plugin, v.Digest, share, v.Source, v.By)
		if len(v.Lost) > 0 {
			fmt.Fprintf(a.out.stdout, "it lacks what the revision before had: %s\n", strings.Join(v.Lost, ", "))
		}
		if v.Forced {
			fmt.Fprintf(a.out.stdout, "by force, though this was needed: %s\n", v.Needed)
		}
	})
}

func (a *api) plugins(list client.Plugins) {
	w := tabwriter.NewWriter(a.out.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "PLUGIN\tID\tVERSION\tDIGEST\t")
	for _, p := range list.Plugins {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", p.Name, p.ID, p.Version, p.Digest, p.Problem)
		if c := p.Canary; c != nil {
			fmt.Fprintf(w, "\tcanary %d %%\t%s\t%s\t\n", c.Percent, c.Version, c.Digest)
		}
	}
	_ = w.Flush()
}

func (a *api) revisions(list client.Revisions) {
	w := tabwriter.NewWriter(a.out.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "VERSION\tDIGEST\tSIZE\tBY\tAT\t")
	for _, r := range list.Revisions {
		mark := ""
		if r.Active {
			mark = "in use"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", r.Version, r.Digest, r.Size, r.By, r.At.Format(time.RFC3339), mark)
	}
	_ = w.Flush()
	if len(list.Activations) == 0 {
		return
	}
	fmt.Fprintln(w, "\nPUT IN PLACE\tDIGEST\tPERCENT\tSOURCE\tBY\tLOST\t")
	for _, v := range list.Activations {
		lost := strings.Join(v.Lost, ", ")
		if v.Forced {
			lost += "; by force, needed: " + v.Needed
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t\n",
			v.At.Format(time.RFC3339), v.Digest[:min(12, len(v.Digest))], v.Canary, v.Source, v.By, lost)
	}
	_ = w.Flush()
}
