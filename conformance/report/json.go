package report

import (
	"encoding/json"
	"io"

	"github.com/payhost/payhost/conformance"
)

// The JSON is the report's own, with what a reader would otherwise work out: lengths
// of time in words, how many checks passed, whether all is well.
type (
	reportJSON struct {
		*conformance.Report
		Results []resultJSON `json:"results"` // in place of the report's
		OK      bool         `json:"ok"`
		Counts  counts       `json:"counts"`
		Verdict string       `json:"verdict"`
		Took    string       `json:"took"`
	}
	resultJSON struct {
		conformance.Result
		Took string `json:"took"`
	}
)

func writeJSON(w io.Writer, v *view) error {
	out := reportJSON{
		Report: v.Report, Results: []resultJSON{}, OK: v.OK(), Counts: v.Counts, Verdict: v.Verdict.Badge,
		Took: span(v.Report.Took),
	}
	for _, r := range v.Results {
		out.Results = append(out.Results, resultJSON{Result: r, Took: span(r.Took)})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
