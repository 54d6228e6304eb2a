package rahmet_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The provider's paths, spelled out: the tests share nothing with the simulator.
const (
	tokenPath        = "/auth/token"
	availabilityPath = "/orders/v1/preorder/availability"
	createPath       = "/orders/v1/preorder/create"
	createV2Path     = "/orders/v2/preorder/create"
	statusPath       = "/orders/v1/preorder/status"
	refundPath       = "/orders/v1/preorder/refund"
)

// bench is a running simulator, a client with a token, and a merchant that notes who calls it.
type bench struct {
	*rahmet.Server
	t        *testing.T
	url      string
	token    string
	merchant string

	mu    sync.Mutex
	calls []string
	// reply answers a call to the merchant; nil answers 200 with nothing.
	reply http.HandlerFunc
}

// answer is the envelope as a client sees it.
type answer struct {
	HTTP    int
	Code    int             `json:"error_code"`
	Status  string          `json:"status"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

func start(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, Server: rahmet.New(rahmet.Options{Start: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)})}
	address, stop, err := simkit.Start("127.0.0.1:0", b.Server)
	if err != nil {
		t.Fatal(err)
	}
	merchant := httptest.NewServer(b)
	b.url, b.merchant = address, merchant.URL
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		stop()
		merchant.Close()
	})
	b.login()
	return b
}

// ServeHTTP is the merchant.
func (b *bench) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		b.t.Error("the simulator sent an Authorization header to the merchant")
	}
	b.mu.Lock()
	b.calls = append(b.calls, r.Method+" "+r.URL.RequestURI())
	reply := b.reply
	b.mu.Unlock()
	if reply != nil {
		reply(w, r)
	}
}

// called waits for the calls under way and lists all so far.
func (b *bench) called() []string {
	b.WaitDeliveries()
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.calls...)
}

func (b *bench) login() {
	b.t.Helper()
	got := b.send("POST", tokenPath, form("client_id", rahmet.ClientID, "client_secret", rahmet.ClientSecret,
		"grant_type", "client_credentials"))
	var data struct {
		Token string `json:"token"`
	}
	b.decode(got, &data)
	b.token = data.Token
}

// form makes values of pairs; a repeated name is a list.
func form(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}

// send makes a form-encoded call; headers are pairs.
func (b *bench) send(method, path string, values url.Values, headers ...string) answer {
	b.t.Helper()
	got, err := b.try(method, path, values, headers...)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return got
}

func (b *bench) try(method, path string, values url.Values, headers ...string) (answer, error) {
	headers = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)
	return b.raw(method, path, values.Encode(), headers...)
}

// raw makes a call with any body; the bearer token is there unless the headers bring their own.
func (b *bench) raw(method, path, body string, headers ...string) (answer, error) {
	request, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+b.token)
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
	if err != nil {
		return answer{}, err
	}
	got := answer{HTTP: response.StatusCode}
	if err := json.Unmarshal(text, &got); err != nil {
		return got, fmt.Errorf("%d %s: %w", response.StatusCode, text, err)
	}
	return got, nil
}

// decode insists on success and reads the data.
func (b *bench) decode(got answer, into any) {
	b.t.Helper()
	if got.HTTP != 200 || got.Code != 0 || got.Status != "success" {
		b.t.Fatalf("got %+v, want success", got)
	}
	if err := json.Unmarshal(got.Data, into); err != nil {
		b.t.Fatalf("data %s: %v", got.Data, err)
	}
}

// refused insists on an error with this code and no data.
func (b *bench) refused(got answer, httpStatus, code int) {
	b.t.Helper()
	if got.HTTP != httpStatus || got.Code != code || got.Status != "error" || string(got.Data) != "null" ||
		got.Message == "" {
		b.t.Errorf("got %+v, data %s, want HTTP %d and error_code %d", got, got.Data, httpStatus, code)
	}
}

// created is the data of a create answer.
type created struct {
	ID       int64   `json:"preorder_id"`
	URL      string  `json:"url"`
	Inner    string  `json:"inner_url"`
	External string  `json:"external_url"`
	QR       *string `json:"qr_image_base_64"`
}

func order(id, amount string, more ...string) url.Values {
	fields := []string{"merchant_order_id", id, "amount", amount, "token", rahmet.BranchToken}
	return form(append(fields, more...)...)
}

func (b *bench) create(id, amount string, more ...string) created {
	b.t.Helper()
	var data created
	b.decode(b.send("POST", createPath, order(id, amount, more...)), &data)
	return data
}

// paid creates an order and pays it by control.
func (b *bench) paid(id, amount string, more ...string) created {
	b.t.Helper()
	data := b.create(id, amount, more...)
	b.move(id, "paid")
	return data
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

// status is the data of a status answer, as text without spaces.
func (b *bench) status(ids ...string) string {
	b.t.Helper()
	values := url.Values{"merchant_order_ids[]": ids}
	got := b.send("POST", statusPath, values)
	if got.Code != 0 || got.Status != "success" {
		b.t.Fatalf("status of %q: %+v", ids, got)
	}
	return string(got.Data)
}

// item is one order in a status answer of the full shape.
type item struct {
	IsPaid    bool   `json:"is_paid"`
	Reference int64  `json:"reference"`
	Amount    *int64 `json:"amount"`
	Balance   *int64 `json:"balance_amount"`
	Device    string `json:"device"`
	Cashback  *int64 `json:"cashback"`
	Refund    *struct {
		Amount   int64 `json:"refunded_amount"`
		Cashback int64 `json:"refunded_cashback"`
	} `json:"refund"`
}

func (b *bench) item(id string) item {
	b.t.Helper()
	var items map[string]item
	if err := json.Unmarshal([]byte(b.status(id)), &items); err != nil {
		b.t.Fatal(err)
	}
	return items[id]
}

// refunded is what status shows as given back; 0 without a refund member.
func (b *bench) refunded(id string) int64 {
	b.t.Helper()
	if i := b.item(id); i.Refund != nil {
		return i.Refund.Amount
	}
	return 0
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
