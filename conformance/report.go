package conformance

import (
	"strings"
	"time"
)

// Status is how a check ended.
type Status string

// The statuses. A check is skipped when the plugin declares nothing that it could
// be about; that is no failure, and the report says why.
const (
	Passed  Status = "pass"
	Failed  Status = "fail"
	Skipped Status = "skip"
)

// Report is what the suite found. It is bound to the plugin by its digest.
type Report struct {
	Suite    string        `json:"suite"` // version of the suite
	Plugin   Plugin        `json:"plugin"`
	Provider string        `json:"provider"` // what it was run against
	Asked    Level         `json:"asked"`    // the highest level that was run
	Badge    *Level        `json:"badge"`    // the highest level at which, and below which, nothing failed; null for none
	Partial  bool          `json:"partial"`  // only some checks were asked for: no badge
	Seed     uint64        `json:"seed"`     // of the faults that are drawn
	Lives    int           `json:"lives"`    // how many lives were lived
	Began    time.Time     `json:"began"`
	Took     time.Duration `json:"took_ns"`
	Results  []Result      `json:"results"` // by level, then in the suite's order
	Notes    []string      `json:"notes,omitempty"`
}

// Plugin says which plugin a report is about.
type Plugin struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Title   string `json:"title"`
	Digest  string `json:"sha256"`                // of the module, in hex
	Next    string `json:"next_sha256,omitempty"` // of the revision that L4 upgraded to
}

// Result is what became of one check.
type Result struct {
	Check
	Status   Status        `json:"status"`
	Reason   string        `json:"reason,omitempty"` // why it was skipped
	Lives    int           `json:"lives"`            // how many lives it was held against
	Took     time.Duration `json:"took_ns"`          // of these lives, which ran side by side
	Failures []Failure     `json:"failures,omitempty"`
	More     int           `json:"more_failures,omitempty"` // beyond those that are shown
}

// Failure is one way in which a check failed, with the evidence.
type Failure struct {
	// Message says what is wrong, in one sentence: "payment is failed, though the
	// provider charged 12.30 EUR".
	Message string `json:"message"`
	// Where says what was done to the plugin when it happened: "answer of call 2 (POST
	// /v1/refunds, for refund) lost after the provider acted".
	Where string `json:"where,omitempty"`
	// Reproduce is the command line that shows this failure alone.
	Reproduce string `json:"reproduce,omitempty"`
	// Evidence in lines, each list cut to what fits a screen.
	Timeline []string `json:"timeline,omitempty"` // payhost's ledger of the payment
	Wire     []string `json:"wire,omitempty"`     // what passed between plugin and provider, masked
	Effects  []string `json:"effects,omitempty"`  // the provider's ledger of money
	Log      []string `json:"log,omitempty"`      // what the plugin and the host said

	check string // the watched check that it belongs to; empty for the life's own
}

// text is the failure for a terminal.
func (f *Failure) text() string {
	text := "  " + f.Message + "\n"
	if f.Where != "" {
		text += "  when: " + f.Where + "\n"
	}
	for _, part := range []struct {
		name  string
		lines []string
	}{{"timeline", f.Timeline}, {"wire", f.Wire}, {"effects", f.Effects}, {"log", f.Log}} {
		if len(part.lines) > 0 {
			text += "  " + part.name + ":\n    " + strings.Join(part.lines, "\n    ") + "\n"
		}
	}
	return text
}

// OK reports whether nothing failed.
func (r *Report) OK() bool {
	for i := range r.Results {
		if r.Results[i].Status == Failed {
			return false
		}
	}
	return true
}

// badge returns the highest level up to which nothing failed; nil if L0 did. A level
// whose checks were all skipped counts as held: the plugin promises nothing there.
func badge(results []Result, asked Level) *Level {
	held := Level(-1)
	for level := L0; level <= asked; level++ {
		for i := range results {
			if results[i].Level == level && results[i].Status == Failed {
				return pointer(held)
			}
		}
		held = level
	}
	return pointer(held)
}

func pointer(l Level) *Level {
	if l < L0 {
		return nil
	}
	return &l
}
