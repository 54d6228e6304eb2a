package wasm

import (
	"bytes"
	"slices"

	"github.com/tetratelabs/wazero/api"
)

// Isolation says what becomes of an instance between two calls.
type Isolation uint8

// The modes.
const (
	// EveryCall puts an instance back, after each call, to the state it had before
	// its first: no call can see what another one left.
	EveryCall Isolation = iota
	// Never leaves instances as the calls before left them.
	Never
)

// image is the state of an instance that has been initialized and warmed and has
// served nobody. Memory and globals are all the state there is: a module that
// could change anything else is refused, and the system that the host shows it
// (module system.go) keeps nothing.
type image struct {
	memory  *picture
	globals []uint64
}

// capture takes the state of an instance as the image of its module.
func (i *Instance) capture() (*image, error) {
	view, ok := i.memory.Read(0, i.memory.Size())
	if !ok {
		return nil, &LoadError{Reason: "memory can't be read"}
	}
	img := &image{memory: newPicture(view, i.mapping != nil), globals: make([]uint64, len(i.globals))}
	for n, g := range i.globals {
		img.globals[n] = g.Get()
	}
	return img, nil
}

// resume gives an instance that was never initialized the state of the image.
func (i *Instance) resume(img *image) error {
	have, want := int(i.memory.Size()), img.memory.size()
	if have > want {
		return &LoadError{Reason: "module's start function takes more memory than it did before"}
	}
	if _, ok := i.memory.Grow(uint32((want - have) / wasmPage)); !ok {
		return &LoadError{Reason: "memory of the image can't be had"}
	}
	if i.mapping == nil || i.mapping.show(img.memory) != nil {
		i.mapping = nil // what can't show the image is put back by copying all of it
		i.copyBack(img)
	}
	i.image = img
	i.setGlobals()
	return nil
}

// restore puts the instance back to its image and returns how many pages of 4 KiB
// it copied. The instance must be usable and no larger than the image.
func (i *Instance) restore() (pages int) {
	i.setGlobals()
	if i.mapping != nil {
		if pages, ok := i.mapping.restore(); ok {
			return pages
		}
	}
	return i.copyBack(i.image)
}

func (i *Instance) setGlobals() {
	for n, g := range i.globals {
		g.Set(i.image.globals[n])
	}
}

func (i *Instance) copyBack(img *image) (pages int) {
	view, _ := i.memory.Read(0, uint32(img.memory.size()))
	copy(view, img.memory.bytes)
	return len(view) / 4096
}

// grown reports whether the memory is larger than the image. An engine can't make
// a memory smaller, and a guest that finds it larger than it remembers would see
// that somebody was there before.
func (i *Instance) grown() bool { return int(i.memory.Size()) != i.image.memory.size() }

// Differs returns where the instance differs from its image: the first byte of
// memory and the first global, each -1 if there is none. It is for tests.
func (i *Instance) Differs() (offset, global int) {
	view, _ := i.memory.Read(0, i.memory.Size())
	image := i.image.memory.bytes
	offset, global = -1, -1
	if !bytes.Equal(view, image) {
		for offset = 0; offset < min(len(view), len(image)) && view[offset] == image[offset]; offset++ {
		}
	}
	for n, g := range slices.Backward(i.globals) {
		if g.Get() != i.image.globals[n] {
			global = n
		}
	}
	return offset, global
}

// settable finds the globals that rewriting exported.
func settable(mod api.Module, names []string) ([]api.MutableGlobal, error) {
	list := make([]api.MutableGlobal, len(names))
	for n, name := range names {
		g, ok := mod.ExportedGlobal(name).(api.MutableGlobal)
		if !ok {
			return nil, &LoadError{Reason: "a global of the module can't be set"}
		}
		list[n] = g
	}
	return list, nil
}
