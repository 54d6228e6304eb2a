package qrcode

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
)

// MaxPixels is the largest side of a picture, in pixels.
const MaxPixels = 4096

// quietZone is the light border that the standard asks for, in modules.
const quietZone = 4

// PNG encodes text and draws it as a square black and white picture of exactly
// size by size pixels. Modules are whole pixels; what is left over widens the
// quiet zone, which is never less than the four modules of the standard.
//
// size is 1 to MaxPixels and must give every module at least one pixel: 29
// pixels for the shortest text, 185 for the longest. It returns ErrSize
// otherwise, and ErrTooLong for a text of more than MaxBytes bytes.
func PNG(text string, size int) ([]byte, error) {
	if size < 1 || size > MaxPixels {
		return nil, fmt.Errorf("%w: %d pixels, want 1 to %d", ErrSize, size, MaxPixels)
	}
	code, err := Encode(text)
	if err != nil {
		return nil, err
	}
	modules := code.Size() + 2*quietZone
	scale := size / modules
	if scale == 0 {
		return nil, fmt.Errorf("%w: %d pixels for %d modules", ErrSize, size, modules)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture(code, size, scale)); err != nil {
		return nil, fmt.Errorf("qrcode: encode png: %w", err)
	}
	return out.Bytes(), nil
}

// picture draws code centered, each module scale pixels wide.
func picture(code *Code, size, scale int) *image.Paletted {
	const dark = 1
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	origin := (size - code.Size()*scale) / 2
	for y := range code.Size() * scale {
		row := img.Pix[(origin+y)*img.Stride+origin:]
		for x := range code.Size() * scale {
			if code.At(x/scale, y/scale) {
				row[x] = dark
			}
		}
	}
	return img
}
