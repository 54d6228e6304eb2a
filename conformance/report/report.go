// Package report writes what the conformance suite found: for the terminal, for a
// CI system, for the page on which a plugin is published, and for programs.
//
// Every format is written from one view of the report, in which every text has been
// made harmless: a plugin's texts are the work of somebody who may want the report to
// say something else.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/payhost/payhost/conformance"
)

// writer is one format.
type writer struct {
	format string
	write  func(io.Writer, *view) error
}

// writers are the formats, in the order in which they are told.
func writers() []writer {
	return []writer{
		{"text", writeText}, {"json", writeJSON}, {"junit", writeJUnit}, {"md", writeMarkdown}, {"html", writeHTML},
	}
}

// Formats returns the names that [Write] takes.
func Formats() []string {
	var names []string
	for _, w := range writers() {
		names = append(names, w.format)
	}
	return names
}

// Write writes a report in one of [Formats]. The error is the writer's, or says that
// there is no such format. The report is not changed.
//
// Texts are cut where they are too long to be read, and what a terminal or a page
// would not show as it stands is written as an escape: \x1b, \u202e.
func Write(w io.Writer, format string, r *conformance.Report) error {
	for _, to := range writers() {
		if to.format == format {
			return to.write(w, newView(r))
		}
	}
	return fmt.Errorf("report format %q is not one of %s", format, strings.Join(Formats(), ", "))
}

// mostJSON is how large a report may be that [Read] reads: the suite's own are far
// below.
const mostJSON = 64 << 20

// Read reads a report that was written as "json". Fields that it does not know are
// skipped, so that a later payhost's report can be read. The texts are as they stand
// in it, and no more harmless than whoever wrote it.
func Read(r io.Reader) (*conformance.Report, error) {
	text, err := io.ReadAll(io.LimitReader(r, mostJSON+1))
	if err != nil {
		return nil, err
	}
	if len(text) > mostJSON {
		return nil, fmt.Errorf("report is larger than %d bytes", mostJSON)
	}
	found := &conformance.Report{}
	if err := json.Unmarshal(text, found); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if found.Suite == "" {
		return nil, errors.New("report: no conformance report: it names no suite")
	}
	for i := range found.Results {
		switch found.Results[i].Status {
		case conformance.Passed, conformance.Failed, conformance.Skipped:
		default:
			return nil, fmt.Errorf("report: check %s has the status %q", found.Results[i].ID, found.Results[i].Status)
		}
	}
	return found, nil
}
