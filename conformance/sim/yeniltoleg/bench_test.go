package yeniltoleg_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
)

// The provider's paths, spelled out: the tests share nothing with the simulator.
const (
	registerPath = "/api/v1/payment/register"
	statusPath   = "/api/v1/payment/getPaymentStatus/"
	cancelPath   = "/api/v1/payment/cancel"
	refundPath   = "/api/v1/payment/refund"
)

// bench is a running simulator and its client. Its clock stands at 10:00 in Ashgabat.
type bench struct {
	*yeniltoleg.Server
	t   *testing.T
	url string
}

// answer is what a call gave.
type answer struct {
	status int
	header http.Header
	body   string
}

func start(t *testing.T) *bench {
	t.Helper()
	options := yeniltoleg.Options{Start: time.Date(2030, 1, 2, 5, 0, 0, 0, time.UTC)}
	b := &bench{t: t, Server: yeniltoleg.New(options)}
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
	return b
}

// try makes a call; headers are pairs and have the last word.
func (b *bench) try(method, path, body string, headers ...string) (answer, error) {
	request, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+yeniltoleg.AccessToken)
	if body != "" {
		request.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
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

// decode insists on 200 and JSON.
func (b *bench) decode(got answer, into any) {
	b.t.Helper()
	decoder := json.NewDecoder(strings.NewReader(got.body))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil || got.status != 200 {
		b.t.Fatalf("got %d %s, %v; want 200 and JSON", got.status, got.body, err)
	}
}

// refused insists on problem details with this status; fields are those of its errors, in any order.
func (b *bench) refused(got answer, status int, fields ...string) map[string][]string {
	b.t.Helper()
	var problem struct {
		Type, Title, TraceID string
		Status               int
		Errors               map[string][]string
	}
	err := json.Unmarshal([]byte(got.body), &problem)
	if err != nil || got.status != status || problem.Status != status || problem.Title == "" ||
		!strings.HasPrefix(problem.Type, "https://tools.ietf.org/html/") || len(problem.TraceID) != 27 ||
		!strings.HasPrefix(got.header.Get("Content-Type"), "application/problem+json") {
		b.t.Errorf("got %d %s, %v; want problem details with %d", got.status, got.body, err, status)
	}
	if len(problem.Errors) != len(fields) {
		b.t.Errorf("errors %v, want fields %q", problem.Errors, fields)
	}
	for _, field := range fields {
		if len(problem.Errors[field]) == 0 {
			b.t.Errorf("errors %v lack %q", problem.Errors, field)
		}
	}
	return problem.Errors
}

// body is a register request with changes: name, JSON text, … An empty text leaves the member out.
func body(key, number, amount string, changes ...string) string {
	members := map[string]json.RawMessage{
		"idempotencyKey": quote(key), "orderNumber": quote(number), "amount": json.RawMessage(amount),
		"returnUrl": quote("https://shop.example/paid"),
		"customer":  json.RawMessage(`{"name":"Test Testov"}`),
	}
	for i := 0; i < len(changes); i += 2 {
		members[changes[i]] = json.RawMessage(changes[i+1])
	}
	maps.DeleteFunc(members, func(_ string, value json.RawMessage) bool { return len(value) == 0 })
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

// registered is the answer of register.
type registered struct {
	PaymentID string `json:"paymentId"`
	ReturnURL string `json:"returnUrl"`
	Result    bool   `json:"result"`
}

func (b *bench) register(key, number, amount string, changes ...string) registered {
	b.t.Helper()
	var data registered
	b.decode(b.send("POST", registerPath, body(key, number, amount, changes...)), &data)
	if !data.Result || data.PaymentID == "" {
		b.t.Fatalf("register: %+v", data)
	}
	return data
}

// status is the whole answer of getPaymentStatus.
func (b *bench) status(id string) map[string]any {
	b.t.Helper()
	var data map[string]any
	b.decode(b.send("GET", statusPath+id, ""), &data)
	return data
}

// state insists on where a payment stands.
func (b *bench) state(id, want string) {
	b.t.Helper()
	if got := b.status(id)["status"]; got != want {
		b.t.Errorf("status %v, want %s", got, want)
	}
}

func (b *bench) post(path, id string) answer {
	b.t.Helper()
	return b.send("POST", path, `{"paymentId":"`+id+`"}`)
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

func (b *bench) fault(f simkit.Fault) {
	b.t.Helper()
	if err := b.Fault(f); err != nil {
		b.t.Fatal(err)
	}
}

// wantEffects compares the ledger with lines of kind and amount.
func (b *bench) wantEffects(want ...string) {
	b.t.Helper()
	got := []string{}
	for _, e := range b.Effects() {
		got = append(got, fmt.Sprintf("%s %d", e.Kind, e.Amount))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		b.t.Errorf("effects %q, want %q", got, want)
	}
}

// isJSON says whether a body parses.
func isJSON(text string) bool { return json.Valid(bytes.TrimSpace([]byte(text))) }
