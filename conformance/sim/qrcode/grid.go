package qrcode

// cell is one module. A reserved module belongs to a pattern or to the format
// and version information: it carries no data and is never masked.
type cell uint8

const (
	darkBit     cell = 1
	reservedBit cell = 2
)

// grid is a square of modules, row by row.
type grid struct {
	size  int
	cells []cell
}

func newGrid(size int) grid { return grid{size: size, cells: make([]cell, size*size)} }

func (g grid) clone() grid {
	return grid{size: g.size, cells: append([]cell(nil), g.cells...)}
}

func (g grid) dark(x, y int) bool     { return g.cells[y*g.size+x]&darkBit != 0 }
func (g grid) reserved(x, y int) bool { return g.cells[y*g.size+x]&reservedBit != 0 }

// reserve sets a module that is not data.
func (g grid) reserve(x, y int, dark bool) {
	c := reservedBit
	if dark {
		c |= darkBit
	}
	g.cells[y*g.size+x] = c
}

// drawPatterns draws everything that does not depend on the text: timing,
// finders, alignment and version. The format area is reserved for later.
func (g grid) drawPatterns(version int) {
	for i := range g.size {
		g.reserve(6, i, i%2 == 0)
		g.reserve(i, 6, i%2 == 0)
	}
	g.drawFinder(3, 3)
	g.drawFinder(g.size-4, 3)
	g.drawFinder(3, g.size-4)

	centers := alignmentCenters(version)
	last := len(centers) - 1
	for i, x := range centers {
		for j, y := range centers {
			onFinder := i == 0 && j == 0 || i == 0 && j == last || i == last && j == 0
			if !onFinder {
				g.drawAlignment(x, y)
			}
		}
	}
	g.drawFormat(0)
	g.drawVersion(version)
}

// drawFinder draws a corner square with its light separator around (cx, cy).
func (g grid) drawFinder(cx, cy int) {
	for dy := -4; dy <= 4; dy++ {
		for dx := -4; dx <= 4; dx++ {
			x, y := cx+dx, cy+dy
			if x >= 0 && x < g.size && y >= 0 && y < g.size {
				ring := max(abs(dx), abs(dy))
				g.reserve(x, y, ring != 2 && ring != 4)
			}
		}
	}
}

func (g grid) drawAlignment(cx, cy int) {
	for dy := -2; dy <= 2; dy++ {
		for dx := -2; dx <= 2; dx++ {
			g.reserve(cx+dx, cy+dy, max(abs(dx), abs(dy)) != 1)
		}
	}
}

// drawFormat draws both copies of the 15 format bits and the module that is
// always dark.
func (g grid) drawFormat(bits int) {
	bit := func(i int) bool { return bits>>i&1 == 1 }
	for i := range 6 {
		g.reserve(8, i, bit(i))
	}
	g.reserve(8, 7, bit(6))
	g.reserve(8, 8, bit(7))
	g.reserve(7, 8, bit(8))
	for i := 9; i < 15; i++ {
		g.reserve(14-i, 8, bit(i))
	}
	for i := range 8 {
		g.reserve(g.size-1-i, 8, bit(i))
	}
	for i := 8; i < 15; i++ {
		g.reserve(8, g.size-15+i, bit(i))
	}
	g.reserve(8, g.size-8, true)
}

// drawVersion draws both copies of the 18 version bits; small symbols have none.
func (g grid) drawVersion(version int) {
	if version < 7 {
		return
	}
	bits := versionBits(version)
	for i := range 18 {
		dark := bits>>i&1 == 1
		a, b := g.size-11+i%3, i/3
		g.reserve(a, b, dark)
		g.reserve(b, a, dark)
	}
}

// place writes the codewords in the standard's zigzag of two-module columns.
// Modules beyond the last codeword stay light.
func (g grid) place(codewords []byte) {
	i := 0
	for right := g.size - 1; right >= 1; right -= 2 {
		if right == 6 {
			right = 5 // the column of the timing pattern does not count
		}
		upward := (right+1)&2 == 0
		for step := range g.size {
			y := step
			if upward {
				y = g.size - 1 - step
			}
			for x := right; x >= right-1; x-- {
				if g.reserved(x, y) || i >= len(codewords)*8 {
					continue
				}
				if codewords[i/8]>>(7-i%8)&1 == 1 {
					g.cells[y*g.size+x] |= darkBit
				}
				i++
			}
		}
	}
}

// formatBits returns level L and the mask with their BCH code, masked as the
// standard says so that the area is never blank.
func formatBits(mask int) int {
	const levelL, generator, xor = 1, 0x537, 0x5412
	data := levelL<<3 | mask
	rem := data
	for range 10 {
		rem = rem<<1 ^ rem>>9*generator
	}
	return (data<<10 | rem) ^ xor
}

// versionBits returns the version with its Golay code.
func versionBits(version int) int {
	const generator = 0x1F25
	rem := version
	for range 12 {
		rem = rem<<1 ^ rem>>11*generator
	}
	return version<<12 | rem
}

// alignmentCenters returns the coordinates at which alignment patterns lie, in
// both directions.
func alignmentCenters(version int) []int {
	if version == 1 {
		return nil
	}
	n := version/7 + 2
	step := (version*8 + n*3 + 5) / (n*4 - 4) * 2
	out := make([]int, n)
	out[0] = 6
	for i, at := n-1, version*4+10; i > 0; i, at = i-1, at-step {
		out[i] = at
	}
	return out
}

func abs(n int) int { return max(n, -n) }
