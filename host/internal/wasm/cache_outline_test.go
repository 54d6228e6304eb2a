package wasm_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/host/internal/wasm/rewrite"
	"github.com/payhost/payhost/host/internal/wasm/testdata/asm"
	"github.com/payhost/payhost/sdk/abi"
)

// TestFromTheCacheItIsTheSame runs a Go plugin as it was compiled and as it is after a
// restart, when the engine knows only its outline and its machine code.
func TestFromTheCacheItIsTheSame(t *testing.T) {
	t.Parallel()
	c := config()
	c.CacheDir = filepath.Join(t.TempDir(), "cache")
	var outline os.FileInfo
	var results []int32
	for i, from := range []string{"compiled", "the cache", "the cache again"} {
		m, err := wasm.Compile(t.Context(), hostileBinary, c)
		if err != nil {
			t.Fatal(from, err)
		}
		t.Cleanup(m.Close)
		result, err := call(t, m, clock{}, opWork, 1000)
		if err != nil {
			t.Fatal(from, err)
		}
		if _, err := call(t, m, nobody{}, opNil, 0); fault(t, err).Fault != wasm.FaultTrap {
			t.Errorf("%s: %v, want a trap", from, err)
		}
		if _, err := call(t, m, nobody{}, opEndlessRecursion, 0); fault(t, err).Fault != wasm.FaultDepth {
			t.Errorf("%s: %v, want too deep", from, err)
		}
		results = append(results, result)
		info, err := os.Stat(filepath.Join(entries(t, c.CacheDir)[0], "outline.wasm"))
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && (result != results[0] || !os.SameFile(info, outline)) {
			t.Errorf("%s: result %d, and %d compiled; or the entry was written again", from, result, results[0])
		}
		outline = info
	}
	if list := entries(t, c.CacheDir); len(list) != 1 {
		t.Errorf("the cache holds %v, want one module", list)
	}
}

// TestCodeThatTheEngineDoesNotFind has an entry whose sum is right and whose machine
// code is for another processor, or for another engine. The engine must not take the
// outline for the module, and the entry becomes one that can be used.
func TestCodeThatTheEngineDoesNotFind(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(code string) error{
		"other name": func(code string) error {
			return os.Rename(code, filepath.Join(filepath.Dir(code), strings.Repeat("a", 64)))
		},
		"other version": func(code string) error {
			content, err := os.ReadFile(code)
			if err != nil {
				return err
			}
			const version = 7 // where it begins in the file
			content[version] ^= 1
			return os.WriteFile(code, content, 0o600)
		},
		"other folder": func(code string) error {
			return os.Rename(filepath.Dir(code), filepath.Join(filepath.Dir(filepath.Dir(code)), "other"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "cache")
			cached(t, dir)
			entry := entries(t, dir)[0]
			code := filepath.Join(entry, machineCode(t, entry))
			if err := spoil(code); err != nil {
				t.Fatal(err)
			}
			sum, err := wasm.SumOf(entry)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(entry, "sum"), sum, 0o600); err != nil {
				t.Fatal(err)
			}
			cached(t, dir)
			if again := filepath.Join(entry, machineCode(t, entry)); again != code {
				t.Errorf("machine code is %s, want %s", again, code)
			}
			cached(t, dir)
		})
	}
}

// machineCode finds the one file in the engine's folder of an entry.
func machineCode(t *testing.T, entry string) string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(entry, "*", "*"))
	if err != nil || len(list) != 1 {
		t.Fatalf("the engine's folder holds %v, want one file (%v)", list, err)
	}
	name, _ := filepath.Rel(entry, list[0])
	return name
}

// TestOutlineOfAnotherModule puts one module's entry in the place of another's.
func TestOutlineOfAnotherModule(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	c := config()
	c.CacheDir = dir
	run := func(binary []byte) int32 {
		m, err := wasm.Compile(t.Context(), binary, c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
		result, err := call(t, m, nobody{}, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	three, four := plugin(returns(3)).Bytes(), plugin(returns(4)).Bytes()
	run(three)
	first := entries(t, dir)[0]
	run(four)
	for _, second := range entries(t, dir) {
		if second == first {
			continue
		}
		if err := os.RemoveAll(second); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(first, second); err != nil {
			t.Fatal(err)
		}
	}
	if got := run(four); got != 4 {
		t.Errorf("the module that returns 4 returned %d", got)
	}
}

// TestManifestsShareCode compiles revisions that differ in their manifest only; one
// that is malformed is none of them.
func TestManifestsShareCode(t *testing.T) {
	t.Parallel()
	c := config()
	c.CacheDir = filepath.Join(t.TempDir(), "cache")
	bare := plugin(returns(3)).Bytes()
	seen := map[string]bool{}
	for _, manifest := range []string{"", "one", "two"} {
		binary := bare
		if manifest != "" {
			var err error
			if binary, err = wasm.WithManifest(bare, []byte(manifest)); err != nil {
				t.Fatal(err)
			}
		}
		m, err := wasm.Compile(t.Context(), binary, c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
		seen[m.Digest()] = true
	}
	if list := entries(t, c.CacheDir); len(list) != 1 || len(seen) != 3 {
		t.Errorf("the cache holds %v for %d digests, want one module for three", list, len(seen))
	}
	named := plugin(returns(3))
	named.Custom("\xff", nil) // not UTF-8
	section := func(size ...byte) []byte {
		name := abi.ManifestName
		return append(append(append([]byte{0}, size...), byte(len(name))), name...)
	}
	n := byte(len(abi.ManifestName) + 1)
	for name, binary := range map[string][]byte{
		"cut short":       append(bytes.Clone(bare), section(n+1)...),
		"a long size":     append(bytes.Clone(bare), section(n|0x80, 0x80, 0x80, 0x80, 0x80, 0)...),
		"a byte too much": append(bytes.Clone(bare), append(section(n), 0)...),
		"a strange name":  named.Bytes(),
		"no header":       append([]byte("\x00asm\x02\x00\x00\x00"), bare[8:]...),
	} {
		if m, err := wasm.Compile(t.Context(), binary, c); err == nil {
			m.Close()
			t.Errorf("%s: was taken for the module without it", name)
		}
	}
}

// TestDataAtItsPlace reads the memory of a module that has data with gaps, compiled and
// from the cache.
func TestDataAtItsPlace(t *testing.T) {
	t.Parallel()
	c := config()
	c.CacheDir = filepath.Join(t.TempDir(), "cache")
	for range 2 {
		const load8u = 0x2d
		p := plugin(func(*asm.Module) []byte { return asm.Code(asm.LocalGet, 1, byte(load8u), 0, 0) })
		p.Raw(asm.SectionData, 3,
			0, asm.I32Const, asm.S(50000), asm.End, "ab",
			0, asm.I32Const, asm.S(100), asm.End, "c",
			0, asm.I32Const, asm.S(110), asm.End, "d")
		m, err := wasm.Compile(t.Context(), p.Bytes(), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
		for at, want := range map[int]int32{0: 0, 99: 0, 100: 'c', 101: 0, 109: 0, 110: 'd', 111: 0, 50000: 'a', 50001: 'b', 50002: 0} {
			if got, err := call(t, m, nobody{}, 0, at); err != nil || got != want {
				t.Errorf("byte %d is %d, want %d (%v)", at, got, want, err)
			}
		}
	}
}

// TestJoined lays data as it was and joined; memory is the same.
func TestJoined(t *testing.T) {
	t.Parallel()
	const size = 4000
	random := rand.New(rand.NewPCG(1, 2))
	lay := func(data []rewrite.Data) []byte {
		memory := make([]byte, size)
		for _, d := range data {
			copy(memory[d.Offset:], d.Bytes)
		}
		return memory
	}
	fewer := 0
	for range 2000 {
		var data []rewrite.Data
		step := 1 + random.IntN(200) // small ones overlap
		for at := random.IntN(100); at < size-50 && len(data) < 30; at += random.IntN(step) {
			b := make([]byte, random.IntN(40))
			for i := range b {
				b[i] = byte(1 + random.IntN(255))
			}
			data = append(data, rewrite.Data{Offset: uint32(at), Bytes: b})
			if random.IntN(2) == 0 {
				at += len(b)
			}
		}
		random.Shuffle(len(data), func(i, j int) { data[i], data[j] = data[j], data[i] })
		joined := wasm.Joined(data)
		if !bytes.Equal(lay(joined), lay(data)) {
			t.Fatalf("memory differs for %v", data)
		}
		if len(joined) < len(data) {
			fewer++
		}
	}
	if fewer < 100 {
		t.Errorf("only %d of 2000 lists became shorter", fewer)
	}
}
