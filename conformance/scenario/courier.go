package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

const (
	maxDeliveries = 1024
	maxReply      = 64 << 10
)

var errNotLoopback = errors.New("the simulator calls loopback addresses only")

// courier makes the calls to the merchant: one attempt each, those about one object
// in their order. The Kit's own can send neither a body of JSON nor a header.
type courier struct {
	client func() *http.Client

	mu     sync.Mutex
	idle   *sync.Cond
	active int
	closed bool
	last   map[string]chan struct{}
	made   []simkit.Delivery
}

func newCourier() *courier {
	c := &courier{last: map[string]chan struct{}{}, client: sync.OnceValue(newClient)}
	c.idle = sync.NewCond(&c.mu)
	return c
}

func newClient() *http.Client {
	dialer := &net.Dialer{Timeout: simkit.DeliveryTimeout}
	// The connected address is checked, not the name: a name may resolve to anything.
	dialer.Control = func(_, address string, _ syscall.RawConn) error {
		host, _, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
			return errNotLoopback
		}
		return nil
	}
	return &http.Client{
		Timeout:       simkit.DeliveryTimeout,
		Transport:     &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send makes a call in the background. After close it does nothing.
func (c *courier) send(call outgoing, now func() time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.active++
	before, mine := c.last[call.object], make(chan struct{})
	c.last[call.object] = mine
	go func() {
		if before != nil {
			<-before
		}
		d := simkit.Delivery{Kind: "notification", Object: call.object, Method: call.method, URL: call.url, At: now()}
		var err error
		if d.Status, d.Reply, err = c.exchange(call); err != nil {
			d.Error = err.Error()
		}
		c.finish(d, mine)
	}()
}

func (c *courier) finish(d simkit.Delivery, mine chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.made) >= maxDeliveries {
		c.made = slices.Delete(c.made, 0, maxDeliveries/2)
	}
	c.made = append(c.made, d)
	if c.last[d.Object] == mine {
		delete(c.last, d.Object)
	}
	close(mine)
	c.active--
	c.idle.Broadcast()
}

func (c *courier) exchange(call outgoing) (int, string, error) {
	request, err := http.NewRequestWithContext(context.Background(), call.method, call.url, bytes.NewReader(call.body))
	if err != nil {
		return 0, "", fmt.Errorf("call merchant: %w", err)
	}
	request.Header = call.header
	response, err := c.client().Do(request)
	if err != nil {
		return 0, "", fmt.Errorf("call merchant: %w", err)
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if err != nil {
		err = fmt.Errorf("read merchant's answer: %w", err)
	}
	return response.StatusCode, string(reply), err
}

func (c *courier) list() []simkit.Delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.made)
}

func (c *courier) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = nil
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
