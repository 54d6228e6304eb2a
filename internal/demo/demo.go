// Package demo takes one payment through its whole life at each provider: the
// plugins as built, real sockets, mutual TLS where the provider wants it, and the
// provider's part played by a simulator. It checks every step against the
// contract and stops at the first that is not as it says.
package demo

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/host"
)

// Options say what to run.
type Options struct {
	PluginDir string // holds rahmet.wasm, yeniltoleg.wasm and smartpay.wasm
	// Source, if given, says where a provider's plugin is instead of PluginDir.
	Source func(provider string) host.Source
	// Requests, if given, is handed what a provider's simulator received.
	Requests func(provider string, list []simkit.Request)
	CacheDir string   // for compiled plugins; "" for none
	Only     []string // providers to run; empty for all
	Faults   []Fault  // to break a simulator's answer before the run
	Logger   hclog.Logger
}

func (o *Options) source(provider string) host.Source {
	if o.Source != nil {
		return o.Source(provider)
	}
	return host.Source{Path: filepath.Join(o.PluginDir, provider+".wasm")}
}

// Fault is a fault for one simulator, in the JSON of its control API.
type Fault struct {
	Provider string
	JSON     string
}

// Providers are the names of the lives, in the order they are lived.
func Providers() []string { return []string{"rahmet", "yeniltoleg", "smartpay"} }

// Step is one line of the table.
type Step struct {
	Provider string        `json:"provider"`
	Name     string        `json:"step"`
	Result   string        `json:"result"`
	Took     time.Duration `json:"took_ns"`
	Err      string        `json:"error,omitempty"`
}

// Run lives the lives and returns the steps taken. The error says which step was
// not as the contract says; the steps up to it are returned with it.
func Run(ctx context.Context, o Options) ([]Step, error) {
	h, err := host.New(host.Config{CacheDir: o.CacheDir, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	defer h.Close()
	scratch, clean, err := scratchDir()
	if err != nil {
		return nil, err
	}
	defer clean()
	var all []Step
	for _, name := range Providers() {
		if len(o.Only) > 0 && !contains(o.Only, name) {
			continue
		}
		l := &life{ctx: ctx, host: h, provider: name, scratch: scratch}
		err := l.live(&o)
		all = append(all, l.steps...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// Print writes the steps as a table.
func Print(w io.Writer, steps []Step) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "PROVIDER\tSTEP\tRESULT\tTOOK")
	last := ""
	for _, s := range steps {
		name := s.Provider
		if name == last {
			name = ""
		}
		last = s.Provider
		result := s.Result
		if s.Err != "" {
			result = "FAILED: " + s.Err
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", name, s.Name, result, took(s.Took))
	}
	return t.Flush()
}

// took rounds a duration to what is worth reading.
func took(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}
