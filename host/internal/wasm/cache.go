package wasm

import (
	"encoding/binary"
	"encoding/hex"
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

// sumName is the file of an entry that holds the sum of all others.
const sumName = "sum"

// entry is one module's folder in the compile cache. What lies in it is run as it is,
// so it is the owner's alone, is looked over before it is used, and gets its name only
// when it is whole: a process that is killed, or another one that compiles the same,
// leaves nothing half-written to be found.
type entry struct {
	final string // the folder's name once it is whole
	dir   string // where the engine reads and writes
	fresh bool   // dir is not final yet
}

// openEntry finds the entry of code by its digest, or makes room for one.
func openEntry(root string, digest [32]byte) (*entry, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, &LoadError{Reason: "compile cache: folder can't be made", Err: err}
	}
	if err := owned(root); err != nil {
		return nil, &LoadError{Reason: "compile cache: " + err.Error(), Err: err}
	}
	prune(root)
	e := &entry{final: filepath.Join(root, "module-"+hex.EncodeToString(digest[:]))}
	if e.whole() {
		e.dir = e.final
		now := time.Now()
		_ = os.Chtimes(e.dir, now, now) // for prune
		return e, nil
	}
	var err error
	if e.dir, err = os.MkdirTemp(root, "new-"); err != nil {
		return nil, &LoadError{Reason: "compile cache: folder can't be used", Err: err}
	}
	e.fresh = true
	return e, nil
}

// whole reports whether the entry is there and as it was written.
func (e *entry) whole() bool {
	want, err := os.ReadFile(filepath.Join(e.final, sumName))
	if err != nil || owned(e.final) != nil {
		return false
	}
	have, err := sumOf(e.final)
	return err == nil && string(have) == string(want)
}

// keep gives a fresh entry its name. It is no error if that can't be: another process
// may have been first, and without an entry the next start compiles again.
func (e *entry) keep() {
	if !e.fresh {
		return
	}
	defer e.drop()
	sum, err := sumOf(e.dir)
	if err != nil || os.WriteFile(filepath.Join(e.dir, sumName), sum, 0o600) != nil {
		return
	}
	if os.Rename(e.dir, e.final) == nil || e.whole() {
		return
	}
	if os.RemoveAll(e.final) == nil { // what stood there was damaged
		_ = os.Rename(e.dir, e.final)
	}
}

// drop takes away what did not get its name.
func (e *entry) drop() {
	if e.fresh {
		_ = os.RemoveAll(e.dir)
	}
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
