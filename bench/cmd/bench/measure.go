package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/payhost/payhost/bench/internal/guests"
)

// buildTest builds the benchmarks of a package, once for all suites of it.
func (r *run) buildTest(ctx context.Context, s suite) (program string, err error) {
	program = r.path(strings.ReplaceAll(path.Join(s.module, s.pkg), "/", "-") + ".test")
	if r.built[program] {
		return program, nil
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", program, s.pkg)
	cmd.Dir = filepath.Join(r.root, s.module)
	if err := guests.Quietly(cmd); err != nil {
		return "", err
	}
	r.built[program] = true
	return program, nil
}

// measure runs one round of a suite and returns what it printed.
func (r *run) measure(ctx context.Context, s suite) ([]byte, error) {
	program, err := r.buildTest(ctx, s)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.most)
	defer cancel()
	args := []string{"-test.v", "-test.run=^$", "-test.bench=" + s.match, "-test.benchtime=" + s.time, "-test.timeout=0"}
	cmd := exec.CommandContext(ctx, program, append(args, s.args...)...)
	cmd.Dir = filepath.Join(r.root, s.module, s.pkg) // where go test would run it
	cmd.Env = append(os.Environ(), guests.BuildEnv+"="+r.path(""))
	cmd.WaitDelay = 5 * time.Second // for what a killed program leaves behind
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, r.log
	if err := cmd.Run(); err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("a round took more than %s", s.most)
		}
		fmt.Fprintf(r.log, "%s\n%s\n", s.name, out.Bytes())
		return out.Bytes(), err
	}
	return out.Bytes(), nil
}
