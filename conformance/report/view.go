package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance"
)

// view is what every format shows: the report with its texts made harmless, and what
// follows from it.
type view struct {
	*conformance.Report
	Levels  []levelView
	Counts  counts
	Verdict verdict
}

// counts are of checks.
type counts struct {
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
}

// verdict is the report in a few words.
type verdict struct {
	Word  string // for the badge: "L2", "partial", "failed"
	Tone  string // how it looks: "good", "fair", "bad", "none"
	Badge string // a sentence without an end: "badge L2: L3 failed"
}

// levelView is the checks of one level.
type levelView struct {
	Level  conformance.Level
	Title  string
	Counts counts
	Took   time.Duration
	Checks []checkView
}

// checkView is one check.
type checkView struct {
	conformance.Result
	Found []failureView
}

// Mark is how a check ended, in a word.
func (c checkView) Mark() string { return mark(c.Status) }

// failureView is one failure.
type failureView struct {
	conformance.Failure
	Evidence []evidence
}

// evidence is one of a failure's lists.
type evidence struct {
	Title string
	Lines []string
}

// titles are what the levels prove.
var titles = [...]string{
	conformance.L0: "it loads, and is what it says it is",
	conformance.L1: "the lifecycle of every flow that it declares",
	conformance.L2: "the fault matrix",
	conformance.L3: "hostile notifications",
	conformance.L4: "upgrade and rollback",
}

func newView(r *conformance.Report) *view {
	v := &view{Report: cleaned(r)}
	for _, result := range v.Results {
		last := len(v.Levels) - 1
		if last < 0 || v.Levels[last].Level != result.Level {
			level := levelView{Level: result.Level}
			if l := int(result.Level); l >= 0 && l < len(titles) {
				level.Title = titles[l]
			}
			v.Levels = append(v.Levels, level)
			last++
		}
		level := &v.Levels[last]
		level.Checks = append(level.Checks, newCheckView(result))
		level.Counts.add(result.Status)
		level.Took += result.Took
		v.Counts.add(result.Status)
	}
	v.Verdict = v.judge()
	return v
}

func (c *counts) add(s conformance.Status) {
	switch s {
	case conformance.Passed:
		c.Passed++
	case conformance.Skipped:
		c.Skipped++
	default:
		c.Failed++
	}
}

// String tells the counts: "30 passed, 1 failed, 3 skipped".
func (c counts) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.Passed, c.Failed, c.Skipped)
}

// All is how many checks there are.
func (c counts) All() int { return c.Passed + c.Failed + c.Skipped }

func newCheckView(r conformance.Result) checkView {
	c := checkView{Result: r}
	for _, f := range r.Failures {
		one := failureView{Failure: f}
		for _, e := range []evidence{
			{"timeline", f.Timeline}, {"wire", f.Wire}, {"effects", f.Effects}, {"log", f.Log},
		} {
			if len(e.Lines) > 0 {
				one.Evidence = append(one.Evidence, e)
			}
		}
		c.Found = append(c.Found, one)
	}
	return c
}

// judge says what the report comes to. It trusts the suite's badge, and never gives
// one to a report that is partial.
func (v *view) judge() verdict {
	switch {
	case v.Partial && v.Counts.Failed > 0:
		return verdict{"failed", "bad", "no badge: only some checks were run, and " + v.whichFailed()}
	case v.Partial:
		return verdict{"partial", "none", "no badge: only some checks were run"}
	case v.Badge == nil && v.Counts.Failed > 0:
		return verdict{"failed", "bad", "no badge: " + v.whichFailed()}
	case v.Badge == nil:
		return verdict{"none", "none", "no badge"}
	}
	word, text := v.Badge.String(), "badge "+v.Badge.String()
	switch {
	case v.Counts.Failed > 0:
		return verdict{word, "fair", text + ": " + v.whichFailed()}
	case *v.Badge < conformance.L4:
		return verdict{word, "good", text + ": everything up to " + v.Asked.String() + " held, and no more was asked for"}
	}
	return verdict{word, "good", text + ": everything held"}
}

// whichFailed names the first few checks that failed.
func (v *view) whichFailed() string {
	const most = 3
	var names []string
	for _, r := range v.Results {
		if r.Status == conformance.Failed {
			names = append(names, r.ID)
		}
	}
	if left := len(names) - most; left > 0 {
		names = append(names[:most], fmt.Sprintf("%d more", left))
	}
	return strings.Join(names, ", ") + " failed"
}

// name is the plugin's id and version. One that does not load has told neither.
func (v *view) name() string {
	if v.Plugin.ID == "" {
		return "an unknown plugin"
	}
	return strings.TrimSpace(v.Plugin.ID + " " + v.Plugin.Version)
}

// fact is one line of what the report is about.
type fact struct{ Name, Value string }

// Facts are what binds the report to what was examined.
func (v *view) Facts() []fact {
	facts := []fact{
		{"plugin", v.name()},
		{"title", v.Plugin.Title},
		{"sha256", v.Plugin.Digest},
		{"upgraded to", v.Plugin.Next},
		{"provider", v.Provider},
		{"suite", v.Suite},
		{"asked", "L0 to " + v.Asked.String()},
		{"seed", fmt.Sprint(v.Seed)},
		{"checks", v.Counts.String()},
		{"lives", fmt.Sprintf("%d in %s", v.Lives, span(v.Took))},
		{"began", v.Began.UTC().Format(time.RFC3339)},
	}
	var told []fact
	for _, f := range facts {
		if f.Value != "" {
			told = append(told, f)
		}
	}
	return told
}

// lines tell a failure in lines, as a terminal shows it and every document that has
// room for plain text.
func (f failureView) lines() []string {
	out := []string{"found:     " + f.Message}
	if f.Where != "" {
		out = append(out, "where:     "+f.Where)
	}
	if f.Reproduce != "" {
		out = append(out, "reproduce: "+f.Reproduce)
	}
	for _, e := range f.Evidence {
		out = append(out, e.Title+":")
		for _, line := range e.Lines {
			out = append(out, "  "+line)
		}
	}
	return out
}

// more is the line for failures that are not shown; empty for none.
func (c checkView) more() string {
	if c.More < 1 {
		return ""
	}
	return fmt.Sprintf("and %d more", c.More)
}

// mark is how a check ended, in a word.
func mark(s conformance.Status) string {
	switch s {
	case conformance.Passed:
		return "ok"
	case conformance.Skipped:
		return "skip"
	}
	return "FAIL"
}

// span is a length of time as people read it.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
