package aurora_test

import (
	"os"
	"strings"
	"testing"
)

// TestGuideShowsThisCode holds the guide against the example: every Go block of
// docs/writing-a-plugin.md stands in it, to the letter.
func TestGuideShowsThisCode(t *testing.T) {
	t.Parallel()
	var code strings.Builder
	for _, name := range []string{"aurora.go", "wire.go", "notification.go", "wasm/main.go"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(content)
	}
	guide, err := os.ReadFile("../../docs/writing-a-plugin.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(guide), "```go\n")[1:]
	if len(blocks) < 5 {
		t.Fatalf("only %d blocks in the guide", len(blocks))
	}
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		if !strings.Contains(code.String(), block) {
			t.Errorf("not in the example:\n%s", block)
		}
	}
}
