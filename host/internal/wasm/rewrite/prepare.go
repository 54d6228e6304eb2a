package rewrite

import "encoding/binary"

// Name and module of the import that bounded code calls.
const (
	TickModule = "payhost_internal"
	TickName   = "tick"
)

// Slice is how many loop heads and function entries code may pass between two
// calls of tick: at 1 to 10 ns each, 20 to 200 µs.
const Slice = 20000

// Prepared is a module made fit to be bounded and put back.
type Prepared struct {
	Binary []byte

	// Globals are the names under which all mutable globals of numeric type are
	// exported: the module's own in their order, then those that were added. All
	// begin with [GlobalPrefix].
	Globals []string

	// Lasting says why an instance can't be put back to an earlier state, as
	// "table.set at offset 0x1234, in the code section"; it is empty if memory and
	// globals are all the state there is.
	Lasting string
}

// Prepare returns the module with a countdown at the head of every loop and at the
// entry of every function that could recurse without passing a loop. At zero the
// code calls the import payhost_internal.tick, of type () -> (), and starts over.
// Tick is Go code, so the scheduler and the collector get their turn; when the
// call's time is over it panics, which unwinds the guest.
//
// What stands between two checks is bounded too, or 20000 of them could take
// minutes: long stretches of code get checks of their own, an instruction that
// moves a block of memory counts by the block's size, and a table never grows.
//
// An import of a host function, and not a flag in memory, because a store by
// another goroutine that only compiled code reads is outside Go's memory model,
// and because it makes the count of ticks a measure of the work done.
//
// The module may not import globals, tables or memories, nor export a name that
// begins with [GlobalPrefix], nor hold tables of more than [MaxTable] entries.
// Custom sections are dropped: the names in them would be off by one. Errors are
// [ErrFormat] and name the section and the offset in the file.
func Prepare(module []byte) (*Prepared, error) {
	sections, err := split(module)
	if err != nil {
		return nil, err
	}
	p := patch{}
	for _, s := range sections {
		if err := p.survey(s); err != nil {
			return nil, err
		}
	}
	out := make([]section, 0, len(sections)+4)
	for _, s := range p.complete(sections) {
		body, err := p.apply(s)
		if err != nil {
			return nil, err
		}
		out = append(out, section{id: s.id, body: body})
	}
	return &Prepared{Binary: join(out, len(module)*5/4), Globals: p.names(), Lasting: p.lasting}, nil
}

// Bound returns only the binary of [Prepare].
func Bound(module []byte) ([]byte, error) {
	p, err := Prepare(module)
	if err != nil {
		return nil, err
	}
	return p.Binary, nil
}

// patch is what the rewriting needs to know of the whole module.
type patch struct {
	types     uint32   // entries of the type section: index of the new type
	imported  uint32   // imported functions: index of the new import
	globals   uint32   // module-defined globals: index of the countdown, then of the scratch
	mutable   []uint32 // the numeric ones among them that code can set
	lasting   string   // see Prepared
	check     []byte   // the injected code
	bulkCheck []byte   // the same in front of an instruction with a length
}

// survey reads what the indices of the additions depend on.
func (p *patch) survey(s section) error {
	switch s.id {
	case secType:
		return p.surveyTypes(s)
	case secImport:
		return p.surveyImports(s)
	case secGlobal:
		return p.surveyGlobals(s)
	}
	return nil
}

func (p *patch) surveyTypes(s section) error {
	c := s.cursor()
	p.types = c.u32()
	for i := uint32(0); c.more(i, p.types); i++ {
		if at := c.i; c.byte() != 0x60 {
			c.failAt(at, "not a function type")
		}
		c.skip(c.u32())
		c.skip(c.u32())
	}
	return c.end()
}

func (p *patch) surveyImports(s section) error {
	c := s.cursor()
	p.imported = c.u32()
	for i := uint32(0); c.more(i, p.imported); i++ {
		c.name()
		c.name()
		if at := c.i; c.byte() != 0 {
			c.failAt(at, "only functions may be imported")
		}
		c.u32()
	}
	return c.end()
}

// complete returns the sections without custom ones and with an empty one for each
// that gets an addition and is not there.
func (p *patch) complete(sections []section) []section {
	var list []section
	for _, id := range [...]byte{
		secType, secImport, secFunction, secTable, secMemory, secGlobal, secExport, secStart, secElement,
		secDataCount, secCode, secData,
	} {
		added := id == secType || id == secImport || id == secGlobal || id == secExport
		for _, s := range sections {
			if s.id == id {
				list = append(list, s)
				added = false
			}
		}
		if added {
			list = append(list, section{id: id, body: []byte{0}})
		}
	}
	return list
}

func (p *patch) apply(s section) ([]byte, error) {
	switch s.id {
	case secType:
		return extend(s.body, []byte{0x60, 0, 0}), nil
	case secImport:
		return extend(s.body, p.tickImport()), nil
	case secTable:
		return p.tables(s)
	case secGlobal:
		return p.global(s)
	case secExport:
		return p.exports(s)
	case secStart:
		c := s.cursor()
		body := p.function(nil, c.u32())
		return body, c.end()
	case secElement:
		return p.elements(s)
	case secCode:
		return p.code(s)
	}
	return s.body, nil
}

// extend adds one entry to the end of a section that begins with a count.
func extend(body, entry []byte) []byte {
	n, k := binary.Uvarint(body)
	out := binary.AppendUvarint(make([]byte, 0, len(body)+len(entry)+2), n+1)
	out = append(out, body[k:]...)
	return append(out, entry...)
}

func (p *patch) tickImport() []byte {
	b := named(named(nil, TickModule), TickName)
	return binary.AppendUvarint(append(b, 0), uint64(p.types))
}

// named appends a name.
func named(b []byte, name string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(name))), name...)
}

// function appends a function index, moved up by one if it is behind the import
// that was added.
func (p *patch) function(b []byte, index uint32) []byte {
	if index >= p.imported {
		return binary.AppendUvarint(b, uint64(index)+1)
	}
	return binary.AppendUvarint(b, uint64(index))
}

// lasts notes the first thing that outlives a call and is neither memory nor a
// number in a global.
func (p *patch) lasts(s section, at int, what string) {
	if p.lasting == "" {
		p.lasting = s.at(at, what)
	}
}
