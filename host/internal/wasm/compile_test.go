package wasm_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/host/internal/wasm/testdata/asm"
	"github.com/payhost/payhost/sdk/abi"
)

// TestCompileRefusesStrangeModules is about modules that are valid WebAssembly
// and would do harm, or fail later and with less to say.
func TestCompileRefusesStrangeModules(t *testing.T) {
	t.Parallel()
	i32 := asm.I32
	importing := func(module, name string, params, results asm.Types) []byte {
		return plugin(func(m *asm.Module) []byte {
			m.Import(module, name, params, results)
			return asm.Code(asm.I32Const, 0)
		}).Bytes()
	}
	huge := plugin(returns(0))
	huge.Raw(asm.SectionTable, 1, asm.FuncRef, 0, asm.U(100_000_000))
	command := asm.New() // what a compiler makes without -buildmode=c-shared
	command.Memory(1, 0)
	command.Export("memory", asm.KindMemory, 0)
	command.Export("_start", asm.KindFunc, command.Func(nil, nil, nil))
	foreign := asm.New()
	foreign.Global(i32, true, asm.I32Const, 0)
	foreign.Memory(1, 0)
	for _, name := range []string{abi.ExportMarker, abi.ExportInit, abi.ExportCall} {
		foreign.Export(name, asm.KindGlobal, 0)
	}
	foreignMemory := plugin(returns(0))
	foreignMemory.ImportRaw("env", "memory", asm.Code(asm.KindMemory, 0, asm.U(1)))
	for name, tc := range map[string]struct {
		binary []byte
		want   string
	}{
		"header only":          {asm.New().Bytes(), "not a payhost plugin"},
		"a command":            {command.Bytes(), "not a payhost plugin"},
		"exports of globals":   {foreign.Bytes(), "not a payhost plugin"},
		"table of 800 MB":      {huge.Bytes(), "table section"},
		"memory from outside":  {foreignMemory.Bytes(), "only functions may be imported"},
		"the tick":             {importing("payhost_internal", "tick", nil, nil), "imports payhost_internal.tick"},
		"unknown WASI":         {importing(abi.WASIModule, "fd_conquer", nil, nil), "import wasi_snapshot_preview1.fd_conquer"},
		"WASI of another type": {importing(abi.WASIModule, "proc_exit", nil, nil), "import wasi_snapshot_preview1.proc_exit"},
		"i64 for i32": {
			importing(abi.Module, "blob_free", asm.Types{asm.I64}, asm.Types{i32}), "import payhost_v1.blob_free has the wrong type",
		},
		"no result": {importing(abi.Module, "log", asm.Types{i32, i32, i32}, nil), "import payhost_v1.log has the wrong type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := wasm.Compile(t.Context(), tc.binary, config())
			if err == nil {
				m.Close()
			}
			if load := (*wasm.LoadError)(nil); !errors.As(err, &load) || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error is %v, want a *LoadError with %q", err, tc.want)
			}
			harmless(t, err.Error())
		})
	}
}

func TestModuleTellsOfItself(t *testing.T) {
	t.Parallel()
	binary := plugin(func(m *asm.Module) []byte {
		m.Import(abi.Module, "now_ns", nil, asm.Types{asm.I64})
		m.Import(abi.WASIModule, "proc_exit", asm.Types{asm.I32}, nil)
		m.Import(abi.Module, "log", asm.Types{asm.I32, asm.I32, asm.I32}, asm.Types{asm.I32})
		return asm.Code(asm.I32Const, 0)
	}).Bytes()
	m := compile(t, binary)
	if diff := cmp.Diff([]string{"now_ns", "log"}, m.Imports()); diff != "" {
		t.Errorf("imports (-want +got):\n%s", diff)
	}
	sum := sha256.Sum256(binary)
	if want := hex.EncodeToString(sum[:]); m.Digest() != want {
		t.Errorf("digest is %s, want that of the file, %s", m.Digest(), want)
	}
}

// TestReexportedImport lets payhost_call be a function of the host itself.
func TestReexportedImport(t *testing.T) {
	t.Parallel()
	m := asm.New()
	reply := m.Import(abi.Module, "reply", asm.Types{asm.I32, asm.I32}, asm.Types{asm.I32})
	nothing := m.Func(nil, nil, nil)
	m.Memory(1, 0)
	m.Export(abi.ExportMemory, asm.KindMemory, 0)
	m.Export(abi.ExportInit, asm.KindFunc, nothing)
	m.Export(abi.ExportMarker, asm.KindFunc, nothing)
	m.Export(abi.ExportCall, asm.KindFunc, reply)
	module := compile(t, m.Bytes())
	host := &witness{}
	if got, err := call(t, module, host, 8, 16); err != nil || got != answer {
		t.Errorf("got %d, %v", got, err)
	}
	if diff := cmp.Diff([]int64{16}, host.saw); diff != "" {
		t.Errorf("the host saw (-want +got):\n%s", diff)
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	bare := plugin(returns(3)).Bytes()
	if _, err := wasm.Manifest(bare); !errors.Is(err, wasm.ErrNoManifest) {
		t.Errorf("no section: %v, want ErrNoManifest", err)
	}
	packed, err := wasm.WithManifest(bare, []byte("first"))
	if err == nil {
		packed, err = wasm.WithManifest(packed, []byte("second"))
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, err := wasm.Manifest(packed); err != nil || string(got) != "second" {
		t.Errorf("manifest is %q, %v; want the one packed last", got, err)
	}
	if got, err := call(t, compile(t, packed), nobody{}, 0, 0); err != nil || got != 3 {
		t.Errorf("the packed module returns %d, %v", got, err)
	}

	double := plugin(returns(0))
	double.Custom(abi.ManifestName, []byte("a"))
	double.Custom(abi.ManifestName, []byte("b"))
	if _, err := wasm.Manifest(double.Bytes()); err == nil || !strings.Contains(err.Error(), "stands 2 times") {
		t.Errorf("two sections: %v", err)
	}
	for _, broken := range [][]byte{nil, []byte("text"), bare[:len(bare)-1]} {
		var load *wasm.LoadError
		if _, err := wasm.Manifest(broken); !errors.As(err, &load) {
			t.Errorf("Manifest of %d broken bytes: %v", len(broken), err)
		}
		if _, err := wasm.WithManifest(broken, nil); !errors.As(err, &load) {
			t.Errorf("WithManifest of %d broken bytes: %v", len(broken), err)
		}
	}
}
