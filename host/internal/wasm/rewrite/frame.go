package rewrite

// frames estimates how many bytes of the host's stack a call of a function takes.
// The engine keeps a value there if it outlives a call, or if too many are alive at
// once, and a place once given to a value is given to no other. So those operands are
// counted that are made in one stretch of code without calls and labels and used in
// another, all values of a stretch that needs many at once, and those of locals, see flow.
// What the engine adds for itself counts as one value a loop or an if.
//
// One frames serves all functions of a module: its numbers never start over, so
// that nothing has to be cleared.
type frames struct {
	flow
	stretch uint32   // number of the stretch
	used    []uint32 // by local: the stretch in which it was last met

	locals   int
	counted  int64 // operands among values
	values   int64 // that may have to be kept
	words    int64 // most that are passed to a function called, and back
	all      int64 // values made
	height   int64 // operands on the stack
	highest  int64 // operands in this stretch
	touched  int64 // locals in this stretch
	unfolded int64 // values made in this stretch
}

// fixedFrame is what a call holds without a value to keep.
const fixedFrame = 112

// begin starts with a function of so many locals.
func (f *frames) begin(locals int) {
	if more := locals - len(f.used); more > 0 {
		f.used = append(f.used, make([]uint32, more)...)
	}
	f.flow.begin()
	*f = frames{locals: locals, stretch: f.stretch + 1, used: f.used, flow: f.flow}
}

// bytes is the estimate, at the end of a function with so many loops: the engine saves up to
// 13 registers of 16 bytes, and gives a value a word.
func (f *frames) bytes(loops int) int64 {
	const registers = 13
	f.cut()
	values := f.values + f.flow.values(loops, f.locals)
	return fixedFrame + 8*(values+f.words) + 16*min(f.all, registers)
}

// cut begins a stretch. Operands live on into it.
func (f *frames) cut() {
	const registers = 10 // that are left for values
	if f.highest+2*f.touched > registers {
		f.values += f.unfolded
	}
	f.all += f.unfolded
	f.stretch++
	f.highest, f.touched, f.unfolded = f.height, 0, 0
	f.values += f.height - f.counted
	f.counted = f.height
	f.add(flowCut, 0)
}

// move takes operands and makes others.
func (f *frames) move(pop, push int64) {
	f.height = max(f.height-pop, 0) // below zero in code that is never run
	f.counted = min(f.counted, f.height)
	f.height += push
	f.unfolded += push
	f.highest = max(f.highest, f.height)
}

// label notes a block, a loop or an if of a type, which begins at a cut or where ways meet. A
// block makes no values for the engine but its own.
func (f *frames) label(op byte, t signature) {
	if op != opBlock {
		f.values++
	}
	f.values += int64(t.params + t.results)
}

// block notes an instruction that works on a block of memory or of a table: the engine
// makes a loop or a call of it, with values of its own.
func (f *frames) block() {
	f.values += 12
	f.all += 12
}

// get and set are of a local.
func (f *frames) get(i uint32) {
	f.move(0, 1)
	f.unfolded--
	if f.touch(i) {
		f.add(flowGet, i)
	}
}

func (f *frames) set(i uint32) {
	f.move(1, 0)
	if f.touch(i) {
		f.add(flowSet, i)
	}
}

func (f *frames) touch(i uint32) bool {
	if uint64(i) >= uint64(len(f.used)) {
		return false // not a valid module: the engine will say so
	}
	if f.used[i] != f.stretch {
		f.used[i] = f.stretch
		f.touched++
	}
	return true
}

// call takes the parameters, runs other code, and makes the results.
func (f *frames) call(t signature) {
	f.move(int64(t.params), 0)
	f.cut()
	f.move(0, int64(t.results))
	f.words = max(f.words, int64(t.params+t.results))
}
