package qrcode

const maxVersion = 40

// dataCodewords packs text as one byte-mode segment: mode, length, bytes,
// terminator, then the standard's alternating pad bytes.
func dataCodewords(text string, version int) []byte {
	const byteMode = 0b0100
	var bits bitBuffer
	bits.append(byteMode, 4)
	bits.append(len(text), lengthBits(version))
	for i := range len(text) {
		bits.append(int(text[i]), 8)
	}
	total := dataLen(version)
	bits.append(0, min(4, total*8-bits.n))
	bits.append(0, (8-bits.n%8)%8)
	for pad := 0xEC; bits.n < total*8; pad ^= 0xEC ^ 0x11 {
		bits.append(pad, 8)
	}
	return bits.bytes
}

// interleave cuts data into the version's blocks, adds the error correction of
// each, and mixes them so that a stain on the symbol hurts every block a little.
func interleave(data []byte, version int) []byte {
	blocks, ecLen := blockCount(version), ecPerBlock(version)
	total := rawBits(version) / 8
	shortBlocks := blocks - total%blocks
	shortLen := total/blocks - ecLen

	divisor := rsDivisor(ecLen)
	parts := make([][]byte, blocks)
	checks := make([][]byte, blocks)
	for i := range parts {
		n := shortLen
		if i >= shortBlocks {
			n++
		}
		parts[i], data = data[:n], data[n:]
		checks[i] = rsRemainder(parts[i], divisor)
	}

	out := make([]byte, 0, total)
	for i := range shortLen + 1 {
		for _, part := range parts {
			if i < len(part) {
				out = append(out, part[i])
			}
		}
	}
	for i := range ecLen {
		for _, check := range checks {
			out = append(out, check[i])
		}
	}
	return out
}

// capacity is the number of text bytes that a symbol holds.
func capacity(version int) int {
	return (dataLen(version)*8 - 4 - lengthBits(version)) / 8
}

// lengthBits is the width of the byte-mode length field.
func lengthBits(version int) int {
	if version < 10 {
		return 8
	}
	return 16
}

// dataLen is the number of codewords left for data after error correction.
func dataLen(version int) int {
	return rawBits(version)/8 - ecPerBlock(version)*blockCount(version)
}

// rawBits is the number of modules not taken by patterns, format or version.
func rawBits(version int) int {
	n := (16*version+128)*version + 64
	if version >= 2 {
		across := version/7 + 2
		n -= (25*across-10)*across - 55
	}
	if version >= 7 {
		n -= 36
	}
	return n
}

// ecPerBlock is table 9 of the standard, level L: check codewords per block.
func ecPerBlock(version int) int {
	perBlock := [maxVersion]int{
		7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
		28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
	}
	return perBlock[version-1]
}

// blockCount is table 9 of the standard, level L: number of blocks.
func blockCount(version int) int {
	blocks := [maxVersion]int{
		1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
		8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25,
	}
	return blocks[version-1]
}

// bitBuffer collects bits, most significant first.
type bitBuffer struct {
	bytes []byte
	n     int
}

// append adds the low width bits of value.
func (b *bitBuffer) append(value, width int) {
	for i := width - 1; i >= 0; i-- {
		if b.n%8 == 0 {
			b.bytes = append(b.bytes, 0)
		}
		if value>>i&1 == 1 {
			b.bytes[b.n/8] |= 0x80 >> (b.n % 8)
		}
		b.n++
	}
}
