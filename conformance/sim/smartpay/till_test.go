package smartpay_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/payhost/payhost/conformance/sim/certs"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/smartpay"
)

// material is made once: RSA keys take long, and nothing here depends on whose they are.
var material = sync.OnceValues(func() (smartpay.Options, error) {
	var o smartpay.Options
	var err error
	if o.Authority, err = certs.NewAuthority("test authority"); err != nil {
		return o, err
	}
	if o.ServiceKey, err = certs.NewKeyPair(); err != nil {
		return o, err
	}
	o.AppKey, err = certs.NewKeyPair()
	return o, err
})

// start runs a simulator with settings given as name, value, name, value.
func start(t *testing.T, set ...string) *smartpay.Server {
	t.Helper()
	options, err := material()
	must(t, err)
	srv, err := smartpay.New(options)
	must(t, err)
	t.Cleanup(func() { _ = srv.Close() })
	for i := 0; i < len(set); i += 2 {
		must(t, srv.Kit().Set(set[i], set[i+1]))
	}
	return srv
}

// m is a JSON object.
type m map[string]any

// till is a cash register: a client certificate, a connection and perhaps a session.
type till struct {
	t       *testing.T
	base    string
	client  *http.Client
	cookies []*http.Cookie
}

// newTill connects with a certificate of the given name and has no session.
func newTill(t *testing.T, srv *smartpay.Server, certificate string) *till {
	t.Helper()
	config, err := srv.ClientTLS(certificate)
	must(t, err)
	return &till{t: t, base: srv.URL(), client: httpClient(t, config)}
}

// openTill is a till that has authorized under its id.
func openTill(t *testing.T, srv *smartpay.Server, id string) *till {
	t.Helper()
	till := newTill(t, srv, "certificate of "+id)
	till.auth(id)
	return till
}

func httpClient(t *testing.T, config *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: config}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// reply is an answer of the provider.
type reply struct {
	status  int
	code    smartpay.Code // of the error, or 0
	message string
	raw     string
	header  http.Header

	Status     string
	Amount     int64
	PurchaseID string `json:"purchase_id"`
	RefundID   string `json:"refund_id"`
	Errors     []struct {
		Code    smartpay.Code
		Message string
	}
	Error *struct {
		Code    smartpay.Code
		Message string
	}
}

func (c *till) auth(id string) {
	c.t.Helper()
	r := c.ok("/v1/auth", m{"till_id": id})
	c.cookies = (&http.Response{Header: r.header}).Cookies()
	if r.Status != "ok" || len(c.cookies) != 1 {
		c.t.Fatalf("auth of till %s: %s with cookies %v", id, r.raw, c.cookies)
	}
}

// send posts a body, as JSON unless it is a string already.
func (c *till) send(method, path string, body any) (reply, error) {
	c.t.Helper()
	text, isText := body.(string)
	if !isText {
		raw, err := json.Marshal(body)
		must(c.t, err)
		text = string(raw)
	}
	request, err := http.NewRequest(method, c.base+path, strings.NewReader(text))
	must(c.t, err)
	request.Header.Set("Content-Type", "application/json")
	for _, cookie := range c.cookies {
		request.AddCookie(cookie)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{}, err
	}
	r := reply{status: response.StatusCode, raw: string(raw), header: response.Header}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&r); err != nil {
		return reply{}, fmt.Errorf("%s answers %q: %w", path, raw, err)
	}
	if r.Error != nil {
		r.code, r.message = r.Error.Code, r.Error.Message
	}
	return r, nil
}

func (c *till) post(path string, body any) reply {
	c.t.Helper()
	r, err := c.send(http.MethodPost, path, body)
	must(c.t, err)
	return r
}

// ok is post for a call that must succeed.
func (c *till) ok(path string, body any) reply {
	c.t.Helper()
	r := c.post(path, body)
	if r.status != http.StatusOK || r.code != 0 {
		c.t.Fatalf("%s: HTTP %d: %s", path, r.status, r.raw)
	}
	return r
}

// refused is post for a call that must fail with a code.
func (c *till) refused(want smartpay.Code, path string, body any) {
	c.t.Helper()
	r := c.post(path, body)
	if r.code != want || r.status < 400 || r.status > 499 {
		c.t.Errorf("%s: HTTP %d: %s, want error %d", path, r.status, r.raw, want)
	}
}

// The calls of a purchase, by the provider's names.

func (c *till) commit(kassaID, code string) string {
	c.t.Helper()
	return c.ok("/v1/purchase/code/commit", commitBody(c.t, kassaID, code)).PurchaseID
}

func (c *till) release(id string, amount int64) string {
	c.t.Helper()
	return c.ok("/v1/purchase/release", m{"purchase_id": id, "amount": amount}).Status
}

func (c *till) status(id string) string {
	c.t.Helper()
	return c.ok("/v1/purchase/status", m{"purchase_id": id}).Status
}

func (c *till) say(id, verdict string) {
	c.t.Helper()
	if r := c.ok("/v1/purchase/kassa/status", m{"purchase_id": id, "status": verdict}); r.Status != "ok" {
		c.t.Errorf("kassa/status %s: %s", verdict, r.raw)
	}
}

// pay takes a purchase to a success that is not confirmed yet.
func (c *till) pay(srv *smartpay.Server, kassaID string, amount int64) string {
	c.t.Helper()
	id := c.commit(kassaID, present(c.t, srv))
	c.release(id, amount)
	must(c.t, srv.Kit().Move(id, "success"))
	return id
}

func (c *till) refund(id, kassaID string, amount int64) string {
	c.t.Helper()
	return c.ok("/v1/purchase/refund", refundBody(id, kassaID, amount)).RefundID
}

func (c *till) refundStatus(id string) string {
	c.t.Helper()
	return c.ok("/v1/purchase/refund/status", m{"refund_id": id}).Status
}

func commitBody(t *testing.T, kassaID, code string) m {
	t.Helper()
	body := m{}
	must(t, json.Unmarshal([]byte(code), &body))
	body["kassa_purchase_id"] = kassaID
	return body
}

func refundBody(id, kassaID string, amount int64) m {
	return m{"purchase_id": id, "kassa_refund_id": kassaID, "amount": amount}
}

func present(t *testing.T, srv *smartpay.Server) string {
	t.Helper()
	code, err := srv.PresentCode("alice")
	must(t, err)
	return code
}

// effects are the ledger's entries as "charge 100 K-1", oldest first.
func effects(srv *smartpay.Server) []string {
	list := []string{}
	for _, e := range srv.Kit().Effects() {
		list = append(list, fmt.Sprintf("%s %d %s", e.Kind, e.Amount, e.Key))
	}
	return list
}

func wantEffects(t *testing.T, srv *smartpay.Server, want ...string) {
	t.Helper()
	if got := effects(srv); strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("money effects %q, want %q", got, want)
	}
}

// details are what the control API tells of an object.
func details(t *testing.T, srv *smartpay.Server, id string) (simkit.Object, map[string]any) {
	t.Helper()
	o, err := srv.Kit().Object(id)
	must(t, err)
	return o, o.Details.(map[string]any)
}

// browse is a browser without a certificate on the control listener.
func browse(t *testing.T, method, url string, form url.Values) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(form.Encode()))
	must(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := httpClient(t, nil)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(body), response.Header
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
