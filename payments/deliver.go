package payments

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/payhost/payhost/payments/store"
)

const (
	deliverBatch  = 32
	deliverAtOnce = 8
	deliverLease  = 2 * time.Minute
)

// retryAfter is how long to wait after each failed delivery; then it is given up.
// In all somewhat over four days, jitter aside.
var retryAfter = [...]time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour,
	6 * time.Hour, 12 * time.Hour, day, day, day,
}

// deliver sends the events that are due at an endpoint, and returns when the next
// is.
func (e *Engine) deliver(ctx context.Context, endpoint string) (time.Time, error) {
	to := e.endpoint(endpoint)
	if to == nil { // taken out of the configuration: what is left waits for its return, or for the retention
		return time.Time{}, nil
	}
	for end := time.Now().Add(jobTurn); ctx.Err() == nil && time.Now().Before(end); {
		now := e.now()
		list, err := e.store.Deliveries(ctx, endpoint, now, now.Add(deliverLease), deliverBatch)
		if err != nil {
			return time.Time{}, err
		}
		if len(list) == 0 {
			break
		}
		var wg sync.WaitGroup
		slots := make(chan struct{}, deliverAtOnce)
		for _, d := range list {
			slots <- struct{}{}
			wg.Go(func() { defer func() { <-slots }(); e.deliverOne(ctx, to, d) })
		}
		wg.Wait()
	}
	due, err := e.store.NextDelivery(ctx)
	if err != nil {
		return time.Time{}, err
	}
	next, ok := due[endpoint]
	if !ok {
		return time.Time{}, nil
	}
	now := e.now()
	return laterOf(now.Add(200*time.Millisecond), earlierOf(next, now.Add(time.Second))), nil
}

// sweepDeliveries delivers what is overdue and has no job that says so.
func (e *Engine) sweepDeliveries(ctx context.Context) error {
	due, err := e.store.NextDelivery(ctx)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	for endpoint, at := range due {
		if at.After(e.now()) {
			continue
		}
		wg.Go(func() { // one that does not answer holds up no other
			if _, err := e.deliver(ctx, endpoint); err != nil && ctx.Err() == nil {
				e.log.Warn("events that are due can't be delivered", "endpoint", maskedURL(endpoint), "error", err)
			}
		})
	}
	wg.Wait()
	return nil
}

// deliverOne sends one event once and writes down how it went.
func (e *Engine) deliverOne(ctx context.Context, to *Endpoint, d store.Delivery) {
	began := time.Now()
	wait, err := e.post(ctx, to, &d)
	if ctx.Err() != nil && err != nil {
		return // the process is stopping: the lease gives the delivery back
	}
	e.config.Observe.Delivery(maskedURL(to.URL), err == nil, time.Since(began))
	d.Tries++
	d.State, d.LastError = store.DeliveryDone, ""
	if err != nil {
		d.State, d.LastError = store.DeliveryPending, err.Error()
		if d.Tries > len(retryAfter) || errors.Is(err, errGone) {
			d.State = store.DeliveryDead
			e.log.Error("event can't be delivered and is given up", "event", d.ID, "endpoint", maskedURL(to.URL), "error", err)
		} else {
			step := retryAfter[d.Tries-1]
			d.NextAt = e.now().Add(max(wait, step+jitter(step/5)))
		}
	}
	if err := e.store.Delivered(context.WithoutCancel(ctx), d); err != nil {
		e.log.Warn("delivery can't be written down, so the event will be sent again", "event", d.ID, "error", err)
	}
}

var errGone = errors.New("endpoint says that it is gone (410)")

// post sends an event, signed as the Standard Webhooks specification says. wait is
// what the receiver asks for before the next try.
func (e *Engine) post(ctx context.Context, to *Endpoint, d *store.Delivery) (wait time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(d.Body))
	if err != nil {
		return 0, errors.New("endpoint has no usable url")
	}
	signer, err := signerOf(to.Secret)
	if err != nil {
		return 0, err
	}
	now := e.now()
	signature, err := signer.Sign(d.ID, now, d.Body)
	if err != nil {
		return 0, errors.New("event can't be signed")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "payhost")
	request.Header.Set(webhooks.HeaderWebhookID, d.ID)
	request.Header.Set(webhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(webhooks.HeaderWebhookSignature, signature)
	response, err := e.config.HTTPClient.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) { // its own text holds the URL, and a URL may hold a secret
			err = wrapped.Err
		}
		return 0, err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // so that the connection can be used again
	switch {
	case response.StatusCode/100 == 2:
		return 0, nil
	case response.StatusCode == http.StatusGone:
		return 0, errGone
	}
	if seconds, convErr := strconv.Atoi(response.Header.Get("Retry-After")); convErr == nil && seconds > 0 {
		wait = min(time.Duration(seconds)*time.Second, day)
	}
	return wait, fmt.Errorf("endpoint answers %d", response.StatusCode)
}

// signerOf reads a secret: "whsec_" and base64 as the specification says, else the
// bytes of the text itself.
func signerOf(secret string) (*webhooks.Webhook, error) {
	if strings.HasPrefix(secret, "whsec_") {
		w, err := webhooks.NewWebhook(secret)
		if err != nil {
			return nil, errors.New("endpoint's secret is not base64 after whsec_")
		}
		return w, nil
	}
	return webhooks.NewWebhookRaw([]byte(secret))
}

// maskedURL is an endpoint as logs and metrics may show it.
func maskedURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "unreadable"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

func (e *Engine) endpoints() []Endpoint {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.config.Endpoints
}

func (e *Engine) endpoint(url string) *Endpoint {
	for _, endpoint := range e.endpoints() {
		if endpoint.URL == url {
			return &endpoint
		}
	}
	return nil
}

// SetEndpoints puts other receivers of events in place of those there are. Events
// that wait for one that is gone wait on.
func (e *Engine) SetEndpoints(list []Endpoint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.config.Endpoints = list
}

// SetPolicies puts other policies for late successes and other rates of status calls,
// both by connection, in place of those there are.
func (e *Engine) SetPolicies(late map[string]LatePolicy, rates map[string]int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.config.Late, e.config.Rates = late, rates
	clear(e.limits)
}

func (e *Engine) latePolicy(connection string) LatePolicy {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.config.Late[connection]
}

// Events returns up to limit events (1 to 1000; 0 for 100) in the order of the
// ledger behind a cursor, "" for the first, and the next cursor.
func (e *Engine) Events(ctx context.Context, after string, limit int) ([]store.Event, string, error) {
	if limit < 0 || limit > 1000 {
		return nil, "", invalid("limit", "must be 1 to 1000")
	}
	if limit == 0 {
		limit = 100
	}
	events, next, err := e.store.Events(ctx, after, limit)
	if errors.Is(err, store.ErrCursor) {
		return nil, "", invalid("after", "is none that payhost has given")
	}
	return events, next, storeError(err)
}

// DeadLetters lists deliveries that were given up, newest first, before the Seq of
// the last one of the page before; 0 for the first page.
func (e *Engine) DeadLetters(ctx context.Context, before int64, limit int) ([]store.Delivery, error) {
	if limit < 1 || limit > 1000 {
		return nil, invalid("limit", "must be 1 to 1000")
	}
	list, err := e.store.DeadLetters(ctx, before, limit)
	return list, storeError(err)
}

// Redeliver sends an event again, to one endpoint by its URL, or to every one that
// is configured if it is empty. not_found if it never was to be sent there.
func (e *Engine) Redeliver(ctx context.Context, event, endpoint string) error {
	targets := []string{endpoint}
	if endpoint == "" {
		targets = targets[:0]
		for _, to := range e.endpoints() {
			targets = append(targets, to.URL)
		}
	}
	again := 0
	for _, target := range targets {
		switch err := e.store.Redeliver(ctx, target, event, e.now()); {
		case err == nil:
			again++
		case !errors.Is(err, store.ErrNotFound):
			return storeError(err)
		}
	}
	if again == 0 {
		return notFound("id", "there is no such event for an endpoint")
	}
	return storeError(e.store.Update(ctx, func(tx store.Tx) error {
		var jobs []store.Job
		for _, target := range targets {
			jobs = append(jobs, store.Job{Kind: store.JobDeliver, Key: target})
		}
		return tx.Enqueue(jobs...)
	}))
}
