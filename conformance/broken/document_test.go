package broken_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/broken"
	"github.com/payhost/payhost/conformance/providers"
)

var update = flag.Bool("update", false, "write the tables of docs/conformance.md")

const document = "../../docs/conformance.md"

// common maps the cases that all providers share to the checks that stand for them.
var common = []struct {
	id, about string
	checks    []string
}{
	{"C1", "answer lost after the effect", []string{"L2.cut_after", "L2.outage"}},
	{"C2", "answer lost before it", []string{"L2.cut_before", "L2.refused"}},
	{"C3", "slow answer past our deadline, then success", []string{"L2.slow"}},
	{"C4", "body cut, not JSON, HTML, empty, byte order mark, above the limit", []string{
		"L2.cut_within", "L2.half", "L2.html", "L2.empty", "L2.bom", "L2.huge",
	}},
	{"C5", "unknown fields, missing ones, nulls, numbers as text", []string{"L1.more_fields", "L1.numbers_text", "L2.nulls", "L2.wrong_types"}},
	{"C6", "unknown state word", []string{"L1.unknown_word"}},
	{"C7", "duplicate and reordered requests", []string{"L2.twice", "L2.late", "L3.replayed", "L3.reordered"}},
	{"C8", "429, 502, 503, with and without Retry-After", []string{"L2.rate_limited", "L2.server_error"}},
	{"C9", "clock skew and zone-less times", []string{"L1.expires_at", "Y6"}},
	{"C10", "amount that has no exact major-unit form", []string{"L1.amounts", "L1.bad_amounts"}},
}

// own is how many cases each provider has.
var own = []struct {
	letter, provider string
	count            int
}{{"R", "rahmet", 17}, {"Y", "yeniltoleg", 11}, {"S", "smartpay", 11}}

// TestDocument holds the tables of docs/conformance.md against the suite: every check
// with what it catches and the cure, every case with its check.
func TestDocument(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	text = between(t, text, "checks", checkTables(t))
	text = between(t, text, "cases", caseTable(t))
	if *update {
		if err := os.WriteFile(document, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if text != string(content) {
		t.Error("the tables are not those of the suite: go test ./conformance/broken -run TestDocument -update")
	}
}

func between(t *testing.T, text, name, content string) string {
	t.Helper()
	before, rest, ok := strings.Cut(text, "<!-- "+name+" -->\n")
	_, after, ok2 := strings.Cut(rest, "<!-- /"+name+" -->")
	if !ok || !ok2 {
		t.Fatalf("%s has no place for %s", document, name)
	}
	return before + "<!-- " + name + " -->\n" + content + "<!-- /" + name + " -->" + after
}

func checkTables(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	level := conformance.Level(-1)
	for _, c := range conformance.Checks(conformance.Provider{}) {
		if c.Level != level {
			level = c.Level
			fmt.Fprintf(&b, "\n### %s\n\n| check | what holds | caught | cure |\n| --- | --- | --- | --- |\n", level)
		}
		if c.Cure == "" {
			t.Errorf("%s has no cure", c.ID)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.ID, cell(c.Sentence), cell(caught(c.ID)), cell(c.Cure))
	}
	return b.String() + "\n"
}

// caught is what the plugin does that fails the fewest checks besides this one.
func caught(id string) string {
	best := broken.Plugin{Does: "(nothing)"}
	for _, p := range broken.List() {
		if slices.Contains(p.Fails, id) && (best.Fails == nil || len(p.Fails) < len(best.Fails)) {
			best = p
		}
	}
	return best.Does
}

func caseTable(t *testing.T) string {
	t.Helper()
	known := map[string]string{}
	for _, c := range conformance.Checks(conformance.Provider{}) {
		known[c.ID] = c.Sentence
	}
	for _, name := range providers.Names() {
		p, _ := providers.ByName(name)
		for _, c := range p.Cases {
			known[c.ID] = c.Sentence
		}
	}
	var b strings.Builder
	b.WriteString("\n| case | checks | what holds |\n| --- | --- | --- |\n")
	for _, c := range common {
		for _, id := range c.checks {
			if known[id] == "" {
				t.Errorf("%s is mapped to %s, which is no check", c.id, id)
			}
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", c.id, strings.Join(c.checks, "`, `"), c.about)
	}
	for _, o := range own {
		for n := 1; n <= o.count; n++ {
			id := fmt.Sprintf("%s%d", o.letter, n)
			if known[id] == "" {
				t.Errorf("%s of %s has no check", id, o.provider)
			}
			fmt.Fprintf(&b, "| %s | `%s` | %s |\n", id, id, cell(known[id]))
		}
	}
	return b.String() + "\n"
}

func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }
