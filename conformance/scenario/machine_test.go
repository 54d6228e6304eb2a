package scenario_test

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/scenario"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/pay"
)

// object is the one with this id.
func object(s conformance.Simulator, id string) (simkit.Object, error) {
	for _, o := range s.Objects() {
		if o.ID == id {
			return o, nil
		}
	}
	return simkit.Object{}, simkit.ErrNoObject
}

// machine has a bit of everything that the examples have not.
const machine = `
name: machine
time: {zone: "+03:00", format: "DD.MM.YYYY hh:mm:ss"}
terms: {currency: EUR, amount: 1230, outcomes: {paid: paid, refunded: done, refund_failed: "no"}}
connection:
  path: /api
  settings: {shop: s1, back: "{base}/back", deep: {list: [1, 2.50, true, ~]}}
  secrets: {key: an-invented-key}
  keys:
    mac: {algorithms: [HS512], secret: an-invented-secret-of-32-letters}
    pair: {algorithms: [EdDSA], generate: true}
    mine: {algorithms: [ES256], generate: true}
objects:
  order:
    id: "{digits 9}"
    ref: "{request.ref}"
    amount: "{request.sum}"
    keep: {url: "{request.url}", until: "{request.until}", note: "{request.note}", tags: "{request.tags}"}
    states: {new: nothing, paid: charged, back: refunded, over: nothing}
    times: [{from: new, at: until, to: over}]
  refund:
    of: order
    id: "{uuid}"
    amount: "{request.sum}"
    states: {wait: reserved, done: refunded, "no": nothing}
    times: [{from: wait, after: 1h, to: done}]
calls:
  - call: POST /api/orders
    request:
      {ref: text, sum: {type: major 3, quoted: true, max: 9000000000000}, url: optional url, until: optional time,
       note: optional text, tags: optional any, n: {type: integer, default: 7}, b: optional boolean}
    create: {object: order, unique: ref, taken: {answer: bad_request, field: ref, message: taken}}
    answer: {json: {id: "{order.id}", n: "{request.n}", "b?": "{request.b | omit}"}}
  - call: POST /api/act
    when: request.do is refund
    form: {order: text, sum: major 3}
    find: {object: order, by: ref, is: "{request.order}", else: {status: 404, text: none}}
    refuse: [{when: "request.sum > {order.left}", answer: bad_request, field: sum, message: "{order.left | major 3} is left"}]
    create: {object: refund, key: "{request.order}-{request.sum}"}
    move: {object: order, to: back, when: order.left is 0}
    answer: {text: "{refund.state} {refund.amount} of {order.amount}"}
  - call: POST /api/act
    answer: {status: 400, text: "what is {header.Do | or nothing}? {{braces}}"}
  - call: GET /api/orders
    query: {ref: text, n: {type: integer, max: 3}}
    find: {object: order, by: ref, is: "{query.ref}", else: {status: 404}}
    answer:
      json:
        sum: "{order.amount | major 3 | text}"
        left: "{order.left}"
        until: "{order.until}"
        unix: "{order.until | time unix}"
        day: '{order.until | time "YYYY/MM/DD" | or never}'
        note: "{order.note}"
        notes: ["{order.note | omit}", 1.50, "{order.note | or none | upper}"]
        tags: "{order.tags}"
answers:
  bad_request: {status: 400, text: "{bad.field}: {bad.message}"}
notifications:
  - object: refund
    states: [wait, done]
    to: "{order.url}"
    method: PUT
    text: "{refund.state} of {order.ref}"
    sign: {key: mac, over: "{now | time unix}.{body}", as: base64}
    headers: {X-Time: "{now | time unix}", X-Sign: "{signature}"}
  - object: refund
    states: [done]
    to: "{order.url}"
    json: {state: "{refund.state}"}
    sign: {key: pair}
    headers: {X-Sign: "{signature}"}
`

func newMachine(t testing.TB) (conformance.Provider, conformance.Simulator, func(method, path, body string) string) {
	t.Helper()
	p, err := scenario.Parse("machine.yaml", []byte(machine), "")
	if err != nil {
		t.Fatal(err)
	}
	s, url := serve(t, p)
	return p, s, func(method, path, body string) string {
		t.Helper()
		request, err := http.NewRequest(method, url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(body, "{") {
			request.Header.Set("Content-Type", "application/json; charset=utf-8")
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		answer, _ := io.ReadAll(response.Body)
		return fmt.Sprint(response.StatusCode, " ", string(answer))
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	_, s, call := newMachine(t)
	tests := []struct{ method, path, body, want string }{
		{"POST", "/api/orders", `{"ref":"a","sum":"1.230"}`, `"n":7}`},
		{"POST", "/api/orders", `{"ref":"b","sum":"0.001","b":true,"n":0}`, `"n":0,"b?":true}`},
		{"POST", "/api/orders", `{"ref":"c","sum":"9000000000.000"}`, `200 {`},
		{"POST", "/api/orders", `{"ref":"d","sum":"9000000000.001"}`, "400 sum: is too small or too large"},
		{"POST", "/api/orders", `{"ref":"d","sum":"0.0001"}`, "400 sum: is no amount: \"0.0001\" has more than 3"},
		{"POST", "/api/orders", `{"ref":"d","sum":"1e3"}`, "400 sum: is no amount"},
		{"POST", "/api/orders", `{"ref":"d","sum":"-1"}`, "400 sum: is no amount"},
		{"POST", "/api/orders", `{"ref":"d","sum":1.23}`, "400 sum: is a number and must be a text"},
		{"POST", "/api/orders", `{"ref":"d","sum":null}`, "400 sum: is required"},
		{"POST", "/api/orders", `{"ref":"d","sum":"99999999999999999999"}`, "400 sum: is no amount"},
		{"POST", "/api/orders", `{"ref":" ","sum":"1"}`, "400 ref: is required"},
		{"POST", "/api/orders", `{"ref":5,"sum":"1"}`, "400 ref: is no text"},
		{"POST", "/api/orders", `{"ref":"a","sum":"1"}`, "400 ref: taken"},
		{"POST", "/api/orders", `{"ref":"d","sum":"1","n":"1"}`, "400 n: is no whole number"},
		{"POST", "/api/orders", `{"ref":"d","sum":"1","n":1.5}`, "400 n: is no whole number"},
		{"POST", "/api/orders", `{"ref":"d","sum":"1","b":"true"}`, "400 b: is neither true nor false"},
		{"POST", "/api/orders", `{"ref":"d","sum":"1","url":"ftp://x"}`, "400 url: is no address"},
		{"POST", "/api/orders", `{"ref":"d","sum":"1","until":"2030-01-01"}`, "400 until: is no time"},
		{"POST", "/api/orders", `{"ref":"d"`, "400 body: is no JSON object"},
		{"POST", "/api/orders", `{"ref":"d"} x`, "400 body: has something after"},
		{"POST", "/api/orders", `ref=d`, "400 Content-Type: is not what"},
		{"POST", "/api/orders", ``, "400 body: there is no body"},
		{"POST", "/api/act", "do=refund&order=zz&sum=1.23", "404 none"},
		{"POST", "/api/act", "do=refund&order=a&sum=1.23", "400 sum: 0.000 is left"},
		{"POST", "/api/act", "do=refund&order=a&sum=x", "400 sum: is no amount"},
		{"POST", "/api/act", "do=nothing", "400 what is nothing? {braces}"},
		{"GET", "/api/orders?ref=a", "", "400 n: is required"},
		{"GET", "/api/orders?ref=a&n=4", "", "400 n: is too small or too large"},
		{"GET", "/api/orders?ref=zz&n=1", "", "404 "},
		{"PUT", "/api/orders", "", "404 no such call"},
		{"GET", "/api/orders/", "", "404 no such call"},
	}
	for _, tt := range tests {
		if got := call(tt.method, tt.path, tt.body); !strings.Contains(got, tt.want) {
			t.Errorf("%s %s %s: %s, want %s", tt.method, tt.path, tt.body, got, tt.want)
		}
	}
	amounts := ""
	for _, o := range s.Objects() {
		amounts += fmt.Sprint(o.Amount, " ")
	}
	if amounts != "1230 1 9000000000000 " {
		t.Errorf("amounts %s", amounts)
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	_, _, call := newMachine(t)
	call("POST", "/api/orders", `{"ref":"a","sum":"1.23","until":"31.12.2099 23:00:00","note":"<é>","tags":{"x":[1.10,null]}}`)
	call("POST", "/api/orders", `{"ref":"b","sum":"9000000000"}`)
	want := `200 {"sum":"1.230","left":0,"until":"31.12.2099 23:00:00","unix":4102430400,"day":"2099/12/31","note":"<é>",` +
		`"notes":["<é>",1.50,"<É>"],"tags":{"x":[1.10,null]}}`
	if got := call("GET", "/api/orders?ref=a&n=1", ""); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	want = `200 {"sum":"9000000000.000","left":0,"until":null,"unix":null,"day":"never","note":null,"notes":[1.50,"NONE"],"tags":null}`
	if got := call("GET", "/api/orders?ref=b&n=1", ""); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestRefunds gives back in parts, by objects of their own that take their time.
func TestRefunds(t *testing.T) {
	t.Parallel()
	_, s, call := newMachine(t)
	merchant := newShop(t)
	call("POST", "/api/orders", `{"ref":"a","sum":"12.30","url":"`+merchant.URL+`"}`)
	move := func(i int, outcome string) {
		t.Helper()
		if err := s.Move(s.Objects()[i].ID, outcome); err != nil {
			t.Fatal(err)
		}
	}
	move(0, "paid")
	if got := call("POST", "/api/act", "do=refund&order=a&sum=10"); got != "200 wait 10000 of 12300" {
		t.Error(got)
	}
	if got := call("POST", "/api/act", "do=refund&order=a&sum=2.301"); got != "400 sum: 2.300 is left" {
		t.Error(got)
	}
	if len(s.Effects()) != 1 {
		t.Errorf("a reserved refund was booked: %+v", s.Effects())
	}
	s.Advance(time.Hour)
	move(1, "no") // it bounces
	move(1, "wait")
	if err := s.Move(s.Objects()[1].ID, "nonsense"); err == nil {
		t.Error("nonsense is an outcome")
	}
	move(0, "back") // the rest
	ledger := ""
	for _, e := range s.Effects() {
		ledger += fmt.Sprintf("%s %d; ", e.Kind, e.Amount)
	}
	if want := "charge 12300; refund 10000; refund_returned 10000; refund 12300; "; ledger != want {
		t.Errorf("ledger %s, want %s", ledger, want)
	}
	s.(conformance.Caller).WaitDeliveries()
	got := merchant.notifications()
	if len(got) != 4 || string(got[0].Body) != "wait of a" || string(got[1].Body) != "done of a" || string(got[2].Body) != `{"state":"done"}` {
		t.Fatalf("notifications %+v", got)
	}
	header := func(n pay.NotificationRequest, name string) string {
		for _, f := range n.Header {
			if f.Name == name {
				return f.Value
			}
		}
		return ""
	}
	mac := hmac.New(sha512.New, []byte("an-invented-secret-of-32-letters"))
	mac.Write([]byte(header(got[1], "X-Time") + ".done of a"))
	if want := base64.StdEncoding.EncodeToString(mac.Sum(nil)); header(got[1], "X-Sign") != want || got[1].Method != "PUT" {
		t.Errorf("%s, signature %s, want %s", got[1].Method, header(got[1], "X-Sign"), want)
	}
	if ed25519 := header(got[2], "X-Sign"); len(ed25519) != 128 {
		t.Errorf("signature %q", ed25519)
	}
}

// TestConnection shows what payhost is given.
func TestConnection(t *testing.T) {
	t.Parallel()
	p, s, _ := newMachine(t)
	c, err := p.Connect(s, "http://127.0.0.1:1", "")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"shop":"s1","back":"http://127.0.0.1:1/back","deep":{"list":[1,2.50,true,null]}}`
	if string(c.Settings) != want || c.BaseURL != "http://127.0.0.1:1/api" {
		t.Errorf("settings %s, base URL %s", c.Settings, c.BaseURL)
	}
	if !c.Secrets["key"].Equal(vault.NewSecret("an-invented-key")) || len(c.Keys) != 3 {
		t.Errorf("%d secrets, %d keys", len(c.Secrets), len(c.Keys))
	}
	// The simulator signs with one pair: payhost has its public half. The other is payhost's.
	if pair, mine := c.Keys["pair"], c.Keys["mine"]; pair.PrivateKeyPEM != nil || pair.PublicKeyPEM == nil || mine.PrivateKeyPEM == nil {
		t.Error("the halves of the pairs are in the wrong hands")
	}
	if _, err := vault.New(vault.Config{Secrets: c.Secrets, Keys: c.Keys}); err != nil {
		t.Error(err)
	}
}

// TestStrangersAreNotCalled keeps the simulator from calling anybody but loopback.
func TestStrangersAreNotCalled(t *testing.T) {
	t.Parallel()
	_, s, call := newMachine(t)
	call("POST", "/api/orders", `{"ref":"a","sum":"12.30","url":"http://192.0.2.1/x"}`)
	if err := s.Move(s.Objects()[0].ID, "paid"); err != nil {
		t.Fatal(err)
	}
	call("POST", "/api/act", "do=refund&order=a&sum=1")
	s.(conformance.Caller).WaitDeliveries()
	made := s.(interface{ Deliveries() []simkit.Delivery }).Deliveries()
	if len(made) != 1 || !strings.Contains(made[0].Error, "loopback") {
		t.Errorf("deliveries %+v", made)
	}
	s.(interface{ Reset() }).Reset()
	if len(s.Objects()) != 0 || len(s.Effects()) != 0 {
		t.Error("something was kept")
	}
}

// FuzzParse breaks files at random: they are refused or they work.
func FuzzParse(f *testing.F) {
	f.Add(small, "/orders", `{"amount":12.30}`)
	f.Add(machine, "/api/orders", `{"ref":"a","sum":"1.230"}`)
	for _, name := range []string{"aurora", "yeniltoleg"} {
		text, err := os.ReadFile("examples/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "/v1/orders", `{"shop":"s1","order":"1","amount":1.00,"currency":"EUR"}`)
	}
	f.Fuzz(func(t *testing.T, text, path, body string) {
		p, err := scenario.Parse("f.yaml", []byte(text), t.TempDir())
		if err != nil {
			return
		}
		s, err := p.Start()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := p.Connect(s, "http://127.0.0.1", ""); err != nil {
			t.Error(err)
		}
		for _, method := range []string{"POST", "GET"} {
			request, err := http.NewRequest(method, "http://127.0.0.1/", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.URL.Path, request.Body = path, io.NopCloser(strings.NewReader(body))
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("X-Api-Key", "sim-aurora-api-key")
			request.Header.Set("Authorization", "Bearer sim-yeniltoleg-token")
			s.ServeHTTP(&discard{}, request)
		}
		for _, o := range s.Objects() {
			for _, outcome := range o.Outcomes {
				if err := s.Move(o.ID, outcome); err != nil {
					t.Error(err)
				}
			}
		}
		s.Advance(time.Hour)
	})
}

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header {
	if d.header == nil {
		d.header = http.Header{}
	}
	return d.header
}
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

func BenchmarkStart(b *testing.B) {
	p := load(b, "yeniltoleg")
	for b.Loop() {
		s, err := p.Start()
		if err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
}
