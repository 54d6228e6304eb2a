package egress

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/payhost/payhost/host/vault"
)

// Client sends the requests of one connection. It may be used from many goroutines.
type Client struct {
	config     Config
	limits     Limits
	allow      []Rule
	secrets    map[string]SecretBinding
	identities map[string][]Rule

	transports *transports
	reader     reader
	tokens     tokens
	slots      chan struct{} // one element for each request on the wire

	base   context.Context // done when the Client closes
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	closed bool
	under  map[*call]struct{} // calls that are under way, each to be canceled by a Close
	calls  sync.WaitGroup     // Add under mu
}

// New makes a Client. The error names the field of the configuration.
func New(config Config) (*Client, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	c := &Client{config: config, limits: config.Limits, under: make(map[*call]struct{})}
	if err := c.compile(); err != nil {
		return nil, fmt.Errorf("egress: %w", err)
	}
	c.slots = make(chan struct{}, c.limits.Concurrent)
	c.reader.limits = c.limits
	c.base, c.cancel = context.WithCancelCause(context.Background())
	c.transports = newTransports(c.base, c.config)
	return c, nil
}

// compile reads the rules, bindings and profiles.
func (c *Client) compile() error {
	var err error
	if c.allow, err = compileRules("allow", c.config.Allow); err != nil {
		return err
	}
	c.secrets = make(map[string]SecretBinding, len(c.config.SecretBindings))
	for name, binding := range c.config.SecretBindings {
		if c.secrets[name], err = binding.compile("secret_bindings." + name); err != nil {
			return err
		}
	}
	c.identities = make(map[string][]Rule, len(c.config.IdentityBindings))
	for name, rules := range c.config.IdentityBindings {
		if c.identities[name], err = compileRules("identity_bindings."+name, rules); err != nil {
			return err
		}
	}
	c.tokens.profiles = make(map[string]*profile, len(c.config.OAuth2))
	for name, p := range c.config.OAuth2 {
		compiled, err := p.compile(c.allow)
		if err != nil {
			return fmt.Errorf("oauth2.%s.%w", name, err)
		}
		c.tokens.profiles[name] = compiled
	}
	return nil
}

// Do sends a request and returns the provider's answer, whatever its status; redirects are answers too.
//
// The Exchange is never nil. The error is an *Error with the same evidence. A nil error does not mean that
// the answer settles the operation: see Exchange.Evidence. The Response is nil if and only if there is an
// error.
func (c *Client) Do(ctx context.Context, r *Request) (*Response, *Exchange, error) {
	return c.do(ctx, r, false)
}

// do is Do. hostOnly is for answers that the host alone reads: they may hold secrets.
func (c *Client) do(ctx context.Context, r *Request, hostOnly bool) (*Response, *Exchange, error) {
	// Nearly every exchange has one attempt, so there is room for it.
	journal := &struct {
		Exchange
		first [1]Attempt
	}{Exchange: Exchange{Effect: r.Effect, Began: c.config.Now()}}
	x := &journal.Exchange
	x.Attempts = journal.first[:0]
	k := &call{client: c, request: r, exchange: x, hostOnly: hostOnly}
	err := k.run(ctx)
	x.Took = c.config.Now().Sub(x.Began)
	x.conclude()
	if err != nil {
		err.Evidence = x.Evidence
		c.log(x, err)
		return nil, x, err
	}
	c.log(x, nil)
	return k.response, x, nil
}

// Close cancels what is under way, waits for it to end, and closes every connection. A Do that comes later
// fails with Closed. Close may be called more than once.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	for k := range c.under {
		k.cancel(errClosed)
	}
	c.mu.Unlock()
	c.cancel(errClosed)
	c.calls.Wait()
	c.transports.close()
}

// begin notes a call; false if the Client is closed. A true must be followed by end.
func (c *Client) begin(k *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.under[k] = struct{}{}
		c.calls.Add(1)
	}
	return !c.closed
}

func (c *Client) end(k *call) {
	c.mu.Lock()
	delete(c.under, k)
	c.mu.Unlock()
	c.calls.Done()
}

func (c *Client) log(x *Exchange, err *Error) {
	logger, reflected := c.config.Logger, err != nil && err.Kind == Reflected
	if !reflected && !logger.IsDebug() {
		return
	}
	line := c.config.Scrubber.Mask(x.String())
	switch {
	case reflected:
		logger.Warn("answer withheld: it holds a secret", "exchange", line)
	case err != nil:
		logger.Debug("exchange", "exchange", line, "error", err.Error())
	default:
		logger.Debug("exchange", "exchange", line)
	}
}

// call is one Do.
type call struct {
	client   *Client
	request  *Request
	exchange *Exchange
	hostOnly bool
	cancel   context.CancelCauseFunc

	target     target
	header     http.Header
	body       []byte
	made       [][]byte // values made of secrets, searched for in the answer
	generation uint64   // of the access token
	transport  *transport
	pause      time.Duration // before the next attempt

	response *Response // of the last attempt
	failure  *failure  // of the last attempt
}

// run does everything but the journal's last line. The error's evidence is set by the caller.
func (c *call) run(ctx context.Context) *Error {
	t, refused := c.client.check(c.request)
	if refused != nil {
		return refused
	}
	c.target = t
	c.exchange.Method, c.exchange.URL = c.request.Method, maskURL(t.url)
	ctx, free := c.bound(ctx)
	defer free()
	if !c.client.begin(c) {
		return &Error{Kind: Closed, Reason: "the client is closed"}
	}
	defer c.client.end(c)

	// The token first: a call that waits for one must not hold a slot that the token request needs.
	c.header, c.body = c.request.httpHeader(), c.request.Body
	if err := c.authorize(ctx); err != nil {
		return err
	}
	if err := c.fillForm(); err != nil {
		return err
	}
	identity, err := c.identity()
	if err != nil {
		return err
	}
	select {
	case c.client.slots <- struct{}{}:
		defer func() { <-c.client.slots }()
	case <-ctx.Done():
		return ended(ctx)
	}
	c.transport = c.client.transports.acquire(identity)
	defer c.client.transports.release(c.transport)
	if c.transport.outdated(c.client.config.Now()) {
		return refuse("identity %q: the certificate is expired or not yet valid", c.request.Identity)
	}
	if f := c.send(ctx); f != nil {
		return &Error{Kind: f.kind, Reason: f.reason}
	}
	c.response.TokenGeneration = c.generation
	return nil
}

// bound gives the call its context, which ends with the caller's, with the time for the call, and with the Client.
func (c *call) bound(ctx context.Context) (context.Context, func()) {
	timeout := c.request.Timeout
	if timeout <= 0 || timeout > c.client.limits.CallTimeout {
		timeout = c.client.limits.CallTimeout
	}
	until := time.Now().Add(timeout)
	ctx, c.cancel = context.WithCancelCause(ctx)
	if sooner, ok := ctx.Deadline(); ok && sooner.Before(until) {
		return ctx, func() { c.cancel(nil) }
	}
	timer := time.AfterFunc(timeout, func() { c.cancel(context.DeadlineExceeded) })
	return bounded{ctx, until}, func() {
		timer.Stop()
		c.cancel(nil)
	}
}

// bounded is a context that is canceled when its time is over. It is one context where context.WithTimeout, which takes
// no cause from others, would need a second one, and every context costs a call some allocations.
type bounded struct {
	context.Context
	until time.Time
}

// Deadline implements context.Context.
func (b bounded) Deadline() (time.Time, bool) { return b.until, true }

// identity returns the TLS identity that the request names; nil for none.
func (c *call) identity() (*vault.Identity, *Error) {
	name := c.request.Identity
	if name == "" {
		return nil, nil
	}
	rules, bound := c.client.identities[name]
	var identity *vault.Identity
	if v := c.client.config.Vault; v != nil && bound {
		identity, _ = v.Identity(name)
	}
	switch {
	case identity == nil:
		return nil, refuse("identity %q: is unknown to this connection, or granted for nothing", name)
	case !covered(rules, c.request.Method, c.target):
		return nil, refuse("identity %q: is not granted for this host, method or path", name)
	case c.target.scheme != "https":
		return nil, refuse("identity %q: needs https", name)
	}
	return identity, nil
}

// once makes one attempt, to the end of the answer's body. What came of it is in the call.
func (c *call) once(ctx context.Context) {
	a := newAttempt(c.client.config.Now)
	traced, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	c.response, c.failure = nil, nil
	resp, err := c.transport.http.RoundTrip(c.httpRequest(httptrace.WithClientTrace(traced, a.trace(cancel))))
	if err != nil {
		c.failure = sendFailure(ctx, a, c.client.limits.HeaderBytes, err)
	} else if c.response, c.failure = c.client.reader.read(ctx, a, resp); c.failure == nil {
		c.withholdAnswer()
	}
	kind := Kind("")
	if c.failure != nil {
		kind = c.failure.kind
	}
	c.exchange.Attempts = append(c.exchange.Attempts, a.end(kind))
}

// httpRequest is the request as net/http sends it. Without GetBody it can't rewind the body, so it doesn't resend; see
// also attempt.
func (c *call) httpRequest(ctx context.Context) *http.Request {
	r := http.Request{
		Method: c.request.Method, URL: c.target.url, Host: c.target.url.Host, Header: c.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if len(c.body) > 0 {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(c.body)), int64(len(c.body))
	}
	return r.WithContext(ctx)
}

// withholdAnswer drops the answer if a secret stands in it.
func (c *call) withholdAnswer() {
	if c.hostOnly {
		return
	}
	head := make([]byte, 0, 512)
	for _, f := range c.response.Header {
		head = append(append(append(append(head, f.Name...), ": "...), f.Value...), '\n')
	}
	for _, part := range [...][]byte{head, c.response.Body} {
		_, found := c.client.config.Scrubber.Contains(part)
		for _, value := range c.made {
			found = found || bytes.Contains(part, value)
		}
		if found {
			c.response = nil
			c.failure = &failure{Reflected, "the answer holds a secret and is withheld"}
			return
		}
	}
}
