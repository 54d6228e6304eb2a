package rewrite

import (
	"encoding/binary"
	"unicode/utf8"
)

// Name and module of the import that prepared code calls.
const (
	TickModule = "payhost_internal"
	TickName   = "tick"
)

// Slice is how many steps code may take between two calls of tick. A step is an
// instruction, a load or a store counts for four, a call or a division for ten, and a
// block of memory one a byte. A tight loop takes less than a tenth of a millisecond for
// a slice; a branch counts as if the longest way had been taken, so
// that most code ticks sooner.
const Slice = 1 << 18

// MaxStack is how many bytes of the host's stack the calls of a guest may hold, by an
// estimate from above. The engine doubles its stack when it is full, so that it takes
// at most twice as much, each time in memory that is new to the process. A Go plugin can
// go some 8,000 calls deep in a small function.
const MaxStack = 2 << 20

// Room is what of MaxStack gates give out. The rest is for the first call and the last
// ones, which pass none.
const Room = MaxStack - 2*freeStack

// maxFunctions is how many functions a module may have; a plugin of a Go compiler has
// some thousand.
const maxFunctions = 100_000

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

	// Room is the one of Globals that tells how many bytes of the host's stack are
	// left to the guest's calls, of [Room]. If it is below zero behind a trap,
	// the calls were too deep.
	Room string
}

// Prepare returns the module with the checks that the package's text explains. The
// last of its imports is payhost_internal.tick, of type () -> (), which the code
// calls when a [Slice] is over.
//
// The module may not import globals, tables or memories, export a name that begins
// with [GlobalPrefix], use vectors or anything else that is not in WebAssembly 2.0,
// nor hold tables of more than [MaxTable] entries. Custom sections are dropped: the
// names in them would be off by one. Errors are [ErrFormat] and name the section and
// the offset in the file.
func Prepare(module []byte) (*Prepared, error) {
	sections, err := split(module)
	if err != nil {
		return nil, err
	}
	p := patch{prefixedOps: prefixedOps()}
	for _, s := range sections {
		if err := p.survey(s); err != nil {
			return nil, err
		}
	}
	if p.bodies != len(p.functions) {
		return nil, section{id: secCode, offset: len(module)}.mistake(0, "no bodies for %d functions", len(p.functions))
	}
	p.addHelpers()
	p.order()
	out := make([]section, 0, len(sections)+6)
	for _, s := range complete(sections) {
		body, err := p.apply(s)
		if err != nil {
			return nil, err
		}
		out = append(out, section{id: s.id, body: body})
	}
	names := p.names()
	return &Prepared{
		Binary: join(out, len(module)*5/4), Globals: names, Lasting: p.lasting, Room: names[len(p.mutable)+room],
	}, nil
}

// Bound returns only the binary of [Prepare].
func Bound(module []byte) ([]byte, error) {
	p, err := Prepare(module)
	if err != nil {
		return nil, err
	}
	return p.Binary, nil
}

// patch is what the rewriting knows of the whole module.
type patch struct {
	types      uint32 // entries of the type section: index of the first type that is added
	signatures []signature
	imported   uint32      // imported functions: index of the import that is added
	imports    []signature // of them
	functions  []function
	gated      []uint32 // numbers of those behind a gate
	bodies     int      // in the code section
	globals    uint32   // of the module: index of the first that is added
	mutable    []uint32 // the numeric ones among them that code can set
	lasting    string   // see Prepared

	moves    [18]bool // whether code has an instruction behind 0xfc that takes a length, by its number
	longData []helper // segments that memory.init may take more than a piece from
	helpers  []helper
	helped   map[block]int // number of the helper for it

	prefixedOps [18]prefixed

	// Of the function being read or written.
	frames frames
	open   []opened
	labels []label
}

// survey reads what the rewriting must know before it writes anything.
func (p *patch) survey(s section) error {
	switch s.id {
	case secCustom:
		c := s.cursor()
		if name := c.name(); !utf8.Valid(name) {
			c.failAt(0, "name that is not UTF-8")
		}
		return c.err
	case secType:
		return p.surveyTypes(s)
	case secImport:
		return p.surveyImports(s)
	case secFunction:
		return p.surveyFunctions(s)
	case secGlobal:
		return p.surveyGlobals(s)
	case secCode:
		return p.surveyCode(s)
	case secData:
		return p.surveyData(s)
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
		params, results := c.name(), c.name() // lists of one byte a type
		if len(params) > maxValues || len(results) > maxValues {
			c.fail("function type of more than %d values", maxValues)
		}
		p.signatures = append(p.signatures, signature{params: len(params), results: len(results)})
	}
	return c.end()
}

// typeIndex reads the index of a type of the module's own.
func (p *patch) typeIndex(c *cursor) uint32 {
	at := c.i
	t := c.u32()
	if t >= p.types {
		c.failAt(at, "no type %d", t)
	}
	return t
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
		if t := p.typeIndex(c); c.err == nil {
			p.imports = append(p.imports, p.signatures[t])
		}
	}
	return c.end()
}

func (p *patch) surveyFunctions(s section) error {
	c := s.cursor()
	n := c.u32()
	if n > maxFunctions {
		c.failAt(0, "%d functions, at most %d allowed", n, maxFunctions)
	}
	for i := uint32(0); c.more(i, n); i++ {
		if t := p.typeIndex(c); c.err == nil {
			p.functions = append(p.functions, function{kind: t, signature: p.signatures[t]})
		}
	}
	return c.end()
}

// complete returns the sections without custom ones and with an empty one for each
// that gets an addition and is not there.
func complete(sections []section) []section {
	var list []section
	for _, id := range [...]byte{
		secType, secImport, secFunction, secTable, secMemory, secGlobal, secExport, secStart, secElement,
		secDataCount, secCode, secData,
	} {
		added := id == secType || id == secImport || id == secFunction || id == secGlobal || id == secExport || id == secCode
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
		return p.extendTypes(s), nil
	case secImport:
		return extend(s.body, 1, p.tickImport()), nil
	case secFunction:
		return p.kinds(s), nil
	case secTable:
		return p.tables(s)
	case secGlobal:
		return p.global(s)
	case secExport:
		return p.exports(s)
	case secStart:
		c := s.cursor()
		body := p.function(nil, p.functionIndex(c))
		return body, c.end()
	case secElement:
		return p.elements(s)
	case secCode:
		return p.code(s), nil
	}
	return s.body, nil
}

// The types that are added, by their place behind the module's own: of slow and tick, of
// a block that takes two numbers, and of helpers. None gives any.
const (
	noneTaken = iota
	twoTaken
	threeTaken
	addedTypes
)

func (p *patch) extendTypes(s section) []byte {
	return extend(s.body, addedTypes, []byte{
		0x60, 0, 0,
		0x60, 2, typeI32, typeI32, 0,
		0x60, 3, typeI32, typeI32, typeI32, 0,
	})
}

// kinds adds the types of the functions that are added to the function section.
func (p *patch) kinds(s section) []byte {
	_, k := binary.Uvarint(s.body)
	out := binary.AppendUvarint(nil, uint64(len(p.functions)+1+len(p.helpers)+len(p.gated)))
	out = binary.AppendUvarint(append(out, s.body[k:]...), uint64(p.types)+noneTaken)
	for range p.helpers {
		out = binary.AppendUvarint(out, uint64(p.types)+threeTaken)
	}
	for _, i := range p.gated {
		out = binary.AppendUvarint(out, uint64(p.functions[i].kind))
	}
	return out
}

// extend adds so many entries to the end of a section that begins with a count.
func extend(body []byte, more uint64, entries []byte) []byte {
	n, k := binary.Uvarint(body)
	out := binary.AppendUvarint(make([]byte, 0, len(body)+len(entries)+2), n+more)
	out = append(out, body[k:]...)
	return append(out, entries...)
}

func (p *patch) tickImport() []byte {
	b := named(named(nil, TickModule), TickName)
	return binary.AppendUvarint(append(b, 0), uint64(p.types)+noneTaken)
}

// named appends a name.
func named(b []byte, name string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(name))), name...)
}

// functionIndex reads the index of a function of the module's own or an import. One
// behind the last would be the function that is added.
func (p *patch) functionIndex(c *cursor) uint32 {
	at := c.i
	i := c.u32()
	if uint64(i) >= uint64(p.imported)+uint64(len(p.functions)) {
		c.failAt(at, "no function %d", i)
		return 0
	}
	return i
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
