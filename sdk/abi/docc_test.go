package abi_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/payhost/payhost/sdk/abi"
)

// TestDocPluginInC compiles the plugin that stands in docs/abi.md and holds its
// exports and imports against the ABI.
func TestDocPluginInC(t *testing.T) {
	t.Parallel()
	dir := sources(t)
	module := compileC(t, dir, "plugin.c")
	exports := []string{
		"_initialize () -> ()", "memory", "payhost_abi_v1 () -> ()", "payhost_call (i32, i32) -> (i32)",
	}
	if diff := cmp.Diff(exports, module.exports); diff != "" {
		t.Errorf("exports (-want +have):\n%s", diff)
	}
	table := importTable()
	for name, have := range module.imports {
		if table[name] != have {
			t.Errorf("import %s %s, want %s", name, have, table[name])
		}
	}
	if len(module.imports) == 0 {
		t.Error("the plugin imports nothing")
	}
}

// TestDocHeaderInC uses every function of the header, so that the module imports
// them all, and holds their types against the ABI.
func TestDocHeaderInC(t *testing.T) {
	t.Parallel()
	dir := sources(t)
	var b strings.Builder
	b.WriteString("#include \"payhost.h\"\nPH_EXPORT(use) int64_t use(void) {\n  int64_t n = 0;\n")
	for _, s := range abi.ImportTable() {
		args := strings.TrimSuffix(strings.Repeat("0, ", len(s.Params)), ", ")
		fmt.Fprintf(&b, "  n += ph_%s(%s);\n", s.Name, args)
	}
	b.WriteString("  return n;\n}\n")
	if err := os.WriteFile(filepath.Join(dir, "use.c"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(importTable(), compileC(t, dir, "use.c").imports); diff != "" {
		t.Errorf("imports (-code +header):\n%s", diff)
	}
}

func importTable() map[string]string {
	table := map[string]string{}
	for _, s := range abi.ImportTable() {
		table[s.Name] = signature(s.Params, s.Results)
	}
	return table
}

func signature(params, results []abi.ValueType) string {
	write := func(list []abi.ValueType) string {
		words := make([]string, len(list))
		for i, t := range list {
			words[i] = map[abi.ValueType]string{abi.I32: "i32", abi.I64: "i64"}[t]
		}
		return "(" + strings.Join(words, ", ") + ")"
	}
	return write(params) + " -> " + write(results)
}

// sources writes the C files of the page into a new folder.
func sources(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"payhost.h", "plugin.c"} {
		blocks := fences(doc(t), "c "+name)
		if len(blocks) != 1 {
			t.Fatalf("docs/abi.md has %d files %s", len(blocks), name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(blocks[0]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// compileC runs the command that the page tells, with all warnings as errors.
func compileC(t *testing.T, dir, file string) wasmModule {
	t.Helper()
	for _, tool := range []string{"clang", "wasm-ld"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed (Debian: clang, lld)", tool)
		}
	}
	const command = "clang --target=wasm32 -O2 -ffreestanding -nostdlib -Wl,--no-entry -o plugin.wasm plugin.c"
	if !strings.Contains(doc(t), "    "+command+"\n") {
		t.Fatalf("docs/abi.md does not tell to run %s", command)
	}
	args := strings.Fields(strings.ReplaceAll(command, "plugin.c", file))[1:]
	cmd := exec.Command("clang", append(args, "-Wall", "-Wextra", "-Werror")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "plugin.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return readWasm(t, raw)
}

// wasmModule is what a module shows to the outside.
type wasmModule struct {
	imports map[string]string // of payhost_v1
	exports []string
}

// wasmReader reads the parts of the binary format that the test needs.
type wasmReader struct {
	t *testing.T
	b []byte
}

func (r *wasmReader) byte() byte { return r.bytes(1)[0] }

func (r *wasmReader) number() int {
	v, n := binary.Uvarint(r.b) // LEB128 without a sign is the same
	if n <= 0 {
		r.t.Fatal("wasm: cut short")
	}
	r.b = r.b[n:]
	return int(v)
}

func (r *wasmReader) bytes(n int) []byte {
	if n > len(r.b) {
		r.t.Fatal("wasm: cut short")
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *wasmReader) name() string { return string(r.bytes(r.number())) }

func (r *wasmReader) types() []abi.ValueType {
	list := make([]abi.ValueType, r.number())
	for i := range list {
		list[i] = abi.ValueType(r.byte())
	}
	return list
}

func readWasm(t *testing.T, raw []byte) wasmModule {
	t.Helper()
	m := wasmModule{imports: map[string]string{}}
	var types, functions []string
	r := wasmReader{t: t, b: raw[8:]}
	for len(r.b) > 0 {
		id := r.byte()
		s := wasmReader{t: t, b: r.bytes(r.number())}
		switch id {
		case 1:
			for range s.number() {
				s.byte() // a function type
				params := s.types()
				types = append(types, signature(params, s.types()))
			}
		case 2:
			for range s.number() {
				if module, name := s.name(), s.name(); module != abi.Module || s.byte() != 0 {
					t.Fatalf("import %s.%s is no function of the ABI", module, name)
				} else {
					functions = append(functions, types[s.number()])
					m.imports[name] = functions[len(functions)-1]
				}
			}
		case 3:
			for range s.number() {
				functions = append(functions, types[s.number()])
			}
		case 7:
			for range s.number() {
				name, kind, index := s.name(), s.byte(), s.number()
				if kind == 0 {
					name += " " + functions[index]
				}
				m.exports = append(m.exports, name)
			}
		}
	}
	slices.Sort(m.exports)
	return m
}
