// Command payhost takes payments through provider plugins: it serves the HTTP API,
// is a client of it, checks configurations, packs and inspects plugins and holds them
// to the contract, runs the provider simulators, and shows the whole life of a payment
// at each provider.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/host"
)

// Exit codes of every command.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	// net/http prints what a provider sends unasked through the standard logger, and
	// can't be told not to: it could hold anything.
	log.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, newRoot(os.Stdout, os.Stderr, builtIn(), compileApart), os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program with its edges handed in, so that tests can call it: in one
// process, since a test's is not this program's.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return execute(ctx, newRoot(stdout, stderr, builtIn(), nil), args, stderr)
}

// execute runs a command line and tells what was wrong with it.
func execute(ctx context.Context, root *cobra.Command, args []string, stderr io.Writer) int {
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "payhost: %s\n", err)
		return exitUsage
	case !errors.Is(err, errReported):
		fmt.Fprintf(stderr, "payhost: %s\n", err)
	}
	return exitFailed
}

// usageError is a mistake in the command line.
type usageError struct{ error }

// errReported says that the command has told what failed already.
var errReported = errors.New("failed")

// output is how a command prints its result.
type output struct {
	format string // "text" or "json"
	stdout io.Writer
	stderr io.Writer
}

func newRoot(stdout, stderr io.Writer, s suite, c compiler) *cobra.Command {
	out := &output{stdout: stdout, stderr: stderr}
	root := &cobra.Command{
		Use:           "payhost",
		Short:         "Take payments through any provider by a sandboxed plugin",
		Version:       host.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if out.format != "text" && out.format != "json" {
				return &usageError{fmt.Errorf("--output: %q is neither text nor json", out.format)}
			}
			return nil
		},
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.PersistentFlags().StringVar(&out.format, "output", "text", "how to print the result: text or json")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(
		newServe(out, c), newDemo(out), newDev(out), newCheck(out), newSim(out), newPlugin(out), newPayment(out), newInDoubt(out),
		newConformance(out, s), newCompile(),
	)
	usageArgs(root)
	return root
}

// usageArgs makes wrong arguments and unknown commands mistakes in the command
// line, for a command and all below it.
func usageArgs(c *cobra.Command) {
	check := c.Args
	c.Args = func(cmd *cobra.Command, args []string) error {
		if check == nil {
			check = cobra.NoArgs
		}
		if err := check(cmd, args); err != nil {
			return &usageError{err}
		}
		return nil
	}
	if c.HasSubCommands() && c.RunE == nil {
		c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	for _, sub := range c.Commands() {
		usageArgs(sub)
	}
}
