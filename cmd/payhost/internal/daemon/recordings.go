package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/host"
)

// recordings keeps recordings of operations in a folder, masked, the oldest removed.
// A payment never waits for it and never fails by it: what can't be written, or not
// fast enough, is dropped, and the log says so once until it works again.
type recordings struct {
	dir         string
	keep        int
	connections []string // empty for all
	operations  []string // empty for all that write
	log         hclog.Logger

	queue chan *host.Recording
	ended chan struct{}

	mu     sync.Mutex
	closed bool
	full   bool // it was logged that the queue is full

	// The writer's own.
	files   []string // names, oldest first
	number  int
	failing bool
}

// waiting is how many recordings may wait to be written.
const waiting = 256

// recordingName is how the files are named, so that nothing else is ever removed.
var recordingName = regexp.MustCompile(`^\d{8}T\d{6}\.\d{3}-\d{6}-[a-z0-9_-]+\.recording\.json$`)

// newRecordings begins to keep recordings; nil if the configuration asks for none.
func newRecordings(c config.Record, log hclog.Logger) *recordings {
	if c.Dir == "" {
		return nil
	}
	r := &recordings{
		dir: c.Dir, keep: c.Kept(), connections: c.Connections, operations: c.Operations, log: log,
		queue: make(chan *host.Recording, waiting), ended: make(chan struct{}),
	}
	r.open()
	go r.run()
	return r
}

// open makes the folder and finds what is there of an earlier run.
func (r *recordings) open() {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		r.fails(err)
		return
	}
	if info, err := os.Stat(r.dir); err == nil && info.Mode()&0o077 != 0 {
		r.log.Warn("folder of recordings is open to other users", "dir", r.dir, "mode", info.Mode().Perm().String())
	}
	entries, err := os.ReadDir(r.dir) // sorted by name, so by time
	if err != nil {
		r.fails(err)
		return
	}
	for _, e := range entries {
		if recordingName.MatchString(e.Name()) {
			r.files = append(r.files, e.Name())
		}
	}
}

// record takes a recording if it is one to keep.
func (r *recordings) record(rec *host.Recording) {
	if !r.wanted(rec) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	select {
	case r.queue <- rec:
		r.full = false
	default:
		if !r.full {
			r.full = true
			r.log.Warn("recordings come faster than they are written: some are dropped", "dir", r.dir)
		}
	}
}

func (r *recordings) wanted(rec *host.Recording) bool {
	if rec.Connection == "" || len(r.connections) > 0 && !slices.Contains(r.connections, rec.Connection) {
		return false
	}
	if len(r.operations) == 0 {
		return rec.Operation.Kind().Writes()
	}
	return slices.Contains(r.operations, rec.Operation.String())
}

func (r *recordings) run() {
	defer close(r.ended)
	for rec := range r.queue {
		if err := r.write(rec); err != nil {
			r.fails(err)
			continue
		}
		if r.failing {
			r.failing = false
			r.log.Info("recordings are written again", "dir", r.dir)
		}
	}
}

// fails logs a failure, once until a write works again.
func (r *recordings) fails(err error) {
	if !r.failing {
		r.failing = true
		r.log.Error("recording can't be written: payments go on without", "dir", r.dir, "error", err)
	}
}

// write masks a recording and moves it into place whole.
func (r *recordings) write(rec *host.Recording) error {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	text := rec.Mask().Encode()
	r.number = (r.number + 1) % 1_000_000
	name := fmt.Sprintf("%s-%06d-%s-%s.recording.json", rec.Began.UTC().Format("20060102T150405.000"), r.number,
		rec.Connection, rec.Operation)
	f, err := os.CreateTemp(r.dir, ".recording-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(r.dir, name))
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	r.files = append(r.files, name)
	for len(r.files) > r.keep {
		os.Remove(filepath.Join(r.dir, r.files[0]))
		r.files = r.files[1:]
	}
	return nil
}

// close writes what waits. Nothing is recorded after it.
func (r *recordings) close() {
	if r == nil {
		return
	}
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	<-r.ended
}
