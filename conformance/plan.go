package conformance

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/sdk/pay"
)

// checks are all checks, by level, those of the provider among them.
func (s *suite) checks() []check {
	list := slices.Concat(loading(), watched(L0), lifecycle(), watched(L1), matrix(), watched(L2), notifications(), upgrades())
	for _, c := range s.target.Provider.Cases {
		list = append(list, check{Check: c.Check, jobs: func(*suite) ([]job, string) {
			return []job{{where: "the provider's own case " + c.ID, live: c.Run}}, ""
		}})
	}
	for i := range list {
		list[i].Cure = cmp.Or(list[i].Cure, cures[list[i].ID])
	}
	slices.SortStableFunc(list, func(a, b check) int { return cmp.Compare(a.Level, b.Level) })
	return list
}

// choose returns the checks that are asked for, with an open result for each.
func (s *suite) choose() []check {
	var list []check
	for _, c := range s.checks() {
		if s.options.wanted(c.Check) {
			list = append(list, c)
			s.results[c.ID] = &Result{Check: c.Check, Status: Skipped}
		}
	}
	s.of = len(list)
	return list
}

// broken fails the plugin that does not load.
func (s *suite) broken(list []check, err error) {
	for _, c := range list {
		r := s.results[c.ID]
		if c.ID == idLoads {
			r.Status = Failed
			r.Failures = []Failure{{
				Message: err.Error(), Where: "the plugin was loaded", Reproduce: s.reproduce(job{check: c.ID}),
			}}
		} else {
			r.Reason = "the plugin does not load"
			continue // that is said once
		}
		s.over(r)
	}
}

func (s *suite) plugin() Plugin {
	m := s.stations[0].manifest
	return Plugin{ID: m.ID, Version: m.Version, Title: m.Title, Digest: s.stations[0].digest}
}

// plan returns all jobs of the checks. A check that has none is over.
func (s *suite) plan(list []check) []job {
	var all []job
	for _, c := range list {
		r := s.results[c.ID]
		if c.watched {
			r.Status = Passed
			continue
		}
		jobs, skip := c.jobs(s)
		if _, why := s.runs(); why != "" && c.Level >= L2 {
			jobs, skip = nil, why // what stands on a flow that does not work would only say so again
		}
		if len(jobs) == 0 {
			r.Reason = skip
			s.mu.Lock()
			s.over(r)
			s.mu.Unlock()
			continue
		}
		for i := range jobs {
			jobs[i].check = c.ID
		}
		s.left[c.ID] = len(jobs)
		all = append(all, jobs...)
	}
	return all
}

// finish ends the watched checks, and those that an end of the context has cut off.
func (s *suite) finish(list []check) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range list {
		if r := s.results[c.ID]; s.left[c.ID] > 0 && r.Status != Failed {
			r.Status, r.Reason = Skipped, fmt.Sprintf("interrupted after %d lives, %d were left", r.Lives, s.left[c.ID])
		}
		if c.watched {
			s.results[c.ID].Lives = s.lives
			s.over(s.results[c.ID])
		}
	}
}

// dryRun is a flow without faults: where faults can be put.
type dryRun struct {
	flow   flow
	sites  []site
	points []string // the boundaries of the engine that came by
	words  []string // the provider's words for states, as the plugin reported them
	failed string   // why it is no use
}

// site is a request of a flow.
type site struct {
	at      int // its number
	nth     int // its number among those of the same method, pattern and step
	method  string
	path    string
	pattern string // the path, with "*" for what is another in each life
	step    string
	writes  bool // the plugin made it as a writing call
}

// dryRuns lives every flow once.
func (s *suite) dryRuns(ctx context.Context) {
	var wait sync.WaitGroup
	for i, f := range flows() {
		m := &s.stations[0].manifest
		if !f.applies(m, &s.target.Provider.Terms) {
			continue
		}
		d := &dryRun{flow: f}
		s.dry[f.name] = d
		wait.Go(func() { d.live(ctx, s, s.stations[i%len(s.stations)]) })
	}
	wait.Wait()
}

func (d *dryRun) live(ctx context.Context, s *suite, st *station) {
	l, err := s.newLife(ctx, st, killPlan{})
	if l != nil {
		defer l.close()
	}
	if err != nil {
		d.failed = err.Error()
		return
	}
	l.run(d.flow.live)
	if len(l.failures) > 0 {
		d.failed = l.failures[0].Message
		return
	}
	seen := map[string]int{}
	ids := l.ids()
	for _, x := range l.Wire.Journal() {
		at := site{at: x.Number, method: x.Method, path: x.Path, pattern: pattern(x.Path, ids), step: x.Step}
		like := at.method + at.pattern + at.step
		seen[like]++
		if at.nth = seen[like]; at.nth <= 2 { // the third poll is as the second
			d.sites = append(d.sites, at)
		}
	}
	writing := map[string]bool{}
	for _, r := range l.Recordings() {
		for _, sent := range r.Sends() {
			writing[sent.Request.Method+pathOf(sent.Request.URL)] = writing[sent.Request.Method+pathOf(sent.Request.URL)] || sent.Money
		}
		var seen []pay.Observation
		for _, item := range r.Verdict.Items {
			seen = append(seen, item.Observations...)
		}
		if r.Verdict.Result != nil {
			seen = append(seen, r.Verdict.Result.Observations...)
		}
		if r.Verdict.Notification != nil {
			seen = append(seen, r.Verdict.Notification.Observations...)
		}
		for _, o := range seen {
			d.words = append(d.words, o.ProviderState)
		}
	}
	for i := range d.sites {
		for name := range writing {
			at := &d.sites[i]
			at.writes = at.writes || writing[name] && strings.HasPrefix(name, at.method) && strings.HasSuffix(name, at.path)
		}
	}
	l.process.mu.Lock()
	defer l.process.mu.Unlock()
	d.points = slices.Sorted(maps.Keys(l.process.seen))
}

// ids are the names that this life's payments and objects have, and no other's do.
func (l *Life) ids() map[string]bool {
	ids := map[string]bool{}
	for _, id := range l.payments {
		ids[id] = true
	}
	for _, o := range l.Sim.Objects() {
		ids[o.ID], ids[o.Ref] = true, true
	}
	return ids
}

// pattern puts "*" in the place of each id in a path.
func pattern(path string, ids map[string]bool) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		if parts[i] != "" && ids[parts[i]] {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

// runs returns the dry runs in a fixed order, and why there is none.
func (s *suite) runs() ([]*dryRun, string) {
	var list []*dryRun
	for _, f := range flows() {
		d := s.dry[f.name]
		if d == nil {
			continue
		}
		if d.failed != "" {
			return nil, "the flow " + d.flow.name + " does not come to its end without faults: see L1." + d.flow.name
		}
		list = append(list, d)
	}
	return list, ""
}

// fault is a fault at a site.
func (at site) fault(f wire.Fault) wire.Fault {
	if f.Kind == wire.Refuse {
		f.At = at.at
	} else {
		f.At, f.Site = at.nth, &wire.Site{Method: at.method, Path: at.pattern, Step: at.step}
	}
	return f
}

// where says in a report where such a fault is.
func (at site) where(f wire.Fault) string {
	if f.Site == nil {
		return fmt.Sprintf("%s (%s %s), at %q", f, at.method, at.path, at.step)
	}
	return fmt.Sprintf("%s, at %q", f, at.step)
}
