// Package prebuilt makes modules for tests by the program itself, in a process of its own,
// and once for each state of the code: linking, packing and compiling one takes seconds,
// and many packages test with the same. Under the race detector the compiler takes ten
// times as long, and there is nothing in it to find.
//
// What was made is kept in the folder of Go's own build cache, by the digest of the
// program that made it: it can't be what other code would have made.
package prebuilt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// engineVersion has the program call its engine as a test does, which knows no version
// of what it depends on: the engine reads no machine code of another version.
const engineVersion = "github.com/tetratelabs/wazero/internal/version.version=dev"

// Maker makes modules and keeps them. It may be used by several goroutines and, since all
// processes have the same folder, beside others.
type Maker struct {
	dir  string // of this state of the code
	lock *lockedfile.Mutex

	mu      sync.Mutex
	modules map[string][]byte // made or read before by this process, by how they are built
}

// opened is the maker of this process.
var opened struct {
	sync.Mutex
	maker *Maker
}

// Open builds payhost, without the race detector, where that was not done before.
func Open(ctx context.Context) (*Maker, error) {
	opened.Lock()
	defer opened.Unlock()
	if opened.maker != nil {
		return opened.maker, nil
	}
	m, err := open(ctx)
	if err != nil {
		return nil, fmt.Errorf("make modules for tests: %w", err)
	}
	opened.maker = m
	return m, nil
}

func open(ctx context.Context) (*Maker, error) {
	cache, err := exec.CommandContext(ctx, "go", "env", "GOCACHE").Output()
	if err != nil {
		return nil, err
	}
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f={{.Dir}}", "github.com/payhost/payhost").Output()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(strings.TrimSpace(string(cache)), "payhost-tests")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	m := &Maker{lock: lockedfile.MutexAt(filepath.Join(dir, "lock")), modules: map[string][]byte{}}
	unlock, err := m.lock.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	latest := filepath.Join(dir, "payhost") // which Go links anew only if the code is another
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-X "+engineVersion, "-o", latest,
		"github.com/payhost/payhost/cmd/payhost")
	build.Dir = strings.TrimSpace(string(root)) // who asks may be another module, the benchmarks'
	if err := run(build); err != nil {
		return nil, err
	}
	program, err := os.ReadFile(latest)
	if err != nil {
		return nil, err
	}
	m.dir = filepath.Join(dir, digest(program))
	forget(dir, m.dir)
	return m, m.settle(program)
}

// settle puts the program where no later state of the code replaces it.
func (m *Maker) settle(program []byte) error {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return err
	}
	now := time.Now()
	if err := os.Chtimes(m.dir, now, now); err != nil {
		return err
	}
	if _, err := os.Stat(m.Program()); err == nil {
		return nil
	}
	return write(m.Program(), program, 0o700)
}

// forget removes what was made by a state of the code that nobody tested for a day.
func forget(dir, but string) {
	found, _ := os.ReadDir(dir)
	for _, e := range found {
		path := filepath.Join(dir, e.Name())
		if info, err := e.Info(); err == nil && e.IsDir() && path != but && time.Since(info.ModTime()) > 24*time.Hour {
			_ = os.RemoveAll(path)
		}
	}
}

// Program is payhost itself, whose machine code tests can read.
func (m *Maker) Program() string { return filepath.Join(m.dir, "payhost") }

// Cache is a folder for compiled plugins, with those of all plugins that were made. Who has
// many modules takes another: a cache keeps those that were used last.
func (m *Maker) Cache() string { return filepath.Join(m.dir, "cache") }

// Plugin returns the plugin whose main package is in a folder, packed; its machine code is
// in the cache. What the linker is told more, such as another -buildid, makes another
// module of the same code. The bytes are not to be changed.
func (m *Maker) Plugin(ctx context.Context, source string, ldflags ...string) ([]byte, error) {
	return m.made(ctx, "plugin", source, ldflags, func(path string) error {
		if err := run(exec.CommandContext(ctx, m.Program(), "plugin", "pack", path)); err != nil {
			return err
		}
		packed, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return m.Compile(ctx, packed, m.Cache())
	})
}

// Guest returns the module whose main package is in a folder, as it was built.
func (m *Maker) Guest(ctx context.Context, source string, ldflags ...string) ([]byte, error) {
	return m.made(ctx, "guest", source, ldflags, func(string) error { return nil })
}

// Compile puts the machine code of a module into a cache.
func (m *Maker) Compile(ctx context.Context, module []byte, cache string) error {
	cmd := exec.CommandContext(ctx, m.Program(), "compile", "--cache", cache)
	cmd.Stdin = bytes.NewReader(module)
	return run(cmd)
}

// made builds a module, which Go does only if its code is another than before, and
// finishes what came out, as its kind is, if that was not done before.
func (m *Maker) made(ctx context.Context, kind, source string, ldflags []string, finish func(path string) error) ([]byte, error) {
	source, err := filepath.Abs(source)
	if err != nil {
		return nil, err
	}
	flags := "-ldflags=" + strings.Join(append([]string{"-s", "-w"}, ldflags...), " ")
	id := digest([]byte(kind + "\n" + source + "\n" + flags))
	m.mu.Lock()
	defer m.mu.Unlock()
	if module, ok := m.modules[id]; ok {
		return module, nil
	}
	unlock, err := m.lock.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	built := filepath.Join(m.dir, "built-"+id+".wasm")
	build := exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", flags, "-o", built, source)
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if err := run(build); err != nil {
		return nil, err
	}
	module, err := m.finished(built, finish)
	if err == nil {
		m.modules[id] = module
	}
	return module, err
}

func (m *Maker) finished(built string, finish func(path string) error) ([]byte, error) {
	raw, err := os.ReadFile(built)
	if err != nil {
		return nil, err
	}
	done := strings.TrimSuffix(built, ".wasm") + "-" + digest(raw) + ".wasm"
	if module, err := os.ReadFile(done); err == nil {
		return module, nil
	}
	draft := done + ".draft.wasm"
	if err := os.WriteFile(draft, raw, 0o600); err != nil {
		return nil, err
	}
	if err := finish(draft); err != nil {
		return nil, err
	}
	if err := os.Rename(draft, done); err != nil {
		return nil, err
	}
	return os.ReadFile(done)
}

// write writes a file that is there as a whole or not at all.
func write(path string, content []byte, mode os.FileMode) error {
	draft := path + ".draft"
	if err := os.WriteFile(draft, content, mode); err != nil {
		return err
	}
	return os.Rename(draft, path)
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return fmt.Sprintf("%x", sum[:8])
}

func run(cmd *exec.Cmd) error {
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, text)
	}
	return nil
}
