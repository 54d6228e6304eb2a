package wire_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/wire"
)

// far is a provider that notes what it is asked, and a client behind a wire.
type far struct {
	wire   *wire.Wire
	client *http.Client
	url    string

	mu   sync.Mutex
	seen []string
}

func newFar(t *testing.T, answer string) *far {
	t.Helper()
	f := &far{wire: &wire.Wire{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		f.seen = append(f.seen, r.URL.Path+" "+string(body))
		f.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(f.wire.Close)
	f.url = server.URL
	f.client = &http.Client{Timeout: 500 * time.Millisecond, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return f.wire.Dial(ctx, address, func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, address)
			})
		},
	}}
	return f
}

// ask posts once, and returns the status and the body, or 0 and why there is none.
func (f *far) ask(path string) (int, string) {
	r, _ := http.NewRequest(http.MethodPost, f.url+path, struct{ io.Reader }{strings.NewReader("n=" + path[1:])})
	response, err := f.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

func (f *far) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

// TestFaults lets each fault happen to the second of three requests.
func TestFaults(t *testing.T) {
	t.Parallel()
	const answer = `{"id":"ord_1","amount":12.30,"paid":true,"none":null}`
	tests := map[string]struct {
		fault  wire.Fault
		status int    // of the second request; 0 for no answer
		body   string // part of its answer
		seen   string // what the provider saw
	}{
		"refuse":      {wire.Fault{Kind: wire.Refuse}, 0, "", "/1 /3"},
		"cut before":  {wire.Fault{Kind: wire.CutBefore}, 0, "", "/1 /3"},
		"cut after":   {wire.Fault{Kind: wire.CutAfter}, 0, "", "/1 /2 /3"},
		"cut within":  {wire.Fault{Kind: wire.CutWithin}, 0, "EOF", "/1 /2 /3"},
		"slow":        {wire.Fault{Kind: wire.Slow}, 0, "", "/1 /2 /3"},
		"late":        {wire.Fault{Kind: wire.Late}, 0, "", "/1 /3 /2"},
		"twice":       {wire.Fault{Kind: wire.Twice}, 200, answer, "/1 /2 /2 /3"},
		"429":         {wire.Fault{Kind: wire.TooManyWait}, 429, "", "/1 /3"},
		"500":         {wire.Fault{Kind: wire.ServerError}, 500, "", "/1 /3"},
		"500 after":   {wire.Fault{Kind: wire.ServerError, After: true}, 500, "", "/1 /2 /3"},
		"html":        {wire.Fault{Kind: wire.HTML}, 200, "<html>", "/1 /3"},
		"empty":       {wire.Fault{Kind: wire.Empty, After: true}, 200, "", "/1 /2 /3"},
		"half":        {wire.Fault{Kind: wire.Half}, 200, answer[:10], "/1 /2 /3"},
		"bom":         {wire.Fault{Kind: wire.BOM}, 200, "\ufeff{", "/1 /2 /3"},
		"wrong types": {wire.Fault{Kind: wire.WrongTypes}, 200, `"amount":{"value":12.30}`, "/1 /2 /3"},
		"as text":     {wire.Fault{Kind: wire.NumbersText}, 200, `"amount":"12.30"`, "/1 /2 /3"},
		"nulls":       {wire.Fault{Kind: wire.Nulls}, 200, `"id":null`, "/1 /2 /3"},
		"more":        {wire.Fault{Kind: wire.MoreFields}, 200, `"x_note"`, "/1 /2 /3"},
		"word":        {wire.Fault{Kind: wire.UnknownWord, Words: []string{"ord_1"}}, 200, `"id":"ord_2"`, "/1 /2 /3"},
		"amount":      {wire.Fault{Kind: wire.OtherAmount, Words: []string{"12.30"}}, 200, `"amount":112.30`, "/1 /2 /3"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFar(t, answer)
			tt.fault.At = 2
			f.wire.Arm(tt.fault)
			if status, body := f.ask("/1"); status != 200 || body != answer {
				t.Errorf("the first: %d %q", status, body)
			}
			if status, body := f.ask("/2"); status != tt.status || !strings.Contains(body, tt.body) {
				t.Errorf("the second: %d %q", status, body)
			}
			if status, body := f.ask("/3"); status != 200 || body != answer {
				t.Errorf("the third: %d %q", status, body)
			}
			f.wire.Disarm()
			var paths []string
			for _, line := range f.asked() {
				path, body, _ := strings.Cut(line, " ")
				paths = append(paths, path)
				if body != "n="+path[1:] {
					t.Errorf("%s came with %q", path, body)
				}
			}
			if got := strings.Join(paths, " "); got != tt.seen {
				t.Errorf("the provider saw %s, want %s", got, tt.seen)
			}
			if f.wire.Number() != 3 || f.wire.Hits() != 1 {
				t.Errorf("%d requests, %d hits", f.wire.Number(), f.wire.Hits())
			}
		})
	}
}

// TestAgain hits repeats of a request and nothing else.
func TestAgain(t *testing.T) {
	t.Parallel()
	f := newFar(t, "{}")
	f.wire.Arm(wire.Fault{Kind: wire.ServerError, At: 1, Again: 2})
	var got []int
	for _, path := range []string{"/a", "/a", "/b", "/a"} {
		status, _ := f.ask(path)
		got = append(got, status)
	}
	if !slices.Equal(got, []int{500, 500, 200, 200}) {
		t.Errorf("%v: the second /a is a repeat, and behind /b it is another", got)
	}
}

// TestSite counts at one site, however often others are asked.
func TestSite(t *testing.T) {
	t.Parallel()
	f := newFar(t, "{}")
	var step atomic.Value
	f.wire.Step = func() string { return step.Load().(string) }
	f.wire.Arm(wire.Fault{Kind: wire.ServerError, At: 1})
	f.wire.Arm(wire.Fault{
		Kind: wire.Unavailable, At: 2, Again: 1, Site: &wire.Site{Method: http.MethodPost, Path: "/*/a", Step: "refund"},
	})
	var got []int
	for _, ask := range []string{"refund /1/a", "pay /2/a", "refund /b", "refund /3/a", "refund /3/a", "refund /3/a"} {
		at, path, _ := strings.Cut(ask, " ")
		step.Store(at)
		status, _ := f.ask(path)
		got = append(got, status)
	}
	if !slices.Equal(got, []int{500, 200, 200, 503, 503, 200}) {
		t.Errorf("%v: the second /a of the refund and its repeat are to be hit, also if another fault hit the first", got)
	}
}

// TestFor ends a fault that follows another by the wire's clock.
func TestFor(t *testing.T) {
	t.Parallel()
	f := newFar(t, "{}")
	var passed atomic.Int64
	f.wire.Now = func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(passed.Load())) }
	f.wire.Arm(wire.Fault{Kind: wire.ServerError, At: 1, Then: &wire.Fault{Kind: wire.Unavailable, For: time.Hour}})
	var got []int
	for _, wait := range []time.Duration{0, 0, 59 * time.Minute, 2 * time.Minute} {
		passed.Add(int64(wait))
		status, _ := f.ask("/a")
		got = append(got, status)
	}
	if !slices.Equal(got, []int{500, 503, 503, 200}) {
		t.Errorf("%v", got)
	}
}

// TestKill calls for the end of the process, and cuts its connections.
func TestKill(t *testing.T) {
	t.Parallel()
	for kind, want := range map[wire.Kind]int{wire.KillBefore: 0, wire.KillAfter: 1} {
		f := newFar(t, "{}")
		killed := 0
		f.wire.Kill = func() { killed++; f.wire.Down() }
		f.wire.Arm(wire.Fault{Kind: kind, At: 1})
		if status, _ := f.ask("/a"); status != 0 || killed != 1 || len(f.asked()) != want {
			t.Errorf("%s: status %d, killed %d times, the provider saw %v", kind, status, killed, f.asked())
		}
		if status, _ := f.ask("/b"); status != 0 {
			t.Errorf("%s: a dead process was answered", kind)
		}
		f.wire.Up()
		if status, _ := f.ask("/c"); status != 200 {
			t.Errorf("%s: the next process is not answered", kind)
		}
	}
}

// TestHuge ends when the host hangs up.
func TestHuge(t *testing.T) {
	t.Parallel()
	f := newFar(t, "{}")
	f.wire.Arm(wire.Fault{Kind: wire.Huge, At: 1})
	conn, err := f.wire.Dial(t.Context(), "", func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(f.url, "http://"))
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(conn, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n") }()
	n, err := io.CopyN(io.Discard, bufio.NewReader(conn), 9<<20)
	if err != nil || n != 9<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
	_ = conn.Close()
	done := make(chan struct{})
	go func() { f.wire.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("the wire does not end")
	}
}

// TestDialFails passes an error of the real connection on.
func TestDialFails(t *testing.T) {
	t.Parallel()
	var w wire.Wire
	defer w.Close()
	want := errors.New("no route")
	if _, err := w.Dial(t.Context(), "", func(context.Context) (net.Conn, error) { return nil, want }); !errors.Is(err, want) {
		t.Error(err)
	}
}
