package report

import "github.com/payhost/payhost/conformance"

// Change is a check that ended otherwise than it did before.
type Change struct {
	conformance.Check
	Old conformance.Status // empty if the old report has no such check
	New conformance.Status // empty if the new one has none
}

// Worse reports whether something was lost: the check fails now, or what it had
// proven is proven no more.
func (c Change) Worse() bool {
	return c.New == conformance.Failed || c.Old == conformance.Passed && c.New != conformance.Passed
}

// Compare tells how a report differs from an older one, in the order of the new one;
// checks that it has no more come last.
func Compare(old, latest *conformance.Report) []Change {
	before := map[string]conformance.Status{}
	for i := range old.Results {
		before[old.Results[i].ID] = old.Results[i].Status
	}
	var changes []Change
	for i := range latest.Results {
		r := &latest.Results[i]
		if was := before[r.ID]; was != r.Status {
			changes = append(changes, Change{r.Check, was, r.Status})
		}
		delete(before, r.ID)
	}
	for i := range old.Results {
		if r := &old.Results[i]; before[r.ID] != "" {
			changes = append(changes, Change{Check: r.Check, Old: r.Status})
		}
	}
	return changes
}
