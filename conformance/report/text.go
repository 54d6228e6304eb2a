package report

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/payhost/payhost/conformance"
)

// writeText writes a line for each check, then what failed, then the verdict, which
// is where a terminal is looked at.
func writeText(w io.Writer, v *view) error {
	to := bufio.NewWriter(w)
	for _, level := range v.Levels {
		for _, c := range level.Checks {
			fmt.Fprintln(to, line(c.Result))
		}
	}
	v.rest(to)
	return to.Flush()
}

// Rest writes what the format "text" has beyond the line for each check: for a
// terminal that [Progress] has shown these lines already.
func Rest(w io.Writer, r *conformance.Report) error {
	to := bufio.NewWriter(w)
	newView(r).rest(to)
	return to.Flush()
}

func (v *view) rest(to *bufio.Writer) {
	for _, level := range v.Levels {
		for _, c := range level.Checks {
			c.text(to)
		}
	}
	fmt.Fprintln(to)
	for _, f := range v.Facts() {
		fmt.Fprintf(to, "%-13s%s\n", f.Name, f.Value)
	}
	for _, note := range v.Notes {
		fmt.Fprintf(to, "%-13s%s\n", "note", note)
	}
	fmt.Fprintln(to, v.Verdict.Badge)
}

// text writes what a failed check found.
func (c checkView) text(to *bufio.Writer) {
	if c.Status != conformance.Failed {
		return
	}
	fmt.Fprintf(to, "\n%s: %s (%s)\n", c.ID, c.Sentence, c.Proves)
	if c.Cure != "" {
		fmt.Fprintf(to, "  cure:      %s\n", c.Cure)
	}
	for i, f := range c.Found {
		if i > 0 {
			fmt.Fprintln(to)
		}
		for _, line := range f.lines() {
			fmt.Fprintln(to, "  "+line)
		}
	}
	if more := c.more(); more != "" {
		fmt.Fprintln(to, "  "+more)
	}
}

// line is a check on one line. It takes a result that is clean.
func line(r conformance.Result) string {
	text := fmt.Sprintf("%-4s  %-20s  %s", mark(r.Status), r.ID, r.Sentence)
	if r.Status == conformance.Skipped {
		return text + "  (skipped: " + r.Reason + ")"
	}
	return text + fmt.Sprintf("  (%s, %s)", lives(r.Lives), span(r.Took))
}

// lives counts lives.
func lives(n int) string {
	if n == 1 {
		return "1 life"
	}
	return fmt.Sprintf("%d lives", n)
}

// Progress returns what [conformance.Options] takes as its Progress: it writes a line
// for each check as it ends. On a terminal a line below them counts; it is gone when
// the last check has ended.
func Progress(w io.Writer, tty bool) func(r conformance.Result, done, of int) {
	const wipe = "\r\x1b[K"
	began := time.Now()
	return func(r conformance.Result, done, of int) {
		text := line(cleanedResult(r)) + "\n"
		if tty {
			text = wipe + text
			if done < of {
				text += fmt.Sprintf("%d of %d checks, %s ", done, of, span(time.Since(began).Round(time.Second)))
			}
		}
		// One write, so that nothing comes between a line and its counter. What can't be
		// shown is no reason to end the run.
		_, _ = io.WriteString(w, text)
	}
}
