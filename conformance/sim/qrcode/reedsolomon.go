package qrcode

// Reed-Solomon over GF(2^8) modulo x^8+x^4+x^3+x^2+1, generator 2.

// rsDivisor returns the coefficients of (x-2^0)(x-2^1)…(x-2^(degree-1)),
// highest power first, without the leading 1.
func rsDivisor(degree int) []byte {
	out := make([]byte, degree)
	out[degree-1] = 1
	root := byte(1)
	for range degree {
		for j := range out {
			out[j] = gfMul(out[j], root)
			if j+1 < degree {
				out[j] ^= out[j+1]
			}
		}
		root = gfMul(root, 2)
	}
	return out
}

// rsRemainder returns the check codewords of data.
func rsRemainder(data, divisor []byte) []byte {
	out := make([]byte, len(divisor))
	for _, b := range data {
		factor := b ^ out[0]
		copy(out, out[1:])
		out[len(out)-1] = 0
		for i, d := range divisor {
			out[i] ^= gfMul(d, factor)
		}
	}
	return out
}

// gfMul multiplies two field elements.
func gfMul(a, b byte) byte {
	const modulus = 0x11D
	z := 0
	for i := 7; i >= 0; i-- {
		z = z<<1 ^ z>>7*modulus
		z ^= int(b>>i&1) * int(a)
	}
	return byte(z)
}
