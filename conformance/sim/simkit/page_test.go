package simkit_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

func TestPageEscapesWhatItShows(t *testing.T) {
	t.Parallel()
	const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>`
	recorder := httptest.NewRecorder()
	simkit.WritePage(recorder, 200, simkit.Page{
		Brand: hostile, Title: hostile, Amount: hostile, State: hostile, Note: hostile, Tone: simkit.Bad,
		Rows:   []simkit.Row{{Label: hostile, Value: hostile}},
		Action: "/pay?id=" + hostile, Buttons: []simkit.Button{{Name: hostile, Label: hostile}},
		Links: []simkit.Link{
			{Label: hostile, URL: "javascript:alert(1)"},
			{Label: "deep", URL: "myapp://paid"},
			{Label: "web", URL: "https://shop.example/?a=" + hostile},
		},
	})
	page := recorder.Body.String()
	for _, bad := range []string{"<script", "<img", `href="javascript`, `href="myapp`, "onerror=alert(2)>"} {
		if strings.Contains(page, bad) {
			t.Errorf("page contains %q", bad)
		}
	}
	shown := []string{`<a href="https://shop.example/?a=`, "<code>myapp://paid</code>", "&lt;script&gt;"}
	for _, good := range shown {
		if !strings.Contains(page, good) {
			t.Errorf("page lacks %q", good)
		}
	}
	policy := recorder.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") {
		t.Errorf("policy %q lets a script run", policy)
	}
}
