package qrcode

// draw lays the codewords out and keeps the mask with the lowest penalty, as
// the standard asks: it avoids shapes that confuse a reader.
func draw(codewords []byte, version int) (best grid, mask int) {
	base := newGrid(17 + 4*version)
	base.drawPatterns(version)
	base.place(codewords)
	lowest := -1
	for m := range 8 {
		g := base.clone()
		g.apply(m)
		g.drawFormat(formatBits(m))
		if p := g.penalty(); lowest < 0 || p < lowest {
			best, mask, lowest = g, m, p
		}
	}
	return best, mask
}

// apply flips the data modules that mask pattern m selects.
func (g grid) apply(m int) {
	for y := range g.size {
		for x := range g.size {
			if !g.reserved(x, y) && masked(m, x, y) {
				g.cells[y*g.size+x] ^= darkBit
			}
		}
	}
}

func masked(m, x, y int) bool {
	switch m {
	case 0:
		return (x+y)%2 == 0
	case 1:
		return y%2 == 0
	case 2:
		return x%3 == 0
	case 3:
		return (x+y)%3 == 0
	case 4:
		return (x/3+y/2)%2 == 0
	case 5:
		return x*y%2+x*y%3 == 0
	case 6:
		return (x*y%2+x*y%3)%2 == 0
	default:
		return ((x+y)%2+x*y%3)%2 == 0
	}
}

// penalty adds the standard's four rules: long runs, blocks of one color, what
// looks like a finder, and a lack of balance between dark and light.
func (g grid) penalty() int {
	row := make([]bool, g.size)
	total, darks := 0, 0
	for i := range g.size {
		for j := range row {
			row[j] = g.dark(j, i)
			if row[j] {
				darks++
			}
		}
		total += linePenalty(row)
		for j := range row {
			row[j] = g.dark(i, j)
		}
		total += linePenalty(row)
	}
	for y := range g.size - 1 {
		for x := range g.size - 1 {
			c := g.dark(x, y)
			if c == g.dark(x+1, y) && c == g.dark(x, y+1) && c == g.dark(x+1, y+1) {
				total += 3
			}
		}
	}
	return total + 10*imbalance(darks, g.size*g.size)
}

// linePenalty scores one row or column: runs of five and more, and the finder's
// 1:1:3:1:1 with four light modules on either side.
func linePenalty(line []bool) int {
	const finderBefore, finderAfter = 0b00001011101, 0b10111010000
	total, run, window := 0, 0, 0
	for i, dark := range line {
		if i > 0 && dark == line[i-1] {
			run++
		} else {
			run = 1
		}
		switch {
		case run == 5:
			total += 3
		case run > 5:
			total++
		}
		window = window << 1 & 0x7FF
		if dark {
			window |= 1
		}
		if i >= 10 && (window == finderBefore || window == finderAfter) {
			total += 40
		}
	}
	return total
}

// imbalance counts the whole steps of 5 % that the dark share is away from half.
func imbalance(darks, all int) int {
	return abs(darks*20-all*10) / all
}
