package egress_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/host/egress"
)

// The ways in which a provider takes a request on a kept connection and does not answer it.
func breakages() map[string]func(net.Conn) {
	return map[string]func(net.Conn){
		"close":         func(c net.Conn) { _ = c.Close() },
		"reset":         reset,
		"partial, then": func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Le") },
	}
}

// breaking serves one request of each connection, and breaks the first connection at its second request.
func breaking(t *testing.T, secured *tls.Config, end func(net.Conn)) *wire {
	t.Helper()
	return serve(t, secured, func(c net.Conn, s seen) bool {
		if s.conn == 0 && s.onConn == 1 {
			end(c)
			return false
		}
		return say(ok("fine"))(c, s)
	})
}

// TestNoSilentResend is the proof that a request on a kept connection, which the provider closes after it has
// read the request, goes out once. Each case is also run by plain net/http, which resends it: a server, or a
// Go release, with which the hazard is not there would fail the test.
func TestNoSilentResend(t *testing.T) {
	t.Parallel()
	requests := map[string]struct {
		request egress.Request
		resent  bool // by plain net/http, if no byte of an answer came
	}{
		"POST with X-Idempotency-Key": {egress.Request{
			Method: "POST", Header: []egress.Field{{Name: "X-Idempotency-Key", Value: "k-1"}},
			Body: []byte("amount=100"),
		}, true},
		"POST with Idempotency-Key and no body": {egress.Request{
			Method: "POST", Header: []egress.Field{{Name: "Idempotency-Key", Value: "k-1"}},
		}, true},
		"DELETE with Idempotency-Key": {egress.Request{
			Method: "DELETE", Header: []egress.Field{{Name: "Idempotency-Key", Value: "k-1"}},
		}, true},
		"GET that moves money":             {egress.Request{Method: "GET"}, true},
		"OPTIONS that moves money":         {egress.Request{Method: "OPTIONS"}, true},
		"POST without body":                {egress.Request{Method: "POST"}, false},
		"POST with a body":                 {egress.Request{Method: "POST", Body: []byte("a=1")}, false},
		"POST with a key in an odd casing": {egress.Request{Method: "POST", Header: oddKey()}, true},
	}
	for how, end := range breakages() {
		for name, tc := range requests {
			for _, scheme := range []string{"http", "https"} {
				t.Run(how+"/"+name+"/"+scheme, func(t *testing.T) {
					t.Parallel()
					p := newPKI(t)
					var secured *tls.Config
					if scheme == "https" {
						secured = p.server()
					}
					resent := tc.resent && how != "partial, then"

					plain := breaking(t, secured, end)
					sendPlainly(t, plain.URL, p.ca, tc.request)
					if got := len(plain.all("/pay")); got != map[bool]int{false: 1, true: 2}[resent] {
						t.Fatalf("plain net/http sent the request %d times: the control does not hold", got)
					}

					ours := breaking(t, secured, end)
					r := tc.request
					r.URL = ours.URL + "/pay"
					checkSentOnce(t, p, ours, &r, secured != nil)
				})
			}
		}
	}
}

func oddKey() []egress.Field { return []egress.Field{{Name: "x-IDEMPOTENCY-key", Value: "k-1"}} }

// sendPlainly sends a request to warm up the connection, and the request, by plain net/http.
func sendPlainly(t *testing.T, base string, ca *x509.Certificate, r egress.Request) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}

	resp, err := client.Get(base + "/warm")
	must(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	must(t, err)
	_ = resp.Body.Close()

	var body io.Reader
	if r.Body != nil {
		body = strings.NewReader(string(r.Body))
	}
	request, err := http.NewRequestWithContext(t.Context(), r.Method, base+"/pay", body)
	must(t, err)
	for _, f := range r.Header {
		request.Header.Add(f.Name, f.Value)
	}
	if resp, err := client.Do(request); err == nil {
		_ = resp.Body.Close()
	}
}

// checkSentOnce sends the same two requests through a Client.
func checkSentOnce(t *testing.T, p *pki, w *wire, r *egress.Request, secured bool) {
	t.Helper()
	c := open(t, w.URL, trusting(t, p))
	warm := get(w.URL, "/warm")
	if secured {
		r.Identity, warm.Identity = "trust", "trust"
	}
	mustDo(t, c, warm)
	_, x, err := c.Do(t.Context(), r)
	c.Close()
	if got := len(w.all("/pay")); got != 1 {
		t.Errorf("the provider saw the request %d times", got)
	}
	if err == nil || x.Evidence != egress.Unknown {
		t.Fatalf("got %v, evidence %s; want an error and unknown", err, x.Evidence)
	}
	if len(x.Attempts) != 1 {
		t.Fatalf("%d attempts; want 1", len(x.Attempts))
	}
	a := x.Attempts[0]
	if !a.Reused || a.BytesOut == 0 || a.Phase != egress.BytesOut || a.Evidence != egress.Unknown {
		t.Errorf("attempt: %+v", a)
	}
	if a.Failure != egress.Reset && a.Failure != egress.Truncated {
		t.Errorf("failure: %s", a.Failure)
	}
}

// TestIdleConnectionRace has the provider close each connection right after its first answer, so that the
// next request meets a connection that is about to go. Whatever happens, the evidence must agree with what
// the provider saw, and it must never see a request twice.
func TestIdleConnectionRace(t *testing.T) {
	t.Parallel()
	w := serve(t, nil, sayAndClose(ok("fine")))
	c := open(t, w.URL)
	verdicts := map[string]egress.Evidence{}
	for i := range 400 {
		r := pay(w.URL, "/pay/"+strings.Repeat("x", i+1))
		r.Header = []egress.Field{{Name: "Idempotency-Key", Value: "k"}}
		_, x, _ := c.Do(t.Context(), r)
		verdicts["/pay/"+strings.Repeat("x", i+1)] = x.Evidence
	}
	c.Close()
	counts := map[egress.Evidence]int{}
	for path, evidence := range verdicts {
		counts[evidence]++
		switch saw := len(w.all(path)); {
		case saw > 1:
			t.Errorf("request %d: the provider saw it %d times", len(path), saw)
		case evidence == egress.NotSent && saw != 0, evidence == egress.Answered && saw != 1:
			t.Errorf("request %d: %s, but the provider saw it %d times", len(path), evidence, saw)
		}
	}
	if counts[egress.Answered] == 0 {
		t.Error("no request was answered: the race was not run")
	}
	t.Logf("%v", counts)
}

// TestResendIsStoppedEarly: the resend that net/http tries must not break the other kept connections one by
// one.
func TestResendIsStoppedEarly(t *testing.T) {
	t.Parallel()
	const width = 8
	var arrived atomic.Int32
	w := serve(t, nil, func(c net.Conn, s seen) bool {
		if s.path == "/pay" {
			return false
		}
		// Answered together, so that they need as many connections.
		for n := arrived.Add(1); arrived.Load() < (n+width-1)/width*width; {
			runtime.Gosched()
		}
		return say(ok("fine"))(c, s)
	})
	c := open(t, w.URL)
	all := func() {
		var wg sync.WaitGroup
		for range width {
			wg.Go(func() { mustDo(t, c, get(w.URL, "/warm")) })
		}
		wg.Wait()
	}
	all()
	mustFail(t, c, &egress.Request{Method: "POST", URL: w.URL + "/pay", Header: oddKey()}, egress.Reset, egress.Unknown)
	all()
	// Lost: the one that the provider closed, and at most the one on which the resend was stopped.
	if got := w.connections(); got > width+2 {
		t.Errorf("%d connections for %d calls at once", got, width)
	}
}

// TestLeftoverAnswer has the provider send more than it announced. The rest must not pass for the answer to
// the next request, which gets the connection before net/http has noticed: the hooks of a trace hold net/http
// up just there.
func TestLeftoverAnswer(t *testing.T) {
	t.Parallel()
	first, release, dial := make(chan struct{}), make(chan struct{}), make(chan struct{})
	p := newPKI(t)
	w := &wire{secured: p.server()}
	w.onConn = func(number int) {
		if number > 0 {
			<-dial
		}
	}
	w.handle = func(c net.Conn, s seen) bool {
		text := ok("fine")
		if s.path == "/first" {
			close(first)
			<-release
			text += ok("a foreign answer")
		}
		return say(text)(c, s)
	}
	w.start(t)
	c := open(t, w.URL, trusting(t, p))
	handed := make(chan struct{})
	held := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{PutIdleConn: func(error) {
		<-handed
		time.Sleep(20 * time.Millisecond) // until the second request expects its answer; net/http has no hook there
	}})
	taken := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		close(handed)
	}})

	var wg sync.WaitGroup
	wg.Go(func() {
		r := get(w.URL, "/first")
		r.Identity = "trust"
		if resp, _, err := c.Do(held, r); err != nil || string(resp.Body) != "fine" {
			t.Errorf("first: %+v, %v", resp, err)
		}
	})
	<-first
	wg.Go(func() {
		r := pay(w.URL, "/second")
		r.Identity = "trust"
		_, x := mustFailIn(t, taken, c, r, egress.Reset, egress.NotSent)
		if a := x.Attempts[0]; !a.Reused || a.BytesOut != 0 {
			t.Errorf("attempt: %+v", a)
		}
	})
	eventually(t, func() bool { return w.connections() == 2 }) // the second has begun to dial, and waits for either
	close(release)
	wg.Wait()
	close(dial)
	if saw := w.all("/second"); len(saw) != 0 {
		t.Errorf("the provider saw %v", saw)
	}
}
