package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/payhost/payhost/conformance"
)

// file is a whole description, compiled.
type file struct {
	name  string
	base  string // where files that it names are
	clock clock
	// places are the decimals of a major unit; nil until a field or a filter says so.
	places *int

	connection connection
	settings   map[string]string
	secrets    map[string]string
	keys       map[string]*keyPair

	kinds           map[string]*objectKind
	order           []*objectKind
	payment, refund *objectKind

	answers    map[string]place
	used       map[string]bool
	badRequest *answer
	noSuchCall *answer

	every         []*refusal // before every call
	calls         []*call
	notifications []*notification
}

// Load reads a provider from a file. The error joins an *[Error] for everything
// that is wrong with it.
func Load(path string) (conformance.Provider, error) {
	info, err := os.Stat(path)
	if err != nil {
		return conformance.Provider{}, fmt.Errorf("scenario: %w", err)
	}
	if info.Size() > maxFile {
		return conformance.Provider{}, &Error{path, 1, "", "is larger than 1 MiB"}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return conformance.Provider{}, fmt.Errorf("scenario: %w", err)
	}
	return Parse(path, data, filepath.Dir(path))
}

// Parse reads a provider from the text of a file. name is what errors call it;
// files that it names are looked for in base. The error is that of [Load].
func Parse(name string, data []byte, base string) (conformance.Provider, error) {
	root, err := open(name, data)
	if err != nil {
		return conformance.Provider{}, err
	}
	f := &file{base: base}
	terms := f.read(root)
	if err := root.err(); err != nil {
		return conformance.Provider{}, err
	}
	start := func() (conformance.Simulator, error) { return newServer(f), nil }
	return conformance.Provider{Name: f.name, Start: start, Connect: f.connect, Terms: terms}, nil
}

// read reads the sections in an order in which each knows what its templates can
// name.
func (f *file) read(root place) conformance.Terms {
	fields := root.fields("name", "time", "terms", "connection", "objects", "every_call", "calls", "answers", "notifications")
	f.name = fields["name"].text()
	if fields["name"].given() {
		fields["name"].name(f.name)
	}
	f.clock = readClock(fields["time"])
	f.readConnection(fields["connection"])
	f.readObjects(fields["objects"])
	f.readAnswers(fields["answers"])
	f.readCalls(fields["calls"])
	for _, c := range f.calls {
		more := c.callFields()
		f.readFind(c, more["find"])
		f.readCreate(c, more["create"])
	}
	f.compileObjects()
	f.compileOwn(root)
	if every := fields["every_call"]; every.given() {
		s := &scope{file: f, call: &call{untyped: true}}
		for _, one := range every.list() {
			f.every = append(f.every, s.refusal(one, true))
		}
	}
	for i, c := range f.calls {
		f.compileCall(c)
		f.reachable(c, f.calls[:i])
	}
	if all := fields["notifications"]; all.given() {
		for _, one := range all.list() {
			f.compileNotification(one)
		}
	}
	f.unused()
	return f.readTerms(fields["terms"])
}

// compileObjects compiles objects before refunds of them, whose templates may name
// them.
func (f *file) compileObjects() {
	for _, refunds := range []bool{false, true} {
		for _, k := range f.order {
			if (k.parent != nil) != refunds {
				continue
			}
			for _, c := range f.calls {
				if c.create != nil && c.create.kind == k {
					k.compileCreation(c.scope(f, false))
				}
			}
			k.compileRest(&scope{file: f, objects: map[string]*objectKind{k.name: k}})
		}
	}
}

// reachable refuses a call that an earlier one always comes before.
func (f *file) reachable(c *call, before []*call) {
	i := slices.IndexFunc(before, func(o *call) bool {
		return o.when == nil && o.method == c.method && o.path == c.path && c.path != ""
	})
	if i >= 0 {
		c.bad("is never reached: calls[%d] is the same and has no when", i)
	}
}
