package wasm

import (
	"runtime"
	"time"
)

// turnTicks is after how many slices of computing a call counts as heavy, some
// milliseconds of work, and how many it may then do before it passes its turn on.
const turnTicks = 8

// turns are what heavy calls take, one each, to go on: one less than there are
// processors. Guests that all compute would else hold every processor for a time
// slice of Go's scheduler each, and a call that only waits for its provider would wait
// for several of them at each of its steps.
var turns = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))

// tick is called by the guest once per slice of its work; the wrapper of host
// functions has seen to the deadline.
func (i *Instance) tick() {
	i.ticks++
	if i.ticks%turnTicks == 0 && i.caller != nil {
		i.leaveTurn()
		i.takeTurn()
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
