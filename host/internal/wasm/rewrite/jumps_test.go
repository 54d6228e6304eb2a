package rewrite_test

import (
	"fmt"
	"testing"

	"github.com/payhost/payhost/host/internal/wasm/rewrite"
	"github.com/payhost/payhost/internal/prebuilt"
)

// stretches is a function of one parameter as the Go compiler writes it: local 1 is its result,
// local 2 chooses the stretch of code to run, the first one first. Inside stretch i of n the
// loop is label n-1-i; behind the last the function ends.
func stretches(code ...[]byte) []byte {
	out := []byte{0x03, empty}
	for range code {
		out = append(out, 0x02, empty)
	}
	out = append(append(out, 0x20, 2, 0x0e), u(uint64(len(code)-1))...)
	for i := range code {
		out = append(out, byte(i))
	}
	for _, c := range code {
		out = append(append(out, 0x0b), c...)
	}
	return fn(2, append(out, 0x0b, 0x20, 1)...)
}

// to jumps to a stretch, by way of the loop.
func to(stretch, loop byte) []byte { return []byte{0x41, stretch, 0x21, 2, 0x0c, loop} }

// when does something if the argument is greater than n.
func when(n byte, then []byte) []byte {
	return cat([]byte{0x20, 0, 0x41, n, 0x4b, 0x04, empty}, then, []byte{0x0b})
}

// plus adds n to ten times the result, so that it tells which stretches were run.
func plus(n byte) []byte { return []byte{0x20, 1, 0x41, 10, 0x6c, 0x41, n, 0x6a, 0x21, 1} }

// minus takes one from the argument.
var minus = []byte{0x20, 0, 0x41, 1, 0x6b, 0x21, 0}

// dispatches are functions with branches that go by way of a table, and how many of them
// are known to lead forward.
func dispatches() map[string]struct {
	body  []byte
	jumps int
} {
	type function = struct {
		body  []byte
		jumps int
	}
	last := plus(9)
	return map[string]function{
		"forward, over a stretch":   {stretches(cat(plus(1), to(2, 2)), plus(2), last), 1},
		"forward, if":               {stretches(cat(plus(1), when(20, to(2, 3))), plus(2), last), 1},
		"to the next":               {stretches(cat(plus(1), to(1, 2)), plus(2), last), 1},
		"back":                      {stretches(plus(1), cat(plus(2), minus, when(0, to(0, 2))), last), 0},
		"to itself":                 {stretches(plus(1), cat(plus(2), minus, when(0, to(1, 2))), last), 0},
		"back and forward":          {stretches(when(30, to(2, 3)), cat(minus, when(0, to(0, 2))), last), 1},
		"beyond the table":          {stretches(cat(plus(1), to(50, 2)), plus(2), last), 1},
		"another local":             {stretches(cat(minus, when(0, []byte{0x41, 2, 0x21, 1, 0x0c, 3})), plus(2), last), 0},
		"number not in front":       {stretches(cat([]byte{0x41, 2, 0x21, 2}, plus(1), []byte{0x0c, 2}), plus(2), last), 0},
		"computed":                  {stretches(cat([]byte{0x41, 1, 0x41, 1, 0x6a, 0x21, 2, 0x0c, 2}), plus(2), last), 0},
		"back to a reopened block":  {stretches(plus(1), cat(minus, []byte{0x02, empty}, when(0, to(0, 3)), []byte{0x0b}), last), 0},
		"forward out of a new loop": {stretches(cat(plus(1), []byte{0x03, empty}, to(2, 3), []byte{0x0b}), plus(2), last), 1},
		"not at the loop's head": {fn(2, cat([]byte{0x03, empty, 0x02, empty, 0x02, empty}, plus(3),
			[]byte{0x20, 2, 0x0e, 1, 0, 1, 0x0b}, plus(1), to(1, 1), []byte{0x0b}, plus(2), []byte{0x0b, 0x20, 1})...), 0},
		"a block with a value": {fn(2, cat([]byte{0x03, empty, 0x02, i32, 0x41, 7, 0x20, 2, 0x0e, 0, 0, 0x0b, 0x21, 1}, minus,
			when(0, to(0, 1)), []byte{0x0b, 0x20, 1})...), 0},
		"out of the loop": {fn(2, cat([]byte{0x02, empty, 0x03, empty, 0x02, empty, 0x20, 2, 0x0e, 1, 0, 2, 0x0b}, plus(1), to(1, 0),
			[]byte{0x0b, 0x0b, 0x20, 1})...), 0},
		"the table leads to the loop": {fn(2, cat([]byte{0x03, empty, 0x02, empty, 0x20, 0}, minus, []byte{0x45, 0x0d, 0, 0x20, 2, 0x0e, 1, 0, 1, 0x0b},
			plus(1), []byte{0x0b, 0x20, 1})...), 0},
		"a dispatch in a stretch": {stretches(cat([]byte{0x03, empty, 0x02, empty, 0x02, empty, 0x20, 2, 0x0e, 1, 0, 1, 0x0b}, plus(4), to(1, 1),
			[]byte{0x0b}, plus(5), []byte{0x0b}, to(2, 2)), plus(2), last), 2},
		"unreached": {stretches(cat(to(2, 2), to(1, 2)), plus(2), last), 2},
	}
}

func alone(body []byte) []byte {
	return module(sec(1, vec(functype(1, 1))), sec(3, vec(u(0))), sec(7, vec(export("run", 0, 0))), sec(10, vec(body)))
}

// TestJumps wants branches by way of a table to do what they did, and those that lead
// forward, and no others, to go there at once.
func TestJumps(t *testing.T) {
	t.Parallel()
	for name, test := range dispatches() {
		binary := alone(test.body)
		if n, err := rewrite.Jumps(binary); err != nil || n != test.jumps {
			t.Errorf("%s: %d branches skip the table, error %v, want %d", name, n, err, test.jumps)
		}
		plain, checked := start(t, binary), start(t, prepared(t, binary).Binary)
		for n := uint64(1); n < 60; n++ {
			want, wantErr := plain.call(t, n)
			got, gotErr := checked.call(t, n)
			if fmt.Sprint(want) != fmt.Sprint(got) || wantErr != nil || gotErr != nil {
				t.Fatalf("%s: run(%d): plain %v %v, prepared %v %v", name, n, want, wantErr, got, gotErr)
			}
		}
	}
}

// TestJumpsOfGo holds the pattern against the compiler that plugins are built with: a version
// that writes its branches in another way would make them slower, and nothing else tells.
func TestJumpsOfGo(t *testing.T) {
	t.Parallel()
	maker, err := prebuilt.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	binary, err := maker.Guest(t.Context(), "../../../../plugins/rahmet/wasm")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := rewrite.Jumps(binary); err != nil || n < 5_000 {
		t.Errorf("%d branches skip a table, error %v", n, err)
	}
}
