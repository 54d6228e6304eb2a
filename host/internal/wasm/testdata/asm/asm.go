// Package asm builds small WebAssembly binaries for tests: modules that no
// compiler would make, in few lines and without a file to keep.
package asm

import (
	"encoding/binary"
	"fmt"
)

// Value types.
const (
	I32       byte = 0x7f
	I64       byte = 0x7e
	F32       byte = 0x7d
	F64       byte = 0x7c
	FuncRef   byte = 0x70
	ExternRef byte = 0x6f
	Void      byte = 0x40 // block type only
)

// Kinds of exports and imports.
const (
	KindFunc   byte = 0
	KindTable  byte = 1
	KindMemory byte = 2
	KindGlobal byte = 3
)

// Section numbers, for Raw.
const (
	SectionTable   byte = 4
	SectionElement byte = 9
	SectionData    byte = 11
	SectionCount   byte = 12
)

// U is an unsigned and S a signed LEB128 number in [Code].
type (
	U uint64
	S int64
)

// Code joins bytes, byte slices, strings (with their length in front), [U] and
// [S]. It panics on anything else: a mistake of the test.
func Code(parts ...any) []byte {
	var out []byte
	for _, part := range parts {
		switch v := part.(type) {
		case byte:
			out = append(out, v)
		case int:
			out = append(out, byte(v))
		case []byte:
			out = append(out, v...)
		case string:
			out = append(binary.AppendUvarint(out, uint64(len(v))), v...)
		case U:
			out = binary.AppendUvarint(out, uint64(v))
		case S:
			out = sleb(out, int64(v))
		default:
			panic(fmt.Sprintf("asm: %T in code", part))
		}
	}
	return out
}

// Types is a list of value types.
type Types = []byte

// Module is a binary in the making. Imports come before functions.
type Module struct {
	types, imports, funcs, globals, exports, bodies, customs [][]byte

	imported uint32
	start    []byte
	memory   []byte
	raw      map[byte][]byte
}

// New returns an empty module.
func New() *Module { return &Module{raw: make(map[byte][]byte)} }

// Type returns the index of a function type, which it adds.
func (m *Module) Type(params, results Types) uint32 {
	entry := Code(0x60, U(len(params)), params, U(len(results)), results)
	for i, have := range m.types {
		if string(have) == string(entry) {
			return uint32(i)
		}
	}
	m.types = append(m.types, entry)
	return uint32(len(m.types) - 1)
}

// Import adds an imported function and returns its index.
func (m *Module) Import(module, name string, params, results Types) uint32 {
	m.ImportRaw(module, name, Code(KindFunc, U(m.Type(params, results))))
	m.imported++
	return m.imported - 1
}

// ImportRaw adds an import of any kind by its bytes.
func (m *Module) ImportRaw(module, name string, description []byte) {
	m.imports = append(m.imports, Code(module, name, description))
}

// Func adds a function and returns its index. Locals are one each; the final end
// is added.
func (m *Module) Func(params, results, locals Types, code ...any) uint32 {
	m.funcs = append(m.funcs, Code(U(m.Type(params, results))))
	body := Code(U(len(locals)))
	for _, t := range locals {
		body = append(body, 1, t)
	}
	body = append(append(body, Code(code...)...), 0x0b)
	m.bodies = append(m.bodies, Code(U(len(body)), body))
	return m.imported + uint32(len(m.bodies)) - 1
}

// Global adds a mutable global with a constant expression, without its end.
func (m *Module) Global(kind byte, mutable bool, value ...any) uint32 {
	flag := 0
	if mutable {
		flag = 1
	}
	m.globals = append(m.globals, Code(kind, flag, Code(value...), 0x0b))
	return uint32(len(m.globals) - 1)
}

// Memory sets the memory's limits in pages; most 0 for none.
func (m *Module) Memory(least, most uint32) {
	m.memory = Code(1, 0, U(least))
	if most > 0 {
		m.memory = Code(1, 1, U(least), U(most))
	}
}

// Export adds an export.
func (m *Module) Export(name string, kind byte, index uint32) {
	m.exports = append(m.exports, Code(name, kind, U(index)))
}

// Start sets the start function.
func (m *Module) Start(index uint32) { m.start = Code(U(index)) }

// Custom adds a custom section at the end.
func (m *Module) Custom(name string, content []byte) {
	m.customs = append(m.customs, Code(name, content))
}

// Raw sets the body of a section by its bytes.
func (m *Module) Raw(section byte, body ...any) { m.raw[section] = Code(body...) }

// Bytes returns the binary.
func (m *Module) Bytes() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, body []byte) {
		if len(body) > 0 {
			out = append(out, Code(id, U(len(body)), body)...)
		}
	}
	section(1, vector(m.types))
	section(2, vector(m.imports))
	section(3, vector(m.funcs))
	section(SectionTable, m.raw[SectionTable])
	section(5, m.memory)
	section(6, vector(m.globals))
	section(7, vector(m.exports))
	section(8, m.start)
	section(SectionElement, m.raw[SectionElement])
	section(SectionCount, m.raw[SectionCount])
	section(10, vector(m.bodies))
	section(SectionData, m.raw[SectionData])
	for _, custom := range m.customs {
		section(0, custom)
	}
	return out
}

func vector(entries [][]byte) []byte {
	if len(entries) == 0 {
		return nil
	}
	out := Code(U(len(entries)))
	for _, e := range entries {
		out = append(out, e...)
	}
	return out
}

func sleb(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
