package rewrite

import "encoding/binary"

// checkCode is the countdown: count one down, and at zero start over and call
// tick.
//
//	global.get $n  i32.const 1  i32.sub  global.set $n
//	global.get $n  i32.eqz
//	if  i32.const Slice  global.set $n  call $tick  end
//
// The countdown is above zero behind every check, so zero is never missed.
func (p *patch) checkCode() []byte {
	get, set := p.counter(0)
	b := append([]byte(nil), get...)
	b = append(b, 0x41, 1, 0x6b)
	b = append(b, set...)
	b = append(b, get...)
	return p.startOver(append(b, 0x45))
}

// bulkCheckCode counts down by the length on top of the stack, which it leaves
// there: one for 64 bytes, which take about as long as a step.
//
//	global.set $l
//	global.get $n  global.get $l  i32.const 6  i32.shr_u  i32.sub  global.set $n
//	global.get $n  i32.const 1  i32.lt_s
//	if  i32.const Slice  global.set $n  call $tick  end
//	global.get $l
//
// The scratch global spares a local, whose index would depend on the function's
// type; nothing runs between its set and its last get but tick.
func (p *patch) bulkCheckCode() []byte {
	get, set := p.counter(0)
	getLength, setLength := p.counter(1)
	b := append([]byte(nil), setLength...)
	b = append(b, get...)
	b = append(b, getLength...)
	b = append(b, 0x41, 6, 0x76, 0x6b)
	b = append(b, set...)
	b = append(b, get...)
	b = p.startOver(append(b, 0x41, 1, 0x48))
	return append(b, getLength...)
}

// counter returns the instructions that get and set one of the added globals.
func (p *patch) counter(i uint64) (get, set []byte) {
	index := uint64(p.globals) + i
	return binary.AppendUvarint([]byte{0x23}, index), binary.AppendUvarint([]byte{0x24}, index)
}

// startOver appends what is done if the condition on the stack holds.
func (p *patch) startOver(b []byte) []byte {
	_, set := p.counter(0)
	b = sleb(append(b, 0x04, 0x40, 0x41), Slice)
	b = append(b, set...)
	b = binary.AppendUvarint(append(b, 0x10), uint64(p.imported))
	return append(b, 0x0b)
}
