// Command plot draws docs/performance.svg from bench/results.json, a copy of what a
// run of make bench left in build/bench.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/payhost/payhost/bench/internal/plot"
	"github.com/payhost/payhost/bench/internal/report"
)

func main() {
	in := flag.String("in", "results.json", "the results")
	out := flag.String("out", "../docs/performance.svg", "the picture")
	flag.Parse()
	if err := draw(*in, *out); err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

func draw(in, out string) error {
	text, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	var results report.Results
	if err := json.Unmarshal(text, &results); err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	var picture bytes.Buffer
	if err := plot.Draw(&picture, &results); err != nil {
		return err
	}
	return os.WriteFile(out, picture.Bytes(), 0o644)
}
