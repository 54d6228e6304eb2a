package report

import (
	"fmt"
	"io"
	"strings"
)

// Markdown writes the results as tables.
func (r *Results) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Benchmarks of payhost\n\n")
	fmt.Fprintf(&b, "%s. Medians of up to %d interleaved rounds. Trust ratios within this run, not times; ", r.Machine, r.Rounds)
	b.WriteString("bench/README.md says what is measured and how to read it.\n\n## Targets\n\n")
	b.WriteString("| what | target | measured | met |\n| --- | --- | --- | --- |\n")
	for _, row := range r.Rows {
		met := row.Met
		if met == "no" {
			met = "**no**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", row.What, row.Target, row.Measured, met)
	}
	b.WriteString("\n## One call\n\n| variant | × native | one call |\n| --- | --- | --- |\n")
	for _, bar := range r.Call {
		bar.markdown(&b)
	}
	b.WriteString("\n## From end to end, 64 clients\n\n| variant | payments/s | one payment |\n| --- | --- | --- |\n")
	for _, bar := range r.Whole {
		bar.markdown(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (bar *Bar) markdown(b *strings.Builder) {
	if bar.Why != "" {
		fmt.Fprintf(b, "| %s | | not measured: %s |\n", bar.Name, bar.Why)
		return
	}
	fmt.Fprintf(b, "| %s | %s | %s |\n", bar.Name, number(bar.Value), bar.Detail)
}
