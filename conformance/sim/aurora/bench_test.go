package aurora_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/aurora"
	"github.com/payhost/payhost/conformance/sim/simkit"
)

// bench is a running simulator and its client, with a merchant that is notified. Its clock stands.
type bench struct {
	*aurora.Server
	t        *testing.T
	url      string
	merchant string

	mu    sync.Mutex
	notes []note
}

// note is a notification as the merchant got it.
type note struct{ method, kind, signature, body string }

// answer is what a call gave.
type answer struct {
	status int
	header http.Header
	body   string
}

func start(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, Server: aurora.New(aurora.Options{Start: time.Date(2030, 1, 2, 5, 0, 0, 0, time.UTC)})}
	url, stop, err := simkit.Start("127.0.0.1:0", b.Server)
	if err != nil {
		t.Fatal(err)
	}
	b.url = url
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		stop()
	})
	merchant := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.notes = append(b.notes, note{
			r.Method, r.Header.Get("Content-Type"), r.Header.Get("X-Aurora-Signature"), string(body),
		})
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(merchant.Close)
	b.merchant = merchant.URL
	return b
}

// told waits for the calls under way and returns what the merchant was told since the last time.
func (b *bench) told() []note {
	b.t.Helper()
	b.WaitDeliveries()
	b.mu.Lock()
	defer b.mu.Unlock()
	notes := b.notes
	b.notes = nil
	return notes
}

// try makes a call; headers are pairs, have the last word, and are left out when empty.
func (b *bench) try(method, path, body string, headers ...string) (answer, error) {
	request, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("X-Api-Key", aurora.APIKey)
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			request.Header.Del(headers[i])
			continue
		}
		request.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text)}, err
}

func (b *bench) send(method, path, body string, headers ...string) answer {
	b.t.Helper()
	got, err := b.try(method, path, body, headers...)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return got
}

// refused insists on an error with this status, code and field.
func (b *bench) refused(got answer, status int, code, field string) {
	b.t.Helper()
	var e struct{ Code, Message, Field string }
	err := json.Unmarshal([]byte(got.body), &e)
	if err != nil || got.status != status || e.Code != code || e.Field != field || e.Message == "" {
		b.t.Errorf("got %d %s, want %d %s %q", got.status, got.body, status, code, field)
	}
}

// body is an order request: name and JSON text, … An empty text leaves the member out.
func body(order, amount string, changes ...string) string {
	members := map[string]json.RawMessage{
		"shop": quote(aurora.ShopID), "order": quote(order), "amount": json.RawMessage(amount), "currency": quote("EUR"),
	}
	for i := 0; i < len(changes); i += 2 {
		members[changes[i]] = json.RawMessage(changes[i+1])
		if changes[i+1] == "" {
			delete(members, changes[i])
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func quote(text string) json.RawMessage {
	raw, _ := json.Marshal(text)
	return raw
}

// made is the answer to an order request.
type made struct{ ID, Page string }

func (b *bench) post(key, body string) answer {
	b.t.Helper()
	return b.send("POST", "/v1/orders", body, "Idempotency-Key", key)
}

// order makes one with a notify_url and a return_url.
func (b *bench) order(number, amount string) made {
	b.t.Helper()
	got := b.post("key-"+number, b.body(number, amount))
	var m made
	if err := json.Unmarshal([]byte(got.body), &m); err != nil || got.status != 201 || m.ID == "" {
		b.t.Fatalf("order: %d %s, %v", got.status, got.body, err)
	}
	return m
}

func (b *bench) body(number, amount string) string {
	back := string(quote("https://shop.example/back"))
	return body(number, amount, "return_url", back, "notify_url", string(quote(b.merchant+"/n")))
}

func (b *bench) refund(key, id, amount string) answer {
	b.t.Helper()
	return b.send("POST", "/v1/refunds", fmt.Sprintf(`{"order_id":%q,"amount":%s}`, id, amount), "Idempotency-Key", key)
}

// want insists on the members of an order's answer, to the letter.
func (b *bench) want(id, text string) {
	b.t.Helper()
	got := b.send("GET", "/v1/orders/"+id, "")
	if got.status != 200 || !strings.Contains(got.body, text) {
		b.t.Errorf("got %d %s, want %s", got.status, got.body, text)
	}
}

func (b *bench) move(id, outcome string) {
	b.t.Helper()
	if err := b.Move(id, outcome); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) set(name, value string) {
	b.t.Helper()
	if err := b.Set(name, value); err != nil {
		b.t.Fatal(err)
	}
}

// wantEffects compares the ledger with lines of kind, amount and key.
func (b *bench) wantEffects(want ...string) {
	b.t.Helper()
	got := []string{}
	for _, e := range b.Effects() {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %d %s", e.Kind, e.Amount, e.Key)))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		b.t.Errorf("effects %q, want %q", got, want)
	}
}
