package conformance

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/wire"
)

// outage loses the answer to every writing request, and has the provider away behind
// it: for a night, which every doubt must outlive, and, from the first such request
// of a flow, for a week. Then a key may be older than the provider remembers, so that
// only an operator can tell, and the doubt must be there to be seen.
func (s *suite) outage() ([]job, string) {
	runs, skip := s.runs()
	var jobs []job
	for _, d := range runs {
		first := true
		for _, at := range d.sites {
			if !at.writes {
				continue
			}
			jobs = append(jobs, away(d, at, 20*time.Hour))
			if first {
				jobs = append(jobs, away(d, at, week))
			}
			first = false
		}
	}
	return jobs, skip
}

const week = 7 * 24 * time.Hour

func away(d *dryRun, at site, long time.Duration) job {
	f := at.fault(wire.Fault{Kind: wire.CutAfter, Then: &wire.Fault{Kind: wire.Refuse, For: long}})
	return job{
		where: at.where(f), faults: []wire.Fault{f},
		live: func(l *Life) {
			l.resigned = true // what the payer did not come to see is over
			l.open = long == week
			d.flow.live(l)
		},
	}
}

// unauthorized refuses the credentials once, at each request of each flow.
func (s *suite) unauthorized() ([]job, string) {
	runs, skip := s.runs()
	var jobs []job
	for _, d := range runs {
		for _, at := range d.sites {
			f := at.fault(wire.Fault{Kind: wire.Unauthorized})
			jobs = append(jobs, job{
				where:  fmt.Sprintf("%s of the flow %q", at.where(f), d.flow.name),
				faults: []wire.Fault{f},
				live: func(l *Life) {
					l.forgiving = true
					d.flow.live(l)
				},
			})
		}
	}
	return jobs, skip
}

// racing is how many payments are begun at once.
const racing = 4

// liveRacing begins payments side by side, in an instance that has no token, session
// or anything else yet, and sells each.
func liveRacing(l *Life) {
	l.Step("four payments at once")
	answers := make([]Answer, racing)
	bodies := make([]Object, racing)
	for i := range bodies {
		amount := l.Terms.Amount
		if l.Till() {
			amount = 0
		}
		bodies[i] = l.NewPayment(amount, nil)
	}
	var wait sync.WaitGroup
	for i := range answers {
		key := l.NewKey()
		wait.Go(func() { answers[i] = l.tryAside("/v1/payments", key, bodies[i]) })
	}
	wait.Wait()
	for i, a := range answers {
		if a.Code/100 != 2 {
			l.Fatalf("one of %d payments that were begun at once was refused: %s", racing, a)
		}
		l.payments = append(l.payments, a.ID)
		answers[i] = l.Get("/v1/payments/" + a.ID)
	}
	for _, p := range answers {
		l.sellOn(p)
	}
	l.Verify()
	charges := 0
	for _, e := range l.Sim.Effects() {
		if e.Kind == simkit.Charge {
			charges++
		}
	}
	if charges != racing {
		l.Failf("%d payments are succeeded, and the provider charged %d times: two are one there", racing, charges)
	}
}

// tryAside is Try for several goroutines: it fails nothing.
func (l *Life) tryAside(path, key string, body any) (a Answer) {
	defer func() { _ = recover() }() // the life's own goroutine ends it
	return l.Request(http.MethodPost, path, key, body)
}

// sellOn takes a payment that was created to succeeded.
func (l *Life) sellOn(p Answer) {
	path := "/v1/payments/" + p.ID
	if l.Till() {
		l.Accepted(path+"/bind", Object{"code": l.Code("")})
		l.Accepted(path+"/release", Object{"amount": l.Amount(l.Terms.Amount)})
		p = l.Until(path, "processing", "authorized", "succeeded")
		l.Pay(p)
		l.Until(path, "authorized", "succeeded")
		l.Accepted(path+"/confirm", nil)
	} else {
		p = l.Until(path, "pending", "succeeded")
		l.Pay(p)
	}
	l.Until(path, "succeeded")
}
