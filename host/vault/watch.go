package vault

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// maxFileSize bounds a PEM file, in bytes: a large CA bundle has about 250 KiB.
const maxFileSize = 1 << 20

// settleTime is how long a file must have been unchanged before its time stamp is trusted alone. A second
// write within the same tick of the file system's clock leaves time, size and inode as they were; so a file
// that was read while it was younger than this is read again at the next use, and compared by its contents.
const settleTime = 2 * time.Second

// lookEvery is for how long one look at the files serves every use: calls that come thick share it, and a
// change shows so much later.
var lookEvery = 10 * time.Millisecond // a variable for tests

// errTryLater marks a load that may succeed later with the same contents.
var errTryLater = errors.New("try later")

// source is a file, and the configuration field that names it.
type source struct {
	field string
	path  string // empty for material given in memory
	owner string // put before the problem where the field does not say whose it is
}

// fail makes the error of a source: it names the field and the file's base name, never its folder or
// contents.
func (s source) fail(problem error) *FieldError {
	text := s.owner
	if s.path != "" {
		text += filepath.Base(s.path) + ": "
	}
	return &FieldError{Field: s.field, Problem: text + problem.Error()}
}

// content is what reading a source gave.
type content struct {
	data []byte
	err  error
}

// parsed parses the content of a source; what is wrong with either is added to problems.
func parsed[T any](src source, c content, parse func([]byte) (T, error), problems *[]error) (T, bool) {
	var value T
	err := c.err
	if err == nil {
		value, err = parse(c.data)
	}
	if err != nil {
		*problems = append(*problems, src.fail(err))
	}
	return value, err == nil
}

// watched is a value loaded from files, loaded again when a file changes. There is no goroutine: the files
// are looked at when the value is used, by one stat for each, at most every lookEvery. If a new state of the
// files does not load, the value stays.
type watched[T any] struct {
	name    string
	sources []source
	every   time.Duration                // lookEvery
	load    func([]content) (T, error)   // contents in the order of sources; fails if one is not there
	onError func(name string, err error) // may be nil; called without the lock

	mu       sync.Mutex
	value    T
	version  uint64
	looked   time.Time  // when the files were looked at last
	seen     []snapshot // the files at the last load that was tried
	outcome  error      // what that load came to
	reported string     // the last failure told to onError: the same one is told once
}

// snapshot is a file as it was when it was read.
type snapshot struct {
	info  fs.FileInfo
	sum   [sha256.Size]byte
	young bool // changed so shortly before that its time stamp alone proves nothing
}

// open loads the value for the first time; an error is final.
func (w *watched[T]) open() error {
	seen, contents := w.readAll()
	value, err := w.load(contents)
	if err != nil {
		return err
	}
	w.value, w.version, w.seen = value, 1, seen
	return nil
}

// current returns the value as the files are, or were lookEvery ago, and its version: 1 at first, one more
// for every change.
func (w *watched[T]) current() (T, uint64) {
	w.mu.Lock()
	var failure error
	if now := time.Now(); now.Sub(w.looked) >= w.every {
		w.looked = now
		if w.stale() {
			failure = w.fresh(w.reload())
		}
	}
	value, version := w.value, w.version
	w.mu.Unlock()

	if failure != nil && w.onError != nil {
		w.onError(w.name, failure)
	}
	return value, version
}

// stale reports whether the files need to be read again.
func (w *watched[T]) stale() bool {
	if errors.Is(w.outcome, errTryLater) {
		return true
	}
	for i, src := range w.sources {
		info, err := os.Stat(src.path)
		if err != nil || w.seen[i].young || !sameState(info, w.seen[i].info) {
			return true
		}
	}
	return false
}

// reload reads the files and, if their contents are new, loads the value; on an error the value stays as it
// was.
func (w *watched[T]) reload() error {
	seen, contents := w.readAll()
	known := true
	for i := range seen {
		if contents[i].err != nil {
			// Not remembered as a state of the files: it is tried again at the next use.
			_, err := w.load(contents)
			return err
		}
		known = known && seen[i].sum == w.seen[i].sum
	}
	w.seen = seen
	if known && !errors.Is(w.outcome, errTryLater) {
		return w.outcome
	}
	value, err := w.load(contents)
	w.outcome = err
	if err != nil {
		return err
	}
	w.value = value
	w.version++
	return nil
}

// fresh drops a failure that was already reported, so that a bad file is one report and not one for every
// use.
func (w *watched[T]) fresh(failure error) error {
	if failure == nil {
		w.reported = ""
		return nil
	}
	if text := failure.Error(); text != w.reported {
		w.reported = text
		return failure
	}
	return nil
}

func (w *watched[T]) readAll() ([]snapshot, []content) {
	seen := make([]snapshot, len(w.sources))
	contents := make([]content, len(w.sources))
	for i, src := range w.sources {
		seen[i], contents[i].data, contents[i].err = readFile(src.path)
	}
	return seen, contents
}

// readFile reads a regular file of at most maxFileSize bytes.
func readFile(path string) (snapshot, []byte, error) {
	// Before opening: to open a named pipe would wait for its writer.
	if info, err := os.Stat(path); err != nil {
		return snapshot{}, nil, bare(err)
	} else if !info.Mode().IsRegular() {
		return snapshot{}, nil, errors.New("is not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return snapshot{}, nil, bare(err)
	}
	defer func() { _ = file.Close() }()

	// The state is taken before the contents: a write in between shows as a change at the next use.
	info, err := file.Stat()
	if err != nil {
		return snapshot{}, nil, bare(err)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFileSize+1))
	if err != nil {
		return snapshot{}, nil, bare(err)
	}
	if len(data) > maxFileSize {
		return snapshot{}, nil, fmt.Errorf("is larger than %d bytes", maxFileSize)
	}
	age := time.Since(info.ModTime()).Abs()
	return snapshot{info: info, sum: sha256.Sum256(data), young: age < settleTime}, data, nil
}

func sameState(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// bare takes the path out of an error of package os.
func bare(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
