//go:build linux && (amd64 || arm64)

package wasm

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestFreedMemoryIsCountedOnce has another instance take all that is to be had while the
// memory of one that shows a picture is given back.
func TestFreedMemoryIsCountedOnce(t *testing.T) {
	const shared, most = 4 * pageSize, 8 * pageSize
	m := &Module{config: Config{TotalBytes: most}}
	p := newPicture(make([]byte, shared), true)
	defer p.free()
	other := newMapping(most+shared, m.grant)
	meanwhile := func(n int64) bool {
		ok := m.grant(n)
		if n < 0 {
			if other.Reallocate(most+shared) != nil {
				t.Errorf("another instance was given %d bytes of %d", most+shared, most)
			}
		}
		return ok
	}
	grown := newMapping(2*shared, m.grant)
	grown.Reallocate(shared)
	if err := grown.show(p); err != nil {
		t.Fatal(err)
	}
	grown.Reallocate(2 * shared)
	grown.grant = meanwhile
	grown.Free()
	other.Free()
	if left := m.taken.Load(); left != 0 {
		t.Errorf("%d bytes are taken by nobody", left)
	}
}

// TestPictureWithoutAFile has the system refuse a file, for good or for a moment: a
// picture is there all the same, and what can't be mapped says so.
func TestPictureWithoutAFile(t *testing.T) { // alone: it takes the system's place
	for name, tt := range map[string]struct {
		err    error
		refuse int // times
		asked  int
		file   bool
	}{
		"busy once":     {unix.EBUSY, 1, 2, true},
		"busy for long": {unix.EBUSY, 100, sealings, false},
		"too many":      {unix.EMFILE, 100, 1, false},
	} {
		asked := 0
		again := replaceMemfd(func(name string, flags int) (int, error) {
			if asked++; asked <= tt.refuse {
				return -1, tt.err
			}
			return unix.MemfdCreate(name, flags)
		})
		p := newPicture([]byte{1, 2, 3, pageSize - 1: 4}, true)
		again()
		m := newMapping(pageSize, func(int64) bool { return true })
		if err := m.show(p); (err == nil) != tt.file || asked != tt.asked {
			t.Errorf("%s: shown: %v; asked %d times, want %d", name, err, asked, tt.asked)
		}
		if p.size() != pageSize || p.bytes[1] != 2 || p.bytes[pageSize-1] != 4 {
			t.Errorf("%s: the picture is another", name)
		}
		m.Free()
		p.free()
	}
}
