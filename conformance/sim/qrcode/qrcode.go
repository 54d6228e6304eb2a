// Package qrcode draws QR codes for the simulators' pages: Rahmet's payment
// link as a picture, and the code that a SmartPay payer shows at the till.
//
// It implements the part of ISO/IEC 18004 that these need: byte mode, versions
// 1 to 40, error correction level L, which survives damage to about 7 % of the
// symbol and is ample for a picture on a screen. It is written here because the
// simulators may use the standard library only.
package qrcode

import (
	"errors"
	"fmt"
)

// ErrTooLong is returned for a text that no supported symbol can hold: more
// than MaxBytes bytes.
var ErrTooLong = errors.New("qrcode: text too long")

// ErrSize is returned by PNG for a picture side outside 1..MaxPixels, or too
// small to give every module one pixel.
var ErrSize = errors.New("qrcode: picture size out of range")

// MaxBytes is the longest text that one symbol holds, in bytes (version 40).
const MaxBytes = 2953

// A Code is one finished symbol, without its quiet zone. It is immutable and
// safe for concurrent use.
type Code struct {
	version int
	mask    int
	grid    grid
}

// Encode makes the smallest symbol that holds text. The text is stored as raw
// bytes without a character set designator; readers take it for UTF-8. The
// empty text is allowed. It returns ErrTooLong for more than MaxBytes bytes.
func Encode(text string) (*Code, error) {
	for version := 1; version <= maxVersion; version++ {
		if len(text) <= capacity(version) {
			codewords := interleave(dataCodewords(text, version), version)
			g, mask := draw(codewords, version)
			return &Code{version: version, mask: mask, grid: g}, nil
		}
	}
	return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(text), MaxBytes)
}

// Size returns the number of modules on a side: 21 to 177.
func (c *Code) Size() int { return c.grid.size }

// At reports whether the module in column x of row y is dark. Coordinates
// outside 0..Size()-1 lie in the quiet zone and are light.
func (c *Code) At(x, y int) bool {
	if x < 0 || y < 0 || x >= c.grid.size || y >= c.grid.size {
		return false
	}
	return c.grid.dark(x, y)
}

// Version returns the symbol's version, 1 to 40; its side is 17 + 4*version.
func (c *Code) Version() int { return c.version }

// Mask returns the number of the mask pattern that was chosen, 0 to 7.
func (c *Code) Mask() int { return c.mask }
