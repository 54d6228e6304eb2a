package httpapi

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// buckets bounds the rate of calls by name. Names come from outside, so only so
// many are kept; those beyond share one bucket.
type buckets struct {
	limit rate.Limit
	burst int

	mu     sync.Mutex
	byName map[string]*rate.Limiter
	rest   *rate.Limiter
}

const mostBuckets = 1024

func newBuckets(perSecond float64) *buckets {
	b := &buckets{limit: rate.Limit(perSecond), burst: int(2 * max(perSecond, 1)), byName: map[string]*rate.Limiter{}}
	b.rest = rate.NewLimiter(b.limit, b.burst)
	return b
}

// take takes one call of a name, or tells after how long there is one.
func (b *buckets) take(name string) (wait time.Duration, ok bool) {
	if b.limit < 0 {
		return 0, true
	}
	b.mu.Lock()
	l := b.byName[name]
	switch {
	case l != nil:
	case len(b.byName) < mostBuckets:
		l = rate.NewLimiter(b.limit, b.burst)
		b.byName[name] = l
	default:
		l = b.rest
	}
	b.mu.Unlock()
	return take(l)
}

func take(l *rate.Limiter) (wait time.Duration, ok bool) {
	if l == nil || l.Allow() {
		return 0, true
	}
	return time.Duration(float64(time.Second) / float64(l.Limit())), false
}

// seconds rounds up, as Retry-After wants it; at least 1.
func seconds(d time.Duration) int {
	return max(1, int(math.Ceil(d.Seconds())))
}
