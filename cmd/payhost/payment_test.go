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
