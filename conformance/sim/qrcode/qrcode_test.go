package qrcode_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/payhost/payhost/conformance/sim/qrcode"
)

func TestEverySymbolReadsBack(t *testing.T) {
	t.Parallel()
	full := fullTexts()
	for version, most := range full {
		for _, length := range []int{most - 1, most} {
			text := printable(length, uint64(length))
			got := encodeAndRead(t, text)
			if got.text != text {
				t.Errorf("version %d, %d bytes: read %q", version+1, length, got.text)
			}
			if got.version != version+1 {
				t.Errorf("%d bytes: version %d, want the smallest, %d", length, got.version, version+1)
			}
		}
		if version+1 < len(full) {
			if got := encodeAndRead(t, printable(most+1, 7)); got.version != version+2 {
				t.Errorf("%d bytes: version %d, want %d", most+1, got.version, version+2)
			}
		}
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":        "",
		"one byte":     "a",
		"zeros":        strings.Repeat("\x00", 40),
		"ones":         strings.Repeat("\xff", 700),
		"all bytes":    allBytes(),
		"Cyrillic":     "Оплата заказа № 100500",
		"link":         "https://pay.example/o/100500?token=abc&x=1",
		"payer's QR":   payerCode(),
		"200 and more": strings.Repeat("length field grows here ", 9),
	} {
		if got := encodeAndRead(t, text); got.text != text {
			t.Errorf("%s: read %q, want %q", name, got.text, text)
		}
	}
}

func TestEveryMaskIsChosenSometimes(t *testing.T) {
	t.Parallel()
	seen := map[int]int{}
	for seed := range uint64(100) {
		text := printable(60, seed)
		code, err := qrcode.Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		got := encodeAndRead(t, text)
		if got.mask != code.Mask() || got.text != text {
			t.Fatalf("seed %d: read mask %d and %q, encoder says %d", seed, got.mask, got.text, code.Mask())
		}
		seen[got.mask]++
	}
	if len(seen) != 8 {
		t.Errorf("masks chosen over 100 texts: %v, want all eight", seen)
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", qrcode.MaxBytes+1)
	if _, err := qrcode.Encode(long); !errors.Is(err, qrcode.ErrTooLong) {
		t.Errorf("Encode: %v, want ErrTooLong", err)
	}
	if _, err := qrcode.PNG(long, 1000); !errors.Is(err, qrcode.ErrTooLong) {
		t.Errorf("PNG: %v, want ErrTooLong", err)
	}
}

func TestPictureReadsBack(t *testing.T) {
	t.Parallel()
	for _, size := range []int{109, 110, 187, 250, 400, 1023, qrcode.MaxPixels} {
		text := payerCode()[:600]
		raw, err := qrcode.PNG(text, size)
		if err != nil {
			t.Errorf("size %d: %v", size, err)
			continue
		}
		if got := readPicture(t, raw, size); got.text != text {
			t.Errorf("size %d: read %q", size, got.text)
		}
	}
}

func TestPictureSizeIsChecked(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		length, size int
		ok           bool
	}{
		{0, -1, false},
		{0, 0, false},
		{0, 28, false},
		{0, 29, true},
		{qrcode.MaxBytes, 184, false},
		{qrcode.MaxBytes, 185, true},
		{1, qrcode.MaxPixels, true},
		{1, qrcode.MaxPixels + 1, false},
	} {
		_, err := qrcode.PNG(strings.Repeat("x", tc.length), tc.size)
		if tc.ok && err != nil || !tc.ok && !errors.Is(err, qrcode.ErrSize) {
			t.Errorf("%d bytes in %d pixels: %v, want ok %v", tc.length, tc.size, err, tc.ok)
		}
	}
}

func TestQuietZoneIsLight(t *testing.T) {
	t.Parallel()
	code, err := qrcode.Encode("x")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range [][2]int{{-1, 0}, {0, -1}, {code.Size(), 0}, {0, code.Size()}} {
		if code.At(p[0], p[1]) {
			t.Errorf("module %v outside the symbol is dark", p)
		}
	}
}

// TestReaderNoticesDamage proves that the reader of these tests can fail.
func TestReaderNoticesDamage(t *testing.T) {
	t.Parallel()
	code, err := qrcode.Encode("damage me")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range [][2]int{{0, 0}, {8, 6}, {2, 8}, {20, 20}, {12, 12}} {
		_, err := read(code.Size(), func(x, y int) bool {
			return code.At(x, y) != (x == p[0] && y == p[1])
		})
		if err == nil {
			t.Errorf("module %v flipped and nobody noticed", p)
		}
	}
}

func encodeAndRead(t *testing.T, text string) symbol {
	t.Helper()
	code, err := qrcode.Encode(text)
	if err != nil {
		t.Fatalf("encode %d bytes: %v", len(text), err)
	}
	got, err := read(code.Size(), code.At)
	if err != nil {
		t.Fatalf("read %d bytes: %v", len(text), err)
	}
	if got.version != code.Version() {
		t.Fatalf("encoder says version %d, reader %d", code.Version(), got.version)
	}
	return got
}

// readPicture finds the symbol in a picture by its finder and reads it.
func readPicture(t *testing.T, raw []byte, size int) symbol {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != size || b.Dy() != size {
		t.Fatalf("picture is %v, want %d by %d", b, size, size)
	}
	dark := func(x, y int) bool { r, _, _, _ := img.At(x, y).RGBA(); return r < 0x8000 }
	edge := 0
	for !dark(edge, edge) {
		edge++
	}
	finder := 0
	for dark(edge+finder, edge) {
		finder++
	}
	scale := finder / 7
	right := size - 1
	for !dark(right, edge) {
		right--
	}
	if edge < 4*scale || size-1-right < 4*scale {
		t.Fatalf("quiet zone of %d and %d pixels at %d per module", edge, size-1-right, scale)
	}
	got, err := read((right-edge+1)/scale, func(x, y int) bool {
		return dark(edge+x*scale+scale/2, edge+y*scale+scale/2)
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// fullTexts is the byte capacity of versions 1 to 40 at level L, as printed in
// table 7 of the standard.
func fullTexts() []int {
	return []int{
		17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458, 520, 586, 644, 718, 792, 858,
		929, 1003, 1091, 1171, 1273, 1367, 1465, 1528, 1628, 1732,
		1840, 1952, 2068, 2188, 2303, 2431, 2563, 2699, 2809, 2953,
	}
}

func printable(n int, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(' ' + r.IntN(95))
	}
	return string(out)
}

func allBytes() string {
	out := make([]byte, 256)
	for i := range out {
		out[i] = byte(i)
	}
	return string(out)
}

// payerCode has the shape and length of the code that a SmartPay payer shows.
func payerCode() string {
	half := base64.StdEncoding.EncodeToString([]byte(printable(256, 3)))
	return fmt.Sprintf(`{"id_loyalty":"7700000000001","encrypted":%q,"sign":%q}`, half, half)
}
