package rewrite_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/payhost/payhost/host/internal/wasm/rewrite"
)

func prepared(t testing.TB, binary []byte) *rewrite.Prepared {
	t.Helper()
	p, err := rewrite.Prepare(binary)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func prepare(binary []byte) ([]byte, error) {
	p, err := rewrite.Prepare(binary)
	if err != nil {
		return nil, err
	}
	return p.Binary, nil
}

// TestGlobalsAreExported wants every mutable number under a reserved name, settable,
// in its order; and no constant.
func TestGlobalsAreExported(t *testing.T) {
	t.Parallel()
	f32, f64 := []byte{0x43, 0, 0, 0x80, 0x3f, 0x0b}, []byte{0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x0b}
	p := prepared(t, single(fn(0, 0x23, 1, 0x41, 1, 0x6a, 0x24, 1, 0x23, 1), map[byte][]byte{6: vec(
		[]byte{i32, 0, 0x41, 7, 0x0b}, []byte{i32, 1, 0x41, 8, 0x0b}, []byte{0x7e, 1, 0x42, 9, 0x0b},
		cat([]byte{0x7d, 1}, f32), cat([]byte{0x7c, 0}, f64), cat([]byte{0x7c, 1}, f64),
	)}))
	if p.Lasting != "" {
		t.Errorf("lasting: %s", p.Lasting)
	}
	m := start(t, p.Binary)
	want := []string{
		"i32 8", "i64 9", "f32 1065353216", "f64 4607182418800017408",
		fmt.Sprint("i32 ", rewrite.Slice), fmt.Sprint("i32 ", rewrite.Room), "i32 0",
	}
	var have []string
	for i, name := range p.Globals {
		if name != fmt.Sprint(rewrite.GlobalPrefix, i) {
			t.Errorf("global %d is %s", i, name)
		}
		g, ok := m.mod.ExportedGlobal(name).(api.MutableGlobal)
		if !ok {
			t.Fatalf("%s can't be set", name)
		}
		have = append(have, fmt.Sprint(api.ValueTypeName(g.Type()), " ", g.Get()))
	}
	if !slices.Equal(have, want) {
		t.Errorf("have %q, want %q", have, want)
	}
	own := m.mod.ExportedGlobal(p.Globals[0]).(api.MutableGlobal)
	for range 2 { // the code sees what was set
		own.Set(40)
		if got, err := m.call(t, 0); err != nil || got[0] != 41 {
			t.Errorf("run is %v, %v", got, err)
		}
	}
}

// TestCountStartsOver shows that with the globals put back a call's count does not
// depend on the call before it.
func TestCountStartsOver(t *testing.T) {
	t.Parallel()
	p := prepared(t, programs()["no imports, no globals"])
	m := start(t, p.Binary)
	var before []uint64
	for _, name := range p.Globals {
		before = append(before, m.mod.ExportedGlobal(name).Get())
	}
	for _, first := range []uint64{1, 500, rewrite.Slice / 10} {
		if _, err := m.call(t, first); err != nil {
			t.Fatal(err)
		}
		for i, name := range p.Globals {
			m.mod.ExportedGlobal(name).(api.MutableGlobal).Set(before[i])
		}
		m.ticks = 0
		if _, err := m.call(t, 3*rewrite.Slice/9); err != nil || m.ticks != 2 {
			t.Errorf("after a call of %d rounds: %d ticks, %v", first, m.ticks, err)
		}
	}
}

// TestLasting names what an instance keeps besides memory and numbers.
func TestLasting(t *testing.T) {
	t.Parallel()
	table := map[byte][]byte{
		4: vec([]byte{0x70, 0, 4}), 5: vec([]byte{0, 1}), 9: vec(cat([]byte{1, 0}, vec(u(0)))), 12: u(1), 11: vec(cat([]byte{1}, text("abc"))),
	}
	three := []byte{0x41, 0, 0x41, 0, 0x41, 0}
	for name, tc := range map[string]struct {
		code []byte
		more map[byte][]byte
		want string
	}{
		"nothing":      {[]byte{0x41, 0, 0x25, 0, 0x1a}, nil, ""},
		"memory.init":  {cat(three, []byte{0xfc, 8, 0, 0}), nil, ""},
		"memory.copy":  {cat(three, []byte{0xfc, 10, 0, 0}), nil, ""},
		"memory.fill":  {cat(three, []byte{0xfc, 11, 0}), nil, ""},
		"table.size":   {[]byte{0xfc, 16, 0, 0x1a}, nil, ""},
		"constant":     {nil, map[byte][]byte{6: vec([]byte{0x70, 0, 0xd0, 0x70, 0x0b})}, ""},
		"table.set":    {[]byte{0x41, 0, 0xd0, 0x70, 0x26, 0}, nil, "table.set"},
		"data.drop":    {[]byte{0xfc, 9, 0}, nil, "data.drop"},
		"table.init":   {cat(three, []byte{0xfc, 12, 0, 0}), nil, "table.init"},
		"elem.drop":    {[]byte{0xfc, 13, 0}, nil, "elem.drop"},
		"table.copy":   {cat(three, []byte{0xfc, 14, 0, 0}), nil, "table.copy"},
		"table.grow":   {[]byte{0xd0, 0x70, 0x41, 0, 0xfc, 15, 0, 0x1a}, nil, "table.grow"},
		"table.fill":   {[]byte{0x41, 0, 0xd0, 0x70, 0x41, 0, 0xfc, 17, 0}, nil, "table.fill"},
		"the first":    {[]byte{0xfc, 9, 0, 0xfc, 13, 0}, nil, "data.drop"},
		"funcref":      {nil, map[byte][]byte{6: vec([]byte{i32, 1, 0x41, 0, 0x0b}, []byte{0x70, 1, 0xd0, 0x70, 0x0b})}, "mutable reference"},
		"externref":    {nil, map[byte][]byte{6: vec([]byte{0x6f, 1, 0xd0, 0x6f, 0x0b})}, "mutable reference"},
		"code not run": {[]byte{0x20, 0, 0x0f, 0xfc, 9, 0}, nil, "data.drop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			more := map[byte][]byte{}
			for _, m := range []map[byte][]byte{table, tc.more} {
				for id, content := range m {
					more[id] = content
				}
			}
			binary := single(fn(0, append(tc.code, 0x20, 0)...), more)
			p := prepared(t, binary)
			start(t, p.Binary)
			if tc.want == "" {
				if p.Lasting != "" {
					t.Errorf("lasting: %s", p.Lasting)
				}
				return
			}
			place := "code"
			at := strings.Index(string(binary), string(tc.code)) + strings.Index(string(tc.code), "\xfc")
			switch {
			case tc.code == nil:
				place, at = "global", strings.LastIndex(string(binary), "\x01\xd0")-1
			case tc.want == "table.set":
				at = strings.LastIndex(string(binary), "\x26\x00")
			case tc.want == "table.grow", tc.want == "table.fill":
				at = strings.LastIndex(string(binary), "\xfc")
			}
			if want := fmt.Sprintf("%s at offset %#x, in the %s section", tc.want, at, place); p.Lasting != want {
				t.Errorf("lasting: %s, want %s", p.Lasting, want)
			}
		})
	}
}

// TestPrepareRefuses gives what can't be rewritten. The error names the section
// and the offset in the file, whether the whole is what it was or not.
func TestPrepareRefuses(t *testing.T) {
	t.Parallel()
	types := vec(functype(1, 1))
	whole := single(fn(0, 0x20, 0), nil)
	for _, tc := range []struct {
		name   string
		binary []byte
		want   string
	}{
		{"a section twice", module(sec(1, types), sec(1, types)), "type section, offset 0x10: stands twice"},
		{"types behind functions", module(sec(3, vec()), sec(1, types)), "type section, offset 0xb: stands behind the function section"},
		{"count behind code", module(sec(10, vec()), sec(12, u(0))), "data count section, offset 0xb: stands behind the code section"},
		{"count before elements", module(sec(12, u(0)), sec(9, vec())), "element section, offset 0xb: stands behind the data count section"},
		{
			"data before code", module(sec(11, vec()), sec(0, text("x")), sec(10, vec())),
			"code section, offset 0xf: stands behind the data section",
		},
		{"tags", module(sec(13, vec())), "unknown (13) section, offset 0x8: not of WebAssembly 2.0"},
		{"cut short", whole[:len(whole)-1], "code section, offset 0x1d: cut short"},
		{"a type that is none", module(sec(1, []byte{1, 0x5f, 0, 0})), "type section, offset 0xb: not a function type"},
		{"fewer types", module(sec(1, []byte{9, 0x60, 0, 0})), "type section, offset 0xe: cut short"},
		{"a global's type", module(sec(6, vec([]byte{0x7b, 0, 0x0b}))), "global section, offset 0xb: global of unknown type"},
		{"a global's kind", module(sec(6, vec([]byte{i32, 2, 0x41, 0, 0x0b}))), "global section, offset 0xb: global of unknown type"},
		{
			"a long number", module(sec(4, []byte{1, 0x70, 0, 0x80, 0x80, 0x80, 0x80, 0x10})),
			"table section, offset 0xd: number of more than 32 bits",
		},
		{
			"a reserved name", module(sec(1, types), sec(3, vec(u(0))), sec(7, vec(export("payhost_global_7", 0, 0))), sec(10, vec(fn(0, 0x20, 0)))),
			`export section, offset 0x17: export "payhost_global_7": the name is reserved`,
		},
		{
			"the prefix", module(sec(7, vec(export("payhost_global_", 2, 0)))),
			`export section, offset 0xb: export "payhost_global_": the name is reserved`,
		},
		{"an unknown opcode", single(fn(0, 0x01, 0x06), nil), "code section, offset 0x23: opcode 0x6"},
		{"a vector", single(fn(0, 0xfd, 0x0c), nil), "code section, offset 0x22: opcode 0xfd"},
		{"a branch out of nowhere", single(fn(0, 0x0c, 1), nil), "code section, offset 0x23: branch out of a block"},
		{"a table of such", single(fn(0, 0x20, 0, 0x0e, 1, 0, 7), nil), "code section, offset 0x27: branch out of a block"},
		{"a function without an end", single([]byte{3, 0, 0x02, empty}, nil), "code section, offset 0x24: function without an end"},
		{"code behind the end", single(fn(0, 0x20, 0, 0x0b, 0x01), nil), "code section, offset 0x25: instruction behind the end"},
		{"a call of nothing", single(fn(0, 0x10, 1), nil), "code section, offset 0x23: no function 1"},
		{"a reference to nothing", single(fn(0, 0xd2, 5), nil), "code section, offset 0x23: no function 5"},
		{
			"an export of nothing", single(fn(0, 0x20, 0), map[byte][]byte{7: vec(export("run", 0, 1))}),
			"export section, offset 0x1c: no function 1",
		},
		{"a type that is not there", single(fn(0, 0x20, 0), map[byte][]byte{3: vec(u(1))}), "function section, offset 0x13: no type 1"},
		{"a block of such a type", single(fn(0, 0x02, 1, 0x0b), nil), "code section, offset 0x23: no type 1"},
		{"a call of such a type", single(fn(0, 0x11, 1, 0), nil), "code section, offset 0x23: no type 1"},
		{"too many locals", single([]byte{8, 1, 0xd1, 0x86, 3, i32, 0x20, 0, 0x0b}, nil), "code section, offset 0x22: more than 50000 locals"},
		{"too many blocks", single(fn(0, bytes.Repeat([]byte{0x02, empty}, 50_001)...), nil), "more than 50000 blocks within each other"},
		{"too many values to keep", single(wideLeaf(150_000), nil), "function with more than 1048576 bytes of values to keep"},
		{
			"a type of 251 values", module(sec(1, vec(cat([]byte{0x60}, u(251), bytes.Repeat([]byte{i32}, 251), u(0))))),
			"type section, offset 0x10b: function type of more than 250 values",
		},
		{
			"a body too few", single(fn(0, 0x20, 0), map[byte][]byte{3: vec(u(0), u(0))}),
			"code section, offset 0x20: 1 bodies for 2 functions",
		},
		{"functions without code", module(sec(1, types), sec(3, vec(u(0)))), "code section, offset 0x14: no bodies for 1 functions"},
		{"100001 functions", module(sec(1, types), sec(3, u(100_001))), "function section, offset 0x12: 100001 functions, at most 100000"},
		{"data of form 3", module(sec(11, vec([]byte{3, 0}))), "data section, offset 0xb: data segment of form 3"},
		{"a custom name cut short", module(sec(0, []byte{9, 'x'})), "custom section, offset 0xb: 9 bytes wanted, 1 left"},
		{"a custom name of no text", module(sec(0, []byte{1, 0xff})), "custom section, offset 0xa: name that is not UTF-8"},
		{"a constant that calls", module(sec(6, vec([]byte{i32, 0, 0x10, 0, 0x0b}))), "global section, offset 0xd: opcode 0x10 in a constant"},
	} {
		_, err := rewrite.Prepare(tc.binary)
		if !errors.Is(err, rewrite.ErrFormat) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}
