package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/payhost/payhost/conformance"
)

// writeMarkdown writes a page to be published with the plugin.
func writeMarkdown(w io.Writer, v *view) error {
	to := bufio.NewWriter(w)
	fmt.Fprintf(to, "# Conformance of %s\n\n", code(v.name()))
	fmt.Fprintf(to, "**payhost conformance: %s** (%s)\n\n", v.Verdict.Word, prose(v.Verdict.Badge))
	fmt.Fprint(to, "| what | value |\n| --- | --- |\n")
	for _, f := range v.Facts() {
		fmt.Fprintf(to, "| %s | %s |\n", f.Name, cell(code(f.Value)))
	}
	for _, note := range v.Notes {
		fmt.Fprintf(to, "\n- %s\n", prose(note))
	}
	for _, level := range v.Levels {
		fmt.Fprintf(to, "\n## %s: %s\n\n%s.\n\n", level.Level, level.Title, level.Counts)
		fmt.Fprint(to, "| result | check | what holds | proves | lives | time |\n| --- | --- | --- | --- | ---: | ---: |\n")
		for _, c := range level.Checks {
			fmt.Fprintf(to, "| %s | %s | %s | %s | %d | %s |\n", c.markdownMark(), cell(code(c.ID)), cell(c.holds()),
				cell(prose(c.Proves)), c.Lives, span(c.Took))
		}
	}
	if v.Counts.Failed > 0 {
		fmt.Fprint(to, "\n## What failed\n")
	}
	for _, level := range v.Levels {
		for _, c := range level.Checks {
			c.markdown(to)
		}
	}
	return to.Flush()
}

func (c checkView) markdownMark() string {
	if c.Status == conformance.Failed {
		return "**FAIL**"
	}
	return c.Mark()
}

// holds is what a check says, with the reason if it was skipped.
func (c checkView) holds() string {
	if c.Status == conformance.Skipped {
		return prose(c.Sentence) + " (skipped: " + prose(c.Reason) + ")"
	}
	return prose(c.Sentence)
}

// markdown writes what a failed check found, fenced: it is evidence, and whatever it
// holds is to be seen as it is.
func (c checkView) markdown(to *bufio.Writer) {
	if c.Status != conformance.Failed {
		return
	}
	fmt.Fprintf(to, "\n### %s\n\nShould hold (%s): %s\n", code(c.ID), prose(c.Proves), prose(c.Sentence))
	if c.Cure != "" {
		fmt.Fprintf(to, "\nCure: %s\n", prose(c.Cure))
	}
	for _, f := range c.Found {
		text := strings.Join(f.lines(), "\n")
		fence := strings.Repeat("`", max(3, longestRun(text)+1))
		fmt.Fprintf(to, "\n%stext\n%s\n%s\n", fence, text, fence)
	}
	if more := c.more(); more != "" {
		fmt.Fprintf(to, "\n%s\n", more)
	}
}

// code is a text as a code span, in which nothing means anything.
func code(text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	ticks := strings.Repeat("`", longestRun(text)+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") || strings.HasPrefix(text, " ") {
		text = " " + text + " " // which the reader takes away again
	}
	return ticks + text + ticks
}

// prose is a text that reads as it stands. What would become a link or call a person
// without any mark is shown as code: no escape keeps these from it.
func prose(text string) string {
	lower := strings.ToLower(text)
	if strings.Contains(lower, "://") || strings.Contains(lower, "www.") || strings.Contains(text, "@") {
		return code(text)
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_[]!~#$", r):
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// cell is Markdown as it may stand in a table: a bar would begin the next cell, in a
// code span, too.
func cell(markdown string) string { return strings.ReplaceAll(markdown, `|`, `\|`) }

// longestRun is the length of the longest run of backticks.
func longestRun(text string) int {
	longest, run := 0, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
