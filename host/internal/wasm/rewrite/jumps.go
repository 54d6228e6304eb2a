package rewrite

// The Go compiler writes a function with branches as a loop that begins with a table of
// branches, one for each stretch of its code. Every jump sets the local that chooses, and
// goes back to the loop, also one that leads forward:
//
//	loop  block … block  local.get $pc  br_table …  end  stretch 0  end  stretch 1  …
//	… i32.const 7  local.set $pc  br $loop
//
// Where the number stands in front of the branch, it is known where the table leads. If that
// is farther on, the jump goes there at once: it needs no check, since it does not go back,
// and the engine is spared the table, and bringing every local to its place at the head of the loop.

// dispatch is a table of branches behind the head of a loop.
type dispatch struct {
	local   uint32 // that chooses
	targets []int  // by its value, among the open blocks; the last is for all greater ones
}

// jump is a branch that skips the dispatch of a loop.
type jump struct {
	at int    // where it stands in the function's code
	to uint32 // label that it goes to instead
}

// trail is what stands right in front of an instruction, if it may be a part of a
// dispatch or of a jump by way of one.
type trail struct {
	part   part
	loop   int    // of a head: its place among the open blocks
	local  uint32 // of an indexed head or of a jump that is set
	number uint32 // of a jump
}

type part byte

const (
	nothing  part = iota
	heading       // a loop, and blocks
	indexed       // heading, and local.get
	numbered      // i32.const
	selected      // numbered, and local.set
)

// follow returns the trail behind an instruction, by the one in front of it. The instruction
// begins at start, and has been read.
func (s *scanner) follow(before trail, op byte, start int, c *cursor) trail {
	operand := *c
	operand.i = start + 1
	innermost := len(s.open) - 1
	switch {
	case op == opLoop && s.open[innermost].kind == signature{}:
		return trail{part: heading, loop: innermost}
	case op == opBlock && before.part == heading && s.open[innermost].kind == signature{}:
		return before
	case op == opLocalGet && before.part == heading:
		return trail{part: indexed, loop: before.loop, local: operand.u32()}
	case op == opI32Const:
		if number := operand.i32(); operand.err == nil {
			return trail{part: numbered, number: uint32(number)}
		}
	case op == opLocalSet && before.part == numbered:
		return trail{part: selected, local: operand.u32(), number: before.number}
	}
	return trail{}
}

// dispatch notes a table of branches at the head of a loop. Around it are blocks without
// values, so that a branch to the end of one takes nothing along.
func (s *scanner) dispatch(labels []uint32) {
	if s.trail.part != indexed {
		return
	}
	d := &dispatch{local: s.trail.local}
	for _, l := range labels {
		d.targets = append(d.targets, len(s.open)-1-int(l))
	}
	s.open[s.trail.loop].dispatch = d
}

// skip returns the label to which a branch to the one given may go instead. A block is still the
// one that the dispatch meant if as many blocks were opened between the loop and it as
// stand between them.
func (s *scanner) skip(label uint32) (to uint32, ok bool) {
	loop := len(s.open) - 1 - int(label)
	d := s.open[loop].dispatch
	if d == nil || s.trail.part != selected || s.trail.local != d.local {
		return 0, false
	}
	target := d.targets[min(uint64(s.trail.number), uint64(len(d.targets)-1))]
	if target <= loop || target >= len(s.open) || s.open[target].opening-s.open[loop].opening != target-loop {
		return 0, false
	}
	return uint32(len(s.open) - 1 - target), true
}
