// Package harbour_test builds the plugin in C as its README tells, and holds it to
// the conformance suite.
package harbour_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/scenario"
	"github.com/payhost/payhost/host"
)

// inapplicable are the checks up to L2 that a plugin without cancel and without
// codes of the payer has nothing to do with. Every other must have passed.
var inapplicable = []string{"L1.cancel", "L1.codes"}

func TestConformance(t *testing.T) {
	t.Parallel()
	plugin := pack(t, compile(t))
	provider, err := scenario.Load("harbour.yaml")
	if err != nil {
		t.Fatal(err)
	}
	report, err := conformance.Examine(t.Context(), conformance.Target{Plugin: host.Source{Bytes: plugin}, Provider: provider},
		conformance.Options{Level: conformance.L4, File: "harbour.wasm"})
	if err != nil {
		t.Fatal(err)
	}
	if report.Badge == nil || *report.Badge < conformance.L2 {
		t.Errorf("badge %v, want L2 or higher", report.Badge)
	}
	for _, r := range report.Results {
		switch {
		case r.Status == conformance.Passed:
		case len(r.Failures) > 0:
			f := r.Failures[0]
			t.Errorf("%s: %s\ncure: %s\nfound: %s\nwhere: %s\nwire:\n%s", r.ID, r.Sentence, r.Cure, f.Message, f.Where, strings.Join(f.Wire, "\n"))
		case r.Level <= conformance.L2 && !slices.Contains(inapplicable, r.ID):
			t.Errorf("%s: %s: %s", r.ID, r.Status, r.Reason)
		}
	}
	t.Logf("%d bytes, %d checks in %d lives", len(plugin), len(report.Results), report.Lives)
}

// TestHeader keeps the header of the imports what the page says it is.
func TestHeader(t *testing.T) {
	t.Parallel()
	_, page, _ := strings.Cut(read(t, "../../docs/abi.md"), "```c payhost.h\n")
	page, _, found := strings.Cut(page, "```")
	if !found || page != read(t, "src/payhost.h") {
		t.Error("src/payhost.h is not the payhost.h of docs/abi.md")
	}
}

// compile runs the command of the README, with every warning an error.
func compile(t *testing.T) []byte {
	t.Helper()
	for _, tool := range []string{"clang", "wasm-ld"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed (Debian: clang, lld); CI installs it", tool)
		}
	}
	_, line, found := strings.Cut(read(t, "README.md"), "\nclang ")
	line, _, _ = strings.Cut(line, "\n")
	if !found {
		t.Fatal("README.md does not tell how to run clang")
	}
	out := filepath.Join(t.TempDir(), "harbour.wasm")
	args := append(strings.Fields(strings.Replace(line, "harbour.wasm", out, 1)), "-Wall", "-Wextra", "-Werror")
	if text, err := exec.CommandContext(t.Context(), "clang", args...).CombinedOutput(); err != nil {
		t.Fatalf("clang: %v\n%s", err, text)
	}
	return []byte(read(t, out))
}

func pack(t *testing.T, raw []byte) []byte {
	t.Helper()
	h, err := host.New(host.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	packed, err := h.Pack(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
