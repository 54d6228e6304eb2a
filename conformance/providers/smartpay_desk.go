package providers

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/certs"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/smartpay"
	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/pay"
)

// The provider's paths, as they stand in the wire's journal.
const (
	wireAuth          = "/v1/auth"
	wireCommit        = "/v1/purchase/code/commit"
	wireRelease       = "/v1/purchase/release"
	wireStatus        = "/v1/purchase/status"
	wireVerdict       = "/v1/purchase/kassa/status"
	wireFiscal        = "/v1/purchase/fiscal"
	wireReceipt       = "/v2/purchase/fiscal"
	wireRefund        = "/v1/purchase/refund"
	wireRefundStatus  = "/v1/purchase/refund/status"
	wireRefundVerdict = "/v1/purchase/refund/kassa/status"
	wirePing          = "/v1/ping"
	wireErrors        = "/v1/error_answers"
)

// desk is where a cashier sells with SmartPay: a life, and the simulator behind it.
type desk struct {
	*conformance.Life
	sim  *Till
	keys map[string]vault.KeyConfig // as the connection had them, once they were taken away
}

// set decides a doubt about the provider.
func (d *desk) set(name, value string) { d.Must(d.sim.Set(name, value)) }

// sitAt makes the connection another till's, or shows another certificate for it.
func (d *desk) sitAt(till, certificate string) {
	id, err := d.sim.Server.Authority().Client(certificate)
	d.Must(err)
	d.show(id, till)
}

func (d *desk) show(id *certs.Identity, till string) {
	d.Reconnect(func(c *host.ConnectionConfig) {
		own := c.TLS["client"]
		dir := filepath.Dir(own.CAFile)
		d.Must(id.WriteFiles(dir, "shown"))
		own.CertFile, own.KeyFile = filepath.Join(dir, "shown.crt"), filepath.Join(dir, "shown.key")
		c.TLS = map[string]vault.IdentityConfig{"client": own}
		c.Settings = json.RawMessage(`{"till_id":"` + till + `"}`)
	})
}

// sitDown makes it the till again that it was at first.
func (d *desk) sitDown() { d.sitAt(smartpay.DefaultTill, smartpay.DefaultTill) }

// forward takes the keys away, so that codes are forwarded unseen, or gives them back.
func (d *desk) forward(unseen bool) {
	d.Reconnect(func(c *host.ConnectionConfig) {
		if d.keys == nil {
			d.keys = c.Keys
		}
		if c.Keys = d.keys; unseen {
			c.Keys = nil
		}
	})
}

func at(p conformance.Answer, step ...string) string {
	return strings.Join(append([]string{"/v1/payments/" + p.ID}, step...), "/")
}

// bind is one attempt to bind a code.
func (d *desk) bind(p conformance.Answer, code string) conformance.Answer {
	return d.Try(at(p, "bind"), conformance.Object{"code": code})
}

// bound is a payment with a claimed code.
func (d *desk) bound() conformance.Answer {
	p := d.Create(0, nil)
	return d.Accepted(at(p, "bind"), conformance.Object{"code": d.Code("")})
}

// release is one attempt to release an amount.
func (d *desk) release(p conformance.Answer, amount int64) conformance.Answer {
	return d.Try(at(p, "release"), conformance.Object{"amount": d.Amount(amount)})
}

// released is a payment whose amount the provider has.
func (d *desk) released(amount int64) conformance.Answer { return d.BeginWith(amount, nil) }

// authorized is a payment that only wants the till's word.
func (d *desk) authorized(amount int64) conformance.Answer {
	return d.Until(at(d.released(amount)), "authorized")
}

// sold is a payment that is through.
func (d *desk) sold(amount int64) conformance.Answer {
	p := d.authorized(amount)
	d.Accepted(at(p, "confirm"), nil)
	return d.Until(at(p), "succeeded")
}

// done ends the life if a request was not carried out at its first attempt.
func (d *desk) done(what string, a conformance.Answer) conformance.Answer {
	if a.Code/100 != 2 || a.InDoubt != nil {
		d.Fatalf("%s is answered %s, and should go through", what, told(a))
	}
	return a
}

// doubted ends the life if a request did not leave a doubt: its answer was kept back.
func (d *desk) doubted(what string, a conformance.Answer) conformance.Answer {
	if a.InDoubt == nil {
		d.Fatalf("%s is answered %s, though nobody can know what came of it: it should be in doubt", what, told(a))
	}
	return a
}

// refused holds that a request was refused as one of the classes, and that payhost
// says that nothing has changed.
func (d *desk) refused(what string, a conformance.Answer, classes ...string) {
	switch {
	case !slices.Contains(classes, a.Class):
		d.Failf("%s is answered %s, and should be refused as %s", what, told(a), strings.Join(classes, " or "))
	case a.Effect != "none":
		d.Failf("%s is refused as %s with the effect %q, and nothing has changed", what, a.Class, a.Effect)
	}
}

// told is an answer in a few words.
func told(a conformance.Answer) string {
	if a.Class == "" {
		return fmt.Sprintf("%d %v", a.Code, a.Status)
	}
	return fmt.Sprintf("%d %s (%s)", a.Code, a.Class, a.Detail)
}

// failed holds that a call of the plugin failed with a class.
func (d *desk) failed(what string, err error, class pay.Class) {
	if got := pay.ClassOf(err); err == nil || got != class {
		d.Failf("%s: the plugin answers %v, and should fail with the class %s", what, err, class)
	}
}

// is holds that a payment, a refund or a receipt has a status and no doubt.
func (d *desk) is(what string, a conformance.Answer, status string) {
	if !a.Is(status) || a.InDoubt != nil {
		d.Failf("%s is %s, and should be %s", what, told(a), status)
	}
}

// mark is a place in the wire's journal: now.
func (d *desk) mark() int { return d.Wire.Number() }

// since returns the requests behind a mark that go to one of the paths; to any if
// none is given.
func (d *desk) since(mark int, paths ...string) []wire.Exchange {
	var list []wire.Exchange
	for _, x := range d.Wire.Journal() {
		if x.Number > mark && (len(paths) == 0 || slices.Contains(paths, x.Path)) {
			list = append(list, x)
		}
	}
	return list
}

// sent holds that these paths and no others were called behind a mark. Opening a
// session does not count.
func (d *desk) sent(what string, mark int, want ...string) {
	var got []string
	for _, x := range d.since(mark) {
		if x.Path != wireAuth {
			got = append(got, x.Path)
		}
	}
	if !slices.Equal(got, want) {
		d.Failf("%s: the plugin called %s, and should call %s", what, orNothing(got), orNothing(want))
	}
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

// members are the values that a member of the bodies sent to a path behind a mark
// had, each once.
func (d *desk) members(mark int, path, name string) []string {
	var list []string
	for _, x := range d.since(mark, path) {
		var body map[string]any
		d.Must(json.Unmarshal(x.Body, &body))
		if value := fmt.Sprint(body[name]); !slices.Contains(list, value) {
			list = append(list, value)
		}
	}
	return list
}

// one holds that a member had one value in all requests to a path behind a mark, at
// least so many, and returns it.
func (d *desk) one(what string, mark int, path, name string, least int) string {
	values := d.members(mark, path, name)
	if n := len(d.since(mark, path)); n < least {
		d.Failf("%s: %s was called %d times, and should be at least %d", what, path, n, least)
	}
	if len(values) != 1 {
		d.Fatalf("%s: the requests to %s have the %s %s, and should all have one", what, path, name, orNothing(values))
	}
	return values[0]
}

// about leaves the requests that name an object of the provider.
func about(id string, list []wire.Exchange) []wire.Exchange {
	return slices.DeleteFunc(list, func(x wire.Exchange) bool { return !x.Said(`"` + id + `"`) })
}

// during lets a fault happen to every request of a path while something is done.
func (d *desk) during(kind wire.Kind, path string, do func()) {
	d.Wire.Arm(wire.Fault{Kind: kind, Path: path})
	do()
	d.Wire.Disarm()
}

// object is the provider's object with an id.
func (d *desk) object(id string) simkit.Object {
	o, err := d.sim.Object(id)
	if err != nil {
		d.Fatalf("the provider has no %q: %v", id, err)
	}
	return o
}

// detail is what the provider tells of an object beside its state.
func (d *desk) detail(id, name string) any {
	details, _ := d.object(id).Details.(map[string]any)
	return details[name]
}

// count is how many objects of a kind the provider has.
func (d *desk) count(kind string) int {
	n := 0
	for _, o := range d.sim.Objects() {
		if o.Kind == kind {
			n++
		}
	}
	return n
}

// money holds that these movements and no others were made of a purchase: "charge
// 5000".
func (d *desk) money(what string, p conformance.Answer, want ...string) {
	var got []string
	for _, e := range d.sim.Effects() {
		if e.Object == p.ProviderRef && p.ProviderRef != "" {
			got = append(got, fmt.Sprintf("%s %d", e.Kind, e.Amount))
		}
	}
	if !slices.Equal(got, want) {
		d.Failf("%s: the provider's ledger has %s, and should have %s", what, orNothing(got), orNothing(want))
	}
}

// intent is one of an operation that the engine knows nothing of.
func (d *desk) intent(providerKey string) pay.Intent {
	return pay.Intent{Key: d.NewKey(), ProviderKey: providerKey}
}

// ref names a payment to the plugin.
func (d *desk) ref(p conformance.Answer) pay.Ref {
	return pay.Ref{ID: p.ID, OrderID: "order", ProviderRef: p.ProviderRef, Amount: d.rubles(p.Amount.Minor())}
}

func (d *desk) rubles(minor int64) pay.Money {
	if minor == 0 {
		return pay.Money{}
	}
	return pay.New(minor, pay.Currency(d.Terms.Currency))
}

// observedStatus is what an observation in a timeline says of the payment.
func observedStatus(e conformance.Entry) string {
	var body struct {
		Payment string `json:"payment"`
	}
	_ = json.Unmarshal(e.Body, &body) // what is no observation says nothing
	return body.Payment
}
