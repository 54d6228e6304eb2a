//go:build !linux

package witness

import "time"

func clock() time.Duration { return 0 }
