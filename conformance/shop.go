package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Answer is what payhost's API answers: a payment, a refund, a receipt, or a
// problem.
type Answer struct {
	ID       string `json:"id"`
	Status   any    `json:"status"` // a word; of a problem a number
	Amount   *Money `json:"amount"`
	Paid     *Money `json:"amount_paid"`
	Refunded *Money `json:"amount_refunded"`
	InDoubt  *struct {
		Operation string `json:"operation"`
		Reason    string `json:"reason"`
	} `json:"in_doubt"`
	ProviderRef string `json:"provider_ref"`
	NextAction  *struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	} `json:"next_action"`
	PayerHint string     `json:"payer_hint"`
	ExpiresAt *time.Time `json:"expires_at"`
	Alerts    int        `json:"alerts"`
	Revision  string     `json:"revision"`

	Class         string `json:"class"`
	Effect        string `json:"effect"`
	Advice        string `json:"advice"`
	Field         string `json:"field"`
	Detail        string `json:"detail"`
	ProviderCode  string `json:"provider_code"`
	RetryAfterSec int    `json:"-"`
	Code          int    `json:"-"` // HTTP status; 0 if the process died
	Raw           string `json:"-"`
}

// Money is an amount as the API has it.
type Money struct {
	Value    string `json:"value"`
	Currency string `json:"currency"`
}

// Minor returns the amount in minor units; 0 for nil.
func (m *Money) Minor() int64 {
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseInt(m.Value, 10, 64) // the API writes digits
	return n
}

// Is reports whether the status is the word.
func (a *Answer) Is(status string) bool { return a.Status == status }

// Word returns the status of an object; "" of a problem.
func (a *Answer) Word() string {
	word, _ := a.Status.(string)
	return word
}

// String is the answer as a failure's message tells it: "409 state_conflict: payment
// has ended (advice fix)", or "201 pending".
func (a Answer) String() string {
	if a.Code == 0 {
		return "no answer: payhost died"
	}
	if a.Class == "" {
		text := fmt.Sprintf("%d %s", a.Code, a.Word())
		if a.InDoubt != nil {
			text += ", in doubt about " + a.InDoubt.Operation + ": " + a.InDoubt.Reason
		}
		return text
	}
	text := fmt.Sprintf("%d %s: %s", a.Code, a.Class, a.Detail)
	for _, part := range [][2]string{
		{"field", a.Field}, {"effect", a.Effect}, {"advice", a.Advice}, {"provider's code", a.ProviderCode},
	} {
		if part[1] != "" {
			text += ", " + part[0] + " " + part[1]
		}
	}
	return text
}

// Object is a JSON object.
type Object = map[string]any

// Amount returns minor units of the provider's currency as the API takes them.
func (l *Life) Amount(minor int64) Object {
	return Object{"value": strconv.FormatInt(minor, 10), "currency": l.Terms.Currency}
}

// Request makes one request to payhost's API. Code is 0 if the process died of it.
func (l *Life) Request(method, path, key string, body any) Answer {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		l.Must(err)
		content = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(l.ctx, method, l.front.url+path, content)
	l.Must(err)
	r.Header.Set("Authorization", "Bearer "+apiToken)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := l.suite.client.Do(r)
	if err != nil {
		if l.ctx.Err() != nil {
			panic(lifeOver{})
		}
		return Answer{}
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{}
	}
	a := Answer{Code: response.StatusCode, Raw: string(raw)}
	if err := json.Unmarshal(raw, &a); err != nil {
		l.Fatalf("%s %s answers %d %s", method, path, response.StatusCode, raw)
	}
	l.watch(path, raw)
	return a
}

// Get reads an object; a process that is dead is started again.
func (l *Life) Get(path string) Answer {
	for {
		a := l.Request(http.MethodGet, path, "", nil)
		if a.Code != 0 {
			return a
		}
		l.revive()
	}
}

// NewKey returns an idempotency key that was not used before.
func (l *Life) NewKey() string {
	l.keys++
	return fmt.Sprintf("key-%d", l.keys)
}

// Try makes one attempt of a request under a key of its own.
func (l *Life) Try(path string, body any) Answer {
	return l.Request(http.MethodPost, path, l.NewKey(), body)
}

// patience is how long a merchant goes on with a request whose end is not known. The
// probe clock goes on for a week.
const patience = 10 * 24 * time.Hour

// Do makes a request as a merchant should: under one key until it is known what it
// came to, and anew only if it is proven that it had no effect. It returns what
// payhost answered in the end, a refusal too.
func (l *Life) Do(path string, body any) Answer {
	key, begun := l.NewKey(), l.Now()
	for n := 0; ; n++ {
		a := l.Request(http.MethodPost, path, key, body)
		switch {
		case a.Code == 0:
			l.revive()
			continue
		case a.Code == http.StatusAccepted && a.InDoubt != nil:
			// The same key will tell.
		case a.Code/100 == 2:
			return a
		case a.Advice == "retry_same_key", a.Class == "in_progress", a.Class == "in_doubt", a.Class == "host_fault":
		case a.Advice == "new_attempt":
			key = l.NewKey()
		case a.Class == "auth" && l.forgiving:
			key = l.NewKey()
		default:
			return a
		}
		if l.Now().Sub(begun) > patience {
			l.leave(a)
			l.Fatalf("POST %s is not settled after %s: %s", path, patience, a)
		}
		l.Pass(max(l.untilDue(), pace(l.Now().Sub(begun)), time.Second))
	}
}

// pace is how long a merchant waits who has waited so long already: who has waited
// for a day does not ask every three seconds. It is no longer than payhost's own
// steps are close, so that none of them comes late.
func pace(waited time.Duration) time.Duration { return min(waited/8, 30*time.Minute) }

// untilDue is how long it is until payhost has something to do, at most an hour.
func (l *Life) untilDue() time.Duration {
	d, ok := l.nextDue()
	if !ok {
		return time.Minute
	}
	return min(d, time.Hour)
}

// Create begins a payment of an amount, 0 where it is not known yet, with the fields
// given besides the ones of the terms. A refusal ends the life.
func (l *Life) Create(amount int64, fields Object) Answer {
	a := l.Do("/v1/payments", l.NewPayment(amount, fields))
	if a.Code/100 != 2 {
		l.Fatalf("the payment was refused: %s", a)
	}
	l.payments = append(l.payments, a.ID)
	return a
}

// NewPayment is the body of a request for a payment, with an order of its own.
func (l *Life) NewPayment(amount int64, fields Object) Object {
	l.orders++
	body := Object{
		"connection": l.Connection, "order_id": fmt.Sprintf("order%d", l.orders), "description": "Order",
		"return_url": "https://shop.example/thanks?order=1",
	}
	for name, value := range l.Terms.Payment {
		body[name] = value
	}
	if amount != 0 {
		body["amount"] = l.Amount(amount)
	}
	for name, value := range fields {
		body[name] = value
	}
	return body
}

// Until lets time go by until a payment, a refund or a receipt has one of the
// statuses and is not in doubt, for at most as long as a merchant has patience.
func (l *Life) Until(path string, statuses ...string) Answer {
	begun := l.Now()
	for {
		a := l.Get(path)
		if a.Class != "" {
			l.Fatalf("GET %s answers %s", path, a)
		}
		if a.InDoubt == nil {
			if slices.ContainsFunc(statuses, a.Is) {
				return a
			}
			if l.resigned && slices.ContainsFunc(ends, a.Is) {
				l.Verify()
				panic(lifeOver{})
			}
		}
		due, ok := l.wake()
		if !ok && l.changed(path, a) {
			continue
		}
		if l.Now().Sub(begun) > patience || !ok {
			l.leave(a)
			doubt := ""
			if a.InDoubt != nil {
				doubt = ", in doubt about " + a.InDoubt.Operation
			}
			if a.Alerts > 0 {
				doubt += ", with an alert to the operator: " + l.alert(path)
			}
			l.Fatalf("%s is %v%s after %s, and should be %s", short(path), a.Status, doubt,
				l.Now().Sub(begun).Round(time.Second), strings.Join(statuses, " or "))
		}
		l.Pass(max(due, pace(l.Now().Sub(begun))))
	}
}

// alert is what the latest alert of a payment says.
func (l *Life) alert(path string) string {
	said := "see the timeline"
	for _, e := range l.Timeline(strings.TrimPrefix(path, "/v1/payments/")) {
		var body struct {
			Error struct {
				Message string `json:"message"`
			} `json:"error"`
		}
		if e.Kind == "alert" && json.Unmarshal(e.Body, &body) == nil {
			said = body.Error.Message
		}
	}
	return said
}

// leave ends a life whose doubt may stay: it must be on the operator's desk, and
// payhost must not say of the payment what is not so.
func (l *Life) leave(a Answer) {
	if !l.open || a.InDoubt == nil {
		return
	}
	_, desk := l.Call(http.MethodGet, "/v1/in-doubt", http.Header{"Authorization": {"Bearer " + apiToken}}, nil)
	if !strings.Contains(string(desk), `"operation":"`+a.InDoubt.Operation+`"`) {
		l.Fatalf("the doubt about %s is not on the operator's desk: %s", a.InDoubt.Operation, desk)
	}
	l.Verify()
	panic(lifeOver{})
}

// ends are where a payment or a refund may have come to.
var ends = []string{"succeeded", "failed", "canceled", "expired"}

// changed reports whether an object is not as it was: background work came to an end
// meanwhile.
func (l *Life) changed(path string, was Answer) bool { return l.Get(path).Raw != was.Raw }

// wake is nextDue, with some time for work that goes on in the background.
func (l *Life) wake() (time.Duration, bool) {
	for range 200 {
		if due, ok := l.nextDue(); ok {
			return due, true
		}
		time.Sleep(2 * time.Millisecond)
	}
	return 0, false
}

// short names an object of the API for a person.
func short(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) == 3 && parts[1] == "payments":
		return "the payment"
	case len(parts) == 5 && parts[3] == "refunds":
		return "the refund"
	case len(parts) == 3 && parts[1] == "receipts":
		return "the receipt"
	}
	return path
}
