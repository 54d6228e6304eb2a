package rewrite

// What a function may take that is called without a gate or a check, with the
// functions that it calls so: steps, and bytes of the host's stack. A way is from the
// function to a gate that it leads to.
const (
	freeSteps = 2048
	freeWay   = 8 << 10
	freeStack = 64 << 10
)

// stepsPerByte makes a function that may do much behind the calls it makes count for
// more of the stack, so that the way back from the deepest call is short, too.
const stepsPerByte = 4

// state of a function in the order of calls.
type state byte

const (
	unseen  state = iota
	current       // it, or a function that it calls, directly or not, is being looked at
	done
)

// order rewrites the functions, each behind those that it calls, and finds those
// that need a gate: a function that is called again on the way from itself closes a
// circle, so that every recursion by direct calls passes a gate; and one whose calls
// may hold much of the stack. One that may take long needs a check.
func (p *patch) order() {
	type visit struct {
		f    uint32
		next int // of its calls
	}
	var path []visit
	for root := range p.functions {
		if p.functions[root].state != unseen {
			continue
		}
		p.functions[root].state = current
		path = append(path, visit{f: uint32(root)})
		for len(path) > 0 {
			v := &path[len(path)-1]
			f := &p.functions[v.f]
			if v.next == len(f.calls) {
				p.finish(v.f)
				path = path[:len(path)-1]
				continue
			}
			called := f.calls[v.next]
			v.next++
			switch g := &p.functions[called]; g.state {
			case unseen:
				g.state = current
				path = append(path, visit{f: called})
			case current:
				g.gated = true
			case done:
			}
		}
	}
}

// finish rewrites a function when all that it calls are done, but those that call it
// in a circle, which have gates.
func (p *patch) finish(i uint32) {
	f := &p.functions[i]
	p.rewrite(f)
	own := max(f.frame, min(f.steps, largest)/stepsPerByte)
	f.stack, f.way = own, own
	if f.moves {
		f.stack += helperFrame
	}
	for _, i := range f.calls {
		g := &p.functions[i]
		if g.gated {
			f.leads = true
			continue
		}
		f.stack = max(f.stack, own+g.stack)
		if g.leads {
			f.leads = true
			f.way = max(f.way, own+g.way)
		}
	}
	f.checked = f.steps > freeSteps
	if f.gated = f.gated || f.stack > freeStack || f.leads && f.way > freeWay; f.gated {
		f.gate = len(p.gated)
		p.gated = append(p.gated, i)
	}
	f.state = done
}

// charge is what the gate of a function takes from the room: all that may be held of
// the stack between it and the next gate. What the last calls hold, behind which there
// is no gate, is set aside once, as long as it is not more than freeStack.
func (f *function) charge() int64 { return max(f.way, f.stack-freeStack) }
