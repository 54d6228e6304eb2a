package host_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// TestCompiler has machine code made elsewhere for what the cache has not, and here where
// that fails.
func TestCompiler(t *testing.T) {
	t.Parallel()
	module := probeModule(t)
	for name, tt := range map[string]struct {
		compile func(ctx context.Context, dir string, module []byte) error
		logs    string
	}{
		"done":             {host.Compile, ""},
		"failed":           {func(context.Context, string, []byte) error { return errors.New("no processes left") }, "no processes left"},
		"declined":         {func(context.Context, string, []byte) error { return host.ErrCompileHere }, ""},
		"says so and lies": {func(context.Context, string, []byte) error { return nil }, "is not in the cache"},
		"of another module": {func(ctx context.Context, dir string, _ []byte) error {
			return errors.New(host.Compile(ctx, dir, emptyModule()).Error())
		}, "not a payhost plugin"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && name != "done" {
				t.Skip("compiles for half a minute under the race detector, which has nothing to find here; make test runs it")
			}
			var asked atomic.Int64
			var logs bytes.Buffer
			dir := filepath.Join(t.TempDir(), "cache")
			open := func() *host.Host {
				t.Helper()
				h, err := host.New(host.Config{
					CacheDir: dir, Logger: hclog.New(&hclog.LoggerOptions{Output: &logs}),
					Compiler: func(ctx context.Context, module []byte) error {
						asked.Add(1)
						return tt.compile(ctx, dir, module)
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = h.Close() })
				if _, err := h.Load(t.Context(), "probe", host.Source{Bytes: module}); err != nil {
					t.Fatal(err)
				}
				return h
			}
			h := open()
			if entries, _ := filepath.Glob(filepath.Join(dir, "module-*", "sum")); len(entries) == 0 {
				t.Error("nothing is in the cache")
			}
			open()
			if _, err := h.Swap(t.Context(), "probe", host.Source{Bytes: module}); err != nil {
				t.Error(err)
			}
			if n := asked.Load(); n != 1 {
				t.Errorf("asked %d times for what the cache has since the first", n)
			}
			if text := logs.String(); !strings.Contains(text, tt.logs) || tt.logs == "" && strings.Contains(text, "WARN") {
				t.Errorf("log: %s", text)
			}
		})
	}
}

// emptyModule is a module with nothing in it.
func emptyModule() []byte { return []byte("\x00asm\x01\x00\x00\x00") }

// TestCompilerRefuses takes the compiler's word that a module is not to be compiled.
func TestCompilerRefuses(t *testing.T) {
	t.Parallel()
	h, err := host.New(host.Config{
		CacheDir: filepath.Join(t.TempDir(), "cache"), Compiler: func(context.Context, []byte) error {
			return (&pay.Error{Class: pay.ClassPluginFault, Message: "compiler broke down"}).Fill()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	_, err = h.Load(t.Context(), "probe", host.Source{Bytes: probeModule(t)})
	if pay.ClassOf(err) != pay.ClassPluginFault || !strings.Contains(err.Error(), "compiler broke down") {
		t.Errorf("error %v", err)
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	if err := host.Compile(t.Context(), dir, []byte("hello")); pay.ClassOf(err) != pay.ClassPluginFault {
		t.Errorf("no module: %v", err)
	}
	if entries, _ := filepath.Glob(filepath.Join(dir, "*")); len(entries) != 0 {
		t.Errorf("left in the cache: %q", entries)
	}
	if err := host.Compile(t.Context(), filepath.Join("/dev/null", "cache"), probeModule(t)); err == nil {
		t.Error("compiled into no folder")
	}
	if _, err := host.New(host.Config{Compiler: func(context.Context, []byte) error { return nil }}); err == nil {
		t.Error("a compiler without a cache was taken")
	}
}
