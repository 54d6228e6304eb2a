package report

import (
	"fmt"
	"math"
)

// Row is one line of the table of targets.
type Row struct {
	What     string  `json:"what"`
	Target   string  `json:"target"`
	Measured string  `json:"measured"`        // in words
	Value    float64 `json:"value,omitempty"` // what is held against the target
	Met      string  `json:"met"`             // "yes", "no", or "" if it was not measured
}

// bench is a value by benchmark and unit.
type bench struct{ name, unit string }

// target is how a row comes from figures.
type target struct {
	what    string
	of      bench   // the value, or if by is there its ratio to that
	by      bench   // nothing for the value itself
	scale   float64 // the value is multiplied by it; 0 counts as 1
	unit    string  // after scaling; "×" for ratios
	limit   float64
	atLeast bool // the limit is the least, not the most
	// orElse is the unit of figures to take where one of the two is missing, since all calls
	// met times in which the machine was slow: that of all calls.
	orElse string
	// compute makes the value of rows that are neither a value nor a ratio, of and by
	// still saying what must be there.
	compute func(f *Figures) (float64, string)
}

// Rows holds the figures against the targets.
func Rows(f *Figures) []Row {
	rows := make([]Row, 0, len(targets))
	for _, t := range targets {
		rows = append(rows, t.row(f))
	}
	return rows
}

func (t target) row(f *Figures) Row {
	sign := "≤"
	if t.atLeast {
		sign = "≥"
	}
	row := Row{What: t.what, Target: sign + " " + number(t.limit) + separate(t.unit)}
	if missing := t.missing(f); missing != "" {
		other := t
		other.of.unit, other.by.unit = t.orElse, t.orElse
		if t.orElse == "" || other.missing(f) != "" {
			row.Measured = "not measured: " + f.Why(missing)
			return row
		}
		row = other.row(f)
		row.Measured += ", of all calls, since none was undisturbed"
		return row
	}
	value, words := t.value(f)
	row.Value, row.Measured = rounded(value), number(value)+separate(t.unit)+words
	row.Met = "no"
	if value <= t.limit != t.atLeast || value == t.limit {
		row.Met = "yes"
	}
	return row
}

// missing names the benchmark that has no figure for the row; "" if none is missing.
func (t target) missing(f *Figures) string {
	for _, need := range []bench{t.of, t.by} {
		if _, ok := f.Median(need.name, need.unit); !ok && need.name != "" {
			return need.name
		}
	}
	return ""
}

// value returns what is held against the limit, and what else is worth saying.
func (t target) value(f *Figures) (float64, string) {
	if t.compute != nil {
		return t.compute(f)
	}
	scale := t.scale
	if scale == 0 {
		scale = 1
	}
	median, _ := f.Median(t.of.name, t.of.unit)
	best, _ := f.Best(t.of.name, t.of.unit)
	if t.by.name == "" {
		return median * scale, fmt.Sprintf(" (best %s)", number(best*scale))
	}
	median2, _ := f.Median(t.by.name, t.by.unit)
	best2, _ := f.Best(t.by.name, t.by.unit)
	return median / median2, fmt.Sprintf(" (by best rounds %s×)", number(best/best2))
}

// number writes a value with three digits that count.
func number(v float64) string {
	switch abs := math.Abs(v); {
	case abs >= 100:
		return fmt.Sprintf("%.0f", v)
	case abs >= 10:
		return trim(fmt.Sprintf("%.1f", v))
	case abs >= 1 || v == 0:
		return trim(fmt.Sprintf("%.2f", v))
	}
	return trim(fmt.Sprintf("%.3f", v))
}

// trim takes zeros from the end of a fraction.
func trim(s string) string {
	for s[len(s)-1] == '0' && len(s) > 1 {
		s = s[:len(s)-1]
	}
	if s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s
}

func rounded(v float64) float64 { return math.Round(v*1e4) / 1e4 }

func separate(unit string) string {
	if unit == "×" || unit == "" {
		return unit
	}
	return " " + unit
}
