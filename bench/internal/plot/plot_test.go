package plot_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/payhost/payhost/bench/internal/plot"
	"github.com/payhost/payhost/bench/internal/report"
)

// TestDraw draws bars of all kinds: the picture is XML, and each bar stands in it.
func TestDraw(t *testing.T) {
	t.Parallel()
	results := &report.Results{
		Machine: "a <machine> & more",
		Call:    []report.Bar{{Name: "native", Value: 1}, {Name: "payhost", Value: 1.4, Own: true}, {Name: "none", Why: "no C compiler"}},
		Whole:   []report.Bar{{Name: "service", Value: 9000}, {Name: "fast", Value: 12000}},
	}
	text := draw(t, results)
	if bars := strings.Count(text, "<rect"); bars != 4 {
		t.Errorf("%d bars, want 4", bars)
	}
	for _, want := range []string{"1.4×", "not measured", "12000", "prefers-color-scheme: dark", "a &lt;machine&gt; &amp; more"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the picture", want)
		}
	}
	draw(t, &report.Results{}) // nothing was measured at all
}

// TestCommitted holds the picture of the documents against the results beside it.
func TestCommitted(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../results.json")
	if err != nil {
		t.Fatal(err)
	}
	var results report.Results
	if err := json.Unmarshal(content, &results); err != nil {
		t.Fatal(err)
	}
	picture, err := os.ReadFile("../../../docs/performance.svg")
	if err != nil {
		t.Fatal(err)
	}
	if string(picture) != draw(t, &results) {
		t.Error("docs/performance.svg is not drawn from bench/results.json: run go run ./cmd/plot in bench")
	}
}

func draw(t *testing.T, results *report.Results) string {
	t.Helper()
	var b strings.Builder
	if err := plot.Draw(&b, results); err != nil {
		t.Fatal(err)
	}
	for dec := xml.NewDecoder(strings.NewReader(b.String())); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return b.String()
		} else if err != nil {
			t.Fatalf("the picture is not XML: %v", err)
		}
	}
}
