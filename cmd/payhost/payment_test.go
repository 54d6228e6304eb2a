package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// asked is what a server was asked last, which answers everything alike.
type asked struct {
	query, body string
}

// answering runs a command against a server that answers with this body.
func answering(t *testing.T, body string, args ...string) (out string, code int, a asked) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		a = asked{r.URL.RawQuery, string(text)}
		fmt.Fprint(w, body)
	}))
	defer s.Close()
	var text bytes.Buffer
	code = run(t.Context(), append(args, "--url", s.URL, "--token", "a-token"), &text, &text)
	return text.String(), code, a
}

// TestCreateBody sends a file's amounts as they stand there, and no file that is not one
// object.
func TestCreateBody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ file, want string }{
		"beyond a float": {`{"amount":{"value":9007199254740993}}`, `{"amount":{"value":9007199254740993},"order_id":"17"}`},
		"a fraction":     {`{"amount":{"value":1.50}}`, `{"amount":{"value":1.50},"order_id":"17"}`},
		"null":           {`null`, ""},
		"a list":         {`[{}]`, ""},
		"two":            {`{} {"amount":null}`, ""},
		"cut off":        {`{"amount":`, ""},
		"nothing":        {``, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "payment.json")
			if err := os.WriteFile(file, []byte(test.file), 0o600); err != nil {
				t.Fatal(err)
			}
			out, code, a := answering(t, `{}`, "payment", "create", "--body", file, "--order-id", "17", "--key", "k")
			if a.body != test.want || code == exitOK != (test.want != "") || test.want == "" && !strings.Contains(out, "payhost: --body: ") {
				t.Errorf("exit %d, sent %s, want %s\n%s", code, a.body, test.want, out)
			}
		})
	}
}

// TestDoubtPages reaches what is in doubt behind the first page.
func TestDoubtPages(t *testing.T) {
	t.Parallel()
	out, code, _ := answering(t, `{"in_doubt":[{"operation_id":"op_1"}],"next_cursor":"7.x"}`, "in-doubt", "list")
	if code != exitOK || !strings.Contains(out, "more: --cursor 7.x\n") {
		t.Errorf("exit %d\n%s", code, out)
	}
	_, code, a := answering(t, `{"in_doubt":[],"next_cursor":null}`, "in-doubt", "list", "--limit", "2", "--cursor", "7.x")
	if code != exitOK || a.query != "cursor=7.x&limit=2" {
		t.Errorf("exit %d, asked for %s", code, a.query)
	}
}

// TestDeskShowsReceipts tells of a receipt that stands alone what there is to tell.
func TestDeskShowsReceipts(t *testing.T) {
	t.Parallel()
	out, code, _ := answering(t, `{"id":"rec_1","connection":"till-1","status":"registered","updated_at":"2026-03-01T12:00:00Z"}`,
		"in-doubt", "probe", "op_1")
	const want = "receipt       rec_1\nconnection    till-1\nstatus        registered\nupdated       2026-03-01T12:00:00Z\n"
	if code != exitOK || out != want {
		t.Errorf("exit %d, printed\n%swant\n%s", code, out, want)
	}
}
