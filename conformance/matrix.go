package conformance

import (
	"fmt"
	"math/rand/v2"

	"github.com/payhost/payhost/conformance/wire"
)

// fault is a row of the matrix: faults of a kind, that are put at every request of
// every flow.
type faultRow struct {
	id, sentence string
	faults       []wire.Fault
}

// faultRows are the single faults.
func faultRows() []faultRow {
	const thrice = 2 // as often as the host sends a reading call
	once := func(k wire.Kind) wire.Fault { return wire.Fault{Kind: k} }
	again := func(k wire.Kind) wire.Fault { return wire.Fault{Kind: k, Again: thrice} }
	both := func(k wire.Kind) []wire.Fault { return []wire.Fault{once(k), again(k)} }
	sides := func(kinds ...wire.Kind) []wire.Fault {
		var list []wire.Fault
		for _, k := range kinds {
			list = append(list, wire.Fault{Kind: k, Again: thrice}, wire.Fault{Kind: k, Again: thrice, After: true})
		}
		return list
	}
	return []faultRow{
		{"L2.refused", "A connection that is refused changes nothing, and the operation goes through later.", both(wire.Refuse)},
		{"L2.cut_before", "A request that is lost on its way moves no money twice and is settled.", both(wire.CutBefore)},
		{"L2.cut_after", "An answer that is lost is never taken for a no, and the money moves once.", both(wire.CutAfter)},
		{"L2.cut_within", "An answer that breaks off is no answer.", both(wire.CutWithin)},
		{"L2.slow", "An answer behind the deadline is never taken for a no.", []wire.Fault{once(wire.Slow)}},
		{"L2.late", "A request that arrives behind the next one moves no money twice.", []wire.Fault{once(wire.Late)}},
		{"L2.twice", "A request that arrives two times moves its money once.", []wire.Fault{once(wire.Twice)}},
		{
			"L2.rate_limited", "429, with Retry-After and without, changes nothing and is waited out.",
			append(both(wire.TooMany), both(wire.TooManyWait)...),
		},
		{
			"L2.server_error", "500, 502 and 503 leave a doubt that ends as the provider's ledger says.",
			sides(wire.ServerError, wire.BadGateway, wire.Unavailable),
		},
		{"L2.html", "A page of HTML in place of an answer leaves a doubt that ends well.", sides(wire.HTML)},
		{"L2.empty", "An empty answer leaves a doubt that ends well.", sides(wire.Empty)},
		{
			"L2.huge", "An answer without end is cut off, and leaves a doubt that ends well.",
			[]wire.Fault{{Kind: wire.Huge, Again: thrice, After: true}},
		},
		{"L2.half", "Half a body leaves a doubt that ends well.", both(wire.Half)},
		{"L2.bom", "A byte order mark before the body changes nothing.", []wire.Fault{once(wire.BOM)}},
		{
			"L2.wrong_types", "An answer with other types than the provider's leaves a doubt that ends well.",
			[]wire.Fault{again(wire.WrongTypes)},
		},
		{"L2.nulls", "An answer whose fields are null leaves a doubt that ends well.", []wire.Fault{again(wire.Nulls)}},
	}
}

// matrix are the checks of L2.
func matrix() []check {
	var list []check
	for _, row := range faultRows() {
		list = append(list, check{
			Check: Check{ID: row.id, Level: L2, Sentence: row.sentence, Proves: "contract 3"},
			jobs:  func(s *suite) ([]job, string) { return s.everywhere(row.faults) },
		})
	}
	return append(list,
		check{
			Check: Check{
				ID: "L2.killed", Level: L2, Proves: "contract 3, 5",
				Sentence: "payhost may be killed at every boundary of every operation, and nothing is done twice or forgotten.",
			},
			jobs: (*suite).killed,
		},
		check{
			Check: Check{
				ID: "L2.killed_sending", Level: L2, Proves: "contract 3, 5",
				Sentence: "payhost may be killed with every request on its way, before and after the provider acts.",
			},
			jobs: (*suite).killedSending,
		},
		check{
			Check: Check{
				ID: "L2.drawn", Level: L2, Proves: "contract 3, 5",
				Sentence: "Two and three faults at once, drawn from the seed, end as one does.",
			},
			jobs: (*suite).drawn,
		},
		check{
			Check: Check{
				ID: "L2.unauthorized", Level: L2, Proves: "contract 3; providers 0",
				Sentence: "Credentials that are refused once are no answer to the payment: it is not declined, and the plugin does not try for ever.",
			},
			jobs: (*suite).unauthorized,
		},
		check{
			Check: Check{
				ID: "L2.outage", Level: L2, Proves: "contract 7",
				Sentence: "A doubt lasts as long as the provider is away, a week too, and ends when it is back.",
			},
			jobs: (*suite).outage,
		},
		check{
			Check: Check{
				ID: "L2.racing", Level: L2, Proves: "contract 5; providers 4, R1",
				Sentence: "Two payments begun at once through a fresh instance both come through, and each is charged once.",
			},
			jobs: func(*suite) ([]job, string) { return []job{{live: liveRacing}}, "" },
		},
	)
}

// everywhere puts each of the faults at each request of each flow.
func (s *suite) everywhere(faults []wire.Fault) ([]job, string) {
	runs, skip := s.runs()
	var jobs []job
	for _, d := range runs {
		for _, at := range d.sites {
			for _, f := range faults {
				f = at.fault(f)
				jobs = append(jobs, job{
					where:  fmt.Sprintf("%s of the flow %q", at.where(f), d.flow.name),
					faults: []wire.Fault{f}, live: d.flow.live,
				})
			}
		}
	}
	return jobs, skip
}

// killed kills the process at every boundary that a flow passes.
func (s *suite) killed() ([]job, string) {
	runs, skip := s.runs()
	var jobs []job
	for _, d := range runs {
		for _, point := range d.points {
			jobs = append(jobs, job{
				where: fmt.Sprintf("payhost was killed at %s of the flow %q", point, d.flow.name),
				kill:  killPlan{at: point, nth: 1}, live: d.flow.live,
			})
		}
	}
	return jobs, skip
}

// killedSending kills it with every request on its way.
func (s *suite) killedSending() ([]job, string) {
	var kills []wire.Fault
	for _, kind := range wire.Kills() {
		kills = append(kills, wire.Fault{Kind: kind})
	}
	return s.everywhere(kills)
}

// draws is how many lives have drawn faults.
const draws = 40

// drawn draws two or three faults, and now and then a kill.
func (s *suite) drawn() ([]job, string) {
	runs, skip := s.runs()
	if len(runs) == 0 {
		return nil, skip
	}
	var kinds []wire.Fault
	for _, row := range faultRows() {
		for _, f := range row.faults {
			if f.Kind != wire.Huge && f.Kind != wire.Slow && f.Kind != wire.Late { // slow to live, and no worse than a cut
				kinds = append(kinds, f)
			}
		}
	}
	r := rand.New(rand.NewPCG(s.options.Seed, 4))
	var jobs []job
	for n := range draws {
		d := runs[r.IntN(len(runs))]
		j := job{where: fmt.Sprintf("draw %d:", n+1), live: func(l *Life) {
			l.resigned = true // faults may last longer than the payer's time to pay
			d.flow.live(l)
		}}
		for range 2 + r.IntN(2) {
			at, f := d.sites[r.IntN(len(d.sites))], kinds[r.IntN(len(kinds))]
			f = at.fault(f)
			if len(j.faults) > 0 { // one may outlive the host's repeats: three would outlive its patience
				f.Again = 0
			}
			j.faults = append(j.faults, f)
			j.where += fmt.Sprintf(" %s;", f)
		}
		if r.IntN(2) == 0 {
			j.kill = killPlan{at: d.points[r.IntN(len(d.points))], nth: 1 + r.IntN(2)}
			j.where += fmt.Sprintf(" killed at %s", j.kill.at)
		}
		j.where += fmt.Sprintf(" in the flow %q", d.flow.name)
		jobs = append(jobs, j)
	}
	return jobs, skip
}
