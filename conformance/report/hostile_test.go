package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/report"
)

// evil is a text that somebody made so that a report says something else.
const evil = "\x1b[2J\x1b]0;owned\x07\r\n\x00ok  L4 all\u202egood\u2066\u009b31m\ufffe]]>--><script>alert(1)</script>" +
	"</style></title><img src=x onerror=alert(1)> \xff\xc3 ``` | **bold** [x](https://evil.example) @someone {{.}} ${x} &amp;\t\v"

// hostile is a report in which every text is that, and some are endless.
func hostile() *conformance.Report {
	long := strings.Repeat("endless ", 1<<12) + evil
	lines := append([]string{evil}, slices.Repeat([]string{"< 200"}, 70)...)
	return &conformance.Report{
		Suite: evil, Provider: evil, Asked: conformance.L1, Seed: 1,
		Plugin: conformance.Plugin{ID: evil, Version: evil, Title: long, Digest: evil},
		Results: []conformance.Result{
			{Check: conformance.Check{ID: evil, Level: conformance.L1, Sentence: evil, Proves: evil}, Status: conformance.Skipped, Reason: evil},
			{
				Check: conformance.Check{ID: "`" + evil, Sentence: evil + "`", Proves: evil}, Status: conformance.Failed,
				Failures: []conformance.Failure{
					{Message: evil, Where: long, Reproduce: evil, Timeline: []string{evil}, Wire: lines, Effects: []string{long}, Log: []string{"```", evil}},
				},
			},
		},
		Notes: []string{evil},
	}
}

// TestHostileBytes looks at the bytes of every format: nothing that a terminal acts
// on, nothing that isn't UTF-8, nothing that turns a line around, and not too much.
func TestHostileBytes(t *testing.T) {
	t.Parallel()
	for _, format := range report.Formats() {
		text := write(t, format, hostile())
		if !utf8.ValidString(text) {
			t.Errorf("%s: not UTF-8", format)
		}
		for _, r := range text {
			if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfffe {
				t.Errorf("%s: holds %U", format, r)
			}
		}
		if len(text) > 100_000 {
			t.Errorf("%s: %d bytes", format, len(text))
		}
		for _, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, "ok  L4 all") {
				t.Errorf("%s: a plugin wrote a line of its own", format)
			}
		}
	}
}

// TestHTML parses the page strictly and looks for elements and attributes that it
// should not have.
func TestHTML(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*conformance.Report{"sample": sample(), "hostile": hostile()} {
		text := write(t, "html", r)
		decoder := xml.NewDecoder(strings.NewReader(text))
		known := strings.Fields("html head meta title style body h1 svg rect path g text p dl dt dd h2 ul li span div code details summary h3 pre")
		seen := map[string]int{}
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			start, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			seen[start.Name.Local]++
			if !slices.Contains(known, start.Name.Local) {
				t.Errorf("%s: element %s", name, start.Name.Local)
			}
			for _, a := range start.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || slices.Contains([]string{"src", "href", "style", "srcdoc"}, a.Name.Local) {
					t.Errorf("%s: attribute %s=%q", name, a.Name.Local, a.Value)
				}
			}
		}
		if seen["details"] == 0 || seen["svg"] != 1 || seen["style"] != 1 || seen["title"] != 1 {
			t.Errorf("%s: %v", name, seen)
		}
		for _, outside := range []string{"@import", "url(", "<script", "<link"} {
			if strings.Contains(text, outside) {
				t.Errorf("%s: page holds %q", name, outside)
			}
		}
	}
}

// suites is JUnit's XML as CI systems read it.
type suites struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Skipped  int `xml:"skipped,attr"`
	Suites   []struct {
		Name       string `xml:"name,attr"`
		Tests      int    `xml:"tests,attr"`
		Properties []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"properties>property"`
		Cases []struct {
			Name    string  `xml:"name,attr"`
			Class   string  `xml:"classname,attr"`
			Time    float64 `xml:"time,attr"`
			Failure []struct {
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			} `xml:"failure"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

// TestJUnit reads the XML back.
func TestJUnit(t *testing.T) {
	t.Parallel()
	var got suites
	if err := xml.Unmarshal([]byte(write(t, "junit", sample())), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 4 || got.Failures != 1 || got.Skipped != 1 || len(got.Suites) != 4 {
		t.Fatalf("%+v", got)
	}
	properties := map[string]string{}
	for _, p := range got.Suites[0].Properties {
		properties[p.Name] = p.Value
	}
	if properties["badge"] != "L1" || properties["seed"] != "7" || properties["suite"] != "1" || len(properties["sha256"]) != 64 {
		t.Errorf("properties %v", properties)
	}
	c := got.Suites[2].Cases[0]
	if len(c.Failure) != 1 || c.Failure[0].Message != "payment is failed, though the provider charged 12.30 EUR (and 4 more)" ||
		!strings.Contains(c.Failure[0].Text, "\nwire:\n  > POST /v1/charges") || c.Time < 2.3 || c.Class != "conformance.aurora.L2" {
		t.Errorf("%+v", c)
	}
	if s := got.Suites[1].Cases[0].Skipped; s == nil || s.Message != "the plugin declares no refund" {
		t.Errorf("skipped %+v", s)
	}

	got = suites{}
	if err := xml.Unmarshal([]byte(write(t, "junit", hostile())), &got); err != nil {
		t.Fatal(err)
	}
	if f := got.Suites[0].Cases[0].Failure; len(f) != 1 || !strings.Contains(f[0].Text, "]]>") {
		t.Errorf("evidence is lost: %+v", f)
	}
}

// TestMarkdownFences wants every line of evidence inside a fence that the evidence
// can't close, and no link that a plugin made.
func TestMarkdownFences(t *testing.T) {
	t.Parallel()
	fence := ""
	for _, line := range strings.Split(write(t, "md", hostile()), "\n") {
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(ticks) >= 3 && strings.HasSuffix(line, "text"):
			fence = ticks
		case fence != "" && line == fence:
			fence = ""
		case fence != "" && len(ticks) >= len(fence):
			t.Errorf("evidence closes the fence: %q", line)
		case fence == "" && strings.Contains(outsideCode(line), "](http"):
			t.Errorf("a link: %q", line)
		case fence == "" && strings.Contains(outsideCode(line), "<"):
			t.Errorf("an element: %q", line)
		}
	}
	if fence != "" {
		t.Error("a fence stays open")
	}
}

// outsideCode is a line without its code spans, as CommonMark finds them: from a run
// of backticks to the next of the same length.
func outsideCode(line string) string {
	var out strings.Builder
	for line != "" {
		before, rest, found := strings.Cut(line, "`")
		out.WriteString(before)
		if !found {
			break
		}
		rest = "`" + rest
		ticks := rest[:len(rest)-len(strings.TrimLeft(rest, "`"))]
		line = rest[len(ticks):]
		for at := 0; at < len(line); {
			run := len(line[at:]) - len(strings.TrimLeft(line[at:], "`"))
			if run == len(ticks) {
				line = line[at+run:]
				break
			}
			at += max(run, 1)
		}
	}
	return out.String()
}
