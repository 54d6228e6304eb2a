package rewrite

// Data is a stretch of bytes that memory begins with.
type Data struct {
	Offset uint32
	Bytes  []byte // part of the module, not to be changed
}

// Detach takes the data section out of a module, so that the host can lay the data
// into memory itself: once for the image that instances begin with, and not, segment
// by segment, for every instance. (A Go module has some ten thousand segments, and the
// engine's way of laying them is most of the time that an instance takes.)
//
// A module whose own code may lay data, or runs before the host could, is returned as
// it is: one with a start function, with a data count section, without which code
// can't name a segment, or with a segment at an offset that is not a plain number.
func Detach(module []byte) ([]byte, []Data, error) {
	sections, err := split(module)
	if err != nil {
		return nil, nil, err
	}
	kept := make([]section, 0, len(sections))
	var data []Data
	for _, s := range sections {
		switch s.id {
		case secStart, secDataCount:
			return module, nil, nil
		case secData:
			list, plain, err := segments(s)
			if err != nil || !plain {
				return module, nil, err
			}
			data = list
		default:
			kept = append(kept, s)
		}
	}
	return join(kept, len(module)), data, nil
}

// segments reads the data section; it reports false if there is a segment that is
// not active at a constant offset of the one memory.
func segments(s section) (list []Data, plain bool, err error) {
	const i32Const, end = 0x41, 0x0b
	c := s.cursor()
	n := c.u32()
	for i := uint32(0); c.more(i, n); i++ {
		if c.u32() != 0 || c.byte() != i32Const {
			return nil, false, c.err
		}
		offset := c.i32()
		if c.byte() != end {
			return nil, false, c.err
		}
		list = append(list, Data{Offset: uint32(offset), Bytes: c.name()})
	}
	return list, true, c.end()
}

// i32 reads a signed LEB128 number of 32 bits.
func (c *cursor) i32() int32 {
	at := c.i
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		b := c.byte()
		v |= uint32(b&0x7f) << shift
		if b >= 0x80 {
			continue
		}
		if shift+7 < 32 && b&0x40 != 0 {
			v |= ^uint32(0) << (shift + 7)
		}
		return int32(v)
	}
	c.failAt(at, "number of more than 32 bits")
	return 0
}
