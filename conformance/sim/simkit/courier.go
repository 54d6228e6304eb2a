package simkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// DeliveryTimeout bounds every call to the merchant.
	DeliveryTimeout  = 5 * time.Second
	maxDeliveries    = 1024
	maxDeliveryReply = 64 << 10
)

var errNotLoopback = errors.New("the simulator calls loopback addresses only")

// Delivery is one call that the simulator made to the merchant.
type Delivery struct {
	// Kind says what it was for: postlink, failed_postlink, checklink, paid.
	Kind string `json:"kind"`
	// Object is the provider's id of the object it was about.
	Object string `json:"object"`
	Method string `json:"method"`
	URL    string `json:"url"`
	// Header is what was sent beside net/http's own.
	Header http.Header `json:"header,omitempty"`
	// Form, when not nil, is the body sent; Body otherwise, byte for byte.
	Form url.Values `json:"form,omitempty"`
	Body string     `json:"body,omitempty"`
	// Status is the merchant's HTTP status; 0 when there was no answer, and then Error says why.
	Status int    `json:"status"`
	Error  string `json:"error,omitempty"`
	// Reply is the merchant's body, up to 64 KiB.
	Reply string    `json:"reply,omitempty"`
	At    time.Time `json:"at"`
}

// courier makes the calls to the merchant: one attempt each, no redirect, no proxy, no connection kept.
type courier struct {
	client *http.Client
	now    func() time.Time

	mu     sync.Mutex
	idle   *sync.Cond
	active int
	closed bool
	last   map[string]chan struct{}
	made   []Delivery
}

func newCourier(allowRemote bool, now func() time.Time) *courier {
	dialer := &net.Dialer{Timeout: DeliveryTimeout}
	if !allowRemote {
		// The connected address is checked, not the name: a name may resolve to anything.
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			host, _, err := net.SplitHostPort(address)
			if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
				return errNotLoopback
			}
			return nil
		}
	}
	c := &courier{now: now, last: map[string]chan struct{}{}, client: &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.idle = sync.NewCond(&c.mu)
	return c
}

// Notify sends a GET to the merchant in the background; see [Kit.Deliver].
func (k *Kit) Notify(kind, object, link string) {
	k.Deliver(Delivery{Kind: kind, Object: object, Method: http.MethodGet, URL: link})
}

// Deliver makes a call to the merchant in the background, as d's fields up to Body say; the calls about one
// object go one after another. [Kit.Close] waits for it. After Close it does nothing.
func (k *Kit) Deliver(d Delivery) {
	if !k.courier.begin() {
		return
	}
	before, done := k.courier.queue(d.Object)
	go func() {
		defer k.courier.end()
		defer done()
		<-before
		ctx, cancel := context.WithTimeout(context.Background(), DeliveryTimeout)
		defer cancel()
		k.courier.call(ctx, d)
	}()
}

// Ask posts a form to the merchant and waits for the answer. The context bounds it, and [DeliveryTimeout]
// too.
func (k *Kit) Ask(ctx context.Context, kind, object, link string, form url.Values) Delivery {
	d := Delivery{Kind: kind, Object: object, Method: http.MethodPost, URL: link, Form: form}
	if !k.courier.begin() {
		d.Error = "the simulator is closed"
		return d
	}
	defer k.courier.end()
	ctx, cancel := context.WithTimeout(ctx, DeliveryTimeout)
	defer cancel()
	return k.courier.call(ctx, d)
}

// Deliveries are the latest finished calls to the merchant, in order of finishing.
func (k *Kit) Deliveries() []Delivery {
	k.courier.mu.Lock()
	defer k.courier.mu.Unlock()
	return slices.Clone(k.courier.made)
}

// WaitDeliveries returns when no call to the merchant is under way.
func (k *Kit) WaitDeliveries() { k.courier.wait() }

func (c *courier) call(ctx context.Context, d Delivery) Delivery {
	d.At = c.now()
	status, reply, err := c.exchange(ctx, d)
	d.Status, d.Reply = status, reply
	if err != nil {
		d.Error = err.Error()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.made) >= maxDeliveries {
		c.made = slices.Delete(c.made, 0, maxDeliveries/2)
	}
	c.made = append(c.made, d)
	return d
}

func (c *courier) exchange(ctx context.Context, d Delivery) (int, string, error) {
	body := d.Body
	if d.Form != nil {
		body = d.Form.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, d.Method, d.URL, strings.NewReader(body))
	if err != nil {
		return 0, "", fmt.Errorf("call merchant: %w", err)
	}
	maps.Copy(request.Header, d.Header)
	if d.Form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := c.client.Do(request)
	if err != nil {
		return 0, "", fmt.Errorf("call merchant: %w", err)
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(response.Body, maxDeliveryReply))
	if err != nil {
		return response.StatusCode, string(reply), fmt.Errorf("read merchant's answer: %w", err)
	}
	return response.StatusCode, string(reply), nil
}

func (c *courier) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.active++
	return true
}

func (c *courier) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active--
	c.idle.Broadcast()
}

// queue gives the channel that is closed when the call before, about the same object, is over, and what to
// do when this one is.
func (c *courier) queue(object string) (before <-chan struct{}, done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	earlier, ok := c.last[object]
	if !ok {
		earlier = make(chan struct{})
		close(earlier)
	}
	mine := make(chan struct{})
	c.last[object] = mine
	return earlier, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.last[object] == mine {
			delete(c.last, object)
		}
		close(mine)
	}
}

func (c *courier) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.active > 0 {
		c.idle.Wait()
	}
}

func (c *courier) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.wait()
}

func (c *courier) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = nil
}
