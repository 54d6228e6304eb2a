package rewrite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/payhost/payhost/host/internal/wasm/rewrite"
)

// script is one file of the WebAssembly core test suite, as wast2json writes it.
type script struct {
	Commands []struct {
		Type     string
		Line     int
		Name     string
		As       string
		Filename string
		Action   action
	}
}

type action struct {
	Type   string
	Module string
	Field  string
	Args   []struct{ Type, Value string }
}

// suites is where the engine's own module keeps the suite: it is always there.
func suites(t testing.TB) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "internal/integration_test/spectest")
	return []string{
		filepath.Join(root, "v1/testdata"), filepath.Join(root, "v2/testdata"),
		filepath.Join(root, "extended-const/testdata"),
	}
}

// tally counts what became of the suite.
type tally struct {
	Refused        map[string]int // modules, by the reason
	Returns, Traps int            // calls that ended the same
	Invalid        int            // modules that were not valid, and are not
}

// TestCoreSuite runs the WebAssembly core test suite plain and prepared. Every module
// that the engine takes is either refused for a reason that is written down or takes
// the engine's validation again, gives the same results, and traps where it did.
func TestCoreSuite(t *testing.T) {
	t.Parallel()
	total := &tally{Refused: map[string]int{}}
	modules, ready := 0, 0
	for _, dir := range suites(t) {
		files, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no suite in %s: %v", dir, err)
		}
		for _, file := range files {
			a, b := runScript(t, file, total)
			modules, ready = modules+a, ready+b
		}
	}
	got := map[string]int{
		"modules": modules, "prepared": ready, "same results": total.Returns, "same traps": total.Traps, "invalid": total.Invalid,
	}
	for reason, n := range total.Refused {
		got["refused: "+reason] = n
	}
	if diff := cmp.Diff(suiteCounts, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// growing are the scripts about tables that grow. In a prepared module none does.
var growing = map[string]bool{"table_grow.json": true, "table_size.json": true}

// suiteCounts is what became of the suite, so that a change of it is seen: of the
// modules that the engine takes, those are refused that use vectors or import anything
// but functions.
var suiteCounts = map[string]int{
	"modules": 2392, "prepared": 1828, "same results": 37268, "same traps": 2793, "invalid": 4542,
	"refused: by the engine": 3,
	"refused: code: vector: not of WebAssembly 2.0 without vectors": 402,
	"refused: global: global of unknown type":                       8, // vectors
	"refused: import: only functions may be imported":               151,
}

var place = regexp.MustCompile(`(.*: (.*) section, offset 0x[0-9a-f]+: (.*))`)

// reason is why a module was refused, without numbers.
func reason(t *testing.T, err error) string {
	t.Helper()
	m := place.FindStringSubmatch(err.Error())
	if !errors.Is(err, rewrite.ErrFormat) || m == nil {
		t.Errorf("error %v names no section and offset", err)
		return err.Error()
	}
	if text, ok := strings.CutPrefix(m[3], "opcode 0xfd"); ok {
		return m[2] + ": vector" + text
	}
	return m[2] + ": " + m[3]
}

// world is a runtime with the modules that a script has made so far.
type world struct {
	rt    wazero.Runtime
	named map[string]api.Module
	last  api.Module
}

func newWorld(t *testing.T, dir string) *world {
	t.Helper()
	w := &world{rt: (&machine{}).begin(t), named: map[string]api.Module{}}
	spectest, err := os.ReadFile(filepath.Join(dir, "../../testdata/spectest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.rt.InstantiateWithConfig(t.Context(), spectest, wazero.NewModuleConfig()); err != nil {
		t.Fatal(err)
	}
	return w
}

// load instantiates a module under a name, or under none.
func (w *world) load(binary []byte, as string) error {
	mod, err := w.rt.InstantiateWithConfig(context.Background(), binary, wazero.NewModuleConfig().WithName(as).WithStartFunctions())
	w.last = mod
	return err
}

func runScript(t *testing.T, file string, total *tally) (modules, ready int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s script
	if err := json.Unmarshal(text, &s); err != nil {
		var kind *json.UnmarshalTypeError // a vector's lanes
		if !errors.As(err, &kind) {
			t.Fatalf("%s: %v", file, err)
		}
	}
	dir := filepath.Dir(file)
	plain, other := newWorld(t, dir), newWorld(t, dir)
	live := false // whether the last module is in both worlds
	for i, c := range s.Commands {
		at := fmt.Sprintf("%s:%d", filepath.Base(file), c.Line)
		switch c.Type {
		case "module":
			as := ""
			if next := i + 1; next < len(s.Commands) && s.Commands[next].Type == "register" {
				as = s.Commands[next].As
			}
			binary, err := os.ReadFile(filepath.Join(dir, c.Filename))
			if err != nil {
				t.Fatal(err)
			}
			modules++
			live = false
			if plain.load(binary, as) != nil {
				total.Refused["by the engine"]++
				continue
			}
			p, err := rewrite.Prepare(binary)
			if err != nil {
				total.Refused[reason(t, err)]++
				_ = other.load(binary, as) // for those that import it
				continue
			}
			if err := other.load(p.Binary, as); err != nil {
				t.Errorf("%s: the prepared module is refused: %v", at, err)
				continue
			}
			ready++
			live = true
			if c.Name != "" {
				plain.named[c.Name], other.named[c.Name] = plain.last, other.last
			}
		case "assert_invalid", "assert_malformed":
			if binary, err := os.ReadFile(filepath.Join(dir, c.Filename)); err == nil && strings.HasSuffix(c.Filename, ".wasm") {
				total.Invalid += staysInvalid(t, at, plain.rt, binary)
			}
		case "assert_return", "action", "assert_trap":
			a, b := plain.last, other.last
			ok := live
			if c.Action.Module != "" {
				a, b = plain.named[c.Action.Module], other.named[c.Action.Module]
				ok = a != nil
			}
			if ok && c.Action.Type == "invoke" && !growing[filepath.Base(file)] {
				compare(t, at, a, b, c.Action, total)
			}
		}
	}
	return modules, ready
}

// staysInvalid wants a module that the engine refuses to be refused by Prepare, or by
// the engine behind it: what is added must not make sense of what had none.
func staysInvalid(t *testing.T, at string, rt wazero.Runtime, binary []byte) int {
	t.Helper()
	if _, err := rt.CompileModule(t.Context(), binary); err == nil {
		return 0 // the engine takes it all the same
	}
	p, err := rewrite.Prepare(binary)
	if err != nil {
		return 1
	}
	if _, err := rt.CompileModule(t.Context(), p.Binary); err == nil {
		t.Errorf("%s: the module is not valid, but it is when prepared", at)
	}
	return 1
}

// compare calls a function in both worlds.
func compare(t *testing.T, at string, plain, other api.Module, a action, total *tally) {
	t.Helper()
	args := make([]uint64, 0, len(a.Args))
	for _, arg := range a.Args {
		v, err := strconv.ParseUint(arg.Value, 10, 64)
		if err != nil && arg.Value != "null" {
			return // a vector, or a NaN by its name
		}
		args = append(args, v)
	}
	want, wantErr := plain.ExportedFunction(a.Field).Call(t.Context(), args...)
	got, gotErr := other.ExportedFunction(a.Field).Call(t.Context(), args...)
	switch {
	case (wantErr == nil) != (gotErr == nil), wantErr != nil && cause(wantErr) != cause(gotErr):
		t.Errorf("%s: %s%v ends with %v, prepared with %v", at, a.Field, args, wantErr, gotErr)
	case wantErr != nil:
		total.Traps++
	case !slices.Equal(want, got) && !references(plain.ExportedFunction(a.Field)):
		t.Errorf("%s: %s%v is %v, prepared %v", at, a.Field, args, want, got)
	default:
		total.Returns++
	}
}

// references reports whether a function gives references, which are addresses.
func references(f api.Function) bool {
	return slices.ContainsFunc(f.Definition().ResultTypes(), func(t api.ValueType) bool { return t == api.ValueTypeExternref || t == 0x70 })
}

// cause is the first line of a trap's text.
func cause(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}
