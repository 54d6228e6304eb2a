package wasm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// What an entry holds: the engine's own folder with one file of machine code, and
// these.
const (
	outlineName = "outline.wasm"
	sumName     = "sum" // of all other files
)

// entry is one module's folder in the compile cache. What lies in it is run as it is,
// so it is the owner's alone, is looked over before it is used, and gets its name only
// when it is whole: a process that is killed, or another one that compiles the same,
// leaves nothing half-written to be found.
type entry struct {
	key   string
	root  string
	final string // the folder's name once it is whole
	fresh string // where it is written until then; "" if it is not
	unfit bool   // what stands there can't be used, though it is whole
}

// openEntry finds the place of the entry of a key.
func openEntry(root, key string) (*entry, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, &LoadError{Reason: "compile cache: folder can't be made", Err: err}
	}
	if err := owned(root); err != nil {
		return nil, &LoadError{Reason: "compile cache: " + err.Error(), Err: err}
	}
	return &entry{key: key, root: root, final: filepath.Join(root, "module-"+key)}, nil
}

// read returns the outline of an entry that is there and as it was written.
func (e *entry) read() (outline []byte, ok bool) {
	want, err := os.ReadFile(filepath.Join(e.final, sumName))
	if err != nil || owned(e.final) != nil {
		return nil, false
	}
	have, err := sumOf(e.final)
	if err != nil || string(have) != string(want) {
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(e.final, now, now) // for prune
	outline, err = os.ReadFile(filepath.Join(e.final, outlineName))
	return outline, err == nil
}

// begin makes the folder in which the entry is written.
func (e *entry) begin() (err error) {
	prune(e.root)
	e.fresh, err = os.MkdirTemp(e.root, "new-")
	return err
}

// code is where the engine writes the machine code, names where it writes that of the
// outline.
func (e *entry) code() string  { return filepath.Join(e.fresh, "code") }
func (e *entry) names() string { return filepath.Join(e.fresh, "names") }

// write lays the entry out: the machine code gets the name that the engine gave to that
// of the outline.
func (e *entry) write(outline []byte) error {
	code, err := only(e.code())
	if err != nil {
		return err
	}
	name, err := only(e.names())
	if err != nil {
		return err
	}
	whole := filepath.Join(e.fresh, "whole")
	place := filepath.Join(whole, name)
	if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(e.code(), code), place); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(whole, outlineName), outline, 0o600)
}

// keep gives a fresh entry its name. It is no error if that can't be: another process
// may have been first, and without an entry the next start compiles again.
func (e *entry) keep() {
	defer e.drop()
	whole := filepath.Join(e.fresh, "whole")
	sum, err := sumOf(whole)
	if err != nil || os.WriteFile(filepath.Join(whole, sumName), sum, 0o600) != nil {
		return
	}
	if os.Rename(whole, e.final) == nil {
		return
	}
	if _, ok := e.read(); ok && !e.unfit {
		return
	}
	if os.RemoveAll(e.final) == nil {
		_ = os.Rename(whole, e.final)
	}
}

// drop takes away what did not get its name.
func (e *entry) drop() {
	if e.fresh != "" {
		_ = os.RemoveAll(e.fresh)
	}
}

// only returns the one file below a folder, by its path from there.
func only(dir string) (name string, err error) {
	n := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
			name, err = filepath.Rel(dir, path)
		}
		return err
	})
	if err == nil && n != 1 {
		err = fmt.Errorf("the engine wrote %d files", n)
	}
	return name, err
}

// prune takes away what nobody will look for: the leavings of killed processes, and
// the entries that were not used for longest where there are very many.
func prune(root string) {
	const most, patience = 64, time.Hour
	type used struct {
		path string
		at   time.Time
	}
	list, err := os.ReadDir(root)
	if err != nil {
		return
	}
	var entries []used
	for _, d := range list {
		info, err := d.Info()
		if err != nil {
			continue
		}
		u := used{filepath.Join(root, d.Name()), info.ModTime()}
		switch {
		case strings.HasPrefix(d.Name(), "module-"):
			entries = append(entries, u)
		case strings.HasPrefix(d.Name(), "new-") && time.Since(u.at) > patience:
			_ = os.RemoveAll(u.path)
		}
	}
	slices.SortFunc(entries, func(a, b used) int { return b.at.Compare(a.at) })
	for _, u := range entries[min(most, len(entries)):] {
		_ = os.RemoveAll(u.path)
	}
}

// sumOf adds up the names, lengths and bytes of the files of an entry. It finds
// damage; against somebody who may write there, nothing but the folder's owner helps.
func sumOf(dir string) ([]byte, error) {
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() || name == sumName:
			return nil
		case !d.Type().IsRegular():
			return errors.New("not a file")
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		n, err := io.Copy(sum, f)
		fmt.Fprintf(sum, "%s %d\n", name, n)
		return err
	})
	return binary.BigEndian.AppendUint32(nil, sum.Sum32()), err
}
