package soak_test

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"modernc.org/libc"

	"github.com/payhost/payhost/host"
)

var (
	soak = flag.Duration("soak", 10*time.Second, "how long the soak takes")
	long = flag.Bool("long", false, "soak for five minutes, if -soak does not say otherwise")
)

// plugins are the good ones, by name, with their main packages; and the other one.
var plugins = map[string]string{
	"rahmet":     "../../plugins/rahmet/wasm",
	"yeniltoleg": "../../plugins/yeniltoleg/wasm",
	"smartpay":   "../../plugins/smartpay/wasm",
	"aurora":     "../../examples/aurora/wasm",
	hostile:      "./testdata/hostile",
}

const hostile = "hostile"

// files is where the modules and what was compiled of them are.
var files struct {
	dir  string
	once sync.Once
	err  error
	made map[string]revisions
}

// revisions are two files of one plugin: the same code, and another section in one.
type revisions [2]host.Source

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "payhost-soak")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	files.dir = dir
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// lasting is how long the soak takes. A long one can't do without SQLite's account of
// its memory, which it keeps only if it was built so.
func lasting(t *testing.T) time.Duration {
	t.Helper()
	given, whole := false, *soak
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "soak" })
	if *long && !given {
		whole = 5 * time.Minute
	}
	if whole > time.Minute && libc.MemStat().Bytes == 0 {
		t.Fatal("a soak of more than a minute has to be built with -tags memory.counters, as make soak does")
	}
	return whole
}

func cacheDir() string { return filepath.Join(files.dir, "cache") }

// modules builds and packs the plugins, once for the package.
func modules(tb testing.TB) map[string]revisions {
	tb.Helper()
	files.once.Do(func() { files.made, files.err = build() })
	if files.err != nil {
		tb.Fatal(files.err)
	}
	return files.made
}

func build() (map[string]revisions, error) {
	h, err := host.New(host.Config{CacheDir: cacheDir()})
	if err != nil {
		return nil, err
	}
	defer h.Close()
	made := map[string]revisions{}
	for name, pkg := range plugins {
		out := filepath.Join(files.dir, name+".wasm")
		cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", out, pkg)
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s: %w\n%s", name, err, text)
		}
		raw, err := os.ReadFile(out)
		if err != nil {
			return nil, err
		}
		packed, err := h.Pack(context.Background(), raw)
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
		made[name] = revisions{{Bytes: packed}, {Bytes: mark(packed, "soak.second")}}
		if _, err := h.Inspect(context.Background(), made[name][1]); err != nil { // so that it is compiled
			return nil, err
		}
	}
	return made, nil
}

// mark returns a module with one more section, which nobody reads.
func mark(module []byte, text string) []byte {
	name := append(binary.AppendUvarint(nil, uint64(len(text))), text...)
	section := append(binary.AppendUvarint([]byte{0}, uint64(len(name))), name...)
	return append(append([]byte(nil), module...), section...)
}
