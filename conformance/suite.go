package conformance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/payhost/payhost/conformance/wire"
)

// suite is one examination under way.
type suite struct {
	target   Target
	options  Options
	dir      string
	template string // an empty ledger
	client   *http.Client
	stations []*station

	mu      sync.Mutex
	results map[string]*Result
	left    map[string]int // jobs of a check that are not over
	ended   int
	of      int
	lives   int

	dry map[string]*dryRun // of each flow, without faults
}

// check is a check with what runs it.
type check struct {
	Check
	// jobs returns the lives that it is held against; a reason if there is nothing to
	// check. Checks without jobs are watched in all lives.
	jobs func(s *suite) (list []job, skip string)
	// watched marks a check that is held against whatever lives are lived for others.
	watched bool
}

// job is one life to live.
type job struct {
	check  string
	where  string // what is done to the plugin, for the evidence
	kill   killPlan
	faults []wire.Fault
	live   func(l *Life)
}

func newSuite(ctx context.Context, t Target, o Options) (*suite, error) {
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Parallel == 0 {
		o.Parallel = 4 * runtime.GOMAXPROCS(0)
	}
	s := &suite{
		target: t, options: o, results: map[string]*Result{}, left: map[string]int{}, dry: map[string]*dryRun{},
		client: &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	var err error
	if s.dir, err = os.MkdirTemp("", "payhost-conformance-*"); err != nil {
		return nil, err
	}
	if s.template, err = newTemplate(ctx, s.dir); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *suite) close() {
	for _, st := range s.stations {
		st.close()
	}
	_ = os.RemoveAll(s.dir)
}

// open loads the plugin as often as lives are lived side by side.
func (s *suite) open(ctx context.Context) error {
	first, err := newStation(ctx, 1, s.target.Plugin, s.options)
	if err != nil {
		return err
	}
	s.stations = append(s.stations, first)
	errs := make([]error, s.options.Parallel)
	more := make([]*station, s.options.Parallel)
	var wait sync.WaitGroup
	for i := 1; i < s.options.Parallel; i++ {
		wait.Go(func() { more[i], errs[i] = newStation(ctx, i+1, s.target.Plugin, s.options) })
	}
	wait.Wait()
	for _, st := range more {
		if st != nil {
			s.stations = append(s.stations, st)
		}
	}
	return errors.Join(errs...)
}

// wanted reports whether a check is asked for.
func (o *Options) wanted(c Check) bool {
	if c.Level > o.Level {
		return false
	}
	return len(o.Checks) == 0 || slices.ContainsFunc(o.Checks, func(pattern string) bool {
		ok, err := path.Match(pattern, c.ID)
		return err == nil && ok
	})
}

// run lives the jobs, side by side.
func (s *suite) run(ctx context.Context, jobs []job) {
	queue := make(chan job)
	var wait sync.WaitGroup
	for _, st := range s.stations {
		wait.Go(func() {
			for j := range queue {
				if ctx.Err() == nil {
					s.live(ctx, st, j)
				}
			}
		})
	}
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	wait.Wait()
}

// live lives one job and notes what came of it.
func (s *suite) live(ctx context.Context, st *station, j job) {
	began := time.Now()
	l, err := s.newLife(ctx, st, j.kill)
	if l != nil {
		defer l.close()
	}
	if err != nil && ctx.Err() != nil {
		return
	}
	if err != nil {
		s.note(j, &Life{failures: []Failure{{Message: err.Error(), Where: j.where}}}, began)
		return
	}
	l.where, l.only = j.where, s.reproduce(j)
	for _, f := range j.faults {
		l.Wire.Arm(f)
	}
	l.run(j.live)
	l.run((*Life).lookOver)
	if ctx.Err() == nil {
		s.note(j, l, began)
	}
}

// lookOver watches what the life has left. It asks payhost, so it may be cut short, too.
func (l *Life) lookOver() {
	l.watchLog()
	l.watchCalls()
}

// run lives a life to its end, whichever way that comes.
func (l *Life) run(live func(*Life)) {
	defer func() {
		if r := recover(); r != nil {
			if _, over := r.(lifeOver); !over {
				panic(r)
			}
		}
	}()
	live(l)
}

// reproduce is the command line that lives a job alone.
func (s *suite) reproduce(j job) string {
	file := s.options.File
	if file == "" {
		return ""
	}
	return fmt.Sprintf("payhost conformance %s --check %s --seed %d", file, j.check, s.options.Seed)
}

// maxFailures is how many failures of a check are shown.
const maxFailures = 3

// note puts what came of a job under its check, and what was watched under the
// watched ones.
func (s *suite) note(j job, l *Life, began time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lives++
	r := s.results[j.check]
	r.Lives++
	r.Took += time.Since(began)
	if l.skipped != "" && r.Reason == "" {
		r.Reason = l.skipped
	}
	if l.skipped == "" && r.Status == Skipped {
		r.Status = Passed
	}
	for _, f := range l.failures {
		id := j.check
		if f.check != "" {
			id = f.check
		}
		s.fail(id, f)
	}
	s.left[j.check]--
	if s.left[j.check] == 0 {
		s.over(r)
	}
}

func (s *suite) fail(id string, f Failure) {
	r := s.results[id]
	if r == nil {
		return // not asked for
	}
	r.Status = Failed
	if len(r.Failures) >= maxFailures {
		r.More++
		return
	}
	r.Failures = append(r.Failures, f)
}

// over tells of a check that has ended. The caller holds the lock.
func (s *suite) over(r *Result) {
	s.ended++
	if r.Status != Skipped {
		r.Reason = ""
	}
	if s.options.Progress != nil {
		s.options.Progress(*r, s.ended, s.of)
	}
}

// stateWords are the provider's own words for states that the plugin has reported in
// the dry runs.
func (s *suite) stateWords() []string {
	words := map[string]bool{}
	for _, d := range s.dry {
		for _, w := range d.words {
			words[w] = true
		}
	}
	return slices.Sorted(maps.Keys(words))
}
