//go:build !wasm

package scan

// ASCII reports whether s has no byte above 127. The last word overlaps the one
// before, which saves the steps for single bytes.
func ASCII(s string) bool {
	n := len(s)
	if n < 8 {
		return short(s)
	}
	i, all := 0, Word(s, n-8)
	for ; i+24 < n; i += 24 {
		all |= Word(s, i) | Word(s, i+8) | Word(s, i+16)
	}
	if i+8 < n {
		all |= Word(s, i)
		if i+16 < n {
			all |= Word(s, i+8)
		}
	}
	return all&High == 0
}

// short is ASCII for up to seven bytes, each looked at once or twice.
func short(s string) bool {
	n := len(s)
	if n >= 4 {
		return s[0]|s[1]|s[2]|s[3]|s[n-1]|s[n-2]|s[n-3]|s[n-4] < 0x80
	}
	return n == 0 || s[0]|s[n/2]|s[n-1] < 0x80
}
