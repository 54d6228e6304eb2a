package main

import (
	"encoding/json"
	"testing"
)

// TestBrief writes entries as people read them, links whole.
func TestBrief(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"a":1,"url":"http://h:1/x?y=1,2","list":[{"b":"c"},2],"none":null}`: "a: 1, url: http://h:1/x?y=1,2, list: [{b: c}, 2], none: null",
		`{}`: "", `"x"`: "x", `{"a":`: "a: ", ``: "",
	} {
		if got := brief(json.RawMessage(body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
