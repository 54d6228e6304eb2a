package providers

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/host"
)

// The provider's paths, spelled out: the cases share nothing with the plugin.
const (
	rahmetToken        = "/auth/token"
	rahmetAvailability = "/orders/v1/preorder/availability"
	rahmetCreateV1     = "/orders/v1/preorder/create"
	rahmetCreateV2     = "/orders/v2/preorder/create"
	rahmetStatus       = "/orders/v1/preorder/status"
	rahmetRefund       = "/orders/v1/preorder/refund"

	rahmetKeyHeader = "X-Idempotency-Key"
	rahmetForm      = "application/x-www-form-urlencoded"
)

// rahmetLife is a life with RahmetPay, whose simulator can be told how to answer
// where the provider's document is silent.
type rahmetLife struct {
	*conformance.Life
	sim *rahmet.Server
}

// rahmetCase is a case that lives a life with the simulator.
func rahmetCase(c conformance.Check, run func(l *rahmetLife)) conformance.Case {
	return conformance.Case{Check: c, Run: func(l *conformance.Life) {
		sim, ok := l.Sim.(*rahmet.Server)
		if !ok {
			l.Fatalf("the provider's own cases need its simulator, which this is not")
		}
		run(&rahmetLife{Life: l, sim: sim})
	}}
}

// set decides a doubt about the provider.
func (l *rahmetLife) set(name, value string) { l.Must(l.sim.Set(name, value)) }

// settings connects anew with settings beside the branch token.
func (l *rahmetLife) settings(more map[string]any) {
	all := map[string]any{"branch_token": rahmet.BranchToken}
	maps.Copy(all, more)
	raw, err := json.Marshal(all)
	l.Must(err)
	l.Reconnect(func(c *host.ConnectionConfig) { c.Settings = raw })
}

// warm sees to it that a token is at hand, so that the next request is the operation's.
func (l *rahmetLife) warm() {
	if err := l.Calls().Ping(context.Background()); err != nil {
		l.Fatalf("ping fails while the provider is available: %v", err)
	}
}

// next arms a fault for the operation's next request.
func (l *rahmetLife) next(kind wire.Kind) {
	l.warm()
	l.Wire.Arm(wire.Fault{Kind: kind, At: l.Wire.Number() + 1})
}

// sent returns the requests to a path after the one numbered mark.
func (l *rahmetLife) sent(mark int, path string) []wire.Exchange {
	var list []wire.Exchange
	for _, x := range l.Wire.Journal() {
		if x.Number > mark && x.Path == path {
			list = append(list, x)
		}
	}
	return list
}

// tokens holds how often the provider was asked for a token after mark.
func (l *rahmetLife) tokens(mark, want int, when string) {
	if n := len(l.sent(mark, rahmetToken)); n != want {
		l.Failf("%d requests for a token, want %d: %s", n, want, when)
	}
}

// rahmetFields reads a request's form.
func rahmetFields(x *wire.Exchange) url.Values {
	values, err := url.ParseQuery(string(x.Body))
	if err != nil {
		return nil
	}
	return values
}

// rahmetData reads the data of an answer.
func rahmetData[T any](x *wire.Exchange) (out T) {
	var envelope struct {
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(x.Answer, &envelope) == nil {
		_ = json.Unmarshal(envelope.Data, &out)
	}
	return out
}

// rahmetCreated is what create answers.
type rahmetCreated struct {
	ID       json.Number `json:"preorder_id"`
	URL      string      `json:"url"`
	Inner    string      `json:"inner_url"`
	External string      `json:"external_url"`
	QR       string      `json:"qr_image_base_64"`
}

func (l *rahmetLife) path(p conformance.Answer) string { return "/v1/payments/" + p.ID }

// orderID is the merchant's id of a payment's order.
func (l *rahmetLife) orderID(p conformance.Answer) string {
	var seen struct {
		OrderID string `json:"order_id"`
	}
	l.Must(json.Unmarshal([]byte(p.Raw), &seen))
	return seen.OrderID
}

// orders returns the provider's orders of a payment, oldest first: those of its order
// id, and of the ids that follow it.
func (l *rahmetLife) orders(p conformance.Answer) []simkit.Object {
	var list []simkit.Object
	for _, o := range l.sim.Objects() {
		if o.Kind == "order" && l.own(p, o.Ref) {
			list = append(list, o)
		}
	}
	return list
}

func (l *rahmetLife) own(p conformance.Answer, ref string) bool {
	order := l.orderID(p)
	return ref == order || strings.HasPrefix(ref, order+"-")
}

// order is the provider's newest order of a payment.
func (l *rahmetLife) order(p conformance.Answer) simkit.Object {
	list := l.orders(p)
	if len(list) == 0 {
		l.Fatalf("the provider has no order for the payment, which is %v", p.Status)
	}
	return list[len(list)-1]
}

// rahmetDetails reads what the simulator tells of an object.
func rahmetDetails[T any](o simkit.Object) (out T) {
	if raw, err := json.Marshal(o.Details); err == nil {
		_ = json.Unmarshal(raw, &out)
	}
	return out
}

// rahmetOrderDetails are those of an order, rahmetRefundDetails those of a refund.
type rahmetOrderDetails struct {
	Page     string    `json:"payment_path"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires"`
	Postlink string    `json:"postlink"`
	Failed   string    `json:"failed_postlink"`
}

type rahmetRefundDetails struct {
	Order string `json:"order"`
	Key   string `json:"key"`
}

// refunds returns the provider's refunds of an order.
func (l *rahmetLife) refunds(order simkit.Object) []simkit.Object {
	var list []simkit.Object
	for _, o := range l.sim.Objects() {
		if o.Kind == "refund" && rahmetDetails[rahmetRefundDetails](o).Order == order.ID {
			list = append(list, o)
		}
	}
	return list
}

// sell takes an ordinary payment to succeeded.
func (l *rahmetLife) sell() conformance.Answer {
	p := l.Begin()
	l.Move(l.order(p).ID, "paid")
	return l.Until(l.path(p), "succeeded")
}

// money holds payhost's sums and the provider's against what is true.
func (l *rahmetLife) money(p conformance.Answer, charged, refunded int64) {
	p = l.Get(l.path(p))
	var in, out int64
	for _, e := range l.sim.Effects() {
		if !l.own(p, e.Ref) {
			continue
		}
		switch e.Kind {
		case simkit.Charge:
			in += e.Amount
		case simkit.Reversal:
			in -= e.Amount
		case simkit.Refund:
			out += e.Amount
		case simkit.RefundReturned:
			out -= e.Amount
		}
	}
	if in != charged || out != refunded {
		l.Failf("the provider charged %d and gave back %d, want %d and %d", in, out, charged, refunded)
	}
	if p.Paid.Minor() != charged || p.Refunded.Minor() != refunded {
		l.Failf("amount_paid is %d and amount_refunded %d, and the provider charged %d and gave back %d",
			p.Paid.Minor(), p.Refunded.Minor(), in, out)
	}
}

// finish repeats a request under its key until it is done, as often as is reasonable
// once nothing stands in its way.
func (l *rahmetLife) finish(path, key string, body any) conformance.Answer {
	var a conformance.Answer
	for range 12 {
		if a = l.Request(http.MethodPost, path, key, body); a.Code/100 == 2 && a.InDoubt == nil {
			return a
		}
		l.Pass(10 * time.Second)
	}
	l.Fatalf("nothing stands in its way any more, and POST %s still ends with %s", path, a.Raw)
	return a
}

// told reports whether a line of a payment's timeline says a text.
func (l *rahmetLife) told(id, text string) bool {
	return slices.ContainsFunc(l.Timeline(id), func(e conformance.Entry) bool {
		return strings.Contains(string(e.Body), text)
	})
}

// soon waits for work that payhost does in the background, without time going by.
func (l *rahmetLife) soon(done func() bool) bool {
	for range 2500 {
		if done() {
			return true
		}
		time.Sleep(2 * time.Millisecond)
	}
	return false
}

// rahmetHeard is an answer that the simulator gave to a call which is not the plugin's.
type rahmetHeard struct {
	status int
	header http.Header
	body   bytes.Buffer
}

// Header implements http.ResponseWriter; likewise below.
func (h *rahmetHeard) Header() http.Header         { return h.header }
func (h *rahmetHeard) WriteHeader(status int)      { h.status = status }
func (h *rahmetHeard) Write(p []byte) (int, error) { return h.body.Write(p) }

// direct posts to the provider past payhost, as a careless client would, and
// returns the error_code of its answer and the data.
func (l *rahmetLife) direct(path, kind, body string, header ...string) (code int, data json.RawMessage) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://provider.example"+path, strings.NewReader(body))
	l.Must(err)
	r.Header.Set("Content-Type", kind)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	h := &rahmetHeard{header: http.Header{}}
	l.sim.ServeHTTP(h, r)
	var answer struct {
		Code int             `json:"error_code"`
		Data json.RawMessage `json:"data"`
	}
	l.Must(json.Unmarshal(h.body.Bytes(), &answer))
	return answer.Code, answer.Data
}

// bearer is a token of the provider for calls past payhost.
func (l *rahmetLife) bearer() string {
	client := url.Values{
		"client_id": {rahmet.ClientID}, "client_secret": {rahmet.ClientSecret}, "grant_type": {"client_credentials"},
	}
	code, raw := l.direct(rahmetToken, rahmetForm, client.Encode())
	var token struct {
		Token string `json:"token"`
	}
	if code != 0 || json.Unmarshal(raw, &token) != nil || token.Token == "" {
		l.Fatalf("simulator: gives no token: %d %s", code, raw)
	}
	return token.Token
}
