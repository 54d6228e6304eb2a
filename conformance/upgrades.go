package conformance

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/host"
)

// upgrades are the checks of L4: lives that begin on one revision of the plugin and end
// on another, in both directions.
func upgrades() []check {
	return []check{
		{
			Check: level4("L4.fits", "The next revision can be put in place and taken away, and one that does not fit changes nothing.", "abi"),
			jobs:  func(s *suite) ([]job, string) { return []job{{live: s.upgrading(liveFits)}}, "" },
		},
		{
			Check: level4("L4.forward", "What a revision began the next one finishes, wherever it is put in place.", "contract 9"),
			jobs:  func(s *suite) ([]job, string) { return s.betweenSteps(false) },
		},
		{
			Check: level4("L4.back", "What the next revision began the one before finishes, wherever it is put back.", "contract 9"),
			jobs:  func(s *suite) ([]job, string) { return s.betweenSteps(true) },
		},
		{
			Check: level4("L4.doubt", "A doubt that one revision left is settled by the other, in both directions.", "contract 3, 9"),
			jobs:  (*suite).doubtAcross,
		},
		{
			Check: level4("L4.under_way", "A revision may be replaced while it waits for an answer, and the call ends well.", "abi, contract 9"),
			jobs:  (*suite).swappedUnderWay,
		},
		{
			Check: level4("L4.state", "What one revision keeps in its storage the other reads, to and fro at every step.", "contract 9"),
			jobs:  (*suite).toAndFro,
		},
	}
}

func level4(id, sentence, proves string) Check {
	return Check{ID: id, Level: L4, Sentence: sentence, Proves: proves}
}

// upgrade is a life on two revisions of the plugin.
type upgrade struct {
	life      *Life
	now, next host.Source
	swapped   bool // the first one was not in place all the time
	onNext    bool
}

// upgrading has a life on two revisions, and sees to it that the first is in place for
// the lives after it.
func (s *suite) upgrading(live func(l *Life, u *upgrade)) func(*Life) {
	return func(l *Life) {
		next, err := s.nextRevision()
		l.Must(err)
		u := &upgrade{life: l, now: s.target.Plugin, next: next}
		defer u.restore()
		live(l, u)
	}
}

// put puts the next revision in place, or the first again. It is for the life's own
// goroutine. That the next is refused is what L4.fits is about.
func (u *upgrade) put(next bool) {
	l := u.life
	if err := u.swap(next); err != nil {
		if next {
			l.Skipf("the next revision is not taken: see L4.fits")
		}
		l.Fatalf("there is no way back to the revision before: %v", err)
	}
	if rev, ok := l.station.host.Revision(pluginName); ok {
		l.Manifest = rev.Manifest()
	}
}

func (u *upgrade) swap(next bool) error {
	source := u.now
	if next {
		source = u.next
	}
	_, err := u.life.station.host.Swap(u.life.ctx, pluginName, source)
	if err == nil {
		u.swapped, u.onNext = true, next
	}
	return err
}

func (u *upgrade) restore() {
	u.life.between = nil
	if !u.swapped {
		return
	}
	if err := u.swap(false); err != nil && u.life.ctx.Err() == nil {
		u.life.Failf("there is no way back to the revision before: %v", err)
	}
}

// betweenSteps has a life for every step of every flow, before which the revision
// changes.
func (s *suite) betweenSteps(back bool) ([]job, string) {
	runs, skip := s.runs()
	var jobs []job
	for _, d := range runs {
		for _, step := range d.steps() {
			where := fmt.Sprintf("the next revision was put in place before %q of the flow %q", step, d.flow.name)
			if back {
				where = fmt.Sprintf("the next revision began, and the one before was put back before %q of the flow %q", step, d.flow.name)
			}
			jobs = append(jobs, job{where: where, live: s.upgrading(func(l *Life, u *upgrade) {
				if back {
					u.put(true)
				}
				done := false
				l.between = func() {
					if !done && l.at() == step {
						done = true
						u.put(!back)
					}
				}
				d.flow.live(l)
			})})
		}
	}
	return jobs, skip
}

// steps are the steps of a flow in which something was sent, in their order, and
// those in which the provider may call.
func (d *dryRun) steps() []string {
	var list []string
	for _, at := range d.sites {
		if !slices.Contains(list, at.step) {
			list = append(list, at.step)
		}
	}
	for _, step := range []string{"pay", "until succeeded", "until refunded"} {
		if d.flow.name == "pay" && !slices.Contains(list, step) {
			list = append(list, step)
		}
	}
	return list
}

// doubtAcross loses an answer, and changes the revision before anybody asks again.
func (s *suite) doubtAcross() ([]job, string) {
	const thrice = 2
	runs, skip := s.runs()
	var jobs []job
	for _, d := range runs {
		for _, at := range d.sites {
			for _, back := range []bool{false, true} {
				way := "the next revision was put in place"
				if back {
					way = "the revision before was put back"
				}
				jobs = append(jobs, job{
					where: fmt.Sprintf("the answer to %s %s was lost (at %q of the flow %q), and then %s", at.method, at.path,
						at.step, d.flow.name, way),
					faults: []wire.Fault{at.fault(wire.Fault{Kind: wire.CutAfter, Again: thrice})},
					live:   s.upgrading(func(l *Life, u *upgrade) { u.acrossDoubt(back, d.flow.live) }),
				})
			}
		}
	}
	return jobs, skip
}

func (u *upgrade) acrossDoubt(back bool, live func(*Life)) {
	l := u.life
	if back {
		u.put(true)
	}
	done := false
	l.between = func() {
		if !done && l.Wire.Hits() > 0 {
			done = true
			u.put(!back)
		}
	}
	live(l)
}

// swappedUnderWay changes the revision while the provider has a request.
func (s *suite) swappedUnderWay() ([]job, string) {
	runs, skip := s.runs()
	var jobs []job
	for _, d := range runs {
		for _, at := range d.sites {
			jobs = append(jobs, job{
				where: fmt.Sprintf("the next revision was put in place with %s %s under way, at %q of the flow %q", at.method,
					at.path, at.step, d.flow.name),
				live: s.upgrading(func(l *Life, u *upgrade) { u.underWay(at.at, d.flow.live) }),
			})
		}
	}
	return jobs, skip
}

// underWay swaps when a request is about to reach the provider: the wire counts its
// effects before and after, and the plugin waits meanwhile.
func (u *upgrade) underWay(at int, live func(*Life)) {
	l := u.life
	u.put(true) // it is taken at all
	u.put(false)
	count := l.Wire.Effects
	var counted atomic.Int64
	refused := make(chan error, 1)
	l.Wire.Effects = func() int {
		if n := counted.Add(1); n%2 == 1 && int(n/2)+1 == at {
			refused <- u.swap(true)
		}
		return count()
	}
	live(l)
	select {
	case err := <-refused:
		if err != nil {
			l.Failf("the next revision is refused while a call is under way: %v", err)
		}
	default: // the life went another way, and ended well
	}
}

// toAndFro changes the revision before every step. It is for plugins that keep
// something.
func (s *suite) toAndFro() ([]job, string) {
	if !s.stations[0].manifest.Storage {
		return nil, "the plugin keeps nothing in storage"
	}
	runs, skip := s.runs()
	var jobs []job
	for _, d := range runs {
		for _, first := range []bool{false, true} {
			where := fmt.Sprintf("the revision changed before every step of the flow %q", d.flow.name)
			if first {
				where += ", the next one first"
			}
			jobs = append(jobs, job{where: where, live: s.upgrading(func(l *Life, u *upgrade) {
				if first {
					u.put(true)
				}
				last := ""
				l.between = func() {
					if step := l.at(); step != last {
						if last != "" {
							u.put(!u.onNext)
						}
						last = step
					}
				}
				d.flow.live(l)
			})})
		}
	}
	return jobs, skip
}
