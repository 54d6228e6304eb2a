//go:build !wasip1

package guest

import "time"

// Sleep waits by the host's own Sleep where it has one, so that a test's clock
// moves instead of the test's time.
func (g Imports) Sleep(d time.Duration) {
	if s, ok := g.Imports.(interface{ Sleep(time.Duration) }); ok {
		s.Sleep(d)
		return
	}
	time.Sleep(d)
}
