package wasm

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/payhost/payhost/host/internal/wasm/rewrite"
)

// An outline is what the cache keeps of a rewritten module beside its machine code:
// the module with bodies that only trap, and a custom section that says the rest. The
// engine takes from it all but the code (types, imports, globals, tables, exports),
// and so neither rewrites nor validates again the megabytes that nobody will run: they
// were rewritten and validated before their machine code was made, and from then on
// that is what must not be changed, see entry.

// keptName is the custom section of an outline. It holds a kept.
const keptName = "payhost_kept"

// kept is what rewriting told of a module.
type kept struct {
	Of      string   `json:"of"` // the entry's key, so that the engine's name for the machine code depends on it
	Globals []string `json:"globals"`
	Lasting string   `json:"lasting"`
	Room    string   `json:"room"`
}

// outlineOf makes the outline of a module that was rewritten, and from which data was
// taken.
func outlineOf(bare []byte, data []rewrite.Data, about kept) ([]byte, error) {
	var out []byte
	rest := 0
	for s := range sections(bare) {
		if s.id == codeSection {
			out = append(out, bare[:s.start]...)
			out = append(out, traps(bare[s.body:s.end])...)
			rest = s.end
		}
	}
	out = append(out, bare[rest:]...)
	if len(data) > 0 {
		out = append(out, dataSectionOf(data)...)
	}
	text, err := json.Marshal(about)
	if err != nil {
		return nil, err
	}
	return rewrite.WithCustom(out, keptName, text)
}

// traps returns a code section of as many functions that do nothing but trap.
func traps(code []byte) []byte {
	const size, noLocals, unreachable, end = 3, 0, 0x00, 0x0b
	n, _ := binary.Uvarint(code)
	body := binary.AppendUvarint(nil, n)
	for range n {
		body = append(body, size, noLocals, unreachable, end)
	}
	return append(binary.AppendUvarint([]byte{codeSection}, uint64(len(body))), body...)
}

// dataSectionOf is what [rewrite.Detach] takes out.
func dataSectionOf(data []rewrite.Data) []byte {
	const active, i32Const, end = 0, 0x41, 0x0b
	body := binary.AppendUvarint(nil, uint64(len(data)))
	for _, d := range data {
		body = append(signed(append(body, active, i32Const), int32(d.Offset)), end)
		body = append(binary.AppendUvarint(body, uint64(len(d.Bytes))), d.Bytes...)
	}
	return append(binary.AppendUvarint([]byte{dataSection}, uint64(len(body))), body...)
}

// signed appends a number as signed LEB128.
func signed(b []byte, v int32) []byte {
	for v < -64 || v > 63 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}

// joined returns the same data in few pieces. A linker leaves out every short run of
// zeros, and thirty thousand pieces take longer to read and to lay than the zeros. What
// is filled up is no more than a piece takes in the list. The pieces are copies, so that
// nothing holds the whole binary any more.
func joined(data []rewrite.Data) []rewrite.Data {
	const gap = 32
	sorted := slices.SortedStableFunc(slices.Values(data), func(a, b rewrite.Data) int { return cmp.Compare(a.Offset, b.Offset) })
	var out []rewrite.Data
	end := uint64(0) // of the last
	for i, d := range sorted {
		from := uint64(d.Offset)
		switch {
		case from < end:
			return data // they overlap: their order counts
		case i == 0 || from-end > gap:
			out = append(out, rewrite.Data{Offset: d.Offset})
		}
		last := &out[len(out)-1]
		last.Bytes = append(last.Bytes, make([]byte, from-uint64(last.Offset)-uint64(len(last.Bytes)))...)
		last.Bytes = append(last.Bytes, d.Bytes...)
		end = from + uint64(len(d.Bytes))
	}
	return out
}

// readOutline takes what is kept in an outline into the module, and returns what the
// engine is to be given.
func (m *Module) readOutline(outline []byte, key string) ([]byte, error) {
	about, _, err := rewrite.Custom(outline, keptName)
	if err != nil {
		return nil, err
	}
	var k kept
	if err := json.Unmarshal(about, &k); err != nil {
		return nil, err
	}
	if k.Of != key {
		return nil, errors.New("outline of another module")
	}
	bare, data, err := rewrite.Detach(outline)
	m.describe(k, data)
	return bare, err
}

// describe notes what rewriting told.
func (m *Module) describe(k kept, data []rewrite.Data) {
	m.globals, m.room, m.lasting, m.data = k.Globals, slices.Index(k.Globals, k.Room), k.Lasting, data
}

// The numbers of sections in the binary format.
const (
	customSection = 0
	codeSection   = 10
	dataSection   = 11
)

// span is a section of a binary.
type span struct {
	id               byte
	start, body, end int // where it begins, its body begins, and it ends
}

// sections goes over the sections of a binary up to the first that is malformed.
func sections(module []byte) func(yield func(span) bool) {
	return func(yield func(span) bool) {
		const header = 8
		for i := header; i < len(module); {
			size, n := binary.Uvarint(module[i+1:])
			body := i + 1 + n
			if n <= 0 || n > 5 || size > uint64(len(module)-body) {
				return
			}
			s := span{id: module[i], start: i, body: body, end: body + int(size)}
			if !yield(s) {
				return
			}
			i = s.end
		}
	}
}

// digests returns the SHA-256 of a binary, and the key of its entry in the cache, both
// in hex. The key leaves out the custom sections at the end, so that two revisions that
// differ in nothing but their manifest share what is compiled, and it takes in the rules
// of rewriting.
func digests(module []byte) (file, key string) {
	cut := bareLength(module)
	sum := sha256.New()
	sum.Write(module[:cut])
	keyed := sha256.New()
	keyed.Write(rules())
	keyed.Write(sum.Sum(nil))
	sum.Write(module[cut:])
	return hex.EncodeToString(sum.Sum(nil)), hex.EncodeToString(keyed.Sum(nil))
}

// bareLength returns how long a module is without the custom sections at its end. One
// that is malformed is not left out: a module that would be refused for it must not be
// taken for one that was not.
func bareLength(module []byte) int {
	end, cut := 0, 0
	for s := range sections(module) {
		if end = s.end; s.id != customSection || !named(module[s.body:s.end]) {
			cut = s.end
		}
	}
	if end != len(module) {
		return len(module)
	}
	return cut
}

// named reports whether the body of a custom section begins with a name.
func named(body []byte) bool {
	n, k := binary.Uvarint(body)
	return k > 0 && k <= 5 && n <= uint64(len(body)-k) && utf8.Valid(body[k:k+int(n)])
}

// sources is the code that decides what an entry of the cache holds. It is its own
// version: whoever changes the rewriting finds no entry that was written by the old
// one, and has no number to raise and to forget.
//
//go:embed rewrite/*.go cache_outline.go
var sources embed.FS

// rules returns the digest of sources without the tests among them.
var rules = sync.OnceValue(func() []byte {
	sum := sha256.New()
	err := fs.WalkDir(sources, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		return add(sum, path)
	})
	if err != nil {
		panic(err) // what is in the executable can be read
	}
	return sum.Sum(nil)
})

func add(sum hash.Hash, path string) error {
	content, err := sources.ReadFile(path)
	one := sha256.Sum256(content)
	sum.Write([]byte(path))
	sum.Write(one[:])
	return err
}
