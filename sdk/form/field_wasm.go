package form

// field appends "&", a name, "=" and a value, both escaped, to b, which has [room] for
// them.
//
//go:noescape
func field(b []byte, name, value string) []byte
