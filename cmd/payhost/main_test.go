package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
)

// built holds the plugins, built and packed once for the package.
var built struct {
	dir   string
	once  sync.Once
	whole bool
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "payhost-cmd-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built.dir = dir
	testscript.Main(cleanly{m}, map[string]func(){
		"payhost": main,
	})
}

// cleanly runs the tests and removes what they built: testscript.Main does not
// come back.
type cleanly struct{ m *testing.M }

// Run runs the tests.
func (c cleanly) Run() int {
	defer os.RemoveAll(built.dir)
	return c.m.Run()
}

// plugins is a folder of the plugins, built and packed as make does.
func plugins(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		put := func(name, source string, ldflags ...string) {
			if err := os.WriteFile(filepath.Join(built.dir, name+".wasm"), rig.Module(t, "../../"+source+"/wasm", ldflags...), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		put("next", "plugins/yeniltoleg", "-buildid=next") // the same provider with another digest
		for _, source := range []string{"plugins/rahmet", "plugins/yeniltoleg", "plugins/smartpay", "examples/aurora"} {
			put(filepath.Base(source), source)
		}
		built.whole = true
	})
	if !built.whole {
		t.Fatal("the plugins were not built")
	}
	return built.dir
}

// TestScripts runs the command line as people do.
func TestScripts(t *testing.T) {
	t.Parallel()
	dir := plugins(t)
	scenarios, err := filepath.Abs("../../conformance/scenario/examples")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PLUGINS", dir)
			e.Setenv("CACHE", rig.Cache(t))
			e.Setenv("SCENARIOS", scenarios)
			return setupServe(e)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"await": await, "signal": sendSignal,
		},
	})
}

// TestDemo lives the lives of all three providers.
func TestDemo(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"demo", "--plugins", plugins(t), "--cache", rig.Cache(t)}, &out, &errs)
	if code != exitOK {
		t.Fatalf("exit %d\n%s%s", code, out.String(), errs.String())
	}
	for _, want := range []string{
		"rahmet", "yeniltoleg", "smartpay", "mutual TLS", "decrypt, verify", "succeeded", "canceled", "as the contract says",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("table has no %q:\n%s", want, out.String())
		}
	}
}

// TestDemoSeesABrokenAnswer breaks one answer of each simulator by its control
// API: demo must exit 1 and name the provider and the step.
func TestDemoSeesABrokenAnswer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ fault, step string }{
		"HTML for status":       {`rahmet={"path":"/orders/v1/preorder/status","fault":"html"}`, "rahmet: status"},
		"no link":               {`rahmet={"path":"/orders/v1/preorder/create","fault":"empty"}`, "rahmet: create"},
		"wrong types":           {`yeniltoleg={"path":"/api/v1/payment/register","fault":"wrong_type"}`, "yeniltoleg: create"},
		"cut after the refund":  {`yeniltoleg={"path":"/api/v1/payment/refund","fault":"cut_after"}`, "yeniltoleg: refund"},
		"server error at bind":  {`smartpay={"path":"/v1/purchase/code/commit","fault":"status"}`, "smartpay: bind"},
		"truncated release":     {`smartpay={"path":"/v1/purchase/release","fault":"truncate"}`, "smartpay: release"},
		"a bomb for an answer":  {`smartpay={"path":"/v1/purchase/status","fault":"gzip_bomb"}`, "smartpay: status"},
		"unknown word for paid": {`smartpay={"path":"/v1/purchase/status","fault":"answer","body":"{\"status\":\"odd\"}"}`, "smartpay: status"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			provider, _, _ := strings.Cut(tt.fault, "=")
			code := run(t.Context(), []string{
				"demo", "--plugins", plugins(t), "--cache", rig.Cache(t),
				"--only", provider, "--fault", tt.fault,
			}, &out, &errs)
			if code != exitFailed || !strings.Contains(errs.String(), tt.step) {
				t.Errorf("exit %d, want 1 and %q\n%s%s", code, tt.step, out.String(), errs.String())
			}
		})
	}
}

// TestSim runs each simulator, reaches it at the address it prints, and ends it.
func TestSim(t *testing.T) {
	t.Parallel()
	for _, provider := range []string{"rahmet", "yeniltoleg", "smartpay"} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			out, in := io.Pipe()
			done := make(chan int, 1)
			go func() {
				done <- run(ctx, []string{"sim", provider, "--listen", "127.0.0.1:0", "--output", "json"}, in, io.Discard)
			}()
			var view map[string]string
			if err := json.NewDecoder(out).Decode(&view); err != nil {
				t.Fatal(err)
			}
			resp, err := http.Get(view["control"] + "objects")
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("control API at %s: %v", view["control"], err)
			}
			resp.Body.Close()
			if file := view["client_cert_file"]; provider == "smartpay" {
				if _, err := os.Stat(file); err != nil {
					t.Error(err)
				}
				defer func() {
					if _, err := os.Stat(file); err == nil {
						t.Errorf("%s was left behind", file)
					}
				}()
			}
			cancel()
			if code := <-done; code != exitOK {
				t.Errorf("exit %d", code)
			}
		})
	}
}

// TestInspectJSON reads inspect's JSON back.
func TestInspectJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	path := filepath.Join(plugins(t), "smartpay.wasm")
	if code := run(t.Context(), []string{"plugin", "inspect", path, "--output", "json"}, &out, io.Discard); code != exitOK {
		t.Fatalf("exit %d", code)
	}
	var view pluginView
	if err := json.Unmarshal(out.Bytes(), &view); err != nil {
		t.Fatal(err)
	}
	if view.ID != "smartpay" || len(view.Digest) != 64 || len(view.Keys["qr_decrypt"]) == 0 || !view.Storage {
		t.Errorf("%+v", view)
	}
}

// TestReadmePlugin builds and packs the plugin that the README shows.
func TestReadmePlugin(t *testing.T) {
	t.Parallel()
	plugin := filepath.Join(t.TempDir(), "acme.wasm")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w",
		"-overlay", readmeOverlay(t, 1, "", ""), "-o", plugin, "../../internal/readme")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var text bytes.Buffer
	if code := run(t.Context(), []string{"plugin", "pack", plugin}, &text, &text); code != exitOK {
		t.Errorf("exit %d\n%s", code, text.String())
	}
}

// TestReadmeEmbedding builds the program that the README shows and runs it against
// the simulator that the README names.
func TestReadmeEmbedding(t *testing.T) {
	t.Parallel()
	sim := rahmet.New(rahmet.Options{})
	url, stop, err := simkit.Start("127.0.0.1:0", sim)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sim.Close(); stop() }()
	program := filepath.Join(t.TempDir(), "shop")
	build := exec.CommandContext(t.Context(), "go", "build",
		"-overlay", readmeOverlay(t, 2, "http://127.0.0.1:9001", url), "-o", program, "../../internal/readme")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "build"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(plugins(t), filepath.Join(dir, "build", "plugins")); err != nil {
		t.Fatal(err)
	}
	shop := exec.CommandContext(t.Context(), program)
	shop.Dir = dir
	out, err := shop.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "applied "+url+"/pay?id=") {
		t.Errorf("%v\n%s", err, out)
	}
}

// readmeOverlay writes the nth program of the README, with one text replaced, and
// returns the overlay that has it stand in internal/readme.
func readmeOverlay(t *testing.T, n int, from, to string) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	programs := strings.Split(string(readme), "```go\npackage main")
	if len(programs) <= n {
		t.Fatalf("the README has no program %d", n)
	}
	code, _, found := strings.Cut(programs[n], "```")
	if !found || !strings.Contains(code, from) {
		t.Fatalf("program %d of the README does not end, or has no %s", n, from)
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main"+strings.Replace(code, from, to, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	virtual, err := filepath.Abs("../../internal/readme/main.go")
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {virtual: source}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
