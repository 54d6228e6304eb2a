package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestAPIDocument runs the lines of docs/api.md as they stand, against what make run
// starts, and wants the events of it verified by a receiver with the Standard
// Webhooks library.
func TestAPIDocument(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "jq", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is needed in CI", tool)
			}
			t.Skipf("%s is not to be had: the document's lines need it", tool)
		}
	}
	document, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	blocks := regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllSubmatch(document, -1)
	for _, block := range blocks {
		script.Write(block[1])
	}
	if len(blocks) < 15 {
		t.Fatalf("only %d blocks of lines were found", len(blocks))
	}
	environment, events := startDev(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script.String())
	cmd.Env = append(os.Environ(), environment...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"payment.succeeded", "payment.canceled", "refund.succeeded", "receipt.registered"} {
		if !events.saw(want) {
			t.Errorf("no verified event %s came", want)
		}
	}
}

// seen is what dev has printed so far.
type seen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *seen) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.WriteString(line + "\n")
}

// saw waits a little for an event, since they are on their way.
func (s *seen) saw(event string) bool {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		found := strings.Contains(s.text.String(), "# event "+event+" ")
		s.mu.Unlock()
		if found {
			return true
		}
	}
	return false
}

// startDev starts payhost dev and returns the variables that it prints.
func startDev(t *testing.T) ([]string, *seen) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(ctx, []string{"dev", "--listen", "127.0.0.1:0", "--plugins", plugins(t)}, writer, &stderr)
		_ = writer.Close()
	}()
	t.Cleanup(func() { cancel(); <-ended })
	events, ready := &seen{}, make(chan []string, 1)
	go func() {
		var environment []string
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			line := lines.Text()
			events.add(line)
			if name, ok := strings.CutPrefix(line, "export "); ok {
				environment = append(environment, name)
			}
			if line == "# interrupt to stop" {
				ready <- environment
			}
		}
	}()
	select {
	case environment := <-ready:
		return environment, events
	case <-ended:
		t.Fatalf("dev ended: %s", stderr.String())
	case <-time.After(3 * time.Minute):
		t.Fatal("dev does not start")
	}
	return nil, nil
}
