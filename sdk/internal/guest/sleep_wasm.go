//go:build wasip1

package guest

import "time"

// Sleep waits by WASI, where the host ends it with the call.
func (Imports) Sleep(d time.Duration) { time.Sleep(d) }
