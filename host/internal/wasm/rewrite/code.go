package rewrite

import "encoding/binary"

// farthest is how many steps may follow each other without a check.
const farthest = 16384

// surveyCode finds the bodies of the functions and scans them.
func (p *patch) surveyCode(s section) error {
	c := s.cursor()
	n := c.u32()
	if c.err == nil && uint64(n) != uint64(len(p.functions)) {
		c.failAt(0, "%d bodies for %d functions", n, len(p.functions))
	}
	for i := uint32(0); c.more(i, n); i++ {
		size := c.u32()
		f := &p.functions[i]
		f.code = *c
		c.skip(size)
		if c.err != nil {
			break
		}
		f.code.b = c.b[:c.i]
		if err := p.scan(f); err != nil {
			return err
		}
	}
	p.bodies = int(n)
	return c.end()
}

// code writes the code section.
func (p *patch) code(s section) []byte {
	out := binary.AppendUvarint(make([]byte, 0, len(s.body)*5/4), uint64(len(p.functions)+1+len(p.helpers)+len(p.gated)))
	var head []byte
	for i := range p.functions {
		f := &p.functions[i]
		if head = head[:0]; f.gated {
			out = sized(out, p.gate(head, f), nil)
			continue
		}
		head = append(head, f.locals...)
		if f.checked {
			head = p.check(head, f.steps)
		}
		out = sized(out, head, f.body)
	}
	out = sized(out, p.slowBody(), nil)
	for _, h := range p.helpers {
		out = sized(out, p.helperBody(h), nil)
	}
	for _, i := range p.gated {
		out = sized(out, p.functions[i].locals, p.functions[i].body)
	}
	return out
}

// sized appends a body, in two parts.
func sized(out, head, rest []byte) []byte {
	out = binary.AppendUvarint(out, uint64(len(head)+len(rest)))
	return append(append(out, head...), rest...)
}

// place is how far the longest way to an instruction is. Nothing leads to one that
// is not reached.
type place struct {
	steps   int64 // from the function's entry
	since   int64 // from the last check, or the entry
	reached bool
}

// farther is the place where two ways meet.
func farther(a, b place) place {
	switch {
	case !a.reached:
		return b
	case !b.reached:
		return a
	}
	return place{steps: max(a.steps, b.steps), since: max(a.since, b.since), reached: true}
}

// label is a block, a loop or an if around an instruction.
type label struct {
	depth   int   // of labels where it is the innermost one, with those that were added
	loop    bool  // a branch to it goes back
	wrapped bool  // a loop with a way out to a check
	start   place // of a loop, or of an if that has met no else
	end     place // of the branches to its end
}

// walk copies one function with its checks.
//
// All ways but those back to a loop lead forward, so that the steps of the longest
// way to a place never grow smaller on a way without a branch back. The check of a
// branch back takes the difference of its two ends, the check of an entry the
// longest way through the function: together they take at least what is done.
type walk struct {
	*patch
	f      *function
	out    []byte
	labels []label
	depth  int // labels around the instruction, with those that were added
	loops  int // loops met
	jumps  int // branches met that skip a dispatch
	here   place

	// Of the constant in front of an instruction behind 0xfc, if there is one.
	length uint32
	plain  bool
}

// rewrite writes the body of a function, but for what stands in front of it.
func (p *patch) rewrite(f *function) {
	c := f.code
	w := walk{patch: p, f: f, out: make([]byte, 0, (len(c.b)-c.i)*5/4), labels: append(p.labels[:0], label{}), here: place{reached: true}}
	for c.i < len(c.b) {
		w.instruction(&c)
	}
	f.body = w.out
	p.labels = w.labels
}

// step adds steps to the way.
func (w *walk) step(n int64) {
	w.here.steps += n
	w.here.since += n
	if w.here.reached {
		w.f.steps = max(w.f.steps, w.here.steps)
	}
}

// checkHere appends a check.
func (w *walk) checkHere(steps int64) {
	w.out = w.check(w.out, steps)
	w.here.since = 0
}

func (w *walk) instruction(c *cursor) {
	if w.here.reached && w.here.since >= farthest {
		w.checkHere(farthest)
	}
	start := c.i
	op := c.byte()
	w.step(cost(op))
	switch op {
	case opBlock, opIf:
		w.blockType(c)
		w.out = c.copied(w.out, start)
		w.inside(label{}, op == opIf)
	case opLoop:
		w.loop(c)
	case opElse:
		w.out = append(w.out, op)
		l := &w.labels[len(w.labels)-1]
		l.end, w.here, l.start = farther(l.end, w.here), l.start, place{}
	case opEnd:
		w.end()
	case opBr, opBrIf:
		w.branch(op, w.skipped(start, c.u32()))
	case opBrTable:
		w.table(c)
	case opReturn, opUnreachable:
		w.out = append(w.out, op)
		w.here = place{}
	case opCall:
		w.call(c.u32())
	case opCallIndirect:
		c.u32()
		c.u32()
		w.out = w.enter(w.out, freeWay, freeSteps)
		w.out = w.leave(c.copied(w.out, start), freeWay)
		w.here.since = 0
	case opGlobalGet, opGlobalSet, opLocalGet, opLocalSet, opLocalTee:
		c.u32()
		w.out = c.copied(w.out, start)
	case opRefFunc:
		w.out = w.function(append(w.out, op), c.u32())
	case opPrefix:
		w.bulk(c, start)
	case opI32Const:
		c.leb()
		w.out = c.copied(w.out, start)
		w.constant32(c, start)
	default:
		immediates(c, op)
		w.out = c.copied(w.out, start)
	}
}

func (w *walk) call(i uint32) {
	if i >= w.imported {
		if f := &w.functions[i-w.imported]; f.state == done && !f.checked && !f.gated {
			w.step(f.steps)
		}
	}
	w.out = w.function(append(w.out, opCall), i)
}

func (w *walk) inside(l label, start bool) {
	w.depth++
	l.depth = w.depth
	if start {
		l.start = w.here
	}
	w.labels = append(w.labels, l)
}

// loop enters a loop. One that is gone back to, and takes no values, gets a way out
// to a check behind its end: a call inside would cost every round, since the engine
// then keeps on the stack what would fit into registers.
//
//	block t  loop t  block   loop t … end  br 2   end  call $slow  br 0  end  end
func (w *walk) loop(c *cursor) {
	start := c.i
	t := w.blockType(c)
	kind := c.b[start:c.i]
	l := label{loop: true, wrapped: w.f.repeats[w.loops] && t.params == 0}
	w.loops++
	if l.wrapped {
		w.out = append(append(w.out, opBlock), kind...)
		w.out = append(append(w.out, opLoop), kind...)
		w.out = append(w.out, opBlock, noType)
		w.depth += 3
	}
	w.out = append(append(w.out, opLoop), kind...)
	w.inside(l, true)
}

func (w *walk) end() {
	w.out = append(w.out, opEnd)
	l := w.labels[len(w.labels)-1]
	w.labels = w.labels[:len(w.labels)-1]
	w.here = farther(w.here, l.end)
	if !l.loop { // an if without an else may be passed by
		w.here = farther(w.here, l.start)
	}
	w.depth--
	if l.wrapped {
		w.out = w.slow(append(w.out, opBr, 2, opEnd))
		w.out = append(w.out, opBr, 0, opEnd, opEnd)
		w.depth -= 3
	}
}

// skipped is the label of a branch at start, which is another if it skips a dispatch.
func (w *walk) skipped(start int, label uint32) uint32 {
	if w.jumps < len(w.f.jumps) && w.f.jumps[w.jumps].at == start {
		label = w.f.jumps[w.jumps].to
		w.jumps++
	}
	return label
}

// branch copies a branch to the n-th label, with a check if it goes back.
//
//	br:     take…  br_if $check  br $loop
//	br_if:  if  take…  br_if $check  br $loop  end
func (w *walk) branch(op byte, n uint32) {
	l := &w.labels[len(w.labels)-1-int(n)]
	to := uint64(w.depth - l.depth)
	back := w.here.steps - l.start.steps
	switch {
	case !l.loop || !w.here.reached:
		l.end = farther(l.end, w.here)
		w.out = binary.AppendUvarint(append(w.out, op), to)
	case !l.wrapped:
		w.checkHere(back)
		w.out = binary.AppendUvarint(append(w.out, op), to)
	case op == opBr:
		w.out = w.back(w.out, back, to)
	default:
		w.out = w.back(append(w.out, opIf, noType), back, to+1)
		w.out = append(w.out, opEnd)
	}
	if op == opBr {
		w.here = place{}
	}
}

// back goes back to a wrapped loop, by way of the check behind its end if the count
// is below zero.
func (w *walk) back(b []byte, steps int64, to uint64) []byte {
	b = binary.AppendUvarint(append(w.take(b, steps), opBrIf), to+1)
	return binary.AppendUvarint(append(b, opBr), to)
}

// table copies a table of branches, with a check in front if one goes back.
func (w *walk) table(c *cursor) {
	n := c.u32()
	far := int64(0)
	out := binary.AppendUvarint([]byte{opBrTable}, uint64(n))
	for i := uint64(0); i <= uint64(n); i++ {
		l := &w.labels[len(w.labels)-1-int(c.u32())]
		out = binary.AppendUvarint(out, uint64(w.depth-l.depth))
		if l.loop && w.here.reached {
			far = max(far, w.here.steps-l.start.steps)
		} else {
			l.end = farther(l.end, w.here)
		}
	}
	if far > 0 {
		w.checkHere(far)
	}
	w.out = append(w.out, out...)
	w.here = place{}
}
