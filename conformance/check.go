package conformance

import (
	"fmt"
	"strings"
)

// Level is how much a plugin has proven; each includes the ones below.
type Level int

// The levels of contract section 9.
const (
	L0 Level = iota // it loads, and is what it says it is
	L1              // the lifecycle of every flow that it declares
	L2              // the fault matrix
	L3              // hostile notifications
	L4              // upgrade and rollback
)

// String returns "L0" to "L4".
func (l Level) String() string { return fmt.Sprintf("L%d", int(l)) }

// MarshalText writes the level's name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads "L0" to "L4", in either case.
func (l *Level) UnmarshalText(text []byte) error {
	name := strings.ToUpper(string(text))
	for i := L0; i <= L4; i++ {
		if name == i.String() {
			*l = i
			return nil
		}
	}
	return fmt.Errorf("level %q is not one of L0 to L4", text)
}

// Check is one thing that a plugin must hold to.
type Check struct {
	ID       string `json:"id"` // "L2.cut_after"; a provider's own are named as its list names them: "R7"
	Level    Level  `json:"level"`
	Sentence string `json:"sentence"`       // what holds when it passes
	Proves   string `json:"proves"`         // the section of the contract: "contract 3"
	Cure     string `json:"cure,omitempty"` // what to mend when it fails
}

// Case is a check that belongs to one provider, with what runs it.
type Case struct {
	Check
	// Run lives a life with the plugin and reports what is wrong to it; see [Life].
	Run func(l *Life)
}
