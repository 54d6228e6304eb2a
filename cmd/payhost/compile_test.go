package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payhost/payhost/sdk/pay"
)

// TestCompileApart tells a compiler that could not do its work from one that broke down.
func TestCompileApart(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("there is no shell to be the compiler")
	}
	for name, tt := range map[string]struct {
		script  string
		refused bool
		want    string
	}{
		"done":        {"cat >/dev/null", false, ""},
		"failed":      {"echo 'payhost: disk is full' >&2; exit 1", false, "disk is full"},
		"panicked":    {"exit 2", true, "compiler broke down on the module: exit status 2"},
		"was killed":  {"kill -9 $$", true, "signal: killed"},
		"no such one": {"", false, "no such file"},
		"is told":     {`[ "$1 $2" = "compile --cache" ] && [ -n "$GOMAXPROCS" ] && [ -z "$HOME" ]`, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := filepath.Join(t.TempDir(), "payhost")
			if tt.script != "" {
				if err := os.WriteFile(program, []byte("#!/bin/sh\n"+tt.script+"\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			err := compileWith(t.Context(), program, "/cache", []byte("module"))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if refused := err != nil && pay.ClassOf(err) == pay.ClassPluginFault; refused != tt.refused {
				t.Errorf("refused: %v", refused)
			}
		})
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := compileWith(ended, "/bin/sh", "/cache", nil); err == nil || pay.ClassOf(err) == pay.ClassPluginFault {
		t.Errorf("after the end: %v", err)
	}
}
