package json

// plain returns the index of the first byte from i on that needs a look in a text: a
// quote, a backslash, one below a space, or one above ASCII; len(b) if there is none.
//
//go:noescape
func plain(b []byte, i int) int

// skipText steps over the string at i and tells whether it has an escape.
//
//go:noescape
func skipText(b []byte, i int) (end int, escaped bool)

// member returns where in a checked object the value of a name begins, 0 if there is
// none, or -1 if a name with an escape was met before.
//
//go:noescape
func member(object []byte, name string) int
