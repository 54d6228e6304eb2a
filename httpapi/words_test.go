package httpapi_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestWords holds what a person is told of a field at fault: where, and what to mend.
func TestWords(t *testing.T) {
	t.Parallel()
	create := func(members string) string { return `{"connection":"c","order_id":"1",` + members + `}` }
	for _, tt := range []struct{ path, body, field, detail string }{
		{"/v1/payments", create(`"amount":{"value":"1","currency":"KZ"}`), "amount.currency", "not 3 characters long"},
		{"/v1/payments", create(`"amount":{"value":null,"currency":"KZT"}`), "amount.value", "is missing"},
		{"/v1/payments", create(`"amount":{"value":"1","currency":null}`), "amount.currency", "is missing"},
		{"/v1/payments", create(`"description":"half \ud800"`), "description", "has control characters, or ones that are damaged"},
		{"/v1/payments/" + payment + "/refunds", `{"amount":null}`, "amount", "is missing"},
		{"/v1/payments/" + payment + "/bind", `{"code":null}`, "code", "is missing"},
		{"/v1/plugins/rahmet/activate", `{"digest":"00"}`, "digest", "not 64 characters long"},
	} {
		f := newFake()
		p := problem(t, send(serve(t, f, nil), request("POST", tt.path, tt.body)), 422)
		if p["field"] != tt.field || p["detail"] != tt.field+": "+tt.detail {
			t.Errorf("%s of %s: field %v, detail %q, want %q", tt.body, tt.path, p["field"], p["detail"], tt.detail)
		}
		f.untouched(t)
	}
	req := request("POST", "/v1/payments", createBody, "Content-Encoding: gzip")
	if p := problem(t, send(serve(t, newFake(), nil), req), 415); p["field"] != "Content-Encoding" {
		t.Errorf("a packed body: field %v, %v", p["field"], p["detail"])
	}
}

// TestLargeBodyIsAnswered sends all of a body that is too large before it looks for the
// answer, as most clients do. They met a connection that was closed on them.
func TestLargeBodyIsAnswered(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(serve(t, newFake(), nil))
	defer server.Close()
	for _, length := range []int{24 << 20, -1} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		coding := fmt.Sprintf("Content-Length: %d", length)
		if length < 0 {
			coding = "Transfer-Encoding: chunked"
		}
		head := "POST /v1/payments HTTP/1.1\r\nHost: payhost\r\nAuthorization: " + request("POST", "/", "").Header.Get("Authorization") +
			"\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\n" + coding + "\r\n\r\n"
		if _, err := conn.Write([]byte(head)); err != nil {
			t.Fatal(err)
		}
		piece := make([]byte, 1<<20)
		for range 24 {
			if length < 0 {
				_, _ = fmt.Fprintf(conn, "%x\r\n", len(piece))
			}
			if _, err := conn.Write(piece); err != nil {
				t.Fatalf("%s: connection was closed within the body: %v", coding, err)
			}
			if length < 0 {
				_, _ = conn.Write([]byte("\r\n"))
			}
		}
		if length < 0 {
			_, _ = conn.Write([]byte("0\r\n\r\n"))
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", coding, err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: HTTP %d", coding, resp.StatusCode)
		}
	}
}
