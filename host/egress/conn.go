package egress

import (
	"errors"
	"net"
	"sync"
)

var errUnbound = errors.New("the connection serves no request")

// conn is a connection as net/http sees it: above TLS, so that what it counts are bytes of HTTP. It writes
// only for the attempt that was bound to it last, and only while that attempt allows.
//
// It also keeps answers apart. If a provider sends more than it announced, the rest lies in a buffer of
// net/http and could be read as the answer to the next request on the connection. So the first write of an
// attempt waits until net/http's reader has come back for more with its buffer empty: then all that is read
// later was sent later.
type conn struct {
	net.Conn
	forget func(*conn)

	mu      sync.Mutex
	changed sync.Cond
	attempt *attempt
	parked  bool // the reader is inside Read, and got nothing yet
	ended   bool // the connection was closed, or the reader saw its end
}

func newConn(inner net.Conn, forget func(*conn)) *conn {
	c := &conn{Conn: inner, forget: forget}
	c.changed.L = &c.mu
	return c
}

// serve binds the connection to an attempt.
func (c *conn) serve(a *attempt) {
	c.mu.Lock()
	c.attempt = a
	c.mu.Unlock()
}

// Write hands the bytes on if the attempt lets it.
func (c *conn) Write(p []byte) (int, error) {
	a, err := c.admit(len(p))
	if err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if n < len(p) {
		a.refund(len(p) - n)
	}
	return n, err
}

func (c *conn) admit(n int) (*attempt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.attempt
	if a == nil {
		return nil, errUnbound
	}
	for !c.parked && !c.ended && !a.begun() {
		c.changed.Wait()
	}
	if c.ended && !a.begun() {
		return nil, net.ErrClosed // a kept connection that was closed meanwhile: nothing left
	}
	return a, a.admit(c, n)
}

// Read reads an answer. Bytes that answer no request are an error, and with it the end of the connection.
func (c *conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	c.parked = true
	c.mu.Unlock()
	c.changed.Broadcast()

	n, err := c.Conn.Read(p)

	c.mu.Lock()
	c.parked = false
	c.ended = c.ended || err != nil
	a := c.attempt
	c.mu.Unlock()
	if err != nil {
		c.changed.Broadcast()
	}
	if awaited := a != nil && a.received(n, err); n > 0 && !awaited {
		return 0, errUnbound
	}
	return n, err
}

// Close closes the connection; a write that waits gives up.
func (c *conn) Close() error {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.changed.Broadcast()
	err := c.Conn.Close()
	c.forget(c)
	return err
}

// wake lets a waiting write look again.
func (c *conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed.Broadcast()
}
