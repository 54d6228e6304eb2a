package httpapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Config is what [New] needs. Engine is required.
type Config struct {
	Engine  Engine
	Plugins Plugins // nil answers unsupported to everything about plugins
	// Tokens may call the API. Without any, every call that needs one is refused; see
	// [API.SetTokens].
	Tokens []Token
	Logger hclog.Logger // nil for none
	// Metrics serves GET /metrics; nil for not_found.
	Metrics http.Handler
	// Ready tells what keeps payhost from work, for GET /readyz; nil asks the engine.
	Ready func(ctx context.Context) error
	// Observe is told of every request when it was answered, by the pattern of its
	// route, "unknown" if it had none; nil for nobody. It must be quick.
	Observe func(route, method string, status int, took time.Duration)
	Limits  Limits
	// Version is what the OpenAPI document says of payhost; "dev" if empty.
	Version string
	// Now tells how old a doubt is; nil for time.Now.
	Now func() time.Time
}

// Limits bounds requests. Zero fields have the defaults; a rate below zero is none.
type Limits struct {
	Body         int64 // bytes of a JSON body; 1 MiB
	Notification int64 // bytes of a provider's call; 256 KiB
	Plugin       int64 // bytes of a plugin module; 32 MiB
	// Rate is how many calls a second a token may make, Burst how many at once; 500
	// and twice the rate.
	Rate  float64
	Burst int
	// NotificationRate is how many calls a second come in for one connection, with
	// twice as many at once; 100.
	NotificationRate float64
	// BodyTimeout is how long a JSON body may take to arrive; 10 s. A plugin may take
	// six times as long.
	BodyTimeout time.Duration
}

func (c Config) withDefaults() Config {
	c.Limits.Body = cmp.Or(c.Limits.Body, 1<<20)
	c.Limits.Notification = cmp.Or(c.Limits.Notification, 256<<10)
	c.Limits.Plugin = cmp.Or(c.Limits.Plugin, 32<<20)
	c.Limits.Rate = cmp.Or(c.Limits.Rate, 500)
	c.Limits.Burst = cmp.Or(c.Limits.Burst, int(2*max(c.Limits.Rate, 1)))
	c.Limits.NotificationRate = cmp.Or(c.Limits.NotificationRate, 100)
	c.Limits.BodyTimeout = cmp.Or(c.Limits.BodyTimeout, 10*time.Second)
	c.Version = cmp.Or(c.Version, "dev")
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Observe == nil {
		c.Observe = func(string, string, int, time.Duration) {}
	}
	if c.Ready == nil && c.Engine != nil {
		c.Ready = c.Engine.Ready
	}
	return c
}

func (c Config) validate() error {
	l := c.Limits
	switch {
	case c.Engine == nil:
		return errors.New("httpapi: Engine is missing")
	case l.Body < 0 || l.Notification < 0 || l.Plugin < 0 || l.Burst < 0 || l.BodyTimeout < 0:
		return errors.New("httpapi: a limit is below zero")
	}
	return nil
}
