package egress

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// send makes the attempts. The first one is nearly always the only one, so it goes without the machinery of repeats.
func (c *call) send(ctx context.Context) *failure {
	c.once(ctx)
	if again, _ := c.checkRetry(ctx, nil, nil); again {
		c.repeat(ctx)
	}
	return c.failure
}

// repeat makes the attempts after the first. Their outcome is in the call: retryablehttp's own result says less, and its
// error for the last of several attempts would hide the answer.
func (c *call) repeat(ctx context.Context) {
	request, err := retryablehttp.NewRequestWithContext(ctx, c.request.Method, c.target.url.String(), nil)
	if err != nil {
		return // can't be: it was sent once
	}
	client := &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: &repeater{call: c}, CheckRedirect: noRedirect},
		RetryMax:     c.sends() - 1,
		CheckRetry:   c.checkRetry,
		Backoff:      c.backoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	_, _ = client.Do(request) //nolint:bodyclose // the answer has no body to close: see RoundTrip
}

// repeater is the http.RoundTripper of repeats. It makes an attempt of the call, to the end of the answer's body, but the
// first time it tells of the one that was made already.
type repeater struct {
	call *call
	told bool
}

// RoundTrip returns something for retryablehttp that holds no header, so that nobody looks at a redirect.
func (r *repeater) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.told {
		r.call.once(req.Context())
	}
	r.told = true
	if r.call.failure != nil {
		return nil, r.call.failure
	}
	return &http.Response{
		StatusCode: r.call.response.Status, ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header), Body: http.NoBody, Request: req,
	}, nil
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// sends returns how often the request may be sent.
func (c *call) sends() int {
	switch c.request.Retry {
	case RepeatRead:
		return c.client.config.Retry.ReadAttempts
	case SameKey:
		return c.client.config.Retry.KeyedAttempts
	}
	return 1
}

// checkRetry is a retryablehttp.CheckRetry. It looks at the journal alone.
func (c *call) checkRetry(ctx context.Context, _ *http.Response, _ error) (bool, error) {
	done := len(c.exchange.Attempts)
	if ctx.Err() != nil || done == 0 || done >= c.sends() || !c.repeatable() {
		return false, nil //nolint:nilerr // an error here would hide the attempt's own
	}
	c.pause = c.nextPause(done)
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > c.pause, nil
}

// backoff is a retryablehttp.Backoff.
func (c *call) backoff(time.Duration, time.Duration, int, *http.Response) time.Duration {
	return c.pause
}

// repeatable reports whether the class allows a repeat after the last attempt.
func (c *call) repeatable() bool {
	last := c.exchange.Attempts[len(c.exchange.Attempts)-1]
	answered := last.Evidence == Answered && last.Failure == ""
	switch c.request.Retry {
	case RepeatRead:
		switch last.Status {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable,
			http.StatusGatewayTimeout:
			if answered {
				return true
			}
		}
		return last.transient()
	case SameKey:
		if answered {
			return last.Status >= http.StatusInternalServerError
		}
		return last.Evidence == Unknown || last.transient()
	}
	return false
}

// transient reports a failure of the network that another attempt may not meet.
func (a Attempt) transient() bool {
	switch a.Failure {
	case DNS, Connect, Reset, Truncated:
		return true
	}
	return false
}

// nextPause returns how long to wait after so many attempts.
func (c *call) nextPause(done int) time.Duration {
	last := c.exchange.Attempts[done-1]
	if last.Evidence == NotSent && last.Reused {
		return 0 // a kept connection was closed under our hands; that says nothing of the provider's health
	}
	if c.response != nil {
		if wait, ok := retryAfter(c.response.Get("Retry-After"), c.client.config.Now()); ok {
			return wait
		}
	}
	wait, most := c.client.config.Retry.MinWait, c.client.config.Retry.MaxWait
	for range done - 1 {
		if wait = 2 * wait; wait >= most {
			wait = most
			break
		}
	}
	return wait - rand.N(wait/2+1)
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(value string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0), true
	}
	return 0, false
}
