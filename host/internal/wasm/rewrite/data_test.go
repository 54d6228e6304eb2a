package rewrite_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/payhost/payhost/host/internal/wasm/rewrite"
	"github.com/payhost/payhost/host/internal/wasm/testdata/asm"
)

// withData is a module with a memory of a page and a data section of the parts.
func withData(parts ...any) *asm.Module {
	m := asm.New()
	m.Memory(1, 1)
	m.Export("memory", asm.KindMemory, 0)
	m.Raw(asm.SectionData, parts...)
	return m
}

// TestDetach lays the data by hand and by the engine, and compares the memories.
func TestDetach(t *testing.T) {
	t.Parallel()
	binary := withData(2,
		0, asm.I32Const, asm.S(8), 0x0b, "abc",
		0, asm.I32Const, asm.S(65530), 0x0b, "xyz",
	).Bytes()
	detached, data, err := rewrite.Detach(binary)
	if err != nil || len(data) != 2 || len(detached) >= len(binary) {
		t.Fatalf("%d stretches, %d of %d bytes left, %v", len(data), len(detached), len(binary), err)
	}
	want, got := memoryOf(t, binary), memoryOf(t, detached)
	for _, d := range data {
		copy(got[d.Offset:], d.Bytes)
	}
	if !bytes.Equal(got, want) {
		t.Error("the memory laid by hand is another than the engine's")
	}
}

func memoryOf(t *testing.T, binary []byte) []byte {
	t.Helper()
	rt := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { rt.Close(t.Context()) })
	mod, err := rt.Instantiate(t.Context(), binary)
	if err != nil {
		t.Fatal(err)
	}
	view, _ := mod.Memory().Read(0, mod.Memory().Size())
	return bytes.Clone(view)
}

// TestDetachLeavesWhatItMustNotTouch has modules whose data is not the host's to lay.
func TestDetachLeavesWhatItMustNotTouch(t *testing.T) {
	t.Parallel()
	plain := []any{1, 0, asm.I32Const, asm.S(8), 0x0b, "abc"}
	started := withData(plain...)
	started.Start(started.Func(nil, nil, nil))
	counted := withData(plain...)
	counted.Raw(asm.SectionCount, 1)
	for name, m := range map[string]*asm.Module{
		"a start function": started, "a data count": counted,
		"a passive segment":  withData(1, 1, "abc"),
		"an offset computed": withData(1, 0, asm.I32Const, asm.S(1), asm.I32Const, asm.S(2), 0x6a, 0x0b, "abc"),
		"a memory by number": withData(1, 2, 0, asm.I32Const, asm.S(8), 0x0b, "abc"),
	} {
		binary := m.Bytes()
		left, data, err := rewrite.Detach(binary)
		if err != nil || data != nil || !bytes.Equal(left, binary) {
			t.Errorf("%s: %d stretches, changed %v, %v", name, len(data), !bytes.Equal(left, binary), err)
		}
	}
}

func TestDetachMalformed(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]*asm.Module{
		"a lying count":    withData(asm.U(1<<31), 0, asm.I32Const, asm.S(8), 0x0b, "abc"),
		"a lying length":   withData(1, 0, asm.I32Const, asm.S(8), 0x0b, asm.U(1000), 0x61),
		"a long number":    withData(1, 0, asm.I32Const, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x0b, "abc"),
		"bytes left over":  withData(0, 1, 2, 3),
		"an empty section": withData(asm.U(2), 0, asm.I32Const, asm.S(8), 0x0b, "abc"),
	} {
		if _, _, err := rewrite.Detach(m.Bytes()); !errors.Is(err, rewrite.ErrFormat) {
			t.Errorf("%s: error is %v, want ErrFormat", name, err)
		}
	}
}
