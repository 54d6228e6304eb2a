package scenario_test

import (
	"os"
	"strings"
	"testing"

	"github.com/payhost/payhost/conformance/scenario"
)

// frame is what the parts of the document need around them.
const frame = `
  - call: POST /v1/orders
    request: {order: text, amount: major 2, notify_url: optional url, expires: optional time}
    create: {object: order}
    answer: teapot
`

// TestDocument reads every YAML block of the document: whole files as they are, and
// the parts as one file.
func TestDocument(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	whole, parts := 0, "name: parts\n"
	for _, block := range strings.Split(string(document), "\n```yaml")[1:] {
		block, _, _ = strings.Cut(block, "\n```")
		info, text, _ := strings.Cut(block, "\n")
		if strings.TrimSpace(info) == "part" {
			parts += text + "\n"
			continue
		}
		whole++
		if _, err := scenario.Parse("docs/scenarios.md", []byte(text), ""); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
		// What the document shows of an error is what comes.
		_, shown, _ := strings.Cut(string(document), "corner.yaml:")
		shown, _, _ = strings.Cut("corner.yaml:"+shown, ", …")
		_, err := scenario.Parse("corner.yaml", []byte(strings.Replace(text, "{order.state}", "{order.stat}", 1)), "")
		if err == nil || !strings.HasPrefix(err.Error(), shown) {
			t.Errorf("error %v, the document shows %s", err, shown)
		}
	}
	parts = strings.Replace(parts, "\ncalls:", "\ncalls:"+strings.TrimRight(frame, "\n"), 1)
	if whole != 1 || strings.Count(parts, "\n") < 60 {
		t.Errorf("%d whole files, and parts\n%s", whole, parts)
	}
	if _, err := scenario.Parse("docs/scenarios.md", []byte(parts), ""); err != nil {
		t.Errorf("%v\n%s", err, parts)
	}
}
