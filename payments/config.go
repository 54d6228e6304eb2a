package payments

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/store"
)

// Config is what [New] needs. Host and Store are required; the engine closes
// neither.
type Config struct {
	Host   *host.Host
	Store  store.Store
	Logger hclog.Logger // nil for none
	// PublicURL is how providers reach payhost, "https://pay.example.com"; empty if
	// they can't, then no notification URL is handed out.
	PublicURL string
	// Endpoints are where events are delivered.
	Endpoints []Endpoint
	// Late says what a success after an end does, by connection; accept if not named.
	Late map[string]LatePolicy
	// Rates bounds the status calls a second, by connection; 10 if not named.
	Rates map[string]int
	// CallTimeout is how long one operation may take; it must not be below the host's
	// limit. Default 10 s.
	CallTimeout time.Duration
	// Now is the clock of the ledger, nil for time.Now. Call deadlines use the real one.
	Now func() time.Time
	// Observe is told of what happens, for metrics; nil for nobody.
	Observe Observer
	// HTTPClient delivers events; nil for one with sane timeouts and no redirects.
	HTTPClient *http.Client
	// Retention says how long things are kept.
	Retention Retention
	// Fault is called at every boundary that a crash could fall on, by its name. Tests
	// die there. Nil for nothing.
	Fault func(point string)
}

// Endpoint is one receiver of events.
type Endpoint struct {
	URL    string
	Secret string   // a Standard Webhooks secret, "whsec_…" (base64), or any text of 16 bytes or more
	Events []string // event types, "payment.*" or "*"
}

// LatePolicy says what a success after an end does.
type LatePolicy string

// The policies for a late success. Whatever the policy, the payment becomes
// succeeded: the money is there.
const (
	LateAccept     LatePolicy = "accept"      // nothing more
	LateAutoRefund LatePolicy = "auto_refund" // the whole amount is given back
	LateReview     LatePolicy = "review"      // an alert: a person decides
)

// LeastKeyRetention is how long idempotency keys are kept at least, and by default: a repeat
// may come with a late refund.
const LeastKeyRetention = 400 * day

// Retention says how long things are kept; zero fields have defaults. Entries and
// books are kept for ever.
type Retention struct {
	Keys          time.Duration // idempotency keys; LeastKeyRetention by default, and if it is less
	Events        time.Duration // events that are delivered or given up; default 90 days
	Notifications time.Duration // as they came; default 90 days
	Requests      time.Duration // private requests of operations; default 30 days
}

// Observer is told of what happens. Its methods must be quick and safe for
// concurrent use.
type Observer interface {
	// Operation: one attempt ended; digest is that of the revision that ran.
	Operation(connection, digest, operation, outcome, class string, took time.Duration)
	// Probe: a status call ended; items is how many payments it asked after.
	Probe(connection string, items int, ok bool, took time.Duration)
	// Notification: an inbound call was dealt with.
	Notification(connection, state string)
	// Delivery: an event was sent.
	Delivery(endpoint string, ok bool, took time.Duration)
}

func (c Config) withDefaults() Config {
	c.CallTimeout = cmp.Or(c.CallTimeout, 10*time.Second)
	const day = 24 * time.Hour
	c.Retention.Keys = max(c.Retention.Keys, LeastKeyRetention)
	c.Retention.Events = cmp.Or(c.Retention.Events, 90*day)
	c.Retention.Notifications = cmp.Or(c.Retention.Notifications, 90*day)
	c.Retention.Requests = cmp.Or(c.Retention.Requests, 30*day)
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Observe == nil {
		c.Observe = nobody{}
	}
	if c.Fault == nil {
		c.Fault = func(string) {}
	}
	if c.HTTPClient == nil {
		c.HTTPClient = defaultClient()
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Host == nil:
		return errors.New("payments: Host is missing")
	case c.Store == nil:
		return errors.New("payments: Store is missing")
	}
	for name, policy := range c.Late {
		if policy != LateAccept && policy != LateAutoRefund && policy != LateReview {
			return errors.New("payments: connection " + name + ": late_success is not accept, auto_refund or review")
		}
	}
	return nil
}

// defaultClient follows no redirect: an event is for the URL that was configured.
func defaultClient() *http.Client {
	return &http.Client{
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// nobody is an Observer that does not listen.
type nobody struct{}

func (nobody) Operation(string, string, string, string, string, time.Duration) {}
func (nobody) Probe(string, int, bool, time.Duration)                          {}
func (nobody) Notification(string, string)                                     {}
func (nobody) Delivery(string, bool, time.Duration)                            {}
