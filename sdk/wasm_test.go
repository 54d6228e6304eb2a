package sdk_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestInWasm runs the tests of the packages that have assembly for Wasm in Wasm, where
// it is in use.
func TestInWasm(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: builds an engine and the tests once more")
	}
	engine := filepath.Join(t.TempDir(), "wazero")
	run(t, nil, "build", "-o", engine, "github.com/tetratelabs/wazero/cmd/wazero")
	test := []string{"test", "-vet=off", "-exec", engine + " run -mount=.:/ "}
	env := []string{"GOOS=wasip1", "GOARCH=wasm"}
	run(t, env, append(test, "./form", "./internal/scan", "./json")...)
	// The documents are not there, and the schema is the same. A check is slow there.
	run(t, env, append(test, "-skip", "Doc|Schema", "./abi", "-rapid.checks=5")...)
}

func run(t *testing.T, env []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go %v: %v\n%s", args, err, out)
	}
}
