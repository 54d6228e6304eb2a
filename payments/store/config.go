package store

import (
	"time"

	"github.com/hashicorp/go-hclog"
)

// Config is what both stores may be told. The zero value works.
type Config struct {
	// Logger is for what happens in the background; nil for none.
	Logger hclog.Logger
	// Now is the clock of what the store dates itself; nil for time.Now. Jobs go by the real clock.
	Now func() time.Time
	// Committed is called after every commit of updates with how long it took and how many updates shared it;
	// nil for nobody. It must return at once.
	Committed func(took time.Duration, updates int)
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Committed == nil {
		c.Committed = func(time.Duration, int) {}
	}
	return c
}
