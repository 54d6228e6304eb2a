package qrcode_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/payhost/payhost/conformance/sim/qrcode"
)

// TestMaskHasTheLowestPenalty draws every symbol with all eight masks and scores them by the standard's
// rules, read off rows and columns as text.
func TestMaskHasTheLowestPenalty(t *testing.T) {
	t.Parallel()
	for seed := range uint64(24) {
		code, err := qrcode.Encode(printable(20+int(seed)*7, seed))
		if err != nil {
			t.Fatal(err)
		}
		var scores [8]int
		lowest := 0
		for mask := range scores {
			scores[mask] = score(remask(code, mask))
			if scores[mask] < scores[lowest] {
				lowest = mask
			}
		}
		if scores[code.Mask()] != scores[lowest] {
			t.Errorf("seed %d: mask %d chosen of penalties %v", seed, code.Mask(), scores)
		}
	}
}

// remask returns the rows of a symbol, X for dark, as they would be with another mask.
func remask(code *qrcode.Code, mask int) []string {
	size, centers := code.Size(), alignment(code.Version())
	rows := make([][]byte, size)
	for y := range rows {
		rows[y] = make([]byte, size)
		for x := range rows[y] {
			dark := code.At(x, y)
			if !isFunction(size, centers, x, y) {
				dark = dark != (maskBit(code.Mask(), y, x) != maskBit(mask, y, x))
			}
			rows[y][x] = ".X"[bit(dark)]
		}
	}
	one, two := formatPlaces(size)
	for i := range one {
		c := ".X"[formatWords()[mask]>>(14-i)&1]
		rows[one[i][1]][one[i][0]] = c
		rows[two[i][1]][two[i][0]] = c
	}
	out := make([]string, size)
	for y := range rows {
		out[y] = string(rows[y])
	}
	return out
}

func score(rows []string) int {
	columns := make([]string, len(rows))
	for _, row := range rows {
		for x := range row {
			columns[x] += row[x : x+1]
		}
	}
	total := 0
	runs := regexp.MustCompile(`X{5,}|\.{5,}`)
	for _, line := range append(append([]string{}, rows...), columns...) {
		for _, run := range runs.FindAllString(line, -1) {
			total += len(run) - 2
		}
		for i := range line {
			if strings.HasPrefix(line[i:], "....X.XXX.X") || strings.HasPrefix(line[i:], "X.XXX.X....") {
				total += 40
			}
		}
	}
	for y := range len(rows) - 1 {
		for x := range len(rows) - 1 {
			if block := rows[y][x:x+2] + rows[y+1][x:x+2]; block == "XXXX" || block == "...." {
				total += 3
			}
		}
	}
	darks, all := strings.Count(strings.Join(rows, ""), "X"), len(rows)*len(rows)
	for step := 5; step <= 50; step += 5 {
		if 100*darks >= (50+step)*all || 100*darks <= (50-step)*all {
			total += 10
		}
	}
	return total
}
