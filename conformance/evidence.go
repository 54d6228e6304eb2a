package conformance

import (
	"fmt"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
)

// maxLines is how many lines of each kind of evidence a failure shows.
const maxLines = 24

// timelines are payhost's ledgers of the life's payments, a line an entry.
func (l *Life) timelines() []string {
	var lines []string
	for _, id := range l.payments {
		for _, e := range l.Timeline(id) {
			lines = append(lines, cut(fmt.Sprintf("%s %s %s %s", clockOf(e.At), e.Actor, e.Kind, e.Body)))
		}
	}
	return fit(lines)
}

// clockOf is the time of day of a time in RFC 3339.
func clockOf(at string) string {
	_, clock, _ := strings.Cut(at, "T")
	clock, _, _ = strings.Cut(clock, ".")
	return strings.TrimSuffix(clock, "Z")
}

func (l *Life) wireLines() []string {
	var lines []string
	for _, x := range l.Wire.Journal() {
		line := x.String()
		if x.Step != "" {
			line += " (" + x.Step + ")"
		}
		lines = append(lines, cut(line))
	}
	return fit(lines)
}

func (l *Life) effectLines() []string {
	var lines []string
	for _, e := range l.Sim.Effects() {
		lines = append(lines, cut(fmt.Sprintf("%d %s %d of %s (ours: %s), key %s", e.Seq, e.Kind, e.Amount, e.Object, e.Ref, e.Key)))
	}
	return fit(lines)
}

func cut(line string) string {
	const most = 400
	if len(line) <= most {
		return line
	}
	return strings.ToValidUTF8(line[:most], "") + "…"
}

// fit cuts lines to what fits a screen: how it began, and how it ended.
func fit(lines []string) []string {
	const head = maxLines / 3
	if len(lines) <= maxLines {
		return lines
	}
	left := len(lines) - maxLines
	out := append(lines[:head:head], fmt.Sprintf("… %d more …", left))
	return append(out, lines[head+left:]...)
}

// logBook keeps the latest lines of the host's log. What stands in it of a life is
// told by the name of its connection.
type logBook struct {
	mu   sync.Mutex
	kept []string
}

const maxLog = 4_000

func newLogBook() *logBook { return &logBook{} }

// logger is one whose lines are a connection's.
func (b *logBook) logger(connection string) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: b, DisableTime: true}).With("connection", connection)
}

// Write implements io.Writer.
func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.kept) >= maxLog {
		b.kept = append(b.kept[:0:0], b.kept[maxLog/2:]...)
	}
	b.kept = append(b.kept, strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

// all returns what was said of a connection.
func (b *logBook) all(connection string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []string
	for _, line := range b.kept {
		if strings.Contains(line, connection) {
			lines = append(lines, line)
		}
	}
	return lines
}

// lines is all, cut to what a failure shows.
func (b *logBook) lines(connection string) []string {
	var lines []string
	for _, line := range b.all(connection) {
		if !strings.Contains(line, "[DEBUG]") {
			lines = append(lines, cut(line))
		}
	}
	return fit(lines)
}
