package vault

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// masked is what stands in place of a secret wherever it is printed.
const masked = "[secret]"

// Secret is a text that must not be printed: a password, a token, a shared key. Every way in which Go prints
// or marshals it gives "[secret]"; only Reveal gives the text. The zero Secret is empty and ready to use.
type Secret struct {
	// A closure, because fmt does not call the methods of a value it finds in an unexported field of another
	// struct: it would print a string, it would follow no pointer, and a function it prints as an address.
	// Tools that follow pointers by reflection (dumpers, diffs) stop at a function as well.
	reveal func() string
}

var (
	_ fmt.Formatter  = Secret{}
	_ slog.LogValuer = Secret{}
)

// NewSecret makes a Secret of the text, which is taken as it is: no space or line end is cut off.
func NewSecret(text string) Secret {
	return Secret{reveal: func() string { return text }}
}

// Reveal returns the text. Call it only where the text is put to use.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// Len returns the length of the text in bytes.
func (s Secret) Len() int { return len(s.Reveal()) }

// Equal reports whether both hold the same text. The time it takes tells the length, not the text.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns "[secret]".
func (s Secret) String() string { return masked }

// GoString returns "[secret]".
func (s Secret) GoString() string { return masked }

// Format writes "[secret]" for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// MarshalText returns "[secret]"; XML and YAML encoders use it too, and gob refuses a Secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// MarshalJSON returns "[secret]" as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// LogValue returns "[secret]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(masked) }
