package sdk

import (
	"testing"
	"time"
)

// TestLifetime: what is to be kept for a moment is not kept for good.
func TestLifetime(t *testing.T) {
	t.Parallel()
	for ttl, want := range map[time.Duration]int64{
		0: 0, 1: 1, 999 * time.Microsecond: 1, time.Millisecond: 1, 1500 * time.Microsecond: 1, time.Minute: 60_000, -time.Second: -1000,
	} {
		if got := lifetime(ttl); got != want {
			t.Errorf("%s is %d ms, want %d", ttl, got, want)
		}
	}
}
