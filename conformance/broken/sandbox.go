package broken

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/payhost/payhost/host"
)

// ofSandbox are those that only a sandbox survives, and those that it does not take.
func ofSandbox() []Plugin {
	return []Plugin{
		{
			Name: "module_empty", Does: "is a module that exports nothing", Provider: "aurora", Fails: []string{"L0.loads"},
			Module: madeOf("empty.wasm", "\x00asm\x01\x00\x00\x00"),
		},
		{
			Name: "module_cut", Does: "is a module that breaks off", Provider: "aurora", Fails: []string{"L0.loads"},
			Module: madeOf("cut.wasm", "\x00asm\x01\x00\x00\x00\x01\x7f"),
		},
		{
			Name: "module_lies", Does: "has a manifest in its file that is another than its code's", Provider: "aurora",
			Fails: []string{"L0.loads"}, Module: lyingModule,
		},
		sandboxed("loop", "goes round for ever when a refund is refused", "L0.bounded"),
		sandboxed("grow", "collects what it can get when a refund is refused", "L0.bounded"),
		sandboxed("trap", "reads behind the end of a list when a refund is refused", "L0.asked", "L0.bounded"),
		sandboxed("seed", "makes nonces with math/rand, from a seed of its own", "L0.random"),
	}
}

// sandboxed is the module of package wasm with a mistake.
func sandboxed(mistake, does string, fails ...string) Plugin {
	return Plugin{
		Name: "module_" + mistake, Does: does, Provider: "aurora", Fails: fails, Module: module,
		Settings: `{"shop_id":"sim-aurora-shop","mistake":"` + mistake + `"}`,
	}
}

// madeOf writes a module by hand.
func madeOf(name, content string) func(dir string) (string, error) {
	return func(dir string) (string, error) {
		path := filepath.Join(dir, name)
		return path, os.WriteFile(path, []byte(content), 0o600)
	}
}

var building sync.Mutex

// module builds the module of package wasm and packs its manifest.
func module(dir string) (string, error) {
	building.Lock()
	defer building.Unlock()
	path := filepath.Join(dir, "mistaken.wasm")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	bare := filepath.Join(dir, "bare.wasm")
	build := exec.CommandContext(context.Background(), "go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w",
		"-o", bare, "github.com/payhost/payhost/conformance/broken/wasm")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	binary, err := os.ReadFile(bare)
	if err != nil {
		return "", err
	}
	h, err := host.New(host.Config{CacheDir: dir})
	if err != nil {
		return "", err
	}
	defer h.Close()
	packed, err := h.Pack(context.Background(), binary)
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(path, packed, 0o600)
}

// lyingModule says something else in its file than in its code.
func lyingModule(dir string) (string, error) {
	honest, err := module(dir)
	if err != nil {
		return "", err
	}
	binary, err := os.ReadFile(honest)
	if err != nil {
		return "", err
	}
	at := bytes.LastIndex(binary, []byte("1.0.0")) // the section is the file's last
	copy(binary[at:], "1.0.1")
	path := filepath.Join(dir, "lying.wasm")
	return path, os.WriteFile(path, binary, 0o600)
}
