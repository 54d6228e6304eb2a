package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const (
	maxFile     = 1 << 20
	maxProblems = 20
)

// Error is one thing that is wrong with a file, and where.
type Error struct {
	File string
	Line int
	// Path is that of the field: "calls[2].answer.status". Empty for the whole file.
	Path    string
	Message string
}

// Error is "file:line: path: message".
func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
	}
	return fmt.Sprintf("%s:%d: %s: %s", e.File, e.Line, e.Path, e.Message)
}

// report gathers what is wrong with a file.
type report struct {
	file     string
	problems []*Error
}

func (r *report) add(line int, path, message string) {
	e := &Error{r.file, line, path, message}
	same := func(o *Error) bool { return *o == *e }
	if len(r.problems) < maxProblems && !slices.ContainsFunc(r.problems, same) {
		r.problems = append(r.problems, e)
	}
}

// err joins the problems in the order of the file.
func (r *report) err() error {
	slices.SortStableFunc(r.problems, func(a, b *Error) int { return a.Line - b.Line })
	all := make([]error, len(r.problems))
	for i, e := range r.problems {
		all[i] = e
	}
	return errors.Join(all...)
}

// place is somewhere in a file: a node, and the path that leads to it. A field that
// is not there has no node, and the line of what should hold it.
type place struct {
	*report
	node *yaml.Node
	path string
	line int
}

// entry is one field of an object.
type entry struct {
	name string
	place
}

// open reads a file as far as YAML goes.
func open(name string, data []byte) (place, error) {
	r := &report{file: name}
	if len(data) > maxFile {
		r.add(1, "", "is larger than 1 MiB")
		return place{}, r.err()
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		r.add(1, "", "is empty")
		return place{}, r.err()
	case err != nil:
		line, message := yamlError(err)
		r.add(line, "", message)
		return place{}, r.err()
	}
	if decoder.Decode(&second) == nil {
		r.add(second.Line, "", "is a second document; a file describes one provider")
		return place{}, r.err()
	}
	root := document.Content[0]
	return place{r, root, "", root.Line}, nil
}

// yamlError takes the line out of the library's message.
func yamlError(err error) (int, string) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		number, text, found := strings.Cut(rest, ": ")
		if line, err := strconv.Atoi(number); err == nil && found {
			return line, "is not YAML: " + text
		}
	}
	return 1, "is not YAML: " + message
}

func (p place) given() bool { return p.node != nil }

func (p place) bad(format string, args ...any) { p.add(p.line, p.path, fmt.Sprintf(format, args...)) }

func (p place) at(node *yaml.Node, step string) place {
	if !strings.HasPrefix(step, "[") && p.path != "" {
		step = "." + step
	}
	return place{p.report, node, p.path + step, node.Line}
}

// is reports whether the node is of a kind, and says so if it is not.
func (p place) is(kind yaml.Kind, what string) bool {
	switch {
	case p.node == nil:
		p.bad("is missing")
	case p.node.Kind == yaml.AliasNode || p.node.Anchor != "":
		p.bad("is an alias or an anchor; write it out, or name an answer")
	case p.node.Kind != kind:
		p.bad("must be %s", what)
	default:
		return true
	}
	return false
}

func (p place) isScalar(tag string) bool {
	return p.node != nil && p.node.Kind == yaml.ScalarNode && p.node.ShortTag() == tag
}

// entries are the fields of an object, in the order of the file.
func (p place) entries() []entry {
	if !p.is(yaml.MappingNode, "an object") {
		return nil
	}
	var all []entry
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		key, value := p.node.Content[i], p.node.Content[i+1]
		at := p.at(value, key.Value)
		at.line = key.Line
		switch {
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge":
			at.bad("is no name of a field")
			continue
		case slices.ContainsFunc(all, func(e entry) bool { return e.name == key.Value }):
			at.bad("is there twice")
			continue
		}
		all = append(all, entry{key.Value, at})
	}
	return all
}

// has reports whether this is an object with a field of that name.
func (p place) has(field string) bool {
	if p.node == nil || p.node.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i < len(p.node.Content); i += 2 {
		if p.node.Content[i].Value == field {
			return true
		}
	}
	return false
}

// fields are the fields of an object that may have these and no others.
func (p place) fields(known ...string) map[string]place {
	found := map[string]place{}
	for _, e := range p.entries() {
		if !slices.Contains(known, e.name) {
			e.bad("no such field; there are %s", strings.Join(known, ", "))
			continue
		}
		found[e.name] = e.place
	}
	for _, name := range known {
		if _, ok := found[name]; !ok {
			path := strings.TrimPrefix(p.path+"."+name, ".")
			found[name] = place{p.report, nil, path, p.line}
		}
	}
	return found
}

func (p place) list() []place {
	if !p.is(yaml.SequenceNode, "a list") {
		return nil
	}
	all := make([]place, len(p.node.Content))
	for i, node := range p.node.Content {
		all[i] = p.at(node, "["+strconv.Itoa(i)+"]")
	}
	return all
}

// text is any scalar as it is written.
func (p place) text() string {
	if !p.is(yaml.ScalarNode, "a text") {
		return ""
	}
	if p.isScalar("!!null") || p.node.Value == "" {
		p.bad("must not be empty")
	}
	return p.node.Value
}

// texts is a list of texts, or a single one.
func (p place) texts() []string {
	if p.node != nil && p.node.Kind == yaml.ScalarNode {
		return []string{p.text()}
	}
	var all []string
	for _, one := range p.list() {
		all = append(all, one.text())
	}
	return all
}

// word is a text that is one of these.
func (p place) word(allowed ...string) string {
	text := p.text()
	if p.given() && !slices.Contains(allowed, text) {
		p.bad("%q is not one of %s", text, strings.Join(allowed, ", "))
	}
	return text
}

// name is a text that can stand in a template.
func (p place) name(text string) bool {
	ok := text != ""
	for _, r := range text {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		ok = ok && (letter || r == '_' || r == '-')
	}
	if !ok {
		p.bad("a name has letters, digits, - and _ only")
	}
	return ok
}

func (p place) integer() int64 {
	if !p.is(yaml.ScalarNode, "a whole number") {
		return 0
	}
	n, err := strconv.ParseInt(p.node.Value, 10, 64)
	if err != nil || !p.isScalar("!!int") {
		p.bad("must be a whole number, not %q", p.node.Value)
	}
	return n
}

func (p place) boolean() bool {
	if p.is(yaml.ScalarNode, "true or false") && !p.isScalar("!!bool") {
		p.bad("must be true or false")
	}
	return p.node != nil && strings.EqualFold(p.node.Value, "true")
}

func (p place) duration() time.Duration {
	d, err := time.ParseDuration(p.text())
	if p.given() && (err != nil || d <= 0) {
		p.bad("%q is not a time above 0 such as 90s, 15m or 24h", p.node.Value)
	}
	return d
}

// value is the node as JSON has it. Numbers are kept as they are written.
func (p place) value() any {
	if p.node == nil {
		return nil
	}
	switch p.node.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		for _, e := range p.entries() {
			object[e.name] = e.value()
		}
		return object
	case yaml.SequenceNode:
		list := []any{}
		for _, one := range p.list() {
			list = append(list, one.value())
		}
		return list
	}
	return p.scalar()
}

func (p place) scalar() any {
	if !p.is(yaml.ScalarNode, "a value") {
		return nil
	}
	switch p.node.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return p.boolean()
	case "!!int", "!!float":
		if !json.Valid([]byte(p.node.Value)) {
			p.bad("%q is not a number that JSON has; quote it if it is a text", p.node.Value)
		}
		return json.Number(p.node.Value)
	}
	return p.node.Value
}
