package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
)

// TestRevisionsTellWhoInsisted lists what was put in place, by whom, and what was needed of what was lost.
func TestRevisionsTellWhoInsisted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a, at := &api{out: &output{stdout: &out}}, time.Date(2026, time.March, 1, 23, 0, 0, 0, time.UTC)
	list := client.Revisions{Revisions: []client.Revision{{Digest: "aa", Version: "1.0.0", By: "config", At: at, Active: true}}}
	a.revisions(list)
	if text := out.String(); !strings.Contains(text, "in use") || strings.Contains(text, "PUT IN PLACE") {
		t.Errorf("without a history:\n%s", text)
	}
	list.Activations = []client.Activation{{
		Digest: strings.Repeat("ab", 32), Canary: 5, Source: "api", By: "night", At: at, Lost: []string{"confirm", "flow till"}, Forced: true,
		Needed: "confirm (12 of kassa-1)",
	}}
	out.Reset()
	a.revisions(list)
	const want = "2026-03-01T23:00:00Z  abababababab  5        api     night  confirm, flow till; by force, needed: confirm (12 of kassa-1)"
	if text := out.String(); !strings.Contains(text, want) {
		t.Errorf("printed\n%swant\n%s", text, want)
	}
}

// TestPushByForceAlone refuses what would have no effect.
func TestPushByForceAlone(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	args := []string{"plugin", "push", "rahmet", "none.wasm", "--force"}
	if code := execute(t.Context(), newRoot(&out, &errs, suite{}, nil), args, &errs); code != exitUsage || !strings.Contains(errs.String(), "--activate") {
		t.Errorf("exit %d\n%s%s", code, &out, &errs)
	}
}
