// Package guests builds the plugins that the benchmarks run.
package guests

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/payhost/payhost/host"
)

// BuildEnv is the variable that tells benchmarks where the plugins are.
const BuildEnv = "BENCH_BUILD"

// modules are built for Wasm, each from its folder under bench/guest.
var modules = []string{"payhost", "idiomatic", "spin", "extismjson", "extismbinary", "goplugin"}

// Build builds the plugins into dir. Root is the repository.
func Build(ctx context.Context, root, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	wasm := []string{"GOOS=wasip1", "GOARCH=wasm"}
	for _, name := range modules {
		path := filepath.Join(dir, name+".wasm")
		if err := build(ctx, root, path, wasm, "-buildmode=c-shared", "./guest/"+name); err != nil {
			return err
		}
	}
	if err := build(ctx, root, filepath.Join(dir, "hashicorp"), nil, "./guest/hashicorp"); err != nil {
		return err
	}
	return buildC(ctx, root, filepath.Join(dir, "c.wasm"))
}

// buildC builds the plugin in C, where there is a compiler for it. Without one there
// is no file, also none from before, and the benchmark says so.
func buildC(ctx context.Context, root, path string) error {
	for _, tool := range []string{"clang", "wasm-ld"} {
		if _, err := exec.LookPath(tool); err != nil {
			return os.RemoveAll(path)
		}
	}
	cmd := exec.CommandContext(ctx, "clang", "--target=wasm32", "-O2", "-mbulk-memory", "-ffreestanding", "-nostdlib",
		"-Wl,--no-entry,--strip-all", "-I", filepath.Join(root, "examples", "harbour-c", "src"),
		"-o", path, filepath.Join(root, "bench", "guest", "c", "plugin.c"))
	return Quietly(cmd)
}

// build builds one plugin and puts it in its place when it is whole.
func build(ctx context.Context, root, path string, env []string, args ...string) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-")
	if err != nil {
		return err
	}
	file.Close()
	defer os.Remove(file.Name())
	args = append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file.Name()}, args...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = filepath.Join(root, "bench"), append(os.Environ(), env...)
	if err := Quietly(cmd); err != nil {
		return err
	}
	if filepath.Base(path) == "payhost.wasm" {
		if err := addManifest(ctx, file.Name()); err != nil {
			return err
		}
	}
	return os.Rename(file.Name(), path)
}

// addManifest does what payhost plugin pack does.
func addManifest(ctx context.Context, path string) error {
	h, err := host.New(host.Config{})
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	binary, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	packed, err := h.Pack(ctx, binary)
	if err != nil {
		return err
	}
	return os.WriteFile(path, packed, 0o644)
}

// Quietly runs a command whose output matters only if it fails.
func Quietly(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// ForTests builds the plugins, unless make bench has done so, and returns where they
// are. Root is the repository.
func ForTests(root string) (dir string, err error) {
	if dir := os.Getenv(BuildEnv); dir != "" {
		return dir, nil
	}
	dir, err = filepath.Abs(filepath.Join(root, "build", "bench"))
	if err != nil {
		return "", err
	}
	return dir, Build(context.Background(), root, dir)
}
