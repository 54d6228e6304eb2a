package abi_test

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
	"google.golang.org/protobuf/encoding/protowire"
)

func TestMalformed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\xff", 9)
	for name, raw := range map[string]string{
		"a lonely tag":                    "\x0a",
		"a tag cut short":                 "\x8a",
		"field zero":                      "\x02\x00",
		"field above 2^29-1":              "\x80\x80\x80\x80\x10\x00",
		"a tag of eleven bytes":           long + "\xff\x01\x00",
		"a length past the end":           "\x0a\x05abc",
		"a length past all memory":        "\x0a" + long + "\x01",
		"a length cut short":              "\x0a\x80",
		"a length of eleven bytes":        "\x0a" + long + "\xff\x01",
		"a varint above 64 bits":          "\x20" + long + "\x02",
		"a varint cut short":              "\x20\xff",
		"a group begins":                  "\x0b",
		"an unknown group begins":         "\xa3\x06",
		"an unknown group ends":           "\xa4\x06",
		"wire type 6":                     "\xa6\x06\x00",
		"wire type 7":                     "\xa7\x06\x00",
		"an unknown fixed64 cut short":    "\xa1\x06\x00\x00\x00\x00\x00\x00\x00",
		"an unknown fixed32 cut short":    "\xa5\x06\x00\x00\x00",
		"an unknown varint cut short":     "\xa0\x06\x80",
		"an unknown string cut short":     "\xa2\x06\x02a",
		"text that is no UTF-8":           "\x0a\x02\xc3\x28",
		"text with half a surrogate":      "\x0a\x03\xed\xa0\x80",
		"text as a number":                "\x08\x01",
		"text as fixed32":                 "\x0d\x00\x00\x00\x00",
		"a number as text":                "\x10\x01\x12\x00",
		"a number as fixed64":             "\x11\x00\x00\x00\x00\x00\x00\x00\x00",
		"a number above 31 bits":          "\x10\x80\x80\x80\x80\x08",
		"a negative number":               "\x10" + long + "\x01",
		"good, then bad":                  "\x0a\x01a\x10\x01\x0b",
		"the same field good, then bad":   "\x0a\x01a\x0a\x05",
		"a good field, then field zero":   "\x0a\x01a\x00",
		"an int64 that is a whole string": "\x22\x01\x01",
	} {
		got, err := abi.DecodeFeatures([]byte(raw))
		if !errors.Is(err, abi.ErrWire) {
			t.Errorf("%s: %+v, %v, want ErrWire", name, got, err)
		}
		if got != (abi.Features{}) {
			t.Errorf("%s: half a message came back: %+v", name, got)
		}
	}
}

func TestMalformedInside(t *testing.T) {
	t.Parallel()
	longest := string(protowire.AppendVarint(nil, uint64(math.MaxInt64/time.Millisecond)))
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"nested field runs past its message": {"\x1a\x02\x12\x05hello", abi.ErrWire},
		"nested message runs past the end":   {"\x1a\x09\x12\x05hello", abi.ErrWire},
		"nested message as a number":         {"\x18\x01", abi.ErrWire},
		"bad text two deep":                  {"\x1a\x05\x1a\x03\x12\x01\xff", abi.ErrWire},
		"a negative duration":                {"\x0a\x0b\x48" + strings.Repeat("\xff", 9) + "\x01", abi.ErrWire},
		"a duration above 292 years":         {"\x0a\x0a\x48" + strings.Repeat("\xff", 8) + "\x7f", abi.ErrWire},
		"the longest duration":               {"\x0a\x08\x48" + longest, nil},
	} {
		if _, err := abi.DecodeReply([]byte(c.raw)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for name, raw := range map[string]string{
		"packed number cut short": "\x2a\x01\x80",
		"packed as fixed64":       "\x29\x00\x00\x00\x00\x00\x00\x00\x00",
	} {
		if _, err := abi.DecodeManifest([]byte(raw)); !errors.Is(err, abi.ErrWire) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTolerated(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"unknown varint":           "\x0a\x01h\xa0\x06\x01",
		"unknown fixed64":          "\xa1\x06abcdefgh\x0a\x01h",
		"unknown string, no UTF-8": "\xa2\x06\x01\xff\x0a\x01h",
		"unknown fixed32":          "\xa5\x06abcd\x0a\x01h",
		"the highest field":        "\xf8\xff\xff\xff\x0f\x01\x0a\x01h",
		"the last of two":          "\x0a\x01x\x0a\x01h",
		"a tag longer than needed": "\x8a\x80\x00\x01h",
		"a zero written out":       "\x10\x00\x0a\x01h",
	} {
		got, err := abi.DecodeFeatures([]byte(raw))
		if err != nil || got != (abi.Features{Host: "h"}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestTooMany(t *testing.T) {
	t.Parallel()
	refs := func(n int) []byte { return bytes.Repeat([]byte("\x0a\x00"), n) }
	if got, err := abi.DecodeRefs(refs(abi.MaxItems)); err != nil || len(got) != abi.MaxItems {
		t.Errorf("%d refs, %v", len(got), err)
	}
	if got, err := abi.DecodeRefs(refs(abi.MaxItems + 1)); !errors.Is(err, abi.ErrTooMany) || got != nil {
		t.Errorf("%d refs, %v", len(got), err)
	}
	keys := bytes.Repeat([]byte("\x0a\x00"), abi.MaxItems+1)
	if _, err := abi.DecodeKVPage(keys); !errors.Is(err, abi.ErrTooMany) {
		t.Errorf("keys: %v", err)
	}
	for name, flows := range map[string][]byte{
		"unpacked": bytes.Repeat([]byte("\x28\x01"), abi.MaxItems+1),
		"packed":   append([]byte("\x2a\x81\x08"), bytes.Repeat([]byte{1}, abi.MaxItems+1)...),
		"mixed":    append([]byte("\x28\x01\x2a\x80\x08"), bytes.Repeat([]byte{1}, abi.MaxItems)...),
	} {
		if _, err := abi.DecodeManifest(flows); !errors.Is(err, abi.ErrTooMany) {
			t.Errorf("%s: %v", name, err)
		}
	}
	most := bytes.Repeat([]byte("\x28\x01"), abi.MaxItems)
	if m, err := abi.DecodeManifest(most); err != nil || len(m.Flows) != abi.MaxItems {
		t.Errorf("%d flows, %v", len(m.Flows), err)
	}
}

// TestTooManyTogether fills lists inside lists, none of them too long by itself.
func TestTooManyTogether(t *testing.T) {
	t.Parallel()
	items := func(observations int) []byte {
		var reply []byte
		for range abi.MaxEntries / 512 {
			item := abi.Reply{Items: []pay.StatusItem{{Observations: make([]pay.Observation, observations)}}}
			reply = abi.AppendReply(reply, &item)
		}
		return reply
	}
	if got, err := abi.DecodeReply(items(511)); err != nil || len(got.Items) != abi.MaxEntries/512 {
		t.Errorf("%d items, %v", len(got.Items), err)
	}
	if _, err := abi.DecodeReply(items(512)); !errors.Is(err, abi.ErrTooMany) {
		t.Errorf("one in each too many: %v", err)
	}
}

// TestHostileMemory holds what hostile bytes of the largest message can cost. It
// is not parallel, so that it counts its own memory alone.
func TestHostileMemory(t *testing.T) {
	list := func(tag string, n int) []byte { return bytes.Repeat([]byte(tag+"\x00"), n) }
	wrap := func(number protowire.Number, body []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), body)
	}
	largest := func(unit []byte) []byte { return bytes.Repeat(unit, abi.MaxMessage/len(unit)) }
	reply := func(b []byte) error { _, err := abi.DecodeReply(b); return err }
	manifest := func(b []byte) error { _, err := abi.DecodeManifest(b); return err }
	for name, c := range map[string]struct {
		raw    []byte
		decode func([]byte) error
		limit  uint64
	}{
		"observations in items": {largest(wrap(4, list("\x1a", abi.MaxItems))), reply, 6 << 20},
		"items":                 {largest(list("\x22", 1)), reply, 1 << 20},
		"profiles":              {largest(list("\x5a", 1)), manifest, 1 << 20},
		"results":               {largest(list("\x1a", 1)), reply, 4 << 10},
		"errors":                {largest(list("\x0a", 1)), reply, 4 << 10},
		"errors in an item":     {largest(wrap(4, list("\x22", abi.MaxMessage/4))), reply, 4 << 10},
		"packed numbers":        {largest(wrap(18, wrap(2, make([]byte, abi.MaxMessage/2)))), manifest, 64 << 10},
	} {
		var before, after runtime.MemStats
		var err error
		cost := uint64(math.MaxUint64)
		for range 5 { // the least of five: the runtime's own allocations are counted, too
			runtime.ReadMemStats(&before)
			err = c.decode(c.raw)
			runtime.ReadMemStats(&after)
			cost = min(cost, after.TotalAlloc-before.TotalAlloc)
		}
		t.Logf("%s: %d bytes cost %d bytes, %d for one; %v", name, len(c.raw), cost, cost/uint64(len(c.raw)), err)
		if cost > c.limit {
			t.Errorf("%s: %d bytes cost %d bytes, limit %d", name, len(c.raw), cost, c.limit)
		}
	}
}

func TestWriterMends(t *testing.T) {
	t.Parallel()
	broken := abi.KVPage{Keys: []string{"a\xffb", ""}, Cursor: "\xc3"}
	mended := abi.KVPage{Keys: []string{"a\uFFFDb", ""}, Cursor: "\uFFFD"}
	if page, err := abi.DecodeKVPage(abi.AppendKVPage(nil, &broken)); err != nil || !cmp.Equal(page, mended) {
		t.Errorf("text that is no UTF-8: %+v, %v", page, err)
	}
	late, err := abi.DecodeError(abi.AppendError(nil, &pay.Error{RetryAfter: -time.Second}))
	if err != nil || late.RetryAfter != 0 {
		t.Errorf("a wait that is over: %v, %v", late.RetryAfter, err)
	}
	short, err := abi.DecodeError(abi.AppendError(nil, &pay.Error{RetryAfter: 1999 * time.Microsecond}))
	if err != nil || short.RetryAfter != time.Millisecond {
		t.Errorf("a wait is cut to milliseconds: %v, %v", short.RetryAfter, err)
	}
	state := pay.Manifest{State: pay.StateSchema{Reads: []int{0, 1}}, Flows: []pay.Flow{0, pay.FlowQR}}
	if got, err := abi.DecodeManifest(abi.AppendManifest(nil, &state)); err != nil || !cmp.Equal(got, state) {
		t.Errorf("zeros in lists: %s, %v", cmp.Diff(state, got), err)
	}
}

// TestLengths crosses every length at which the length of a nested message takes
// one byte more, so that its body has to move.
func TestLengths(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 100, 120, 127, 128, 16000, 16383, 16384, 1 << 18, 1<<21 - 1, 1 << 21} {
		for d := -8; d <= 2; d++ {
			name := strings.Repeat("n", max(0, n+d))
			m := pay.CreateRequest{OrderID: "behind", Customer: pay.Customer{Name: name, Phone: "7"}}
			got, err := abi.DecodeCreate(abi.AppendCreate([]byte{}, &m))
			if err != nil || !cmp.Equal(got, m) {
				t.Fatalf("%d bytes: %v", len(name), err)
			}
		}
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for c := abi.OK; c >= abi.Internal; c-- {
		if c.String() == "unknown code" || seen[c.String()] {
			t.Errorf("code %d: %q", c, c.String())
		}
		seen[c.String()] = true
	}
	for _, c := range []abi.Code{1, math.MaxInt32, abi.Internal - 1, math.MinInt32} {
		if c.String() != "unknown code" {
			t.Errorf("code %d: %q", c, c.String())
		}
	}
	if got := error(abi.NotSent).Error(); got != "host: not sent" {
		t.Errorf("error text %q", got)
	}
}

func TestImportTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range abi.ImportTable() {
		if seen[s.Name] || s.Name != strings.ToLower(s.Name) || len(s.Results) != 1 {
			t.Errorf("%+v", s)
		}
		seen[s.Name] = true
		switch s.Group {
		case "", abi.GroupHTTP, abi.GroupCrypto, abi.GroupStorage:
		default:
			t.Errorf("%s: group %q", s.Name, s.Group)
		}
		for _, p := range append(s.Params, s.Results...) {
			if p != abi.I32 && p != abi.I64 {
				t.Errorf("%s: type %#x", s.Name, p)
			}
		}
	}
	if len(seen) != 27 {
		t.Errorf("%d imports", len(seen))
	}
}
