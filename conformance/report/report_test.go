package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a report with one of everything.
func sample() *conformance.Report {
	badge := conformance.L1
	check := func(id string, level conformance.Level, sentence, proves string) conformance.Check {
		return conformance.Check{ID: id, Level: level, Sentence: sentence, Proves: proves, Cure: "Mend what " + id + " says."}
	}
	return &conformance.Report{
		Suite: "1", Provider: "aurora", Asked: conformance.L4, Badge: &badge, Seed: 7, Lives: 245,
		Plugin: conformance.Plugin{
			ID: "aurora", Version: "1.2.0", Title: "Aurora & Sons", Digest: strings.Repeat("ab12", 16), Next: strings.Repeat("cd34", 16),
		},
		Began: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Took: 83*time.Second + 4*time.Millisecond,
		Results: []conformance.Result{
			{Check: check("L0.loads", conformance.L0, "The module loads", "contract 9"), Status: conformance.Passed, Lives: 1, Took: 12 * time.Millisecond},
			{
				Check:  check("L1.refund", conformance.L1, "A refund comes to its end", "contract 4"),
				Status: conformance.Skipped, Reason: "the plugin declares no refund",
			},
			{
				Check:  check("L2.cut_after", conformance.L2, "An answer that is lost after the provider acted moves no money twice", "contract 3"),
				Status: conformance.Failed, Lives: 40, Took: 2345 * time.Millisecond, More: 3,
				Failures: []conformance.Failure{
					{
						Message:   "payment is failed, though the provider charged 12.30 EUR",
						Where:     "answer of call 2 (POST /v1/charges, for create) lost after the provider acted",
						Reproduce: "payhost conformance build/aurora.wasm --check L2.cut_after --seed 7",
						Timeline:  []string{"0.000 intent create 12.30 EUR", "0.013 in_doubt: connection reset"},
						Wire:      []string{`> POST /v1/charges {"amount":1230}`, "< (cut)"},
						Effects:   []string{"charge ch_1 12.30 EUR"},
						Log:       []string{"[WARN] answer lost"},
					},
					{Message: "no probe was made"},
				},
			},
			{Check: check("R7", conformance.L3, "A forged notification moves nothing", "rahmet 7"), Status: conformance.Passed, Lives: 204, Took: time.Second},
		},
		Notes: []string{"L4 upgraded to the same module under another digest"},
	}
}

func write(t *testing.T, format string, r *conformance.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.Write(&out, format, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestGolden holds every format against its file.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, format := range report.Formats() {
		golden(t, "sample."+format, write(t, format, sample()))
		golden(t, "hostile."+format, write(t, format, hostile()))
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestFormatsAgree looks for the same facts in every format.
func TestFormatsAgree(t *testing.T) {
	t.Parallel()
	for _, format := range report.Formats() {
		text := write(t, format, sample())
		for _, want := range []string{
			"aurora", strings.Repeat("ab12", 16), strings.Repeat("cd34", 16), "L0.loads", "L2.cut_after", "R7", "contract 3",
			"An answer that is lost after the provider acted moves no money twice",
			"payment is failed, though the provider charged 12.30 EUR", "no probe was made",
			"answer of call 2 (POST /v1/charges, for create) lost", "--check L2.cut_after --seed 7",
			"in_doubt: connection reset", "(cut)", "charge ch_1 12.30 EUR", "answer lost", "the plugin declares no refund",
			"2.3s", "L1", "L4 upgraded to the same module", "after failed",
		} {
			if format == "junit" && want == "2.3s" {
				want = `time="2.345"`
			}
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q", format, want)
			}
		}
	}
}

// TestVerdict says what each report comes to.
func TestVerdict(t *testing.T) {
	t.Parallel()
	level := func(l conformance.Level) *conformance.Level { return &l }
	failed := []conformance.Result{{Check: conformance.Check{ID: "a"}, Status: conformance.Failed}, {Status: conformance.Passed}}
	many := append(failed, failed[0], failed[0], failed[0], failed[0])
	tests := map[string]struct {
		report conformance.Report
		want   string
	}{
		"all":              {conformance.Report{Badge: level(4), Asked: 4}, "badge L4: everything held"},
		"all that was run": {conformance.Report{Badge: level(2), Asked: 2}, "badge L2: everything up to L2 held, and no more was asked for"},
		"some":             {conformance.Report{Badge: level(1), Asked: 4, Results: failed}, "badge L1: a failed"},
		"many":             {conformance.Report{Badge: level(1), Asked: 4, Results: many}, "badge L1: a, a, a, 2 more failed"},
		"none":             {conformance.Report{Asked: 4, Results: failed}, "no badge: a failed"},
		"partial":          {conformance.Report{Asked: 4, Partial: true}, "no badge: only some checks were run"},
		"partial, failed":  {conformance.Report{Asked: 4, Partial: true, Results: failed}, "no badge: only some checks were run, and a failed"},
		"partial, badged":  {conformance.Report{Asked: 4, Partial: true, Badge: level(4)}, "no badge: only some checks were run"},
	}
	for name, tt := range tests {
		text := strings.TrimSpace(write(t, "text", &tt.report))
		if last := text[strings.LastIndex(text, "\n")+1:]; last != tt.want {
			t.Errorf("%s: %q, want %q", name, last, tt.want)
		}
	}
}

// TestRead reads back what was written.
func TestRead(t *testing.T) {
	t.Parallel()
	got, err := report.Read(strings.NewReader(write(t, "json", sample())))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), got, cmpopts.IgnoreUnexported(conformance.Failure{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	once := write(t, "json", hostile())
	if got, err = report.Read(strings.NewReader(once)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(once, write(t, "json", got)); diff != "" {
		t.Errorf("a report that is harmless changes (-want +got):\n%s", diff)
	}
	tests := map[string]string{
		"":   "unexpected end",
		"{}": "names no suite",
		`{"suite":"1","plugin":{"sha256":"ab"},"results":[{"id":"a","level":"L9"}]}`:                   "L0 to L4",
		`{"suite":"1","plugin":{"sha256":"ab"},"results":[{"id":"a","level":"L1","status":"great"}]}`:  `status "great"`,
		`{"suite":"1","plugin":{"sha256":"ab"},"results":[{"id":"a","level":"L1","status":"pass"}]} x`: "invalid character",
	}
	for text, want := range tests {
		if _, err := report.Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestWriteSays refuses a format that it doesn't know, and tells of a writer that
// fails.
func TestWriteSays(t *testing.T) {
	t.Parallel()
	if err := report.Write(&bytes.Buffer{}, "pdf", sample()); err == nil || !strings.Contains(err.Error(), "text, json, junit, md, html") {
		t.Error(err)
	}
	for _, format := range report.Formats() {
		if err := report.Write(full{}, format, sample()); err == nil {
			t.Errorf("%s: a writer's error is lost", format)
		}
	}
}

// full is a disk that is.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, os.ErrClosed }

// TestProgress writes a line for each check, and a counter on a terminal.
func TestProgress(t *testing.T) {
	t.Parallel()
	for _, tty := range []bool{false, true} {
		var out bytes.Buffer
		progress := report.Progress(&out, tty)
		r := sample()
		for i := range r.Results {
			progress(r.Results[i], i+1, len(r.Results))
		}
		if err := report.Rest(&out, r); err != nil {
			t.Fatal(err)
		}
		got := out.String()
		if tty {
			got = regexp.MustCompile(`checks, \d+s`).ReplaceAllString(got, "checks, 3s")
			golden(t, "progress.tty", strings.NewReplacer("\x1b", "ESC", "\r", "CR").Replace(got))
			continue
		}
		if diff := cmp.Diff(write(t, "text", r), got); diff != "" {
			t.Errorf("the lines and the rest are not the text (-want +got):\n%s", diff)
		}
	}
}

// TestCompare finds what has changed, and what has become worse.
func TestCompare(t *testing.T) {
	t.Parallel()
	results := func(statuses map[string]conformance.Status, ids ...string) *conformance.Report {
		r := &conformance.Report{}
		for _, id := range ids {
			r.Results = append(r.Results, conformance.Result{Check: conformance.Check{ID: id}, Status: statuses[id]})
		}
		return r
	}
	old := results(map[string]conformance.Status{"same": "fail", "broken": "pass", "fixed": "fail", "lost": "pass", "gone": "pass"},
		"same", "gone", "broken", "fixed", "lost")
	latest := results(map[string]conformance.Status{"same": "fail", "broken": "fail", "fixed": "pass", "lost": "skip", "added": "pass"},
		"same", "broken", "fixed", "lost", "added")
	var got []string
	for _, c := range report.Compare(old, latest) {
		got = append(got, fmt.Sprint(c.ID, " ", c.Old, ">", c.New, " ", c.Worse()))
	}
	want := []string{"broken pass>fail true", "fixed fail>pass false", "lost pass>skip true", "added >pass false", "gone pass> true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
