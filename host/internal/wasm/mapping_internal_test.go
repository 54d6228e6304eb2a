//go:build linux && (amd64 || arm64)

package wasm

import "testing"

// TestFreedMemoryIsCountedOnce has another instance take all that is to be had while the
// memory of one that shows a picture is given back.
func TestFreedMemoryIsCountedOnce(t *testing.T) {
	const shared, most = 4 * pageSize, 8 * pageSize
	m := &Module{config: Config{TotalBytes: most}}
	p, err := newPicture(make([]byte, shared), true)
	if err != nil {
		t.Fatal(err)
	}
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
