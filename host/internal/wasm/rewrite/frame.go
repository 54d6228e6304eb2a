package rewrite

// frames estimates how many bytes of the host's stack a call of a function takes.
// The engine keeps a value there if it outlives a call, or if too many are alive at
// once, and a place once given to a value is given to no other. So those values are
// counted that are made in one stretch of code without calls and labels and used in
// another, all of a stretch that needs many at once, and those that locals have at the
// head of a loop. What the engine adds for itself where ways meet counts as one value
// a label.
//
// One frames serves all functions of a module: its numbers never start over, so
// that nothing has to be cleared.
type frames struct {
	stretch uint32   // number of the stretch
	meeting uint32   // number of the last place where ways met
	made    []uint32 // by local: the stretch in which it got its value
	kept    []uint32 // by local: the meeting behind which its value was last counted
	used    []uint32 // by local: the stretch in which it was last met

	locals   int64
	values   int64 // that may have to be kept
	words    int64 // most that are passed to a function called, and back
	all      int64 // values made
	height   int64 // operands on the stack
	counted  int64 // those of them that are among values
	highest  int64 // operands in this stretch
	touched  int64 // locals in this stretch
	unfolded int64 // values made in this stretch
}

// fixedFrame is what a call holds without a value to keep.
const fixedFrame = 112

// begin starts with a function of so many locals.
func (f *frames) begin(locals int) {
	if more := locals - len(f.made); more > 0 {
		f.made = append(f.made, make([]uint32, more)...)
		f.kept = append(f.kept, make([]uint32, more)...)
		f.used = append(f.used, make([]uint32, more)...)
	}
	*f = frames{locals: int64(locals), stretch: f.stretch + 1, meeting: f.meeting + 1, made: f.made, kept: f.kept, used: f.used}
}

// bytes is the estimate, at the function's end: the engine saves up to 13 registers
// of 16 bytes, and gives a value a word.
func (f *frames) bytes() int64 {
	const registers = 13
	f.cut()
	return fixedFrame + 8*(f.values+f.words) + 16*min(f.all, registers)
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
}

// meet begins a stretch where ways meet: a local may have a value of its own behind.
func (f *frames) meet() {
	f.cut()
	f.meeting++
}

// move takes operands and makes others.
func (f *frames) move(pop, push int64) {
	f.height = max(f.height-pop, 0) // below zero in code that is never run
	f.counted = min(f.counted, f.height)
	f.height += push
	f.unfolded += push
	f.highest = max(f.highest, f.height)
}

// label notes a block of a type, which begins at a cut or where ways meet.
func (f *frames) label(t signature) {
	f.values += 1 + int64(t.params+t.results)
}

// block notes an instruction that works on a block of memory or of a table: the engine
// makes a loop or a call of it, with values of its own.
func (f *frames) block() {
	f.values += 12
	f.all += 12
}

// repeat notes a loop that is gone back to, with so many sets of locals inside: at its
// head each of these has a value of its own.
func (f *frames) repeat(sets int64) { f.values += min(sets, f.locals) }

// get and set are of a local.
func (f *frames) get(i uint32) {
	f.move(0, 1)
	f.unfolded--
	if f.touch(i) && f.made[i] != f.stretch && f.kept[i] != f.meeting {
		f.kept[i] = f.meeting
		f.values++
	}
}

func (f *frames) set(i uint32) {
	f.move(1, 0)
	if f.touch(i) {
		f.made[i] = f.stretch
		f.kept[i] = 0
	}
}

func (f *frames) touch(i uint32) bool {
	if uint64(i) >= uint64(len(f.made)) {
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
