package egress_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/payhost/payhost/host/egress"
)

// TestNoProxy is not parallel: it sets the environment. It stands before TestClose because net/http asks for
// that only once.
func TestNoProxy(t *testing.T) {
	proxy := serve(t, nil, say(ok("from the proxy")))
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	t.Setenv("NO_PROXY", "")
	w := serve(t, nil, say(ok("fine")))
	// Only for names does net/http ask the environment: it never proxies 127.0.0.1.
	base, edit := named(t, w, "pay.example", resolver(t, netip.MustParseAddr("127.0.0.1")))
	c := open(t, base, edit)
	if got := string(mustDo(t, c, pay(base, "/pay")).Body); got != "fine" || proxy.connections() != 0 {
		t.Errorf("answer %q, %d connections to the proxy", got, proxy.connections())
	}
}

// TestClose is not parallel: it looks at all goroutines.
func TestClose(t *testing.T) {
	before := goleak.IgnoreCurrent()
	p := newPKI(t)
	w := serve(t, p.server(), func(c net.Conn, s seen) bool {
		if s.path == "/slow" {
			_, _ = io.Copy(io.Discard, c)
			return false
		}
		return say(ok("fine"))(c, s)
	})
	dialing := &wire{secured: p.server(), handle: say(ok("fine"))}
	dialing.onConn = func(int) { <-dialing.stopped }
	dialing.start(t)
	c := open(t, w.URL, trusting(t, p), func(c *egress.Config) {
		c.Allow = append(c.Allow, origin(t, dialing.URL))
		c.IdentityBindings["trust"] = c.Allow
	})
	request := func(url string) *egress.Request {
		return &egress.Request{Method: "POST", URL: url, Identity: "trust"}
	}
	for range 3 {
		mustDo(t, c, request(w.URL+"/")) // leaves an idle connection
	}
	var wg sync.WaitGroup
	wg.Go(func() { mustFail(t, c, request(w.URL+"/slow"), egress.Closed, egress.Unknown) })
	wg.Go(func() { mustFail(t, c, request(dialing.URL+"/"), egress.Closed, egress.NotSent) })
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() { // gives up, and leaves its dial behind
		mustFailIn(t, ctx, c, request(dialing.URL+"/"), egress.Canceled, egress.NotSent)
	})
	eventually(t, func() bool { return len(w.all("/slow")) == 1 && dialing.connections() == 2 })
	cancel()

	var closing sync.WaitGroup
	for range 3 {
		closing.Go(c.Close)
	}
	closing.Wait()
	wg.Wait()
	mustFail(t, c, request(w.URL+"/"), egress.Closed, egress.NotSent)
	if got := len(w.all("/")); got != 3 {
		t.Errorf("%d requests; none may come after Close", got)
	}
	w.stop()
	dialing.stop()
	goleak.VerifyNone(t, before)
}

// TestConcurrency: no more requests than the limit are on the wire, and a call that waits obeys its context.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	const limit = 3
	var now, most atomic.Int32
	release := make(chan struct{})
	w := serve(t, nil, func(c net.Conn, s seen) bool {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-release
		now.Add(-1)
		return say(ok("fine"))(c, s)
	})
	c := open(t, w.URL, func(c *egress.Config) { c.Limits.Concurrent = limit })
	var wg sync.WaitGroup
	for range 10 * limit {
		wg.Go(func() { mustDo(t, c, pay(w.URL, "/pay")) })
	}
	eventually(t, func() bool { return now.Load() == limit })
	r := pay(w.URL, "/late")
	r.Timeout = 30 * time.Millisecond
	_, x := mustFail(t, c, r, egress.Timeout, egress.NotSent)
	if len(x.Attempts) != 0 {
		t.Errorf("attempts: %+v", x.Attempts)
	}
	close(release)
	wg.Wait()
	if most.Load() != limit || w.connections() != limit {
		t.Errorf("%d at once over %d connections; want %d", most.Load(), w.connections(), limit)
	}
}

// TestConnectionsAreKept: after 64 calls at once, the next 64 need no new connection.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const width = 64
	var round sync.WaitGroup
	var arrived atomic.Int32
	release := make(chan chan struct{}, 1)
	gate := make(chan struct{})
	release <- gate
	w := serve(t, nil, func(c net.Conn, s seen) bool {
		g := <-release
		release <- g
		arrived.Add(1)
		<-g
		return say(ok("fine"))(c, s)
	})
	c := open(t, w.URL)
	for n := 1; n <= 3; n++ {
		for range width {
			round.Go(func() { mustDo(t, c, pay(w.URL, "/pay")) })
		}
		eventually(t, func() bool { return arrived.Load() == int32(n*width) })
		old := <-release
		release <- make(chan struct{})
		close(old)
		round.Wait()
	}
	if got := w.connections(); got != width {
		t.Errorf("%d connections; want %d", got, width)
	}
	last := <-release
	close(last)
	release <- last
}

func TestLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := serve(t, nil, func(c net.Conn, s seen) bool {
		if s.path == "/echo" {
			return say(ok(s.header.Get("Authorization")))(c, s)
		}
		return say(ok("fine"))(c, s)
	})
	c := open(t, w.URL, holding(t, testVault()), func(c *egress.Config) {
		c.Logger = hclog.New(&hclog.LoggerOptions{Output: &out, Level: hclog.Debug})
	})
	for _, path := range []string{"/pay?order=777-secret&flag&a=b", "/echo"} {
		r := pay(w.URL, path)
		r.Auth = &egress.Auth{Kind: egress.Bearer, Secret: "token"}
		_, _, _ = c.Do(t.Context(), r)
	}
	text := out.String()
	for _, want := range []string{"/pay?order=…&…&a=…", "200 answered", "[WARN]", "answer withheld"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q:\n%s", want, text)
		}
	}
	for _, secret := range []string{"777", testToken, "amount"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q:\n%s", secret, text)
		}
	}
}

// TestJournal looks at one attempt in full.
func TestJournal(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	w := serve(t, p.server(), say(ok("fine")))
	c := open(t, w.URL, trusting(t, p))
	for i := range 2 {
		r := pay(w.URL, "/pay?id=5")
		r.Identity = "trust"
		_, x, err := c.Do(t.Context(), r)
		must(t, err)
		a := x.Attempts[0]
		if a.Phase != egress.Done || a.Evidence != egress.Answered || a.Failure != "" || a.Status != 200 {
			t.Errorf("attempt: %+v", a)
		}
		if a.Reused != (i == 1) || a.Remote.String() != strings.TrimPrefix(w.URL, "https://") {
			t.Errorf("connection: %+v", a)
		}
		// Above TLS: the exact bytes of HTTP.
		if a.BytesIn != int64(len(ok("fine"))) || a.BytesOut < 100 || a.BytesOut > 300 {
			t.Errorf("bytes: %d out, %d in", a.BytesOut, a.BytesIn)
		}
		if a.Connected <= 0 || a.FirstOut < a.Connected || a.HeadRead < a.FirstOut || a.Ended < a.HeadRead {
			t.Errorf("times: %+v", a)
		}
		if x.Method != "POST" || x.URL != w.URL+"/pay?id=…" || x.Took <= 0 || x.Effect != egress.Money {
			t.Errorf("exchange: %+v", x)
		}
	}
}
