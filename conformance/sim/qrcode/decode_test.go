package qrcode_test

import (
	"errors"
	"fmt"
	"slices"
)

// This file is a reader of level L symbols that shares nothing with the
// encoder: its tables are copied from the standard where the encoder computes,
// and it computes where the encoder has tables.

// symbol is what the reader found.
type symbol struct {
	version int
	mask    int
	text    string
}

// read decodes a square of modules.
func read(size int, at func(x, y int) bool) (symbol, error) {
	version := (size - 17) / 4
	if size != 17+4*version || version < 1 || version > 40 {
		return symbol{}, fmt.Errorf("side of %d modules", size)
	}
	if err := checkPatterns(size, version, at); err != nil {
		return symbol{}, err
	}
	mask, err := readFormat(size, at)
	if err != nil {
		return symbol{}, err
	}
	data, err := correctData(version, readCodewords(size, version, mask, at))
	if err != nil {
		return symbol{}, err
	}
	text, err := readSegment(version, data)
	return symbol{version: version, mask: mask, text: text}, err
}

// checkPatterns compares finders, timing and version information with the
// standard's pictures.
func checkPatterns(size, version int, at func(x, y int) bool) error {
	finder := []string{"#######", "#.....#", "#.###.#", "#.###.#", "#.###.#", "#.....#", "#######"}
	for _, corner := range [][2]int{{0, 0}, {size - 7, 0}, {0, size - 7}} {
		for y, row := range finder {
			for x := range row {
				if at(corner[0]+x, corner[1]+y) != (row[x] == '#') {
					return fmt.Errorf("finder at %v broken at %d,%d", corner, x, y)
				}
			}
		}
	}
	for i := 8; i < size-8; i++ {
		if at(i, 6) != (i%2 == 0) || at(6, i) != (i%2 == 0) {
			return fmt.Errorf("timing broken at %d", i)
		}
	}
	if !at(8, size-8) {
		return errors.New("the always dark module is light")
	}
	if version < 7 {
		return nil
	}
	var first, second int
	for i := 17; i >= 0; i-- {
		first = first<<1 | bit(at(size-11+i%3, i/3))
		second = second<<1 | bit(at(i/3, size-11+i%3))
	}
	if want := versionWords()[version-7]; first != want || second != want {
		return fmt.Errorf("version information %#x and %#x, want %#x", first, second, want)
	}
	return nil
}

// readFormat reads both copies of the format information and returns the mask.
func readFormat(size int, at func(x, y int) bool) (int, error) {
	var first, second int
	one, two := formatPlaces(size)
	for i := range one {
		first = first<<1 | bit(at(one[i][0], one[i][1]))
		second = second<<1 | bit(at(two[i][0], two[i][1]))
	}
	if first != second {
		return 0, fmt.Errorf("format copies differ: %015b and %015b", first, second)
	}
	for mask, word := range formatWords() {
		if first == word {
			return mask, nil
		}
	}
	return 0, fmt.Errorf("format %015b is no level L word", first)
}

// readCodewords walks the zigzag and removes the mask.
func readCodewords(size, version, mask int, at func(x, y int) bool) []byte {
	var bits []bool
	centers, up := alignment(version), true
	for x := size - 1; x > 0; x -= 2 {
		if x == 6 {
			x--
		}
		for k := range size {
			y := k
			if up {
				y = size - 1 - k
			}
			for _, column := range []int{x, x - 1} {
				if !isFunction(size, centers, column, y) {
					bits = append(bits, at(column, y) != maskBit(mask, y, column))
				}
			}
		}
		up = !up
	}
	out := make([]byte, len(bits)/8)
	for i := range out {
		for _, b := range bits[i*8 : i*8+8] {
			out[i] = out[i]<<1 | byte(bit(b))
		}
	}
	return out
}

// maskBit is the standard's table of mask patterns, i the row, j the column.
func maskBit(mask, i, j int) bool {
	return []int{
		(i + j) % 2, i % 2, j % 3, (i + j) % 3, (i/2 + j/3) % 2,
		(i*j)%2 + (i*j)%3, ((i*j)%2 + (i*j)%3) % 2, ((i*j)%3 + (i+j)%2) % 2,
	}[mask] == 0
}

// isFunction reports whether a module carries no data, given the centers of the alignment patterns.
func isFunction(size int, centers []int, x, y int) bool {
	if x == 6 || y == 6 || x < 9 && y < 9 || x >= size-8 && y < 9 || x < 9 && y >= size-8 {
		return true
	}
	const sizeOfVersion7 = 45
	if size >= sizeOfVersion7 && (x >= size-11 && y < 6 || y >= size-11 && x < 6) {
		return true
	}
	for _, cx := range centers {
		for _, cy := range centers {
			inCorner := cx == 6 && cy == 6 || cx == 6 && cy == size-7 || cx == size-7 && cy == 6
			if !inCorner && x >= cx-2 && x <= cx+2 && y >= cy-2 && y <= cy+2 {
				return true
			}
		}
	}
	return false
}

// correctData undoes the interleaving and refuses any block whose syndromes are
// not all zero.
func correctData(version int, codewords []byte) ([]byte, error) {
	var blocks, checks [][]byte
	longest, ecLen := 0, 0
	row := blockTable()[version-1]
	for i := 0; i < len(row); i += 3 {
		count, total, data := row[i], row[i+1], row[i+2]
		for range count {
			blocks = append(blocks, make([]byte, 0, data))
			checks = append(checks, nil)
		}
		longest, ecLen = max(longest, data), total-data
	}
	for i := range longest {
		for b := range blocks {
			if i < cap(blocks[b]) {
				blocks[b], codewords = append(blocks[b], codewords[0]), codewords[1:]
			}
		}
	}
	for range ecLen {
		for b := range checks {
			checks[b], codewords = append(checks[b], codewords[0]), codewords[1:]
		}
	}
	if len(codewords) != 0 {
		return nil, fmt.Errorf("%d codewords too many", len(codewords))
	}
	var out []byte
	exp, log := logarithms()
	for b := range blocks {
		out = append(out, blocks[b]...)
		for power := range ecLen {
			var syndrome byte // the codeword polynomial at 2^power
			word := slices.Concat(blocks[b], checks[b])
			for i, c := range word {
				if c != 0 {
					syndrome ^= exp[(log[c]+power*(len(word)-1-i))%255]
				}
			}
			if syndrome != 0 {
				return nil, fmt.Errorf("block %d: syndrome %d is %d", b, power, syndrome)
			}
		}
	}
	return out, nil
}

// logarithms are the powers of 2 in the field, and their inverse.
func logarithms() (exp [255]byte, log [256]int) {
	for i, v := 0, 1; i < 255; i++ {
		exp[i], log[v] = byte(v), i
		if v <<= 1; v > 255 {
			v ^= 0x11D
		}
	}
	return exp, log
}

// readSegment reads one byte-mode segment and checks terminator and padding.
func readSegment(version int, data []byte) (string, error) {
	var bits []int
	for _, b := range data {
		for i := 7; i >= 0; i-- {
			bits = append(bits, int(b>>i)&1)
		}
	}
	take := func(n int) (v int) {
		for _, b := range bits[:n] {
			v = v<<1 | b
		}
		bits = bits[n:]
		return v
	}
	if mode := take(4); mode != 4 {
		return "", fmt.Errorf("mode %04b", mode)
	}
	width := 8
	if version > 9 {
		width = 16
	}
	text := make([]byte, take(width))
	for i := range text {
		text[i] = byte(take(8))
	}
	if n := min(4, len(bits)); take(n) != 0 {
		return "", errors.New("no terminator")
	}
	if take(len(bits)%8) != 0 {
		return "", errors.New("the last codeword is not filled with zeros")
	}
	for i := 0; len(bits) > 0; i++ {
		if pad := take(8); pad != []int{0xEC, 0x11}[i%2] {
			return "", fmt.Errorf("pad %d is %#x", i, pad)
		}
	}
	return string(text), nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
