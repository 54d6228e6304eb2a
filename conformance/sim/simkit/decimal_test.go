package simkit_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text   string
		places int
		want   int64
		bad    bool
	}{
		{"35.45", 2, 3545, false},
		{"35.4", 2, 3540, false},
		{"35", 2, 3500, false},
		{"35.450", 2, 3545, false},
		{"007", 0, 7, false},
		{"0.01", 2, 1, false},
		{"92233720368547758.07", 2, math.MaxInt64, false},
		{"92233720368547758.08", 2, 0, true},
		{"35.449999", 2, 0, true},
		{"0.300000000000004", 2, 0, true},
		{"", 2, 0, true},
		{".5", 2, 0, true},
		{"5.", 2, 0, true},
		{"-1", 2, 0, true},
		{"+1", 2, 0, true},
		{"1e2", 2, 0, true},
		{" 1", 2, 0, true},
		{"1,5", 2, 0, true},
		{"1.2.3", 2, 0, true},
		{"١", 2, 0, true},
	}
	for _, test := range tests {
		got, err := simkit.ParseDecimal(test.text, test.places)
		if got != test.want || (err != nil) != test.bad {
			t.Errorf("C10: ParseDecimal(%q) = %d, %v; want %d", test.text, got, err, test.want)
		}
	}
}

func TestParseNumber(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text json.Number
		want int64
		bad  bool
	}{
		{"35.45", 3545, false},
		{"3.545E1", 3545, false},
		{"3545e-2", 3545, false},
		{"35450e-3", 3545, false},
		{"1e3", 100000, false},
		{"0", 0, false},
		{"0e40", 0, false},
		{"1e-2", 1, false},
		{"1e-3", 0, true},
		{"1e-41", 0, true},
		{"1e40", 0, true},
		{"1e999999999999", 0, true},
		{"35.449999", 0, true},
		{"-1", 0, true},
		{"01", 0, true},
		{"1 ", 0, true},
		{"\"1\"", 0, true},
		{"", 0, true},
	}
	for _, test := range tests {
		got, err := simkit.ParseNumber(test.text, 2)
		if got != test.want || (err != nil) != test.bad {
			t.Errorf("C10: ParseNumber(%q) = %d, %v; want %d", test.text, got, err, test.want)
		}
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	tests := []struct {
		minor       int64
		places      int
		full, short string
	}{
		{3545, 2, "35.45", "35.45"},
		{3540, 2, "35.40", "35.4"},
		{3500, 2, "35.00", "35"},
		{5, 2, "0.05", "0.05"},
		{0, 2, "0.00", "0"},
		{100, 0, "100", "100"},
		{-5, 2, "-0.05", "-0.05"},
		{math.MinInt64, 2, "-92233720368547758.08", "-92233720368547758.08"},
	}
	for _, test := range tests {
		full := simkit.FormatDecimal(test.minor, test.places)
		short := simkit.FormatShort(test.minor, test.places)
		if full != test.full || short != test.short {
			t.Errorf("%d: %q and %q, want %q and %q", test.minor, full, short, test.full, test.short)
		}
	}
}

func FuzzParseNumber(f *testing.F) {
	for _, seed := range []string{"35.45", "3545e-2", "0", "1e40", "-1", "99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		minor, err := simkit.ParseNumber(json.Number(text), 2)
		if err != nil {
			return
		}
		again, err := simkit.ParseDecimal(simkit.FormatDecimal(minor, 2), 2)
		if err != nil || again != minor {
			t.Errorf("%q is %d, which reads back as %d, %v", text, minor, again, err)
		}
	})
}
