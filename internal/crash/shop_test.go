package crash_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/internal/rig"
)

// shop is a merchant as it should be: it gives every request a key, repeats it
// under that key for as long as it has no answer, and takes a doubt for a doubt. It
// also starts payhost again whenever it has died.
type shop struct {
	t      *testing.T
	world  *rig.World
	orders orders
	client *http.Client
	cmd    *exec.Cmd
	died   int
	keys   int
	skew   time.Duration // how far the clock was moved
}

func newShop(t *testing.T, w *rig.World, o orders) *shop {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Listen, o.Providers = l.Addr().String(), w.Providers()
	_ = l.Close()
	s := &shop{t: t, world: w, orders: o, client: &http.Client{
		Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
	}}
	t.Cleanup(s.stop)
	return s
}

// start starts payhost and waits until it answers.
func (s *shop) start() {
	s.t.Helper()
	o := s.orders
	o.Offset = s.skew
	text, err := json.Marshal(o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd = exec.Command(os.Args[0])
	s.cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	var stderr bytes.Buffer
	s.cmd.Stderr = &stderr
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if conn, err := net.DialTimeout("tcp", o.Listen, time.Second); err == nil {
			_ = conn.Close()
			return
		}
		if s.cmd.ProcessState != nil {
			break
		}
	}
	s.stop()
	s.t.Fatalf("payhost does not start: %s", stderr.String())
}

// stop kills payhost, if it runs, and waits until it is gone.
func (s *shop) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// revive starts payhost again after it has died, and lets it live.
func (s *shop) revive() {
	s.t.Helper()
	s.died++
	if s.died > 20 {
		s.t.Fatal("payhost dies again and again")
	}
	_ = s.cmd.Wait()
	s.orders.KillAt = ""
	s.start()
}

// pass lets time go by, at the providers too, and payhost do what is due.
func (s *shop) pass(d time.Duration) {
	s.t.Helper()
	s.world.Advance(d)
	s.skew += d
	if s.raw(http.MethodPost, fmt.Sprintf("/_clock/%d", d.Nanoseconds()), "", nil, nil) != nil {
		s.revive() // it is told the time as it starts
	}
	if s.raw(http.MethodPost, "/_work", "", nil, nil) != nil {
		s.revive()
	}
}

// raw makes one request; the error is that of a payhost that is not there.
func (s *shop) raw(method, path, key string, body, into any) error {
	_, err := s.request(method, path, key, body, into)
	return err
}

func (s *shop) request(method, path, key string, body, into any) (int, error) {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		content = bytes.NewReader(raw)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+s.orders.Listen+path, content)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer crash-test-token")
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := s.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			s.t.Fatalf("%s %s answers %d %s", method, path, response.StatusCode, raw)
		}
	}
	return response.StatusCode, nil
}

// answer is what the API answers: the object, or a problem.
type answer struct {
	ID      string `json:"id"`
	Status  any    `json:"status"` // a word; of a problem a number
	InDoubt *struct {
		Operation string `json:"operation"`
	} `json:"in_doubt"`
	Refunded *struct {
		Value string `json:"value"`
	} `json:"amount_refunded"`
	ProviderRef string `json:"provider_ref"`
	Class       string `json:"class"`
	Advice      string `json:"advice"`
	Detail      string `json:"detail"`
	Field       string `json:"field"`
}

func (a *answer) is(status string) bool { return a.Status == status }

// do makes a request until it is known what it came to. A request that is proven to
// have had no effect is made anew.
func (s *shop) do(path string, body any) answer {
	s.t.Helper()
	s.keys++
	key := fmt.Sprintf("%s-%d", s.t.Name(), s.keys)
	var a answer
	for wait := 6 * time.Second; wait < 24*time.Hour; {
		a = answer{}
		code, err := s.request(http.MethodPost, path, key, body, &a)
		switch {
		case err != nil:
			s.revive()
		case code == http.StatusAccepted && a.InDoubt != nil:
			s.pass(wait) // the same key will tell
			wait += wait / 4
		case code/100 == 2:
			return a
		case a.Advice == "retry_same_key", a.Class == "in_progress", a.Class == "in_doubt", a.Class == "host_fault":
			s.pass(wait)
			wait += wait / 4
		case a.Class == "state_conflict" && strings.Contains(a.Detail, "payment has ended"):
			return a
		case a.Advice == "new_attempt":
			wait += wait / 4
			s.keys++
			key = fmt.Sprintf("%s-%d", s.t.Name(), s.keys)
		default:
			s.t.Fatalf("%s: %d %s %s: %s (advice %s)\n%s", path, code, a.Class, a.Field, a.Detail, a.Advice, s.timeline(path))
		}
	}
	s.t.Fatalf("%s: never known, last %+v\n%s", path, a, s.timeline(path))
	return a
}

// until waits until an object is as wanted.
func (s *shop) until(path string, statuses ...string) answer {
	s.t.Helper()
	var a answer
	for i := range 60 {
		a = answer{}
		if _, err := s.request(http.MethodGet, path, "", nil, &a); err != nil {
			s.revive()
			continue
		}
		if a.InDoubt == nil && slices.ContainsFunc(statuses, a.is) {
			return a
		}
		s.pass(min(time.Duration(1+i)*4*time.Second, 2*time.Minute))
	}
	s.t.Fatalf("%s is %v, in doubt %+v, want %v\n%s", path, a.Status, a.InDoubt, statuses, s.timeline(path))
	return a
}

// timeline is what a failed test shows.
func (s *shop) timeline(path string) string {
	parts := strings.Split(path, "/")
	if len(parts) < 4 {
		return ""
	}
	var out struct {
		Entries []struct {
			At, Kind, Actor string
			Body            json.RawMessage
		}
	}
	_ = s.raw(http.MethodGet, "/v1/payments/"+parts[3]+"/timeline", "", nil, &out)
	text := ""
	for _, e := range out.Entries {
		text += e.At + " " + e.Actor + " " + e.Kind + " " + string(e.Body) + "\n"
	}
	return text
}
