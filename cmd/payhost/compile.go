package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// mostModule is the most that is read of a module, in bytes. What serve takes is bounded
// below that.
const mostModule = 256 << 20

// compiler has a module compiled into a cache. Nil compiles in the process that needs it.
type compiler func(ctx context.Context, cacheDir string, module []byte) error

// patience is how long a module may take to be compiled by what calls leave of the
// processors: it takes some seconds where they leave anything.
const patience = time.Minute

// compileApart has this program compile a module in a process of its own, on half of the
// processors and at low priority. The memory that compiling takes
// is given back with it, and a module that brings the compiler down, or takes all memory
// for it, takes nothing else with it, and is refused. It gets no environment, so no secret
// either.
func compileApart(ctx context.Context, cacheDir string, module []byte) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	return compileWith(ctx, program, cacheDir, module)
}

func compileWith(ctx context.Context, program, cacheDir string, module []byte) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the processors were busy for %s", patience))
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "compile", "--cache", cacheDir)
	cmd.Env = []string{"TMPDIR=" + os.TempDir(), fmt.Sprintf("GOMAXPROCS=%d", max(1, runtime.GOMAXPROCS(0)/2))}
	cmd.Stdin = bytes.NewReader(module)
	inOwnGroup(cmd)
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &ended) && ended.ExitCode() != exitFailed:
		return (&pay.Error{Class: pay.ClassPluginFault, Message: "compiler broke down on the module: " + err.Error()}).Fill()
	}
	return fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
}

// newCompile is the other end of compileApart.
func newCompile() *cobra.Command {
	var cache string
	c := &cobra.Command{
		Use: "compile --cache DIR", Short: "Compile a plugin from standard input into a cache, at low priority", Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cache == "" {
				return &usageError{errors.New("--cache is missing")}
			}
			defer private()()
			giveWay()
			module, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), mostModule))
			if err != nil {
				return fmt.Errorf("standard input: %w", err)
			}
			return host.Compile(cmd.Context(), cache, module)
		},
	}
	c.Flags().StringVar(&cache, "cache", "", "folder of the cache, the owner's alone")
	return c
}
