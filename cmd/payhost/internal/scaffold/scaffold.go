// Package scaffold writes the beginning of a plugin: a module of its own that
// compiles, loads and passes its tests, against a wire that is invented. What is to
// be replaced by the provider's own is marked "PROVIDER:".
package scaffold

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// The flows that there are templates for.
const (
	FlowRedirect = "redirect"
	FlowQR       = "qr"
	FlowTill     = "till"
)

// Flows lists them.
func Flows() []string { return []string{FlowRedirect, FlowQR, FlowTill} }

// goVersion is what the SDK needs; a test holds it against payhost's own go.mod.
const goVersion = "1.26.0"

// Options say what plugin to begin.
type Options struct {
	// Name is the plugin's id: a letter, then letters, digits and dashes, in lowercase, 32
	// at most.
	Name string
	// Dir is where it goes: a directory that is empty or does not exist; empty for one of
	// the plugin's name.
	Dir string
	// Module is the path of its Go module; empty for example.com/NAME.
	Module string
	// Flow is redirect, qr or till; empty for redirect.
	Flow string
	// Version is the payhost that it is written for, without a v.
	Version string
	// Replace is a directory that holds payhost's source, to build against it; empty to
	// fetch the version.
	Replace string
}

// ErrOptions is what a mistake in the options is; it names the field.
var ErrOptions = errors.New("bad option")

func (o Options) withDefaults() Options {
	o.Dir = cmp.Or(o.Dir, o.Name)
	o.Module = cmp.Or(o.Module, "example.com/"+o.Name)
	o.Flow = cmp.Or(o.Flow, FlowRedirect)
	return o
}

var (
	goodName   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	goodModule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]*(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)
	// taken are packages that the plugin's own stands beside.
	taken = []string{"main", "json", "pay", "sdk", "sdktest", "testing", "time"}
)

func (o Options) validate() error {
	bad := func(field, message string) error { return fmt.Errorf("%w: %s: %s", ErrOptions, field, message) }
	pkg := o.pkg()
	switch {
	case !goodName.MatchString(o.Name) || strings.HasSuffix(o.Name, "-"):
		return bad("name", fmt.Sprintf("%q is not a letter, then letters, digits and dashes, in lowercase, 32 at most", o.Name))
	case token.IsKeyword(pkg) || slices.Contains(taken, pkg):
		return bad("name", fmt.Sprintf("%q can't be the name of the plugin's package", pkg))
	case !slices.Contains(Flows(), o.Flow):
		return bad("flow", fmt.Sprintf("%q is not one of %s", o.Flow, strings.Join(Flows(), ", ")))
	case !goodModule.MatchString(o.Module) || strings.HasSuffix(o.Module, "."):
		return bad("module", fmt.Sprintf("%q is not a module path, such as example.com/%s", o.Module, o.Name))
	case strings.ContainsAny(o.Replace, "\r\n\"`"):
		return bad("replace", fmt.Sprintf("%q can't stand in a go.mod", o.Replace))
	}
	return nil
}

// pkg is the name of the plugin's package.
func (o Options) pkg() string { return strings.ReplaceAll(o.Name, "-", "") }

// Write makes the plugin and returns the files, by their paths under the directory.
// It changes nothing that is there: a directory that holds something is refused. A
// mistake in the options is [ErrOptions].
func Write(o Options) ([]string, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Replace != "" { // go.mod takes a path from where it lies
		var err error
		if o.Replace, err = filepath.Abs(o.Replace); err != nil {
			return nil, err
		}
	}
	files, err := render(o)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(o.Dir)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case len(entries) > 0:
		return nil, fmt.Errorf("%s is not empty: it holds %s", o.Dir, entries[0].Name())
	}
	var paths []string
	for _, f := range files {
		if err := create(filepath.Join(o.Dir, filepath.FromSlash(f.path)), f.content); err != nil {
			return nil, err
		}
		paths = append(paths, f.path)
	}
	return paths, nil
}

// create writes a file that must not exist.
func create(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

//go:embed template
var templates embed.FS

// file is one file of the plugin.
type file struct {
	path    string // under the plugin's directory, with slashes
	content []byte
}

// view is what the templates name.
type view struct {
	Options
	Go        string
	Package   string
	Title     string
	File      string
	TestFile  string
	QR, Till  bool
	FlowConst string // of sdk/pay
	Setting   string // the connection's setting
	NextField string // the answer's field that leads the payer on
}

func newView(o Options) view {
	v := view{
		Options: o, Go: goVersion, Package: o.pkg(), Title: strings.ToUpper(o.Name[:1]) + o.Name[1:],
		FlowConst: "FlowRedirect", Setting: "shop_id", NextField: "page",
	}
	v.File, v.TestFile = v.Package+".go", v.Package+"_test.go"
	switch o.Flow {
	case FlowQR:
		v.QR, v.FlowConst, v.NextField = true, "FlowQR", "qr"
	case FlowTill:
		v.Till, v.FlowConst, v.Setting = true, "FlowTill", "till_id"
	}
	return v
}

// modPath writes a path as go.mod takes it: in quotes if it holds more than plain
// characters.
func modPath(path string) string {
	if regexp.MustCompile(`^[\w./~+-]+$`).MatchString(path) {
		return path
	}
	return strconv.Quote(path)
}

// render fills in the templates.
func render(o Options) ([]file, error) {
	all, err := template.New("").Option("missingkey=error").Funcs(template.FuncMap{"path": modPath}).ParseFS(templates, "template/*.tmpl")
	if err != nil {
		return nil, err
	}
	v := newView(o)
	sources := []struct{ path, from string }{
		{"go.mod", "go.mod"},
		{".gitignore", "gitignore"},
		{"README.md", "README.md"},
		{"Makefile", "Makefile"},
		{v.File, "plugin.go"},
		{"refund.go", "refund.go"},
		{"wire.go", "wire.go"},
		{v.TestFile, "plugin_test.go"},
		{"testdata/life.txt", "life.txt"},
		{"wasm/main.go", "main.go"},
	}
	extra := "scenario.yaml"
	if v.Till { // a scenario has no payer who shows a code
		extra = "till.go"
	}
	sources = append(sources, struct{ path, from string }{extra, extra})
	var files []file
	for _, s := range sources {
		var out bytes.Buffer
		if err := all.ExecuteTemplate(&out, s.from+".tmpl", v); err != nil {
			return nil, err
		}
		content := out.Bytes()
		if strings.HasSuffix(s.path, ".go") {
			if content, err = format.Source(content); err != nil {
				return nil, fmt.Errorf("%s: %w", s.path, err)
			}
		}
		files = append(files, file{s.path, content})
	}
	return files, nil
}
