package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/payhost/payhost/conformance"
)

// How much of a text is shown, in characters, and how many lines of a list. The suite
// cuts what it finds; these hold whatever a report comes from.
const (
	mostName    = 80
	mostText    = 400
	mostCommand = 1000
	mostLines   = 60
	mostRuns    = 100 // failures of one check
	mostNotes   = 20
)

// clean makes a text harmless on any terminal and in any document: one line of
// printable characters, of at most most. What is not printable is written as its
// escape, so that it can be seen and has no effect: control characters, what turns
// the direction of writing, what is not UTF-8. What is clean stays as it is.
func clean(text string, most int) string {
	text = strings.TrimRight(text, " \t\r\n")
	var out []rune
	for i := 0; i < len(text) && len(out) <= most; {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			out = append(out, []rune(fmt.Sprintf(`\x%02x`, text[i]))...)
		case strconv.IsPrint(r):
			out = append(out, r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			out = append(out, []rune(quoted[1:len(quoted)-1])...)
		}
		i += size
	}
	if len(out) > most {
		out = append(out[:most-1], '…')
	}
	return string(out)
}

// cleanLines cleans each line of a list of at most most, of which the last says how
// many were left out.
func cleanLines(lines []string, most int) []string {
	left := 0
	if len(lines) > most {
		left = len(lines) - most + 1
		lines = lines[:most-1]
	}
	var out []string
	for _, line := range lines {
		out = append(out, clean(strings.ReplaceAll(line, "\t", "  "), mostText))
	}
	if left > 0 {
		out = append(out, fmt.Sprintf("… %d more lines", left))
	}
	return out
}

// cleaned returns a copy of a report with every text made harmless.
func cleaned(r *conformance.Report) *conformance.Report {
	c := *r
	c.Suite, c.Provider = clean(r.Suite, mostName), clean(r.Provider, mostName)
	c.Plugin = conformance.Plugin{
		ID: clean(r.Plugin.ID, mostName), Version: clean(r.Plugin.Version, mostName), Title: clean(r.Plugin.Title, mostName),
		Digest: clean(r.Plugin.Digest, mostName), Next: clean(r.Plugin.Next, mostName),
	}
	c.Notes = cleanLines(r.Notes, mostNotes)
	c.Results = make([]conformance.Result, len(r.Results))
	for i := range r.Results {
		c.Results[i] = cleanedResult(r.Results[i])
	}
	slices.SortStableFunc(c.Results, func(a, b conformance.Result) int { return int(a.Level) - int(b.Level) })
	return &c
}

func cleanedResult(r conformance.Result) conformance.Result {
	r.ID, r.Sentence = clean(r.ID, mostName), clean(r.Sentence, mostText)
	r.Proves, r.Reason = clean(r.Proves, mostName), clean(r.Reason, mostText)
	r.Cure = clean(r.Cure, mostText)
	if r.Status == conformance.Skipped && r.Reason == "" {
		r.Reason = "not run"
	}
	failures := r.Failures
	if left := len(failures) - mostRuns; left > 0 {
		failures, r.More = failures[:mostRuns], r.More+left
	}
	r.Failures = nil
	for _, f := range failures {
		r.Failures = append(r.Failures, conformance.Failure{
			Message: clean(f.Message, mostText), Where: clean(f.Where, mostText), Reproduce: clean(f.Reproduce, mostCommand),
			Timeline: cleanLines(f.Timeline, mostLines), Wire: cleanLines(f.Wire, mostLines),
			Effects: cleanLines(f.Effects, mostLines), Log: cleanLines(f.Log, mostLines),
		})
	}
	return r
}
