// Package tidy holds the house rules as one test: who may import whom, what the
// standard library's share of a plugin is, how long a file may grow, and what may
// not stand in the repository. It fails when a rule is broken; a rule that is
// wrong is changed here, with the reason in RATIONALE.md.
package tidy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/payhost/payhost/"

// rule says what the packages under From may import.
type rule struct {
	from  string   // a package, or a prefix that ends in "/..."
	own   []string // packages of this module, by the same patterns
	outer []string // packages of others; nil for none, "*" for any
	std   []string // of the standard library; nil for all
}

// small is what a plugin may use of the standard library: nothing that reads the
// clock, the network or files, and nothing that drags reflection in.
var small = []string{
	"bytes", "encoding/base64", "errors", "math", "math/bits", "slices", "sort", "strconv", "strings",
	"time", "unicode", "unicode/utf8",
}

// rules are the arrows of the design. The first that matches a package is its.
func rules() []rule {
	return []rule{
		{from: "sdk/pay", std: []string{"errors", "math", "strconv", "strings", "time"}},
		{from: "sdk/abi", own: []string{"sdk/pay", "sdk/internal/..."}, std: []string{"errors", "strings", "time", "unicode/utf8", "unsafe"}},
		{from: "sdk/sdktest", own: []string{"sdk", "sdk/abi", "sdk/pay", "sdk/json", "sdk/form"}},
		{
			from: "sdk/json", own: []string{"sdk/pay", "sdk/internal/scan", "sdk/internal/slab"},
			std: []string{"errors", "math", "strconv", "unicode/utf16", "unicode/utf8", "unsafe"},
		},
		{from: "sdk/form", own: []string{"sdk/internal/scan", "sdk/internal/slab"}, std: []string{"math/bits", "slices", "strconv"}},
		{from: "sdk/internal/scan", std: []string{"math/bits"}},
		{from: "sdk/internal/slab", std: []string{"unsafe"}},
		{from: "sdk/internal/guest", own: []string{"sdk/abi", "sdk/pay"}, std: []string{"time", "unsafe"}},
		{from: "sdk", own: []string{"sdk/abi", "sdk/pay", "sdk/json", "sdk/form", "sdk/internal/..."}, std: small},
		{from: "plugins/rahmet/...", own: pluginMay("rahmet"), std: small},
		{from: "plugins/yeniltoleg/...", own: pluginMay("yeniltoleg"), std: small},
		{from: "plugins/smartpay/...", own: pluginMay("smartpay"), std: small},
		{from: "examples/...", own: []string{"sdk", "sdk/pay", "sdk/json", "sdk/form", "examples/..."}, std: nil},
		{from: "host/internal/wasm/rewrite"},
		{from: "host/internal/wasm/bench"}, // benchmarks and nothing else
		{
			from: "host/internal/wasm", own: []string{"host/internal/wasm/rewrite", "sdk/abi", "sdk/pay"},
			outer: []string{"github.com/tetratelabs/wazero/...", "golang.org/x/sys/unix"},
		},
		{
			from: "host/egress", own: []string{"host/vault"},
			outer: []string{"github.com/hashicorp/go-retryablehttp", "github.com/hashicorp/go-hclog", "golang.org/x/..."},
		},
		{from: "host/vault"},
		{from: "host/kv/kvtest", own: []string{"host/kv"}, outer: []string{"*"}}, // a suite, imported by tests only
		{from: "host/kv", outer: []string{"modernc.org/sqlite/...", "github.com/jackc/pgx/v5/..."}},
		{
			from: "host", own: []string{"host/...", "sdk/abi", "sdk/pay"},
			outer: []string{"github.com/hashicorp/go-hclog", "github.com/santhosh-tekuri/jsonschema/...", "golang.org/x/..."},
		},
		{from: "host/testdata/...", own: []string{"sdk", "sdk/pay", "sdk/json", "sdk/form", "host/testdata/..."}},
		{from: "payments/testdata/...", own: []string{"sdk", "sdk/pay", "plugins/smartpay"}},
		{from: "payments/ledger", own: []string{"sdk/pay"}, outer: []string{"github.com/oklog/ulid/..."}},
		{from: "payments/store/storetest", own: []string{"payments/...", "sdk/pay"}, outer: []string{"*"}}, // a suite, imported by tests only
		{
			from: "payments/store", own: []string{"payments/ledger", "sdk/pay"},
			outer: []string{
				"github.com/hashicorp/go-hclog", "github.com/riverqueue/river/...", "github.com/pressly/goose/...",
				"github.com/jackc/pgx/...", "modernc.org/sqlite/...",
			},
		},
		{
			from: "payments", own: []string{"payments/...", "host/...", "sdk/pay"},
			outer: []string{"github.com/hashicorp/go-hclog", "github.com/standard-webhooks/...", "golang.org/x/..."},
		},
		{from: "conformance/sim/...", own: []string{"conformance/sim/..."}},
		{from: "conformance/replay", own: []string{"host", "sdk/pay"}},
		{
			from: "conformance/scenario", own: []string{"conformance", "conformance/sim/...", "host", "host/vault"},
			outer: []string{"go.yaml.in/yaml/v3"},
		},
		{from: "conformance/wire"},
		{
			from: "conformance/providers", own: []string{"conformance", "conformance/sim/...", "conformance/wire", "host/...", "sdk/pay"},
		},
		{from: "conformance/broken/...", own: []string{"conformance/...", "host", "plugins/...", "examples/...", "sdk/..."}},
		{
			from: "conformance", own: []string{"conformance/sim/simkit", "conformance/wire", "host/...", "payments/...", "httpapi", "sdk/abi", "sdk/pay"},
			outer: []string{"github.com/hashicorp/go-hclog"},
		},
		{from: "conformance/report", own: []string{"conformance"}},
		{ // sdk/json reads bodies: it keeps numbers as they were written
			from: "httpapi", own: []string{"payments/...", "host/...", "sdk/pay", "sdk/json"},
			outer: []string{"github.com/danielgtaylor/huma/...", "github.com/hashicorp/go-hclog", "golang.org/x/..."},
		},
		{from: "internal/tidy"},
		{ // what tests of the engine stand on, imported by tests only
			from: "internal/rig", own: []string{"payments/...", "host/...", "conformance/sim/...", "plugins/...", "sdk", "internal/prebuilt"},
			outer: []string{"github.com/hashicorp/go-hclog"},
		},
		{from: "internal/prebuilt", outer: []string{"github.com/rogpeppe/go-internal/lockedfile"}}, // imported by tests only
		{from: "internal/soak"}, // a test, and benchmarks
		{from: "internal/witness", outer: []string{"golang.org/x/sys/unix"}},               // imported by benchmarks only
		{from: "internal/crash", own: []string{"internal/rig", "payments/...", "sdk/pay"}}, // a test and nothing else
		{from: "internal/benchwork/plugin", own: []string{"sdk", "sdk/pay", "sdk/json", "sdk/form"}, std: small},
		{from: "internal/benchwork/stubhost", own: []string{"internal/benchwork", "sdk/abi", "sdk/pay"}},
		{from: "internal/benchwork", own: []string{"sdk/pay"}},
		{from: "internal/load", own: []string{"..."}, outer: []string{"*"}},       // measures
		{from: "internal/pgtest", outer: []string{"github.com/jackc/pgx/v5/..."}}, // imported by tests only
		{from: "cmd/payhost/internal/daemon/testdata/...", own: []string{"sdk", "sdk/pay", "plugins/yeniltoleg"}},
		{ // a client speaks the wire's JSON, as a merchant's program would
			from: "cmd/payhost/internal/client", own: []string{"sdk/pay"},
		},
		{from: "cmd/...", own: []string{"cmd/...", "host/...", "payments/...", "httpapi", "sdk/...", "conformance/..."}, outer: []string{"*"}},
		{from: "bench/...", own: []string{"..."}, outer: []string{"*"}},
	}
}

func pluginMay(name string) []string {
	return []string{"sdk", "sdk/pay", "sdk/json", "sdk/form", "plugins/" + name}
}

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath string
	Imports    []string
	Dir        string
}

// TestImports holds every package against its rule.
func TestImports(t *testing.T) {
	t.Parallel()
	packages := list(t)
	if len(packages) < 15 {
		t.Fatalf("go list found %d packages: the test does not see the module", len(packages))
	}
	for _, problem := range broken(packages, rules()) {
		t.Error(problem)
	}
}

// TestImportsCanFail breaks rules on purpose: the test above must see it.
func TestImportsCanFail(t *testing.T) {
	t.Parallel()
	tests := map[string]pkg{
		"host imports sdk":                  {ImportPath: module + "host", Imports: []string{module + "sdk"}},
		"host imports a plugin":             {ImportPath: module + "host", Imports: []string{module + "plugins/rahmet"}},
		"a plugin imports another":          {ImportPath: module + "plugins/rahmet", Imports: []string{module + "plugins/smartpay"}},
		"a plugin imports net/http":         {ImportPath: module + "plugins/rahmet", Imports: []string{"net/http"}},
		"a plugin imports os":               {ImportPath: module + "plugins/smartpay", Imports: []string{"os"}},
		"a plugin imports the host":         {ImportPath: module + "plugins/smartpay/wasm", Imports: []string{module + "host"}},
		"pay imports fmt":                   {ImportPath: module + "sdk/pay", Imports: []string{"fmt"}},
		"a simulator imports a plugin":      {ImportPath: module + "conformance/sim/rahmet", Imports: []string{module + "plugins/rahmet"}},
		"a simulator imports a module":      {ImportPath: module + "conformance/sim/rahmet", Imports: []string{"rsc.io/qr"}},
		"host imports wazero":               {ImportPath: module + "host", Imports: []string{"github.com/tetratelabs/wazero"}},
		"vault imports retryablehttp":       {ImportPath: module + "host/vault", Imports: []string{"github.com/hashicorp/go-retryablehttp"}},
		"a package that no rule speaks of":  {ImportPath: module + "util"},
		"cmd imports a plugin in its image": {ImportPath: module + "cmd/payhost", Imports: []string{module + "plugins/rahmet"}},
	}
	for name, p := range tests {
		if len(broken([]pkg{p}, rules())) == 0 {
			t.Errorf("%s: not seen", name)
		}
	}
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Dir", "./...", "./host/testdata/probe", "./host/testdata/probe/wasm")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// broken returns every import that no rule allows.
func broken(packages []pkg, rules []rule) []string {
	var problems []string
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, module)
		i := slices.IndexFunc(rules, func(r rule) bool { return matches(r.from, name) })
		if i < 0 {
			problems = append(problems, name+": no rule speaks of this package")
			continue
		}
		for _, imported := range p.Imports {
			if !rules[i].allows(imported) {
				problems = append(problems, name+" may not import "+imported)
			}
		}
	}
	return problems
}

func (r rule) allows(imported string) bool {
	own, isOwn := strings.CutPrefix(imported, module)
	first, _, _ := strings.Cut(imported, "/")
	switch {
	case isOwn:
		return anyMatches(r.own, own)
	case strings.Contains(first, "."):
		return slices.Contains(r.outer, "*") || anyMatches(r.outer, imported)
	}
	return r.std == nil || slices.Contains(r.std, imported)
}

func anyMatches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) })
}

func matches(pattern, name string) bool {
	prefix, tree := strings.CutSuffix(pattern, "...")
	if tree {
		return strings.HasPrefix(name+"/", prefix)
	}
	return pattern == name
}

// TestFiles holds every Go file against the house's sizes and words.
func TestFiles(t *testing.T) {
	t.Parallel()
	seen := 0
	walk(t, func(path string, content []byte) {
		if !strings.HasSuffix(path, ".go") {
			return
		}
		if strings.HasPrefix(path, "bench/peers/pb/") && generated.Match(content) {
			return // what protoc makes is as long as it is
		}
		seen++
		for _, problem := range untidy(path, content) {
			t.Error(problem)
		}
	})
	if seen < 50 {
		t.Errorf("only %d Go files were seen", seen)
	}
}

// The hard limits; the aims are lower, see CONTRIBUTING.md.
const (
	mostLines     = 450
	mostTestLines = 800
	widest        = 140 // columns, a tab counted as one
)

var (
	// Assembled here, so that the test does not find itself.
	unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`)
	floats     = regexp.MustCompile(`\bfloat(32|64)\b`)
	clock      = regexp.MustCompile(`\btime\.(Now|Sleep|After|Since|Until)\b`)
	generated  = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
	machine    = regexp.MustCompile(`/(wo` + `rk|ro` + `ot|fa` + `rm)/|\.lib` + `rary\b`)
)

func untidy(path string, content []byte) []string {
	var problems []string
	most := mostLines
	if strings.HasSuffix(path, "_test.go") {
		most = mostTestLines
	}
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, 1<<20)
	n := 0
	money := strings.HasPrefix(path, "sdk/pay/") || strings.HasPrefix(path, "plugins/") || strings.HasPrefix(path, "conformance/sim/")
	for lines.Scan() {
		n++
		line := lines.Text()
		switch {
		case unfinished.MatchString(line):
			problems = append(problems, path+": unfinished: "+line)
		case money && !strings.HasSuffix(path, "_test.go") && floats.MatchString(line):
			problems = append(problems, path+": float near money: "+line)
		case strings.HasPrefix(path, "plugins/") && !strings.HasSuffix(path, "_test.go") && clock.MatchString(line):
			problems = append(problems, path+": a plugin's clock is the host's: "+line)
		case len([]rune(line)) > widest && most == mostLines: // tables of tests may be wide
			problems = append(problems, path+": line too long: "+line)
		}
	}
	if n > most {
		problems = append(problems, path+": too many lines")
	}
	return problems
}

// TestRepository keeps out what does not belong: generated files, secrets, paths
// of somebody's machine.
func TestRepository(t *testing.T) {
	t.Parallel()
	walk(t, func(path string, content []byte) {
		if machine.Match(content) {
			t.Errorf("%s: holds a path of a machine", path)
		}
		switch filepath.Ext(path) {
		case ".wasm", ".db", ".sqlite", ".test", ".exe", ".so", ".pem", ".key", ".crt":
			if !strings.Contains(path, "testdata/") {
				t.Errorf("%s: generated or secret", path)
			}
		}
	})
}

// TestDocLinks follows every relative link of the documents.
func TestDocLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	found := 0
	walk(t, func(path string, content []byte) {
		if filepath.Ext(path) != ".md" {
			return
		}
		for _, m := range link.FindAllSubmatch(content, -1) {
			found++
			target := filepath.Join(root(t), filepath.Dir(path), string(m[1]))
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: broken link %s", path, m[1])
			}
		}
	})
	if found == 0 {
		t.Error("no links were seen")
	}
}

// walk visits every file that git tracks or would.
func walk(t *testing.T, visit func(path string, content []byte)) {
	t.Helper()
	dir := root(t)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			if name == ".git" || name == "build" || name == "dist" || name == "data" {
				return fs.SkipDir
			}
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(name), content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
