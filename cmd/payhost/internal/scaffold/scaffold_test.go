package scaffold_test

import (
	"errors"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/payhost/payhost/cmd/payhost/internal/scaffold"
	"github.com/payhost/payhost/conformance/scenario"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/prebuilt"
)

const repository = "../../../.."

// begin writes a plugin of this flow, built against this repository.
func begin(t *testing.T, flow string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "plugin")
	files, err := scaffold.Write(scaffold.Options{
		Name: "acme-pay", Dir: dir, Flow: flow, Version: host.Version, Replace: repository,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"go.mod", "acmepay.go", "acmepay_test.go", "wasm/main.go", "README.md", "Makefile"} {
		if !slices.Contains(files, want) {
			t.Errorf("no %s in %v", want, files)
		}
	}
	if has := slices.Contains(files, "scenario.yaml"); has != (flow != scaffold.FlowTill) {
		t.Errorf("scenario.yaml: %t", has)
	}
	return dir
}

// tool runs a program in the plugin's directory, offline.
func tool(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestPlugins begins a plugin of each flow and does with it what its author would.
func TestPlugins(t *testing.T) {
	t.Parallel()
	for _, flow := range scaffold.Flows() {
		t.Run(flow, func(t *testing.T) {
			t.Parallel()
			dir := begin(t, flow)
			before, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err != nil {
				t.Fatal(err)
			}
			tool(t, dir, nil, "go", "vet", "./...")
			tool(t, dir, nil, "go", "test", "./...")
			// Only standard packages have no dot in the first element of their path.
			for name := range strings.Lines(tool(t, dir, nil, "go", "list", "-deps", "-test", "./...")) {
				first, _, _ := strings.Cut(name, "/")
				own := strings.HasPrefix(name, "example.com/acme-pay") || strings.HasPrefix(name, "github.com/payhost/payhost/sdk")
				if strings.Contains(first, ".") && !own && !strings.HasSuffix(strings.TrimSpace(name), ".test") {
					t.Errorf("the plugin pulls in %s", name)
				}
			}
			after, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err != nil || string(after) != string(before) {
				t.Errorf("go.mod was not complete: %v\n%s", err, after)
			}
			if _, err := os.Stat(filepath.Join(dir, "go.sum")); err == nil {
				t.Error("the build wrote a go.sum: something from outside was needed")
			}
			maker, err := prebuilt.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			lives(t, dir, flow, loads(t, dir, flow, maker.Cache()), maker.Cache())
		})
	}
}

// loads builds the module, packs it, and loads it as a host would.
func loads(t *testing.T, dir, flow, cache string) []byte {
	t.Helper()
	tool(t, dir, []string{"GOOS=wasip1", "GOARCH=wasm"},
		"go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", "plugin.wasm", "./wasm")
	binary, err := os.ReadFile(filepath.Join(dir, "plugin.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.New(host.Config{CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	packed, err := h.Pack(t.Context(), binary)
	if err != nil {
		t.Fatal(err)
	}
	found, err := h.Inspect(t.Context(), host.Source{Bytes: packed})
	if err != nil {
		t.Fatal(err)
	}
	if m := found.Manifest; m.ID != "acme-pay" || len(m.Flows) != 1 || m.Flows[0].String() != flow {
		t.Errorf("manifest %s, flows %v", m.ID, m.Flows)
	}
	return packed
}

// TestScenarios reads what describes the provider as the suite would.
func TestScenarios(t *testing.T) {
	t.Parallel()
	for _, flow := range []string{scaffold.FlowRedirect, scaffold.FlowQR} {
		provider, err := scenario.Load(filepath.Join(begin(t, flow), "scenario.yaml"))
		if err != nil {
			t.Errorf("%s: %v", flow, err)
			continue
		}
		if provider.Name != "acme-pay" || provider.Terms.Outcomes.Paid == "" {
			t.Errorf("%s: %+v", flow, provider)
		}
	}
}

// TestFilesAreTidy holds what is written against gofmt, and looks for what a
// template left behind.
func TestFilesAreTidy(t *testing.T) {
	t.Parallel()
	for _, flow := range scaffold.Flows() {
		dir := begin(t, flow)
		marked := 0
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text := string(content)
			marked += strings.Count(text, "PROVIDER:")
			if strings.Contains(text, "<no value>") || strings.Contains(text, "{{if") || strings.Contains(text, "\n\n\n") {
				t.Errorf("%s: a template shows:\n%s", path, text)
			}
			if strings.HasSuffix(path, ".go") {
				if neat, err := format.Source(content); err != nil || string(neat) != text {
					t.Errorf("%s: not formatted: %v", path, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if marked < 8 {
			t.Errorf("%s: only %d places are marked for the author", flow, marked)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		options scaffold.Options
		field   string
	}{
		"no name":            {scaffold.Options{}, "name"},
		"capitals":           {scaffold.Options{Name: "Acme"}, "name"},
		"an underscore":      {scaffold.Options{Name: "ac_me"}, "name"},
		"a path":             {scaffold.Options{Name: "../acme"}, "name"},
		"begins with digit":  {scaffold.Options{Name: "1acme"}, "name"},
		"ends with a dash":   {scaffold.Options{Name: "acme-"}, "name"},
		"a word of Go":       {scaffold.Options{Name: "func"}, "name"},
		"a word, by dashes":  {scaffold.Options{Name: "ty-pe"}, "name"},
		"a package it needs": {scaffold.Options{Name: "pay"}, "name"},
		"no such flow":       {scaffold.Options{Name: "acme", Flow: "cash"}, "flow"},
		"a module with room": {scaffold.Options{Name: "acme", Module: "example.com/a b"}, "module"},
		"a module with dots": {scaffold.Options{Name: "acme", Module: "example.com/../x"}, "module"},
		"a quote in replace": {scaffold.Options{Name: "acme", Replace: "a\"b"}, "replace"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "plugin")
			tt.options.Dir = dir
			_, err := scaffold.Write(tt.options)
			if !errors.Is(err, scaffold.ErrOptions) || !strings.Contains(err.Error(), tt.field+":") {
				t.Errorf("error %v, want one of %s", err, tt.field)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("something was written")
			}
		})
	}
}

func TestDirectories(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	if _, err := scaffold.Write(scaffold.Options{Name: "acme", Dir: empty}); err != nil {
		t.Errorf("an empty directory: %v", err)
	}
	before, err := os.ReadFile(filepath.Join(empty, "wire.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = scaffold.Write(scaffold.Options{Name: "acme", Dir: empty, Flow: scaffold.FlowTill})
	if err == nil || errors.Is(err, scaffold.ErrOptions) || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a directory that holds something: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(empty, "wire.go")); err != nil || string(after) != string(before) {
		t.Errorf("the plugin was touched: %v", err)
	}
	file := filepath.Join(empty, "go.mod")
	if _, err := scaffold.Write(scaffold.Options{Name: "acme", Dir: file}); err == nil {
		t.Error("a file was taken for a directory")
	}
}

// TestGoVersion holds the version that a plugin needs against what the SDK needs.
func TestGoVersion(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile(`(?m)^go .*$`)
	ours, err := os.ReadFile(filepath.Join(repository, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(filepath.Join(begin(t, scaffold.FlowRedirect), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := line.FindString(string(ours)), line.FindString(string(theirs)); a != b {
		t.Errorf("payhost says %q, the plugin %q", a, b)
	}
}
