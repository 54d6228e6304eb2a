package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance"
)

// The elements are those that every reader of JUnit's XML knows. A check has at most
// one failure element, since many readers look at the first alone.
type (
	junitRoot struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitCounts struct {
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"` // in seconds
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Timestamp  string          `xml:"timestamp,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
		Skipped *junitSkipped `xml:"skipped"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",cdata"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
)

func writeJUnit(w io.Writer, v *view) error {
	root := junitRoot{Name: "payhost conformance of " + v.name(), junitCounts: v.Counts.junit(v.Took)}
	for _, level := range v.Levels {
		suite := junitSuite{
			Name: level.Level.String() + ": " + level.Title, junitCounts: level.Counts.junit(level.Took),
			Timestamp: v.Began.UTC().Format("2006-01-02T15:04:05"), // without a zone: readers want it so
		}
		for _, f := range v.Facts() {
			suite.Properties = append(suite.Properties, junitProperty(f))
		}
		suite.Properties = append(suite.Properties, junitProperty{"badge", v.Verdict.Word},
			junitProperty{"verdict", v.Verdict.Badge})
		for _, note := range v.Notes {
			suite.Properties = append(suite.Properties, junitProperty{"note", note})
		}
		for _, c := range level.Checks {
			suite.Cases = append(suite.Cases, c.junit(v.Provider))
		}
		root.Suites = append(root.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(root); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (c counts) junit(took time.Duration) junitCounts {
	return junitCounts{Tests: c.All(), Failures: c.Failed, Skipped: c.Skipped, Time: seconds(took)}
}

func (c checkView) junit(provider string) junitCase {
	out := junitCase{
		Class: "conformance." + provider + "." + c.Level.String(), Name: c.ID + ": " + c.Sentence, Time: seconds(c.Took),
	}
	switch c.Status {
	case conformance.Skipped:
		out.Skipped = &junitSkipped{Message: c.Reason}
	case conformance.Failed:
		out.Failure = &junitFailure{Message: c.headline(), Type: "conformance", Text: c.plain()}
	case conformance.Passed:
	}
	return out
}

// headline is a failed check in one line.
func (c checkView) headline() string {
	if len(c.Found) == 0 {
		return "does not hold: " + c.Sentence
	}
	text := c.Found[0].Message
	if others := len(c.Found) - 1 + c.More; others > 0 {
		text += fmt.Sprintf(" (and %d more)", others)
	}
	return text
}

// plain is all that a failed check found, as text.
func (c checkView) plain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nshould:    %s (%s)\n", c.Sentence, c.Proves)
	if c.Cure != "" {
		fmt.Fprintf(&b, "cure:      %s\n", c.Cure)
	}
	for _, f := range c.Found {
		b.WriteString(strings.Join(f.lines(), "\n") + "\n\n")
	}
	if more := c.more(); more != "" {
		b.WriteString(more + "\n")
	}
	return b.String()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
