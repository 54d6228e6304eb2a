package simkit

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
)

const (
	bombPiece  = 1 << 20
	bombPieces = 257
)

// gzipBomb is one very long JSON string, compressed. After the first piece the compressor sees the same
// window and the same input again and again and gives the same block, so it runs once and its block is
// copied: compressing a quarter of a gigabyte would hold up every test.
func gzipBomb() []byte {
	head, piece, tail := []byte(`{"message":"`), bytes.Repeat([]byte("a"), bombPiece), []byte(`"}`)
	var packed bytes.Buffer
	deflate, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		panic("simkit: the level is a constant: " + err.Error())
	}
	// A bytes.Buffer takes everything, so the errors below can't happen.
	put := func(p []byte) int {
		_, _ = deflate.Write(p)
		_ = deflate.Flush()
		return packed.Len()
	}
	put(head)
	first := put(piece)
	second := put(piece)
	put(tail)
	_ = deflate.Close()

	sum := crc32.ChecksumIEEE(head)
	for range bombPieces {
		sum = crc32.Update(sum, crc32.IEEETable, piece)
	}
	sum = crc32.Update(sum, crc32.IEEETable, tail)

	// RFC 1952: magic, deflate, no flags, no time, no extra flags, unknown system; at the end the sum and
	// the size.
	out := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}
	out = append(out, packed.Bytes()[:first]...)
	out = append(out, bytes.Repeat(packed.Bytes()[first:second], bombPieces-1)...)
	out = append(out, packed.Bytes()[second:]...)
	out = binary.LittleEndian.AppendUint32(out, sum)
	return binary.LittleEndian.AppendUint32(out, uint32(len(head)+bombPieces*bombPiece+len(tail)))
}
