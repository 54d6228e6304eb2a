package wasm

import (
	"runtime"
	"sync/atomic"
	"time"
)

const (
	// heavyTicks is after how many slices of computing a call is heavy: some
	// milliseconds of work, where a call that talks to its provider needs less than one
	// slice.
	heavyTicks = 64
	// burst is how many slices a heavy call does before it lets others go on.
	burst = 2
	// pauseFor is how long it rests then if there are others, about four times as long as
	// a burst.
	pauseFor = time.Millisecond
)

// turns are what heavy calls take, one each, to go on: one less than there are
// processors. Guests that all compute would else hold every processor for a time
// slice of Go's scheduler each, and a call that only waits for its provider would wait
// for several of them at each of its steps.
var turns = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))

// light is how many calls are under way that are not heavy. While there are any, heavy
// ones work in short bursts with pauses: Go's scheduler knows no priorities, and a guest
// that yields is the first to be run again, ahead of what arrives from the network.
var light atomic.Int64

// tick is called by the guest once per slice of its work; the wrapper of host
// functions has seen to the deadline.
func (i *Instance) tick() {
	i.ticks++
	if i.caller == nil || i.ticks < heavyTicks {
		return
	}
	i.heavy = true
	i.leaveLight()
	if i.ticks%burst == 0 {
		if light.Load() > 0 {
			i.rest(pauseFor) // and keeps its turn: the pauses of all heavy calls count
		}
		i.leaveTurn()
		i.takeTurn()
	}
}

func (i *Instance) enterLight() {
	i.light = true
	light.Add(1)
}

// leaveLight is for a call that is over, or is not light any more.
func (i *Instance) leaveLight() {
	if i.light {
		i.light = false
		light.Add(-1)
	}
}

// takeTurn waits for a turn, and no longer than the call may last.
func (i *Instance) takeTurn() {
	select {
	case turns <- struct{}{}:
		i.turn = true
		return
	default:
	}
	timer := time.NewTimer(time.Until(i.deadline))
	defer timer.Stop()
	select {
	case turns <- struct{}{}:
		i.turn = true
	case <-timer.C:
	case <-i.caller.Done():
	}
	i.check()
}

// leaveTurn gives the turn of a call back, if it has one: it has had its slices, it
// waits for the host, or it is over.
func (i *Instance) leaveTurn() {
	if i.turn {
		<-turns
		i.turn = false
	}
}

// rest waits, and no longer than the call may last.
func (i *Instance) rest(d time.Duration) {
	timer := time.NewTimer(min(d, max(time.Until(i.deadline), 0)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-i.caller.Done():
	}
}
