package egress_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/host/egress"
)

func zipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	must(t, err)
	must(t, w.Close())
	return b.String()
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	body := zipped(t, "fine")
	cases := map[string]struct {
		answer string
		method string
		want   egress.Response
	}{
		"headers": {
			answer: answer(201, "fine", "X-B: 2", "X-A: 1", "X-B: 1", "Set-Cookie: a=b"),
			want: egress.Response{Status: 201, Body: []byte("fine"), Header: []egress.Field{
				{"Set-Cookie", "a=b"}, {"X-A", "1"}, {"X-B", "2"}, {"X-B", "1"},
			}},
		},
		"redirect is not followed": {
			answer: answer(302, "moved", "Location: http://169.254.169.254/"),
			want: egress.Response{Status: 302, Body: []byte("moved"), Header: []egress.Field{
				{"Location", "http://169.254.169.254/"},
			}},
		},
		"redirect to nowhere": {
			answer: answer(307, "", "Location: http://[::%/"),
			want:   egress.Response{Status: 307, Header: []egress.Field{{"Location", "http://[::%/"}}},
		},
		"error status":  {answer: answer(500, "oops"), want: egress.Response{Status: 500, Body: []byte("oops")}},
		"no content":    {answer: "HTTP/1.1 204 No Content\r\n\r\n", want: egress.Response{Status: 204}},
		"interim first": {answer: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok("fine"), want: fine()},
		"unasked 100":   {answer: "HTTP/1.1 100 Continue\r\n\r\n" + ok("fine"), want: fine()},
		"gzip":          {answer: answer(200, body, "Content-Encoding: gzip"), want: fine()},
		"x-gzip":        {answer: answer(200, body, "Content-Encoding: X-GZip"), want: fine()},
		"identity":      {answer: answer(200, "fine", "Content-Encoding: identity"), want: fine()},
		"gzip of two members": {
			answer: answer(200, zipped(t, "fi")+zipped(t, "ne"), "Content-Encoding: gzip"), want: fine(),
		},
		"chunked": {
			answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nfi\r\n2\r\nne\r\n0\r\n\r\n", want: fine(),
		},
		"head": {
			method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\nContent-Encoding: gzip\r\n\r\n",
			want: egress.Response{Status: 200},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(t, nil, say(tc.answer))
			c := open(t, w.URL)
			r := get(w.URL, "/")
			if tc.method != "" {
				r.Method = tc.method
			}
			for range 2 { // the second time on the kept connection
				got := mustDo(t, c, r)
				if len(got.Body) == 0 {
					got.Body = nil
				}
				if len(got.Header) == 0 {
					got.Header = nil
				}
				if diff := cmp.Diff(&tc.want, got); diff != "" {
					t.Error(diff)
				}
			}
			if w.connections() != 1 {
				t.Errorf("%d connections; want the one to be kept", w.connections())
			}
		})
	}
}

func fine() egress.Response { return egress.Response{Status: 200, Body: []byte("fine")} }

// TestNoWholeAnswer has the provider take a money request and answer it badly. The outcome is in doubt every
// time.
func TestNoWholeAnswer(t *testing.T) {
	t.Parallel()
	bomb := zipped(t, strings.Repeat("0", 2<<20))
	half := zipped(t, strings.Repeat("fine", 1000))
	half = half[:len(half)-6]
	cases := map[string]struct {
		answer string
		kind   egress.Kind
		phase  egress.Phase
	}{
		"nothing":           {"", egress.Reset, egress.BytesOut},
		"half a head":       {"HTTP/1.1 200 OK\r\nContent-Le", egress.Truncated, egress.BytesOut},
		"head alone":        {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", egress.Truncated, egress.Head},
		"short body":        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfine", egress.Truncated, egress.Body},
		"cut chunk":         {chunked("a\r\nfine"), egress.Truncated, egress.Body},
		"cut between":       {chunked("4\r\nfine\r\n"), egress.Truncated, egress.Body},
		"bad chunk":         {chunked("zz\r\nfine"), egress.Malformed, egress.Head},
		"not HTTP":          {"SSH-2.0-OpenSSH_9.9\r\n" + strings.Repeat("x", 100), egress.Malformed, egress.BytesOut},
		"interim alone":     {"HTTP/1.1 103 Early Hints\r\n\r\n", egress.Truncated, egress.BytesOut},
		"switch":            {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", egress.Malformed, egress.Head},
		"two lengths":       {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nfine", egress.Malformed, egress.BytesOut},
		"announced too big": {answerOf(2<<20, ""), egress.TooLarge, egress.Head},
		"too big":           {chunked(fmt.Sprintf("%x\r\n%s", 2<<20, strings.Repeat("x", 2<<20))), egress.TooLarge, egress.Body},
		"gzip bomb":         {answer(200, bomb, "Content-Encoding: gzip"), egress.TooLarge, egress.Body},
		"cut gzip":          {answer(200, half, "Content-Encoding: gzip"), egress.Malformed, egress.Body},
		"not gzip":          {answer(200, "fine", "Content-Encoding: gzip"), egress.Malformed, egress.Body},
		"gzip and a tail":   {answer(200, zipped(t, "fine")+"tail", "Content-Encoding: gzip"), egress.Malformed, egress.Body},
		"unasked coding":    {answer(200, "fine", "Content-Encoding: br"), egress.Malformed, egress.Body},
		"gzip in gzip":      {answer(200, zipped(t, bomb), "Content-Encoding: gzip, gzip"), egress.Malformed, egress.Body},
		"many headers":      {answer(200, "", manyHeaders(101)...), egress.TooLarge, egress.Head},
		"endless header":    {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20), egress.TooLarge, egress.BytesOut},
		"endless headers":   {"HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 1<<16), egress.TooLarge, egress.BytesOut},
		"endless interim":   {strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 1<<14), egress.TooLarge, egress.BytesOut},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(t, nil, sayAndClose(tc.answer))
			c := open(t, w.URL, func(c *egress.Config) { c.Limits.ResponseBytes = 1 << 20 })
			_, x := mustFail(t, c, pay(w.URL, "/pay"), tc.kind, egress.Unknown)
			if a := x.Attempts[0]; a.Phase != tc.phase || a.BytesOut == 0 || a.Failure != tc.kind {
				t.Errorf("attempt: %+v; want phase %s", a, tc.phase)
			}
			if x.Status != 0 {
				t.Errorf("status %d of an answer that was not whole", x.Status)
			}
			if got := len(w.all("")); got != 1 {
				t.Errorf("sent %d times", got)
			}
		})
	}
}

func chunked(rest string) string {
	return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + rest
}

func answerOf(length int, body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", length, body)
}

func manyHeaders(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("X-%d: y", i)
	}
	return lines
}

// TestUnframedAnswer: an HTTP/1.0 answer ends with its connection. It counts as whole, and the journal says
// how.
func TestUnframedAnswer(t *testing.T) {
	t.Parallel()
	for answer, unframed := range map[string]bool{
		"HTTP/1.0 200 OK\r\n\r\nfine":                            true,
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfine":       true,
		"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine":       false,
		chunked("4\r\nfine\r\n0\r\n\r\n"):                        false,
		"HTTP/1.0 204 No Content\r\n\r\n":                        false,
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n": false,
	} {
		w := serve(t, nil, sayAndClose(answer))
		for _, method := range []string{"POST", "HEAD"} {
			c := open(t, w.URL) // its own: on a kept connection the close would race the second request
			r := pay(w.URL, "/pay")
			r.Method = method
			_, x, err := c.Do(t.Context(), r)
			if err != nil || x.Attempts[0].Unframed != (unframed && method != "HEAD") {
				t.Errorf("%s, %q: %v, %+v", method, answer, err, x.Attempts)
			}
		}
	}
}

// TestTimeAndEvidence ends calls at every phase. The evidence is NotSent until the first byte, and Unknown
// after.
func TestTimeAndEvidence(t *testing.T) {
	t.Parallel()
	slow := func(text string) func(net.Conn, seen) bool {
		return func(c net.Conn, _ seen) bool {
			_, _ = io.WriteString(c, text)
			_, _ = io.Copy(io.Discard, c) // until the client goes
			return false
		}
	}
	for name, tc := range map[string]struct {
		handle func(net.Conn, seen) bool
		phase  egress.Phase
	}{
		"before the answer": {slow(""), egress.BytesOut},
		"within the head":   {slow("HTTP/1.1 200 OK\r\nX"), egress.BytesOut},
		"within the body":   {slow(answerOf(10, "fine")), egress.Body},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(t, nil, tc.handle)
			c := open(t, w.URL)
			r := pay(w.URL, "/pay")
			r.Timeout = 60 * time.Millisecond
			_, x := mustFail(t, c, r, egress.Timeout, egress.Unknown)
			if x.Attempts[0].Phase != tc.phase {
				t.Errorf("phase %s; want %s", x.Attempts[0].Phase, tc.phase)
			}

			ctx, cancel := context.WithCancel(t.Context())
			sent := len(w.all(""))
			go func() {
				eventually(t, func() bool { return len(w.all("")) > sent })
				cancel()
			}()
			mustFailIn(t, ctx, c, pay(w.URL, "/pay"), egress.Canceled, egress.Unknown)
		})
	}
	t.Run("before the call", func(t *testing.T) {
		t.Parallel()
		w := serve(t, nil, say(ok("fine")))
		c := open(t, w.URL)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		mustFailIn(t, ctx, c, pay(w.URL, "/pay"), egress.Canceled, egress.NotSent)
		if len(w.all("")) != 0 {
			t.Error("sent")
		}
	})
	t.Run("within the handshake", func(t *testing.T) {
		t.Parallel()
		p := newPKI(t)
		w := &wire{secured: p.server(), handle: say(ok("fine"))}
		w.onConn = func(int) { <-w.stopped }
		w.start(t)
		c := open(t, w.URL, trusting(t, p))
		r := pay(w.URL, "/pay")
		r.Identity, r.Timeout = "trust", 60*time.Millisecond
		_, x := mustFail(t, c, r, egress.Timeout, egress.NotSent)
		if a := x.Attempts[0]; a.Phase != egress.Prepared || a.BytesOut != 0 {
			t.Errorf("attempt: %+v", a)
		}
	})
	t.Run("handshake above ConnectTimeout", func(t *testing.T) {
		t.Parallel()
		p := newPKI(t)
		w := &wire{secured: p.server(), handle: say(ok("fine"))}
		w.onConn = func(int) { <-w.stopped }
		w.start(t)
		c := open(t, w.URL, trusting(t, p), func(c *egress.Config) {
			c.Limits.ConnectTimeout = 60 * time.Millisecond
		})
		r := pay(w.URL, "/pay")
		r.Identity = "trust"
		mustFail(t, c, r, egress.Connect, egress.NotSent)
	})
}

// TestWriteThatFails: the provider closes while a large body is on its way. Some of it left, so that's in
// doubt.
func TestWriteThatFails(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(conn, make([]byte, 1000))
			reset(conn)
		}
	}()
	base := "http://" + listener.Addr().String()
	c := open(t, base, func(c *egress.Config) { c.Limits.RequestBytes = 64 << 20 })
	r := pay(base, "/pay")
	r.Body = make([]byte, 32<<20)
	_, x := mustFail(t, c, r, egress.Reset, egress.Unknown)
	if a := x.Attempts[0]; a.BytesOut < 1000 || a.BytesOut >= 32<<20 {
		t.Errorf("attempt: %+v", a)
	}
}

// TestEarlyAnswer: a provider may refuse a large body before it has read it. That is an answer.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	read := make(chan struct{})
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.ReadFull(conn, make([]byte, 1000))
		_, _ = io.WriteString(conn, answer(413, "too much"))
		<-read
	}()
	defer close(read)
	base := "http://" + listener.Addr().String()
	c := open(t, base, func(c *egress.Config) { c.Limits.RequestBytes = 64 << 20 })
	r := pay(base, "/pay")
	r.Body = make([]byte, 32<<20)
	if got := mustDo(t, c, r); got.Status != 413 || string(got.Body) != "too much" {
		t.Errorf("answer: %d %q", got.Status, got.Body)
	}
}
