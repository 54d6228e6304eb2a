package providers

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
	"github.com/payhost/payhost/conformance/wire"
)

// The calls of Yenil-Toleg, as the wire's journal and its faults name them.
const (
	yenilRegister = "/api/v1/payment/register"
	yenilStatus   = "/api/v1/payment/getPaymentStatus/"
	yenilCancel   = "/api/v1/payment/cancel"
	yenilRefund   = "/api/v1/payment/refund"
)

// yeniltolegCases are the cases that only Yenil-Toleg has.
func yeniltolegCases() []conformance.Case {
	return []conformance.Case{
		yenilCase("Y1", conformance.L2, "contract 3, 5", yenilY1,
			"HTTP 500 behind the effect is settled by the same key, and an order number that is taken is a refusal."),
		yenilCase("Y2", conformance.L2, "contract 5", yenilY2,
			"A key that comes back with another body leaves a doubt, and never makes a second payment or a false no."),
		yenilCase("Y3", conformance.L2, "contract 6", yenilY3,
			"400, 401, 403 and 404 are told apart, and what the provider says of a field reaches the caller with the field."),
		yenilCase("Y4", conformance.L2, "contract 3", yenilY4,
			"HTTP 200 with result false is a no, and a yes that names no payment is none."),
		yenilCase("Y5", conformance.L1, "contract 4", yenilY5,
			"Every state of the provider, in any letter case and by every edge, is the right status, and an unknown one is no news."),
		yenilCase("Y6", conformance.L2, "contract 4, 7", yenilY6,
			"A payment ends as the provider ends it, by the session or by expireAt, and times without a zone mean the same on both sides."),
		yenilCase("Y7", conformance.L2, "contract 3, 5", yenilY7,
			"A cancel that races the payer is refused once paying has begun, and a lost answer is decided by the status."),
		yenilCase("Y8", conformance.L2, "contract 3, 5", yenilY8,
			"A refund goes through once, whole, and only of a paid payment, whatever becomes of its answer."),
		yenilCase("Y9", conformance.L1, "contract 2, 3", yenilY9,
			"Amounts and prices are exact on the wire and as read, and lines need not come to the amount."),
		yenilCase("Y10", conformance.L1, "contract 8", yenilY10,
			"The payment page is handed on as it came, whichever of its forms and hosts it has."),
		yenilCase("Y11", conformance.L1, "contract 6, 9", yenilY11,
			"Card fields may be null or missing, and nothing of the card or the payer is told on."),
	}
}

// yenil is a life at Yenil-Toleg.
type yenil struct {
	*conformance.Life
	sim *yeniltoleg.Server
}

func yenilCase(id string, level conformance.Level, proves string, run func(*yenil), sentence string) conformance.Case {
	return conformance.Case{
		Check: conformance.Check{ID: id, Level: level, Sentence: sentence, Proves: "providers 4, " + id + "; " + proves},
		Run: func(l *conformance.Life) {
			sim, ok := l.Sim.(*yeniltoleg.Server)
			if !ok {
				l.Skipf("the case turns switches that only conformance/sim/yeniltoleg has")
			}
			run(&yenil{l, sim})
		},
	}
}

// want is what an answer of payhost's must be; what is empty may be anything.
type want struct {
	code                  int
	class, effect, status string
	field                 string // "-" for none
	says                  string // part of the provider's own message
	provider              string // the provider's code
	doubt                 string // the operation in doubt; "-" for none
}

// holds notes what of an answer is not as it must be.
func (y *yenil) holds(what string, a conformance.Answer, w want) {
	var said struct {
		Message string `json:"provider_message"`
	}
	_ = json.Unmarshal([]byte(a.Raw), &said) // it was JSON when it was read
	doubt := "-"
	if a.InDoubt != nil {
		doubt = a.InDoubt.Operation
	}
	if w.code != 0 && w.code != a.Code {
		y.Failf("%s: payhost answers HTTP %d, and should %d: %s", what, a.Code, w.code, a.Raw)
		return
	}
	for _, part := range []struct{ name, want, got string }{
		{"class", w.class, a.Class},
		{"effect", w.effect, a.Effect},
		{"status", w.status, a.Word()},
		{"provider_code", w.provider, a.ProviderCode},
		{"operation in doubt", w.doubt, doubt},
	} {
		if part.want != "" && part.want != part.got {
			y.Failf("%s: %s is %q, and should be %q: %s", what, part.name, part.got, part.want, a.Raw)
		}
	}
	if w.field != "" && strings.TrimPrefix(w.field, "-") != a.Field {
		y.Failf("%s: field is %q, and should be %q: %s", what, a.Field, strings.TrimPrefix(w.field, "-"), a.Raw)
	}
	if !strings.Contains(said.Message, w.says) {
		y.Failf("%s: provider_message is %q, and should tell %q", what, said.Message, w.says)
	}
}

// set turns a switch of the simulator.
func (y *yenil) set(name, value string) { y.Must(y.sim.Set(name, value)) }

// answers has the provider answer calls of a path once with a body of ours, and do
// nothing.
func (y *yenil) answers(path string, status int, body string) {
	f := simkit.Fault{Path: path, Kind: simkit.Answer, Status: status, Body: body, Count: 1}
	if body == "" {
		f.Kind = simkit.Empty
	}
	y.Must(y.sim.Fault(f))
}

// during runs do with a fault on every call of a path.
func (y *yenil) during(f wire.Fault, path string, do func()) {
	f.Path = path
	y.Wire.Arm(f)
	do()
	y.Wire.Disarm()
}

func yenilPath(p conformance.Answer) string { return "/v1/payments/" + p.ID }

// fresh is a payment after payhost has asked the provider.
func (y *yenil) fresh(p conformance.Answer) conformance.Answer {
	return y.Get(yenilPath(p) + "?refresh=true")
}

// create makes one attempt at a payment, with fields besides the usual ones.
func (y *yenil) create(fields conformance.Object) conformance.Answer {
	return y.Try("/v1/payments", y.NewPayment(y.Terms.Amount, fields))
}

// undo makes one attempt at a cancel, or at a refund of an amount.
func (y *yenil) undo(p conformance.Answer, amount int64) conformance.Answer {
	if amount == 0 {
		return y.Try(yenilPath(p)+"/cancel", nil)
	}
	return y.Try(yenilPath(p)+"/refunds", conformance.Object{"amount": y.Amount(amount)})
}

// calls are the requests of a path, or of a beginning of one, so far.
func (y *yenil) calls(path string) []wire.Exchange {
	var list []wire.Exchange
	for _, x := range y.Wire.Journal() {
		if strings.HasPrefix(x.Path, path) {
			list = append(list, x)
		}
	}
	return list
}

// lastRegister is the newest register request.
func (y *yenil) lastRegister() wire.Exchange {
	list := y.calls(yenilRegister)
	if len(list) == 0 {
		y.Fatalf("register was never sent")
	}
	return list[len(list)-1]
}

// member is the JSON text of a member of an object, "" if it is not there.
func member(object []byte, name string) string {
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil {
		return ""
	}
	return string(members[name])
}

// moved is what happened to the money of one of the provider's payments, in order:
// "charge 3545, refund 3545".
func (y *yenil) moved(ref string) string {
	var list []string
	for _, e := range y.sim.Effects() {
		if e.Object == ref {
			list = append(list, e.Kind+" "+simkit.FormatShort(e.Amount, 2))
		}
	}
	return strings.Join(list, ", ")
}

// money holds what happened to the money of a payment against what should have.
func (y *yenil) money(what string, p conformance.Answer, should string) {
	if got := y.moved(p.ProviderRef); got != should {
		y.Failf("%s: the provider's ledger of the payment is %q, and should be %q", what, got, should)
	}
}

// made holds how many payments there are at the provider.
func (y *yenil) made(what string, should int) {
	if got := len(y.sim.Objects()); got != should {
		y.Failf("%s: the provider has %d payments, and should have %d", what, got, should)
	}
}

// told is a payment's timeline as text.
func (y *yenil) told(p conformance.Answer) string {
	var text strings.Builder
	for _, e := range y.Timeline(p.ID) {
		text.WriteString(e.Kind + " " + string(e.Body) + "\n")
	}
	return text.String()
}

// in is a moment from now, in whole seconds.
func (y *yenil) in(d time.Duration) time.Time { return y.Now().Add(d).UTC().Truncate(time.Second) }
