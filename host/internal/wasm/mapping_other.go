//go:build !linux || !(amd64 || arm64)

package wasm

// mapping is a linear memory that can show a picture. This system has none: the
// engine's own memory is used, and put back by copying all of it.
type mapping struct{}

func newMapping(uint64, func(int64) bool) *mapping { return nil }
func (*mapping) Reallocate(uint64) []byte          { return nil }
func (*mapping) Free()                             {}
func (*mapping) show(*picture) error               { return nil }
func (*mapping) restore() (pages int, _ bool)      { return 0, false }
func (*mapping) track(Memory)                      {}
func (*mapping) drop()                             {}

// picture is the memory of an image.
type picture struct{ bytes []byte }

func newPicture(memory []byte, _ bool) *picture {
	return &picture{bytes: append([]byte(nil), memory...)}
}

func (p *picture) size() int { return len(p.bytes) }
func (p *picture) free()     { p.bytes = nil }
