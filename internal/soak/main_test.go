package soak_test

import (
	"context"
	"encoding/binary"
	"flag"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"modernc.org/libc"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/prebuilt"
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

// files are the modules of the plugins.
var files struct {
	once  sync.Once
	made  map[string]revisions
	cache string
	err   error
}

// revisions are two files of one plugin: the same code, and another section in one.
type revisions [2]host.Source

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

// modules builds and packs the plugins, once for the package.
func modules(tb testing.TB) map[string]revisions {
	tb.Helper()
	files.once.Do(func() { files.err = build(context.Background()) })
	if files.err != nil {
		tb.Fatal(files.err)
	}
	return files.made
}

// cacheDir has what was compiled of the modules.
func cacheDir(tb testing.TB) string {
	tb.Helper()
	modules(tb)
	return files.cache
}

// warm loads every plugin and lets go of it: the engine keeps a little code of its own.
func warm(t *testing.T) {
	t.Helper()
	h, err := host.New(host.Config{CacheDir: cacheDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	for name, made := range modules(t) {
		if _, err := h.Inspect(t.Context(), made[0]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

func build(ctx context.Context) error {
	maker, err := prebuilt.Open(ctx)
	if err != nil {
		return err
	}
	files.made, files.cache = map[string]revisions{}, maker.Cache()
	for name, source := range plugins {
		packed, err := maker.Plugin(ctx, source)
		if err != nil {
			return err
		}
		second := mark(packed, "soak.second")
		if err := maker.Compile(ctx, second, maker.Cache()); err != nil {
			return err
		}
		files.made[name] = revisions{{Bytes: packed}, {Bytes: second}}
	}
	return nil
}

// mark returns a module with one more section, which nobody reads.
func mark(module []byte, text string) []byte {
	name := append(binary.AppendUvarint(nil, uint64(len(text))), text...)
	section := append(binary.AppendUvarint([]byte{0}, uint64(len(name))), name...)
	return append(append([]byte(nil), module...), section...)
}
