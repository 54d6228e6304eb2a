package vault

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The tests change files and want to see it at once.
func init() { lookEvery = 0 }

// TestLooksAreShared looks at a file that has changed, before and after its time.
func TestLooksAreShared(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := &watched[string]{
		sources: []source{{path: path}}, every: time.Hour,
		load: func(c []content) (string, error) { return string(c[0].data), c[0].err },
	}
	put("one")
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	expect := func(when, want string) {
		t.Helper()
		if value, _ := w.current(); value != want {
			t.Errorf("%s: %q, want %q", when, value, want)
		}
	}
	expect("first look", "one")
	put("two")
	expect("soon after a look", "one")
	w.looked = w.looked.Add(-w.every)
	expect("an hour after a look", "two")
	put("three")
	expect("soon after the second look", "two")
}
