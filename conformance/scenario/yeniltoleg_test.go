package scenario_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	plugin "github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk/pay"
)

// written is the simulator of Yenil-Toleg that is written in Go.
func written() conformance.Provider {
	return conformance.Provider{
		Start: func() (conformance.Simulator, error) { return yeniltoleg.New(yeniltoleg.Options{}), nil },
		Connect: func(_ conformance.Simulator, baseURL, _ string) (host.ConnectionConfig, error) {
			token := map[string]vault.Secret{"access_token": vault.NewSecret(yeniltoleg.AccessToken)}
			return host.ConnectionConfig{BaseURL: baseURL, Secrets: token}, nil
		},
	}
}

// story is what a plugin came to, in words that two simulators can share.
type story struct {
	*bench
	t     *testing.T
	refs  map[string]string // the provider's ids by our names
	lines []string
}

func (s *story) tell(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	for name, id := range s.refs {
		line = strings.ReplaceAll(line, id, "<"+name+">")
	}
	s.lines = append(s.lines, strings.ReplaceAll(line, s.url, "<base>"))
}

func problem(err error) string {
	e := pay.AsError(err)
	if e == nil {
		return "ok"
	}
	says := e.ProviderMessage
	if e.Class == pay.ClassInvalidRequest && e.Field != "order_id" {
		says = "…" // how a field is wrong, the file need not say in the provider's words
	}
	return fmt.Sprintf("%s field %q code %q says %q", e.Class, e.Field, e.ProviderCode, says)
}

var page = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func (s *story) create(name string, minor int64, change func(*pay.CreateRequest)) {
	request := pay.CreateRequest{
		Intent: pay.Intent{Key: "key-" + name, ProviderKey: "key-" + name, Attempt: 1}, PaymentID: "pay_" + name,
		OrderID: "order-" + name, Amount: pay.New(minor, pay.TMT), ReturnURL: "https://shop.example/back",
		Customer: pay.Customer{Name: "Test Testov"},
	}
	if change != nil {
		change(&request)
	}
	result, err := s.conn.Create(s.t.Context(), request)
	if result.ProviderRef != "" && s.refs[name] == "" {
		s.refs[name] = result.ProviderRef
	}
	link := page.ReplaceAllString(strings.Replace(result.Next.URL, s.refs[name], "<id>", 1), "<page>")
	s.tell("create %s: %s %s %s, %s", name, result.Outcome, result.ProviderRef, link, problem(err))
}

func (s *story) ref(name string) pay.Ref {
	o, err := object(s.Simulator, s.refs[name])
	if err != nil {
		return pay.Ref{ID: "pay_" + name, ProviderRef: s.refs[name], Amount: pay.New(3545, pay.TMT)}
	}
	return pay.Ref{ID: "pay_" + name, OrderID: o.Ref, ProviderRef: o.ID, Amount: pay.New(o.Amount, pay.TMT)}
}

func (s *story) status(name string) {
	items, err := s.conn.Status(s.t.Context(), s.ref(name))
	if err != nil || len(items) != 1 {
		s.tell("status %s: %d items, %s", name, len(items), problem(err))
		return
	}
	s.tell("status %s: %s %+v, %s", name, items[0].Found, items[0].Observations, problem(nilable(items[0].Err)))
}

func nilable(e *pay.Error) error {
	if e == nil {
		return nil
	}
	return e
}

func (s *story) undo(what, name string) {
	intent := pay.Intent{Key: what + name, Attempt: 1}
	var result host.Result
	var err error
	if what == "cancel" {
		result, err = s.conn.Cancel(s.t.Context(), pay.PaymentRequest{Intent: intent, Payment: s.ref(name)})
	} else {
		ref := s.ref(name)
		result, err = s.conn.Refund(s.t.Context(), pay.RefundRequest{
			Intent: intent, Payment: ref, Amount: ref.Amount, Paid: ref.Amount,
		})
	}
	s.tell("%s %s: %s %+v, %s", what, name, result.Outcome, result.Observations, problem(err))
}

func (s *story) move(name, outcome string) {
	if err := s.Move(s.refs[name], outcome); err != nil {
		s.tell("move %s: %s", name, err)
	}
}

func (s *story) effects() {
	for _, e := range s.Effects() {
		s.tell("effect %d %s %s %s %d %s", e.Seq, e.Kind, e.Object, e.Ref, e.Amount, e.Key)
	}
	for _, o := range s.Objects() {
		s.tell("object %s %s %s %s %d", o.ID, o.Ref, o.Kind, o.State, o.Amount)
	}
}

// TestYenilTolegIsTheSameTwice drives the plugin against both simulators.
func TestYenilTolegIsTheSameTwice(t *testing.T) {
	t.Parallel()
	stories := map[string]func(*story){
		"create":  createStory,
		"refused": refusedStory,
		"states":  statesStory,
		"time":    timeStory,
	}
	for name, tell := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			told := func(p conformance.Provider) []string {
				s := &story{bench: start(t, p, plugin.New()), t: t, refs: map[string]string{}}
				tell(s)
				s.effects()
				return s.lines
			}
			want, got := told(written()), told(load(t, "yeniltoleg"))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("written in Go (-), described (+):\n%s", diff)
			}
			if len(want) < 8 {
				t.Errorf("only %d lines were told: %q", len(want), want)
			}
		})
	}
}

func createStory(s *story) {
	for i, minor := range []int64{3545, 1, 30, 57, 99999999} {
		name := fmt.Sprint("a", i)
		s.create(name, minor, nil)
		s.create(name, minor, nil) // the same key again
		s.status(name)
	}
	s.create("full", 1200, func(r *pay.CreateRequest) {
		r.FailURL, r.Locale, r.Description = "https://shop.example/no", "tk", "Two tickets"
		r.Customer.Email = "test.testov@example.com"
		r.ExpiresAt = s.clock.now().Add(10 * time.Minute)
		r.Lines = []pay.Line{{Name: "Ticket", Quantity: 2, Price: pay.New(600, pay.TMT)}}
		r.Options = []pay.Option{{Name: "payment_method", Value: "0"}}
	})
	s.status("full")
}

func refusedStory(s *story) {
	s.create("a", 3545, nil)
	s.create("a", 3546, nil)                                                                       // the same key, another body
	s.create("b", 3545, func(r *pay.CreateRequest) { r.OrderID = "order-a" })                      // the order is taken
	s.create("c", 3545, func(r *pay.CreateRequest) { r.ExpiresAt = s.clock.now().Add(time.Hour) }) // later than the session
	s.create("d", 3545, func(r *pay.CreateRequest) { r.Customer.Email = "nobody" })
	s.create("e", 100_000_000_001, nil)
	s.create("f", 3545, func(r *pay.CreateRequest) { r.ReturnURL = "https://" })
	s.create("g", 3545, func(r *pay.CreateRequest) { r.ProviderKey = " " })
	s.create("h", 3545, func(r *pay.CreateRequest) {
		r.Options = []pay.Option{{Name: "payment_method", Value: "3"}}
	})
	s.refs["none"] = "2f8a0d2e-6c1f-4b57-9a53-0c1c4e1c7a11"
	s.refs["odd"] = "not-a-uuid"
	for _, name := range []string{"none", "odd"} {
		s.status(name)
		s.undo("cancel", name)
		s.undo("refund", name)
	}
}

func statesStory(s *story) {
	for _, state := range []string{"Pending", "InProgress", "Succeeded", "Canceled", "Refunded", "Failed", "Expired"} {
		s.create(state, 3545, nil)
		s.move(state, state)
		s.status(state)
		for _, what := range []string{"cancel", "refund"} {
			name := state + " then " + what
			s.create(name, 3545, nil)
			s.move(name, state)
			s.undo(what, name)
			s.status(name)
			s.undo(what, name)
		}
		for _, then := range []string{"Succeeded", "Refunded", "Failed", "Pending"} {
			name := state + " then " + then
			s.create(name, 3545, nil)
			s.move(name, state)
			s.move(name, then)
			s.status(name)
		}
	}
	s.move("Pending", "Nonsense")
}

func timeStory(s *story) {
	s.create("session", 100, nil)
	s.create("working", 100, func(r *pay.CreateRequest) { r.ExpiresAt = s.clock.now().Add(10 * time.Minute) })
	s.create("order", 100, func(r *pay.CreateRequest) { r.ExpiresAt = s.clock.now().Add(10 * time.Minute) })
	s.create("paid", 100, nil)
	s.move("working", "InProgress")
	s.move("paid", "Succeeded")
	for _, d := range []time.Duration{9 * time.Minute, 2 * time.Minute, 5 * time.Minute, time.Hour} {
		s.pass(d)
		for _, name := range []string{"session", "working", "order", "paid"} {
			s.status(name)
		}
	}
	s.move("session", "Succeeded") // late
	s.move("order", "Pending")     // back from an end
	s.pass(time.Minute)
	for _, name := range []string{"session", "order"} {
		s.status(name)
	}
}

// TestYenilTolegOnTheWire compares whole answers, where the plugin reads a part.
func TestYenilTolegOnTheWire(t *testing.T) {
	t.Parallel()
	const register = `{"idempotencyKey":"k","orderNumber":"1","amount":%s,"returnUrl":"https://shop.example/x",` +
		`"customer":{"name":"Test"}}`
	tests := map[string]struct{ method, path, token, body string }{
		"register":       {"POST", "/api/v1/payment/register", "", fmt.Sprintf(register, "35.450")},
		"exponent":       {"POST", "/api/v1/payment/register", "", fmt.Sprintf(register, "3545e-2")},
		"third decimal":  {"POST", "/api/v1/payment/register", "", fmt.Sprintf(register, "35.451")},
		"zero":           {"POST", "/api/v1/payment/register", "", fmt.Sprintf(register, "0.00")},
		"not JSON":       {"POST", "/api/v1/payment/register", "", `{`},
		"no customer":    {"POST", "/api/v1/payment/register", "", strings.Replace(fmt.Sprintf(register, "1"), "customer", "x", 1)},
		"no such call":   {"POST", "/api/v1/payment/settle", "", `{}`},
		"wrong token":    {"GET", "/api/v1/payment/getPaymentStatus/x", "Bearer x", ""},
		"no such":        {"GET", "/api/v1/payment/getPaymentStatus/2f8a0d2e-6c1f-4b57-9a53-0c1c4e1c7a11", "", ""},
		"cancel no such": {"POST", "/api/v1/payment/cancel", "", `{"paymentId":"2f8a0d2e-6c1f-4b57-9a53-0c1c4e1c7a11"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shape := func(p conformance.Provider) string {
				_, url := serve(t, p)
				request, err := http.NewRequest(tt.method, url+tt.path, strings.NewReader(tt.body))
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Authorization", "Bearer "+yeniltoleg.AccessToken)
				if tt.token != "" {
					request.Header.Set("Authorization", tt.token)
				}
				request.Header.Set("Content-Type", "application/json")
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				body, _ := io.ReadAll(response.Body)
				var members map[string]any
				if err := json.Unmarshal(body, &members); err != nil {
					t.Fatalf("%d %s: %v", response.StatusCode, body, err)
				}
				delete(members, "traceId") // it is new each time
				for _, random := range []string{"paymentId", "returnUrl"} {
					if members[random] != nil {
						members[random] = "…"
					}
				}
				_, hasErrors := members["errors"]
				delete(members, "errors") // their words are not promised
				text, _ := json.Marshal(members)
				return fmt.Sprint(response.StatusCode, response.Header.Get("Content-Type"), string(text), hasErrors)
			}
			if want, got := shape(written()), shape(load(t, "yeniltoleg")); want != got {
				t.Errorf("written in Go  %s\ndescribed      %s", want, got)
			}
		})
	}
}
