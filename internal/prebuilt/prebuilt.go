// Package prebuilt compiles modules for tests by the program itself, in a process of its
// own: under the race detector the compiler takes ten times as long, and there is nothing
// in it to find.
package prebuilt

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Builder has a payhost that is not under the race detector.
type Builder struct {
	dir     string
	program string
}

// New builds payhost into a folder, of which whoever called takes care.
func New(ctx context.Context, dir string) (*Builder, error) {
	b := &Builder{dir: dir, program: filepath.Join(dir, "payhost")}
	return b, run(exec.CommandContext(ctx, "go", "build", "-o", b.program, "github.com/payhost/payhost/cmd/payhost"))
}

// Plugin builds the plugin whose main package is in a folder, and packs it. What the
// linker is told more, such as another -buildid, makes another module of the same code.
func (b *Builder) Plugin(ctx context.Context, source string, ldflags ...string) ([]byte, error) {
	out := filepath.Join(b.dir, "plugin.wasm")
	flags := "-ldflags=" + strings.Join(append([]string{"-s", "-w"}, ldflags...), " ")
	build := exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", flags, "-o", out, source)
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if err := run(build); err != nil {
		return nil, err
	}
	if err := run(exec.CommandContext(ctx, b.program, "plugin", "pack", out)); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

// Compile puts the machine code of a module into a cache.
func (b *Builder) Compile(ctx context.Context, module []byte, cache string) error {
	cmd := exec.CommandContext(ctx, b.program, "compile", "--cache", cache)
	cmd.Stdin = bytes.NewReader(module)
	return run(cmd)
}

func run(cmd *exec.Cmd) error {
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, text)
	}
	return nil
}
