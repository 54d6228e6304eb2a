package soak_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/host"
)

// run is one soak: those who call, the one who swaps, and the one who looks.
type run struct {
	t     *testing.T
	world *world
	shop  *shop
	tally *tally

	swapping sync.Mutex
	gate     sync.RWMutex // held for reading by whoever calls, and for writing while nobody may
	failures atomic.Int64
	readings []reading
}

// TestSoak has good plugins do their work while providers fail, revisions are
// swapped and a hostile plugin does its worst. No good call may fail, every hostile
// one must end as it should, and nothing may grow.
func TestSoak(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what the process holds is read from /proc")
	}
	warm(t)
	before := closed(0)
	r := &run{t: t, tally: &tally{}, world: openWorld(t)}
	r.shop = openShop(r.world, r.tally)
	whole := lasting(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var crew sync.WaitGroup
	for _, j := range r.jobs() {
		crew.Go(func() { r.repeat(ctx, j, r.gate.RLocker()) })
	}
	crew.Go(func() { r.repeat(ctx, r.swaps(), &r.swapping) })
	r.watch(whole)
	stop()
	crew.Wait()
	for _, s := range r.world.host.Stats() {
		r.count(&s)
	}
	r.shop.close()
	r.world.close()
	r.report()
	flat(t, r.readings)
	after := closed(len(before.plugins))
	if len(after.plugins) > len(before.plugins) {
		t.Errorf("mappings of plugins are left: %q", after.plugins)
	}
	if len(after.files) > len(before.files)+2 { // the runtime's poller
		t.Errorf("files are left: %q", after.files)
	}
}

// trial is how long a revision runs beside the one in use before it takes its place.
const trial = 500 * time.Millisecond

// job is what somebody does over and over, with a pause behind.
type job struct {
	pause time.Duration
	do    func(ctx context.Context) error
}

// jobs are everybody's.
func (r *run) jobs() []job {
	var list []job
	for _, m := range merchants(r.world, r.tally) {
		list = append(list, job{5 * time.Millisecond, m.life})
		if m.name == "rahmet" || m.name == "aurora" {
			list = append(list, job{5 * time.Millisecond, m.life})
		}
	}
	for _, m := range troubled(r.world, r.tally) {
		n := 0
		list = append(list, job{50 * time.Millisecond, func(ctx context.Context) error {
			n++
			return m.endure(ctx, troubles[n%len(troubles)])
		}})
	}
	return append(list, job{50 * time.Millisecond, r.shop.life}, r.hostility())
}

// hostility is the hostile plugin's job: all of its deeds, in an order that is ever
// another. It has the processors for no more than half of the time.
func (r *run) hostility() job {
	random := rand.New(rand.NewPCG(1, 2))
	order := 1 << 40 // a number that no text of ours holds
	return job{short, func(ctx context.Context) error {
		d := deeds[random.IntN(len(deeds))]
		order++
		done, err := d.try(ctx, r.world.stations[hostile].conn, strconv.Itoa(order))
		if done {
			r.tally.add("hostile/" + d.name)
		} else {
			r.tally.add("hostile, no instance in time")
		}
		return err
	}}
}

// swaps puts another revision under a good plugin, for half of the payments at first, and
// then the first again, and so on with the next plugin.
func (r *run) swaps() job {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(plugins)), func(name string) bool { return name == hostile })
	n := 0
	return job{2 * time.Second, func(ctx context.Context) error {
		name, second := names[n/2%len(names)], (n+1)%2
		n++
		next := modules(r.t)[name][second]
		if _, err := r.world.host.StartCanary(ctx, name, next, 50, func(host.Losses) error { return nil }); err != nil {
			return err
		}
		time.Sleep(trial)
		for _, s := range r.world.host.Stats() {
			if s.Plugin == name {
				r.count(&s)
			}
		}
		if _, err := r.world.host.Swap(ctx, name, next); err != nil {
			return err
		}
		r.tally.add("swaps")
		return nil
	}}
}

// count adds what a revision has done to the tally.
func (r *run) count(s *host.PluginStats) {
	r.tally.sum("plugin calls", int(s.Calls))
	r.tally.sum("restores", int(s.Restores))
	r.tally.sum("pages put back", int(s.DirtyPages))
	for reason, n := range s.Discards {
		r.tally.sum("discards/"+reason, int(n))
	}
}

// repeat does a job under a lock until the run is over or much has failed. What was
// begun is brought to its end.
func (r *run) repeat(ctx context.Context, j job, may sync.Locker) {
	for ctx.Err() == nil && r.failures.Load() < 20 {
		may.Lock()
		err := j.do(r.t.Context())
		may.Unlock()
		if err != nil {
			r.failures.Add(1)
			r.t.Error(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(j.pause):
		}
	}
}

// watch takes readings at moments when nobody calls, until the time is over. The
// first tenth of it is the warm-up's. A swap is let end first, while calls go on: it
// takes long, and is to be among them.
func (r *run) watch(whole time.Duration) {
	began := time.Now()
	step := min(whole/30, 20*time.Second)
	for (time.Since(began) < whole || len(r.readings) < 10) && r.failures.Load() < 20 {
		time.Sleep(step)
		r.swapping.Lock()
		r.gate.Lock()
		if err := r.world.settled(); err != nil {
			r.failures.Add(1)
			r.t.Error(err)
		}
		r.world.forget()
		if time.Since(began) > whole/10 {
			r.readings = append(r.readings, r.world.read())
		}
		r.gate.Unlock()
		r.swapping.Unlock()
	}
}

// report prints what was done and what was held meanwhile.
func (r *run) report() {
	r.t.Logf("done: %s", r.tally)
	for _, at := range []struct {
		name string
		n    int
	}{{"begin", 0}, {"middle", len(r.readings) / 2}, {"end", len(r.readings) - 1}} {
		r.t.Logf("%-6s  %s", at.name, r.readings[at.n])
	}
	for _, kind := range []string{"create", "status", "refund", "notification", "confirm", "ledger", "trouble", "swaps", "restores"} {
		if r.tally.of(kind) == 0 {
			r.t.Errorf("no %s in the whole run", kind)
		}
	}
	if r.tally.of("swaps") > 30 { // a run of less than a minute may not come to all of them
		for _, d := range deeds {
			if r.tally.of("hostile/"+d.name) == 0 {
				r.t.Errorf("the hostile plugin never got to %s", d.name)
			}
		}
	}
}
