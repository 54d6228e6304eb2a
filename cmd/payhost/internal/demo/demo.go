// Package demo takes one payment through its whole life at each provider: a real
// payhost with its API, its ledger and the plugins as built, real sockets, mutual
// TLS where the provider wants it, and the provider's part played by a simulator.
// It checks every step against the contract and stops at the first that is not as
// it says.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/host"
)

// Options say what to run.
type Options struct {
	PluginDir string                 // holds rahmet.wasm, yeniltoleg.wasm and smartpay.wasm
	Sources   map[string]host.Source // where providers' plugins come from instead of PluginDir
	// Requests, if given, is handed what a provider's simulator received.
	Requests func(provider string, list []simkit.Request)
	CacheDir string   // for compiled plugins; "" for the data folder
	DataDir  string   // of payhost; "" for a temporary one that is removed
	Listen   string   // of payhost; "" for a free port of loopback
	Token    string   // of the caller; "" for a random one
	Only     []string // providers to run; empty for all
	Faults   []Fault  // to break a simulator's answer before the run
	Logger   hclog.Logger
	Event    func(Event) // is told of every webhook that was received and verified; nil for nobody
}

// Fault is a fault for one simulator, in the JSON of its control API.
type Fault struct {
	Provider string
	JSON     string
}

// Providers are the names of the lives, in the order they are lived.
func Providers() []string { return []string{"rahmet", "yeniltoleg", "smartpay"} }

func (o *Options) wanted(provider string) bool {
	return len(o.Only) == 0 || slices.Contains(o.Only, provider)
}

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
func Run(ctx context.Context, o Options) (steps []Step, err error) {
	began := time.Now()
	stage, err := Start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	defer func() {
		stopping := time.Now()
		if closeErr := stage.Close(); closeErr != nil {
			err = errors.Join(err, fmt.Errorf("payhost: stop: %w", closeErr))
		} else if err == nil {
			steps = append(steps, Step{
				Provider: "payhost", Name: "stop", Result: "nothing left to do", Took: time.Since(stopping),
			})
		}
	}()
	steps = append(steps, Step{
		Provider: "payhost", Name: "start", Result: "SQLite, API at " + stage.URL(), Took: time.Since(began),
	})
	for _, name := range Providers() {
		if !o.wanted(name) {
			continue
		}
		l := newLife(ctx, stage, name)
		err := l.live(&o)
		steps = append(steps, l.steps...)
		if err != nil {
			return steps, err
		}
	}
	return steps, nil
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
