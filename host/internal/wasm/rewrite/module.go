package rewrite

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Section numbers of the binary format.
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunction  = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElement   = 9
	secCode      = 10
	secData      = 11
	secDataCount = 12
)

var sectionNames = [...]string{
	secCustom: "custom", secType: "type", secImport: "import", secFunction: "function", secTable: "table",
	secMemory: "memory", secGlobal: "global", secExport: "export", secStart: "start", secElement: "element",
	secCode: "code", secData: "data", secDataCount: "data count",
}

func sectionName(id byte) string {
	if int(id) < len(sectionNames) {
		return sectionNames[id]
	}
	return fmt.Sprintf("unknown (%d)", id)
}

// ErrFormat says that bytes are not a module that this package can read; the
// text around it names the section and the offset in the file.
var ErrFormat = errors.New("malformed or unsupported WebAssembly module")

var header = []byte("\x00asm\x01\x00\x00\x00")

type section struct {
	id     byte
	offset int // of the body in the file, for messages
	body   []byte
}

// split cuts a module into its sections without copying. Sections but custom ones
// stand once at most, in the order of the format.
func split(module []byte) ([]section, error) {
	if len(module) < len(header) || string(module[:len(header)]) != string(header) {
		return nil, fmt.Errorf("%w: no WebAssembly 1.0 header", ErrFormat)
	}
	var list []section
	last := section{id: secCustom}
	for i := len(header); i < len(module); {
		s := section{id: module[i], offset: i}
		size, n := binary.Uvarint(module[i+1:])
		if n <= 0 || n > 5 || size > uint64(len(module)-i-1-n) {
			return nil, s.mistake(0, "cut short")
		}
		start := i + 1 + n
		switch {
		case s.id == secCustom:
		case s.id > secDataCount:
			return nil, s.mistake(0, "not of WebAssembly 2.0")
		case s.id == last.id:
			return nil, s.mistake(0, "stands twice")
		case last.id != secCustom && order(s.id) < order(last.id):
			return nil, s.mistake(0, "stands behind the %s section", sectionName(last.id))
		}
		s.offset, s.body = start, module[start:start+int(size)]
		list = append(list, s)
		if s.id != secCustom {
			last = s
		}
		i = start + int(size)
	}
	return list, nil
}

// order ranks sections as they stand in a module: the data count (12) comes before
// code.
func order(id byte) int {
	if id == secDataCount {
		return secCode*2 - 1
	}
	return int(id) * 2
}

func join(list []section, size int) []byte {
	out := append(make([]byte, 0, size), header...)
	for _, s := range list {
		out = append(out, s.id)
		out = binary.AppendUvarint(out, uint64(len(s.body)))
		out = append(out, s.body...)
	}
	return out
}

// Custom returns the content of the custom section of a name, and how many there
// are of it.
func Custom(module []byte, name string) (content []byte, count int, err error) {
	sections, err := split(module)
	if err != nil {
		return nil, 0, err
	}
	for _, s := range sections {
		if s.id != secCustom {
			continue
		}
		n, k := binary.Uvarint(s.body)
		if k <= 0 || n > uint64(len(s.body)-k) {
			return nil, 0, s.mistake(0, "no name")
		}
		if string(s.body[k:k+int(n)]) == name {
			content = s.body[k+int(n):]
			count++
		}
	}
	return content, count, nil
}

// WithCustom returns the module with one custom section of a name at its end, in
// place of any it had.
func WithCustom(module []byte, name string, content []byte) ([]byte, error) {
	sections, err := split(module)
	if err != nil {
		return nil, err
	}
	kept := make([]section, 0, len(sections)+1)
	for _, s := range sections {
		n, k := binary.Uvarint(s.body)
		if s.id == secCustom && k > 0 && n <= uint64(len(s.body)-k) && string(s.body[k:k+int(n)]) == name {
			continue
		}
		kept = append(kept, s)
	}
	body := binary.AppendUvarint(nil, uint64(len(name)))
	body = append(body, name...)
	kept = append(kept, section{id: secCustom, body: append(body, content...)})
	return join(kept, len(module)+len(content)+64), nil
}
