package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/providers"
	"github.com/payhost/payhost/conformance/replay"
	"github.com/payhost/payhost/conformance/report"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/sdk/pay"
)

// scripted is a suite of two checks, of which the second ends as it is told.
func scripted(second conformance.Status, asked *conformance.Options) suite {
	checks := []conformance.Check{
		{ID: "L0.loads", Level: conformance.L0, Sentence: "It loads", Proves: "contract 9"},
		{ID: "L2.cut", Level: conformance.L2, Sentence: "No money moves twice", Proves: "contract 3"},
	}
	provider := func(name string) conformance.Provider {
		return conformance.Provider{Name: name, Cases: []conformance.Case{
			{Check: conformance.Check{ID: "R7", Level: conformance.L1, Sentence: "Its own", Proves: "rahmet 7"}},
		}}
	}
	return suite{
		examine: func(ctx context.Context, t conformance.Target, o conformance.Options) (*conformance.Report, error) {
			if asked != nil {
				*asked = o
			}
			r := &conformance.Report{
				Suite: "1", Provider: t.Provider.Name, Asked: o.Level, Badge: &o.Level, Seed: o.Seed,
				Plugin: conformance.Plugin{ID: "acme", Digest: "ab"},
			}
			for i, status := range []conformance.Status{conformance.Passed, second} {
				if status == "" { // never ends
					<-ctx.Done()
					return r, ctx.Err()
				}
				result := conformance.Result{Check: checks[i], Status: status, Lives: 1}
				if status == conformance.Failed {
					result.Failures = []conformance.Failure{{Message: "charged twice", Reproduce: "payhost conformance " + o.File}}
				}
				r.Results = append(r.Results, result)
				o.Progress(result, i+1, 2)
			}
			return r, nil
		},
		checks: func(p conformance.Provider) []conformance.Check {
			all := slices.Clone(checks)
			for _, c := range p.Cases {
				all = append(all, c.Check)
			}
			return all
		},
		names: func() []string { return []string{"acme", "rahmet"} },
		byName: func(name string) (conformance.Provider, bool) {
			return provider(name), name == "acme" || name == "rahmet"
		},
		load: func(path string) (conformance.Provider, error) {
			if path == "broken.yaml" {
				return conformance.Provider{}, errors.New("broken.yaml:3: no such key")
			}
			return provider("from a file"), nil
		},
	}
}

// conform runs the command with a scripted suite.
func conform(ctx context.Context, s suite, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(ctx, newRoot(&out, &errs, s, nil), append([]string{"conformance"}, args...), &errs)
	return code, out.String(), errs.String()
}

// TestConformanceUsage exits 2 and says what to give.
func TestConformanceUsage(t *testing.T) {
	t.Parallel()
	tests := []struct{ args, want string }{
		{"", "accepts 1 arg"},
		{"a.wasm b.wasm", "accepts 1 arg"},
		{"a.wasm --level L9", `--level: level "L9" is not one of L0 to L4`},
		{"a.wasm --report pdf", `--report: "pdf" is none of the formats text, json, junit, md, html`},
		{"a.wasm --report md=", `--report: "md=" names no file`},
		{"a.wasm --report md --report junit", "--report: two reports for standard output"},
		{"a.wasm --report md=x --report junit=x", "--report: two reports for x"},
		{"a.wasm --report md=no/such/folder/x.md", "no/such/folder: there is no such folder"},
		{"a.wasm --parallel -1", "can't be negative"},
		{"a.wasm --level L2 --next b.wasm", "--next and --cases are for checks of L4, and --level is L2"},
		{"a.wasm --level L3 --cases there", "--next and --cases are for checks of L4, and --level is L3"},
		{"a.wasm --seed -1", "invalid argument"},
		{"a.wasm --simulator visa", `--simulator: "visa" is neither built in (acme, rahmet) nor a .yaml file`},
		{"a.wasm --simulator broken.yaml", "--simulator: broken.yaml:3: no such key"},
		{"a.wasm --simulator acme --check L2.cat", `--check: no check up to L4 is named "L2.cat"`},
		{"a.wasm --simulator acme --check L7*", `--check: no check up to L4 is named "L7*"`},
		{"a.wasm --simulator acme --level L1 --check L2.cut", `no check up to L1 is named "L2.cut"`},
		{"list more", "unknown command"},
		{"list --simulator visa", "neither built in"},
	}
	for _, tt := range tests {
		code, _, stderr := conform(t.Context(), scripted(conformance.Passed, nil), strings.Fields(tt.args)...)
		if code != exitUsage || !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: exit %d, want %q\n%s", tt.args, code, tt.want, stderr)
		}
	}
}

// TestConformanceExit exits by what was found, and reports it all the same.
func TestConformanceExit(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := conform(t.Context(), scripted(conformance.Passed, nil), "a.wasm", "--simulator", "acme")
	if code != exitOK || stderr != "" || strings.Count(stdout, "It loads") != 1 || !strings.HasSuffix(stdout, "badge L4: everything held\n") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = conform(t.Context(), scripted(conformance.Failed, nil), "a b.wasm", "--simulator", "acme.yaml", "--next", "n.wasm")
	if code != exitFailed || stderr != "" || !strings.Contains(stdout, "payhost conformance 'a b.wasm' --simulator acme.yaml --next n.wasm\n") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

// TestConformanceEndsEarly is interrupted, and runs out of time: what was found by
// then is reported, without a badge.
func TestConformanceEndsEarly(t *testing.T) {
	t.Parallel()
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	for want, run := range map[string]func() (int, string, string){
		"interrupted": func() (int, string, string) {
			return conform(interrupted, scripted("", nil), "a.wasm", "--simulator", "acme")
		},
		"the time is over": func() (int, string, string) {
			return conform(t.Context(), scripted("", nil), "a.wasm", "--simulator", "acme", "--timeout", "1ms")
		},
	} {
		code, stdout, stderr := run()
		if code != exitFailed || !strings.Contains(stderr, want) || !strings.Contains(stdout, "It loads") ||
			!strings.Contains(stdout, "no badge: only some checks were run") {
			t.Errorf("%s: exit %d\n%s%s", want, code, stdout, stderr)
		}
	}
}

// TestConformanceReports writes each report where it was asked for.
func TestConformanceReports(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	page, junit := filepath.Join(dir, "report.html"), filepath.Join(dir, "report.xml")
	for _, args := range [][]string{{"--report", "json"}, {"--output", "json"}} {
		args = append([]string{"a.wasm", "--simulator", "acme", "--report", "html=" + page, "--report", "junit=" + junit}, args...)
		code, stdout, stderr := conform(t.Context(), scripted(conformance.Failed, nil), args...)
		found, err := report.Read(strings.NewReader(stdout))
		if code != exitFailed || err != nil || found.Results[1].Failures[0].Message != "charged twice" {
			t.Errorf("exit %d, %v\n%s", code, err, stdout)
		}
		if !strings.HasPrefix(stderr, "ok    L0.loads") {
			t.Errorf("no progress: %q", stderr)
		}
		for _, path := range []string{page, junit} {
			if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), "charged twice") {
				t.Errorf("%s: %v\n%s", path, err, text)
			}
			_ = os.Remove(path)
		}
	}
	code, stdout, stderr := conform(t.Context(), scripted(conformance.Passed, nil), "a.wasm", "--simulator", "acme", "--report", "md="+dir)
	if code != exitFailed || !strings.Contains(stderr, "is a directory") || !strings.Contains(stdout, "badge L4") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

// TestConformanceOptions hands the flags on.
func TestConformanceOptions(t *testing.T) {
	t.Parallel()
	var asked conformance.Options
	code, _, stderr := conform(t.Context(), scripted(conformance.Passed, &asked), "a.wasm", "--simulator", "acme", "--level", "l2", "--seed", "9",
		"--parallel", "3", "--check", "L2.*", "--check", "R7", "--cache", "here", "--timeout", time.Minute.String())
	if code != exitOK || asked.Level != conformance.L2 || asked.Seed != 9 || asked.Parallel != 3 || asked.CacheDir != "here" ||
		strings.Join(asked.Checks, " ") != "L2.* R7" {
		t.Errorf("exit %d, %+v\n%s", code, asked, stderr)
	}
	code, _, _ = conform(t.Context(), scripted(conformance.Passed, &asked), "a.wasm", "--simulator", "acme")
	if _, err := os.Stat(asked.CacheDir); code != exitOK || !errors.Is(err, os.ErrNotExist) || asked.CacheDir == "" {
		t.Errorf("exit %d: the cache %q stays: %v", code, asked.CacheDir, err)
	}
}

// TestConformancePluginID finds the simulator by the plugin's id, or says what to give.
func TestConformancePluginID(t *testing.T) {
	t.Parallel()
	dir := plugins(t)
	code, stdout, stderr := conform(t.Context(), scripted(conformance.Passed, nil), filepath.Join(dir, "rahmet.wasm"), "--cache", rig.Cache(t))
	if code != exitOK || !strings.Contains(stdout, "provider     rahmet\n") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	code, _, stderr = conform(t.Context(), scripted(conformance.Passed, nil), filepath.Join(dir, "smartpay.wasm"), "--cache", rig.Cache(t))
	if code != exitUsage || !strings.Contains(stderr, `no simulator built in for plugin "smartpay": give --simulator, with one of acme, rahmet`) {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	code, _, stderr = conform(t.Context(), scripted(conformance.Passed, nil), filepath.Join(dir, "none.wasm"))
	if code != exitFailed || !strings.Contains(stderr, "none.wasm") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
}

// TestConformanceList lists the checks, a provider's own among them if it is asked
// for.
func TestConformanceList(t *testing.T) {
	t.Parallel()
	s := scripted(conformance.Passed, nil)
	code, stdout, _ := conform(t.Context(), s, "list")
	if code != exitOK || !strings.Contains(stdout, "L2.cut    L2     contract 3  No money moves twice") || strings.Contains(stdout, "R7") {
		t.Errorf("exit %d\n%s", code, stdout)
	}
	code, stdout, _ = conform(t.Context(), s, "list", "--simulator", "rahmet", "--output", "json")
	var checks []conformance.Check
	if err := json.Unmarshal([]byte(stdout), &checks); code != exitOK || err != nil || len(checks) != 3 || checks[2].ID != "R7" {
		t.Errorf("exit %d, %v\n%s", code, err, stdout)
	}
}

// TestConformanceCases holds a plugin to a recording of itself, and to one that was
// changed.
func TestConformanceCases(t *testing.T) {
	t.Parallel()
	plugin, dir, cache := filepath.Join(plugins(t), "aurora.wasm"), t.TempDir(), rig.Cache(t)
	h, err := host.New(host.Config{CacheDir: cache, Record: func(r *host.Recording) {
		if r.Operation != pay.OpCheckConfig {
			return
		}
		if _, err := replay.Save(dir, "settings", "Good settings are taken.", r); err != nil {
			t.Error(err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if _, err := h.Load(t.Context(), "aurora", host.Source{Path: plugin}); err != nil {
		t.Fatal(err)
	}
	config, err := providers.Aurora().Connect(nil, "https://aurora.example", dir)
	if err != nil {
		t.Fatal(err)
	}
	config.Name, config.Plugin = "main", "aurora"
	if _, err := h.Connect(t.Context(), config); err != nil {
		t.Fatal(err)
	}

	code, stdout, stderr := conform(t.Context(), builtIn(), plugin, "--cases", dir, "--check", "case.*", "--cache", cache)
	if code != exitOK || !strings.Contains(stdout, "ok    case.settings         Good settings are taken.") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	file := filepath.Join(dir, "settings"+replay.Extension)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte("shop_id"), []byte("shop_no")), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr = conform(t.Context(), builtIn(), plugin, "--cases", dir, "--check", "case.*", "--cache", cache)
	if code != exitFailed || !strings.Contains(stdout, "FAIL  case.settings") || !strings.Contains(stdout, "--cases "+dir+" --check case.settings") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	for _, folder := range []string{t.TempDir(), "nowhere"} {
		if code, _, stderr := conform(t.Context(), builtIn(), plugin, "--cases", folder, "--cache", cache); code != exitUsage || !strings.Contains(stderr, "--cases: ") {
			t.Errorf("%s: exit %d\n%s", folder, code, stderr)
		}
	}
}
