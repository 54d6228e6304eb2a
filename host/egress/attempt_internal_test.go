package egress

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestGateAlone sends a request that net/http may resend in every way, body and all, and has the provider
// close the kept connection. Only the gate is left to stop it.
func TestGateAlone(t *testing.T) {
	t.Parallel()
	var saw atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/warm" {
			return
		}
		saw.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
	}))
	defer server.Close()
	ts := newTransports(t.Context(), Config{AllowPrivate: true}.withDefaults())
	defer ts.close()
	transport := ts.acquire(nil)
	defer ts.release(transport)

	send := func(path string) (Attempt, error) {
		a := newAttempt(time.Now)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		r, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, a.trace(cancel)), "POST", server.URL+path,
			strings.NewReader("amount=100"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Idempotency-Key", "k-1")
		resp, err := transport.http.RoundTrip(r)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		return a.end(""), err
	}
	if _, err := send("/warm"); err != nil {
		t.Fatal(err)
	}
	record, err := send("/pay")
	if err == nil || saw.Load() != 1 || !record.Reused || record.Evidence != Unknown {
		t.Errorf("%v; the provider saw it %d times; %+v", err, saw.Load(), record)
	}
}

// pipe is a connection whose other end the test holds.
func pipe(t *testing.T) (*conn, net.Conn) {
	t.Helper()
	here, there := net.Pipe()
	c := newConn(here, func(*conn) {})
	t.Cleanup(func() { _, _ = c.Close(), there.Close() })
	return c, there
}

// park has a reader wait on the connection, as net/http does.
func park(t *testing.T, c *conn) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = c.Read(make([]byte, 100))
	}()
	t.Cleanup(func() { <-done })
	t.Cleanup(func() { _ = c.Close() })
}

func TestConnWritesForItsAttemptAlone(t *testing.T) {
	t.Parallel()
	first, there := pipe(t)
	second, elsewhere := pipe(t)
	go func() { _, _ = io.Copy(io.Discard, there) }()
	go func() {
		if n, _ := io.Copy(io.Discard, elsewhere); n != 0 {
			t.Errorf("%d bytes left by the second connection", n)
		}
	}()
	park(t, first)
	park(t, second)
	if _, err := first.Write([]byte("x")); !errors.Is(err, errUnbound) {
		t.Errorf("unbound: %v", err)
	}

	a := newAttempt(time.Now)
	a.bind(first, false)
	if n, err := first.Write([]byte("GET")); n != 3 || err != nil {
		t.Fatalf("bound: %d, %v", n, err)
	}
	a.bind(second, true)
	if _, err := second.Write([]byte("GET")); !errors.Is(err, errResend) {
		t.Errorf("second connection: %v", err)
	}
	record := a.end(Reset)
	if record.BytesOut != 3 || record.Evidence != Unknown || record.Failure != Reset {
		t.Errorf("record: %+v", record)
	}
	if _, err := first.Write([]byte("GET")); err == nil {
		t.Error("written after the end")
	}
}

// TestFirstWriteWaitsForTheReader: until net/http's reader has come back with nothing in its buffer, nothing
// leaves.
func TestFirstWriteWaitsForTheReader(t *testing.T) {
	t.Parallel()
	c, there := pipe(t)
	a := newAttempt(time.Now)
	a.bind(c, true)
	arrived := make(chan string, 1)
	go func() {
		buf := make([]byte, 3)
		_, _ = io.ReadFull(there, buf)
		arrived <- string(buf)
	}()
	wrote := make(chan error, 1)
	go func() {
		_, err := c.Write([]byte("GET"))
		wrote <- err
	}()
	select {
	case text := <-arrived:
		t.Fatalf("%q left", text)
	case <-time.After(20 * time.Millisecond): // that nothing happens takes time to see
	}
	park(t, c)
	if err := <-wrote; err != nil || <-arrived != "GET" {
		t.Errorf("write: %v", err)
	}
}

// TestNothingLeavesAfterTheVerdict: an attempt that ended as not sent stays so.
func TestNothingLeavesAfterTheVerdict(t *testing.T) {
	t.Parallel()
	c, there := pipe(t)
	go func() {
		if n, _ := io.Copy(io.Discard, there); n != 0 {
			t.Errorf("%d bytes left", n)
		}
	}()
	a := newAttempt(time.Now)
	a.bind(c, true)
	wrote := make(chan error, 1)
	go func() { // waits: no reader is parked
		_, err := c.Write([]byte("GET"))
		wrote <- err
	}()
	if record := a.end(Timeout); record.Evidence != NotSent {
		t.Errorf("record: %+v", record)
	}
	if err := <-wrote; !errors.Is(err, errSettled) {
		t.Errorf("write: %v", err)
	}
}

// TestFailedWriteCounts: a write that fails at once was tried all the same.
func TestFailedWriteCounts(t *testing.T) {
	t.Parallel()
	c := newConn(failing{closed: make(chan struct{})}, func(*conn) {})
	park(t, c)
	a := newAttempt(time.Now)
	a.bind(c, false)
	_, err := c.Write([]byte("GET"))
	if record := a.end(Reset); err == nil || record.BytesOut != 0 || record.Evidence != Unknown {
		t.Errorf("%v, record %+v", err, record)
	}
}

// failing is a connection on which every write fails, and every read waits for Close.
type failing struct {
	net.Conn
	closed chan struct{}
}

func (f failing) Read([]byte) (int, error)  { <-f.closed; return 0, io.EOF }
func (f failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
func (f failing) Close() error              { close(f.closed); return nil }
func (f failing) RemoteAddr() net.Addr      { return &net.TCPAddr{} }

// TestClosedBeforeTheWrite: the reader saw the end of a kept connection before the request was let out.
func TestClosedBeforeTheWrite(t *testing.T) {
	t.Parallel()
	c, there := pipe(t)
	park(t, c)
	a := newAttempt(time.Now)
	a.bind(c, true)
	_ = there.Close()
	for {
		c.mu.Lock()
		ended := c.ended
		c.mu.Unlock()
		if ended {
			break
		}
		time.Sleep(time.Millisecond)
	}
	_, err := c.Write([]byte("GET"))
	if record := a.end(Reset); !errors.Is(err, net.ErrClosed) || record.Evidence != NotSent {
		t.Errorf("%v, record %+v", err, record)
	}
}

// TestUnsolicitedBytes: what arrives between two requests belongs to neither.
func TestUnsolicitedBytes(t *testing.T) {
	t.Parallel()
	c, there := pipe(t)
	read := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 100))
		read <- err
	}()
	a := newAttempt(time.Now)
	a.bind(c, true)
	if _, err := io.WriteString(there, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-read; !errors.Is(err, errUnbound) {
		t.Errorf("read: %v", err)
	}
	if record := a.end(Reset); record.BytesIn != 0 || record.Evidence != NotSent {
		t.Errorf("record: %+v", record)
	}
}

// TestAnswerBeforeRequest: net/http begins to parse an answer, from its buffer, before the request was let
// out.
func TestAnswerBeforeRequest(t *testing.T) {
	t.Parallel()
	c, _ := pipe(t)
	a := newAttempt(time.Now)
	a.bind(c, true)
	a.firstByte()
	if _, err := c.Write([]byte("GET")); !errors.Is(err, errDesync) {
		t.Errorf("write: %v", err)
	}
}

func TestVerdictOfAttempts(t *testing.T) {
	t.Parallel()
	unknown, notSent := Attempt{Evidence: Unknown}, Attempt{Evidence: NotSent}
	answered := func(status int) Attempt { return Attempt{Evidence: Answered, Status: status} }
	for name, tc := range map[string]struct {
		effect   Effect
		attempts []Attempt
		want     Evidence
		status   int
	}{
		"none":                   {Money, nil, NotSent, 0},
		"not sent":               {Money, []Attempt{notSent}, NotSent, 0},
		"unknown":                {Money, []Attempt{unknown}, Unknown, 0},
		"answered":               {Money, []Attempt{answered(200)}, Answered, 200},
		"refused":                {Money, []Attempt{answered(400)}, Answered, 400},
		"oops":                   {Money, []Attempt{answered(500)}, Answered, 500},
		"not sent twice":         {Money, []Attempt{notSent, notSent}, NotSent, 0},
		"not sent, answered":     {Money, []Attempt{notSent, answered(402)}, Answered, 402},
		"unknown, not sent":      {Money, []Attempt{unknown, notSent}, Unknown, 0},
		"unknown, answered":      {Money, []Attempt{unknown, answered(201)}, Answered, 201},
		"unknown, refused":       {Money, []Attempt{unknown, answered(402)}, Unknown, 402},
		"unknown, limited":       {Money, []Attempt{unknown, answered(429)}, Unknown, 429},
		"oops, not sent":         {Money, []Attempt{answered(500), notSent}, Unknown, 0},
		"oops, limited":          {Money, []Attempt{answered(502), answered(429)}, Unknown, 429},
		"oops, answered":         {Money, []Attempt{answered(500), answered(200)}, Answered, 200},
		"unknown first of three": {Money, []Attempt{unknown, notSent, answered(404)}, Unknown, 404},
		"read: unknown, limited": {Read, []Attempt{unknown, answered(429)}, Answered, 429},
		"read: oops, not sent":   {Read, []Attempt{answered(503), notSent}, Unknown, 0},
	} {
		x := Exchange{Effect: tc.effect, Attempts: tc.attempts}
		x.conclude()
		if x.Evidence != tc.want || x.Status != tc.status {
			t.Errorf("%s: %s, %d; want %s, %d", name, x.Evidence, x.Status, tc.want, tc.status)
		}
	}
}
