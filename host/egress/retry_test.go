package egress_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/host/egress"
)

// script answers the n-th request with the n-th text, and the last text from then on. An empty text closes
// the connection.
func script(answers ...string) func(net.Conn, seen) bool {
	next := make(chan int, 1)
	next <- 0
	return func(c net.Conn, _ seen) bool {
		i := <-next
		next <- min(i+1, len(answers)-1)
		_, _ = io.WriteString(c, answers[i])
		return answers[i] != ""
	}
}

func keyed(base string) *egress.Request {
	r := pay(base, "/pay")
	r.Retry, r.Key = egress.SameKey, "key-1"
	r.Header = []egress.Field{{Name: "Idempotency-Key", Value: "key-1"}}
	return r
}

func reading(base string) *egress.Request {
	r := get(base, "/status")
	r.Retry = egress.RepeatRead
	return r
}

// TestRepeats: which request is sent again after what, and what the evidence is in the end.
func TestRepeats(t *testing.T) {
	t.Parallel()
	lost := ""
	cases := []struct {
		name     string
		request  func(string) *egress.Request
		answers  []string
		sends    int
		status   int // of the answer; 0 for an error
		evidence egress.Evidence
	}{
		{"never, 503", never, []string{answer(503, ""), ok("fine")}, 1, 503, egress.Answered},
		{"never, 429", never, []string{answer(429, ""), ok("fine")}, 1, 429, egress.Answered},
		{"never, lost", never, []string{lost, ok("fine")}, 1, 0, egress.Unknown},
		{"never, lost, with a key", neverKeyed, []string{lost, ok("fine")}, 1, 0, egress.Unknown},

		{"read, 200", reading, []string{ok("fine")}, 1, 200, egress.Answered},
		{"read, lost", reading, []string{lost, lost, ok("fine")}, 3, 200, egress.Answered},
		{"read, 429", reading, []string{answer(429, ""), ok("fine")}, 2, 200, egress.Answered},
		{"read, 502", reading, []string{answer(502, ""), ok("fine")}, 2, 200, egress.Answered},
		{"read, 503", reading, []string{answer(503, ""), ok("fine")}, 2, 200, egress.Answered},
		{"read, 504", reading, []string{answer(504, ""), ok("fine")}, 2, 200, egress.Answered},
		{"read, 500", reading, []string{answer(500, ""), ok("fine")}, 1, 500, egress.Answered},
		{"read, 404", reading, []string{answer(404, ""), ok("fine")}, 1, 404, egress.Answered},
		{"read, 503 for long", reading, []string{answer(503, "busy")}, 3, 503, egress.Answered},
		{"read, lost for long", reading, []string{lost}, 3, 0, egress.Unknown},
		{"read, cut", reading, []string{answerOf(9, "fine"), ok("fine")}, 1, 0, egress.Unknown},

		{"keyed, lost", keyed, []string{lost, ok("fine")}, 2, 200, egress.Answered},
		{"keyed, 500", keyed, []string{answer(500, ""), ok("fine")}, 2, 200, egress.Answered},
		{"keyed, 400", keyed, []string{answer(400, ""), ok("fine")}, 1, 400, egress.Answered},
		{"keyed, 429", keyed, []string{answer(429, ""), ok("fine")}, 1, 429, egress.Answered},
		{"keyed, lost for long", keyed, []string{lost}, 2, 0, egress.Unknown},
		{"keyed, 500 for long", keyed, []string{answer(500, "oops")}, 2, 500, egress.Unknown},
		// The repeat is answered, but the answer does not tell what became of the first send.
		{"keyed, lost, then 429", keyed, []string{lost, answer(429, "")}, 2, 429, egress.Unknown},
		{"keyed, lost, then 401", keyed, []string{lost, answer(401, "")}, 2, 401, egress.Unknown},
		{"keyed, lost, then 409", keyed, []string{lost, answer(409, "")}, 2, 409, egress.Unknown},
		{"keyed, 500, then 400", keyed, []string{answer(500, ""), answer(400, "")}, 2, 400, egress.Unknown},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := serve(t, nil, script(tc.answers...))
			c := open(t, w.URL, func(c *egress.Config) {
				if tc.name == "read, cut" {
					c.Limits.CallTimeout = 200 * time.Millisecond // the rest of the body never comes
				}
			})
			resp, x, err := c.Do(t.Context(), tc.request(w.URL))
			status := 0
			if err == nil {
				status = resp.Status
			}
			saw := w.all("")
			if len(saw) != tc.sends || len(x.Attempts) != tc.sends {
				t.Errorf("sent %d times, %d attempts; want %d", len(saw), len(x.Attempts), tc.sends)
			}
			if status != tc.status || x.Status != tc.status || x.Evidence != tc.evidence {
				t.Errorf("status %d, %v; want %d, %s", status, x, tc.status, tc.evidence)
			}
			for _, s := range saw[1:] {
				a, b := saw[0], s
				a.conn, a.onConn, b.conn, b.onConn = 0, 0, 0, 0
				if diff := cmp.Diff(a, b, cmp.AllowUnexported(seen{})); diff != "" {
					t.Errorf("the repeat differs: %s", diff)
				}
			}
		})
	}
}

func never(base string) *egress.Request { return pay(base, "/pay") }

func neverKeyed(base string) *egress.Request {
	r := keyed(base)
	r.Retry = egress.Never
	return r
}

// TestLastAnswerSurvives: the body and head of the last answer reach the caller when the repeats are used up.
func TestLastAnswerSurvives(t *testing.T) {
	t.Parallel()
	w := serve(t, nil, say(answer(503, `{"error":"busy"}`, "X-Trace: 7")))
	c := open(t, w.URL)
	resp := mustDo(t, c, reading(w.URL))
	if string(resp.Body) != `{"error":"busy"}` || resp.Get("x-trace") != "7" {
		t.Errorf("answer: %+v", resp)
	}
}

func TestNotSentThenUnknownStaysUnknown(t *testing.T) {
	t.Parallel()
	w := serve(t, nil, func(net.Conn, seen) bool { return false })
	stopped := make(chan struct{})
	w.handle = func(net.Conn, seen) bool {
		_ = w.listener.Close() // the next dial is refused
		close(stopped)
		return false
	}
	c := open(t, w.URL)
	_, x := mustFail(t, c, keyed(w.URL), egress.Connect, egress.Unknown)
	<-stopped
	if len(x.Attempts) != 2 || x.Attempts[0].Evidence != egress.Unknown || x.Attempts[1].Evidence != egress.NotSent {
		t.Errorf("attempts: %+v", x.Attempts)
	}
}

func TestConnectFailures(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	base := "http://" + listener.Addr().String()
	must(t, listener.Close())
	c := open(t, base)
	for attempts, r := range map[int]*egress.Request{1: never(base), 2: keyed(base), 3: reading(base)} {
		_, x := mustFail(t, c, r, egress.Connect, egress.NotSent)
		if len(x.Attempts) != attempts {
			t.Errorf("%d attempts; want %d", len(x.Attempts), attempts)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	start := time.Now()
	date := start.Add(500 * time.Millisecond)
	for name, tc := range map[string]struct {
		header  string
		sends   int
		atLeast time.Duration
	}{
		"fits":             {"1", 2, time.Second},
		"a date":           {date.UTC().Add(time.Second).Format(http.TimeFormat), 2, 0},
		"a date gone by":   {start.Add(-time.Hour).UTC().Format(http.TimeFormat), 2, 0},
		"does not fit":     {"30", 1, 0},
		"never":            {"99999999999999999999", 2, 0}, // not a number that the header may have: as if it were not there
		"long":             {"2147483647", 1, 0},
		"not a number":     {"soon", 2, 0},
		"negative":         {"-5", 2, 0},
		"date far ahead":   {start.Add(24 * time.Hour).UTC().Format(http.TimeFormat), 1, 0},
		"zero":             {"0", 2, 0},
		"several":          {"0\r\nRetry-After: 30", 2, 0},
		"empty":            {"", 2, 0},
		"date without GMT": {"tomorrow, 10:00", 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(t, nil, script(answer(429, "wait", "Retry-After: "+tc.header), ok("fine")))
			c := open(t, w.URL)
			began := time.Now()
			resp, x, err := c.Do(t.Context(), reading(w.URL))
			must(t, err)
			if took := time.Since(began); len(x.Attempts) != tc.sends || took < tc.atLeast || took > 4*time.Second {
				t.Errorf("%d attempts in %s; want %d in at least %s",
					len(x.Attempts), time.Since(began), tc.sends, tc.atLeast)
			}
			if want := map[int]int{1: 429, 2: 200}[tc.sends]; resp.Status != want {
				t.Errorf("status %d; want %d", resp.Status, want)
			}
		})
	}
}

// TestCancelWhileWaiting: the last answer is what the caller gets, and nothing more is sent.
func TestCancelWhileWaiting(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	w := serve(t, nil, say(answer(503, "busy", "Retry-After: 3")))
	c := open(t, w.URL)
	go func() {
		eventually(t, func() bool { return len(w.all("")) == 1 })
		time.AfterFunc(50*time.Millisecond, cancel)
	}()
	began := time.Now()
	resp, x, err := c.Do(ctx, reading(w.URL))
	if err == nil && resp.Status != 503 || err != nil && x.Evidence == egress.NotSent {
		t.Errorf("got %+v, %v", resp, err)
	}
	if len(w.all("")) != 1 || time.Since(began) > 2*time.Second {
		t.Errorf("sent %d times in %s", len(w.all("")), time.Since(began))
	}
}

func ExampleExchange_String() {
	x := egress.Exchange{
		Method: "POST", URL: "https://pay.example/v1?id=…", Evidence: egress.Answered, Status: 200,
		Attempts: []egress.Attempt{{Phase: egress.Done, BytesOut: 612, BytesIn: 230, Status: 200}},
		Took:     41 * time.Millisecond,
	}
	fmt.Println(&x)
	// Output: POST https://pay.example/v1?id=… -> 200 answered in 41ms (1 attempt, 612 bytes out, 230 in)
}
