package rewrite

import "math/bits"

// flow is what a function does with its locals, in the order of its code. From it follows
// how many values of them the engine may have to keep:
//
//   - one for each that is read before it is set: a parameter, or zero;
//   - one for each that is set and read in a later stretch, or may be;
//   - where ways meet, one for each that may have another value on each way, and is read
//     behind: it is set between the beginning and the end of a block, or anywhere in a
//     loop that is gone back to.
type flow struct {
	steps  []flowStep
	heads  []uint64 // by loop: locals that are read behind its head
	around []around // of the blocks around a step

	live uint64 // locals that are read behind a step, before they are set
	out  uint64 // those of them that are not set again in this stretch
	kept int64  // values counted

	settled bool // heads are as they were
}

// flowStep is one step of a flow.
type flowStep struct {
	kind flowKind
	n    uint32 // local, label, or number of the loop
}

type flowKind byte

const (
	flowGet   flowKind = iota
	flowSet            // by local.tee, too
	flowCut            // the end of a stretch, see frames
	flowStart          // of a block, a loop or an if
	flowElse           //
	flowEnd            // of a block
	flowIf             // end of an if
	flowLoop           // end of a loop
	flowMayGo          // a branch that may be taken
	flowStop           // nothing leads to the next step
)

// around is a block, a loop or an if around a step.
type around struct {
	kind   flowKind // of its end
	loop   uint32
	ways   int    // that lead to its end, or back to the head of a loop
	behind uint64 // locals that are read behind its end
	other  uint64 // and at the beginning of its else, or behind if it has none
	sets   uint64 // locals set inside
	more   int64  // sets of locals that a mask has no bit for
}

// masked is how many locals have a bit in a mask. Of others it is not known whether they are
// read; no function of Go has so many.
const masked = 64

func bit(local uint32) uint64 {
	if local >= masked {
		return 0
	}
	return 1 << local
}

func (f *flow) begin() { f.steps, f.heads = f.steps[:0], f.heads[:0] }

func (f *flow) add(kind flowKind, n uint32) { f.steps = append(f.steps, flowStep{kind, n}) }

// mostRounds is after how many looks at a function all locals are taken for read at the
// heads of its loops. Two or three are enough for nearly all.
const mostRounds = 8

// values counts them, in a function of so many loops and locals: from its end to its
// beginning, until no loop has more to read than was thought.
func (f *flow) values(loops, locals int) int64 {
	f.heads = append(f.heads, make([]uint64, loops)...)
	others := int64(max(locals-masked, 0))
	for round := 0; ; round++ {
		if f.back(others); f.settled {
			return f.kept + int64(bits.OnesCount64(f.live)) + others
		}
		if round == mostRounds {
			for i := range f.heads {
				f.heads[i] = ^uint64(0)
			}
		}
	}
}

// back goes through the steps from the last to the first. So many locals have no bit.
func (f *flow) back(others int64) {
	f.settled = true
	f.live, f.out, f.kept, f.around = 0, 0, 0, f.around[:0]
	for i := len(f.steps) - 1; i >= 0; i-- {
		switch step := f.steps[i]; step.kind {
		case flowGet:
			f.live |= bit(step.n)
		case flowSet:
			f.set(step.n)
		case flowCut:
			f.out = f.live
		case flowEnd, flowIf, flowLoop:
			ways := 1 // into a loop
			if step.kind != flowLoop {
				ways = f.reached(i)
			}
			f.around = append(f.around, around{kind: step.kind, loop: step.n, ways: ways, behind: f.live, other: f.live})
		case flowElse:
			inner := &f.around[len(f.around)-1]
			inner.other, f.live = f.live, inner.behind
			inner.ways += f.reached(i) - 1 // in place of the way around the if
		case flowStart:
			f.start(others)
		case flowMayGo:
			f.branch(step.n)
		case flowStop:
			f.live, f.out = 0, 0
		}
	}
}

func (f *flow) set(local uint32) {
	inner := &f.around[len(f.around)-1]
	b := bit(local)
	if local >= masked {
		inner.more++
		f.kept++
	} else if f.out&b != 0 {
		f.kept++
	}
	f.live, f.out, inner.sets = f.live&^b, f.out&^b, inner.sets|b
}

// reached is how many ways lead to a step from the one before.
func (f *flow) reached(step int) int {
	for step--; step > 0 && f.steps[step].kind == flowCut; step-- {
	}
	if step >= 0 && f.steps[step].kind == flowStop {
		return 0
	}
	return 1
}

// start is the beginning of a block, which has been seen from its end.
func (f *flow) start(others int64) {
	inner := f.leave()
	meet := inner.behind
	switch inner.kind {
	case flowIf: // without an else
		inner.ways++
		f.live |= inner.other
	case flowLoop:
		meet = f.heads[inner.loop] | f.live
		f.settled = f.settled && meet == f.heads[inner.loop]
		f.heads[inner.loop], f.live = meet, meet
	}
	if inner.ways > 1 {
		f.kept += int64(bits.OnesCount64(inner.sets&meet)) + min(inner.more, others)
	}
}

// leave takes away the innermost block.
func (f *flow) leave() around {
	last := len(f.around) - 1
	inner := f.around[last]
	f.around = f.around[:last]
	if last > 0 {
		outer := &f.around[last-1]
		outer.sets |= inner.sets
		outer.more += inner.more
	}
	return inner
}

// branch is a way to the end of a block, or to the head of a loop.
func (f *flow) branch(label uint32) {
	to := &f.around[len(f.around)-1-int(label)]
	to.ways++
	if to.kind == flowLoop {
		f.live |= f.heads[to.loop]
	} else {
		f.live |= to.behind
	}
}
