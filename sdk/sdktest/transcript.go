package sdktest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/payhost/payhost/sdk/pay"
)

// exchange is one request and its answer, as written down.
type exchange struct {
	where  string // "create.txt:12", for messages
	method string
	target string
	effect string // "read" or "money"
	fields []pay.Field
	body   string
	answer answer
}

// answer is what the provider says, or why it says nothing.
type answer struct {
	failure string // "", "not_sent", "unknown" or "auth"
	reason  string // of the failure
	status  int
	fields  []pay.Field
	body    string
}

// script is the exchanges that are expected and how far the plugin has come.
type script struct {
	exchanges []exchange
	next      int
	broken    bool // the test has failed on an exchange: the rest says nothing
}

// take returns the next exchange.
func (s *script) take() (exchange, bool) {
	if s.next >= len(s.exchanges) {
		return exchange{}, false
	}
	s.next++
	return s.exchanges[s.next-1], true
}

// left says what was expected and not sent, or "".
func (s *script) left() string {
	if s.broken || s.next >= len(s.exchanges) {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d exchanges were not made:", len(s.exchanges)-s.next, len(s.exchanges))
	for _, x := range s.exchanges[s.next:] {
		fmt.Fprintf(&b, "\n  %s: %s %s %s", x.where, x.method, x.target, x.effect)
	}
	return b.String()
}

// Sections returns the names of the transcripts in a file that are written under
// "== name" lines, in their order, each as "file#name" for [Plugin.Transcript]. The
// test stops if the file can't be read or has none.
func Sections(t testing.TB, file string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		t.Fatalf("sdktest: %v", err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "== "); ok {
			names = append(names, file+"#"+strings.TrimSpace(name))
		}
	}
	if len(names) == 0 {
		t.Fatalf("sdktest: %s has no section", file)
	}
	return names
}

// load reads the transcript that source names or is.
func load(source string) ([]exchange, error) {
	if strings.Contains(source, "\n") {
		return parse("transcript", source, "")
	}
	file, section, named := strings.Cut(source, "#")
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil, err
	}
	exchanges, err := parse(filepath.Base(file), string(text), section)
	if err == nil && named && len(exchanges) == 0 {
		err = fmt.Errorf("%s: there is no section %q, or it is empty", file, section)
	}
	return exchanges, err
}

// parser reads a transcript line by line.
type parser struct {
	name      string
	exchanges []exchange
	side      byte // '>' or '<' of the line before; 0 at the start
	inBody    bool
	hasBody   bool
}

func parse(name, text, section string) ([]exchange, error) {
	p := &parser{name: name}
	wanted := section == ""
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if heading, ok := strings.CutPrefix(line, "== "); ok {
			wanted = section == "" || strings.TrimSpace(heading) == section
			continue
		}
		line = strings.TrimLeft(line, " \t")
		if !wanted || line == "" || line[0] == '#' {
			continue
		}
		if err := p.line(number, line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	if p.side == '>' {
		return nil, fmt.Errorf("%s:%d: the last request has no answer", name, number)
	}
	return p.exchanges, nil
}

func (p *parser) line(number int, line string) error {
	side := line[0]
	if side != '>' && side != '<' {
		return fmt.Errorf("a line begins with >, <, # or ==, not %q", line)
	}
	rest := strings.TrimPrefix(line[1:], " ")
	if side != p.side {
		p.inBody, p.hasBody = false, false
		p.side = side
		return p.first(number, side, rest)
	}
	x := &p.exchanges[len(p.exchanges)-1]
	fields, body := &x.fields, &x.body
	if side == '<' {
		fields, body = &x.answer.fields, &x.answer.body
	}
	switch quoted, ok := strings.CutPrefix(rest, "!body "); {
	case ok && !p.hasBody:
		text, err := strconv.Unquote(strings.TrimSpace(quoted))
		if err != nil {
			return fmt.Errorf("!body is not followed by Go quotes: %s", quoted)
		}
		*body, p.hasBody = text, true
	case p.inBody && p.hasBody:
		*body += "\n" + rest
	case p.inBody:
		*body, p.hasBody = rest, true
	case rest == "":
		p.inBody = true
	default:
		name, value, ok := strings.Cut(rest, ":")
		if !ok {
			return fmt.Errorf("%q is not a header: an empty line must come before the body", rest)
		}
		*fields = append(*fields, pay.Field{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	return nil
}

// first reads the first line of a request or an answer.
func (p *parser) first(number int, side byte, line string) error {
	words := strings.Fields(line)
	if side == '>' {
		if len(words) != 3 || words[2] != "read" && words[2] != "money" {
			return fmt.Errorf("a request begins with method, path and read or money, not %q", line)
		}
		p.exchanges = append(p.exchanges, exchange{
			where:  p.name + ":" + strconv.Itoa(number),
			method: words[0], target: words[1], effect: words[2],
		})
		return nil
	}
	if len(p.exchanges) == 0 {
		return fmt.Errorf("an answer stands before the first request")
	}
	a := &p.exchanges[len(p.exchanges)-1].answer
	if failure, ok := strings.CutPrefix(line, "!"); ok {
		name, reason, _ := strings.Cut(failure, " ")
		if name != "not_sent" && name != "unknown" && name != "auth" {
			return fmt.Errorf("!%s is none of !not_sent, !unknown, !auth", name)
		}
		a.failure, a.reason = name, strings.TrimSpace(reason)
		return nil
	}
	status, err := strconv.Atoi(line)
	if err != nil || status < 200 || status > 599 {
		return fmt.Errorf("an answer begins with a status from 200 to 599 or with !, not %q", line)
	}
	a.status = status
	return nil
}
