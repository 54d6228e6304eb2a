package payments

import (
	"context"
	"errors"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// leaseSlack is how much longer than a call may last an attempt belongs to its
// process: time to write down how it ended.
const leaseSlack = 5 * time.Second

// errMoved says that what was decided on is no longer so: decide again. Nothing
// was sent.
var errMoved = errors.New("decided on an old book")

// errLate says that the lease was over before the call could leave: the process stood
// still. Nothing was sent.
var errLate = &pay.Error{
	Class: pay.ClassUnavailable, Effect: pay.EffectNone, Advice: pay.AdviceRetrySameKey,
	Message: "payhost stood still before the operation was sent",
}

// attempt is one attempt of an operation on its way: from what was decided, over
// the rows that make it durable, to its outcome. It is the journal of its calls,
// so that nothing leaves before it is written down.
type attempt struct {
	engine  *Engine
	conn    *host.Connection
	call    Call
	actor   string
	book    *ledger.Book // what was decided on; once written, as it is then
	opened  *ledger.Opened
	op      ledger.Operation // as it is to be; Attempt is the one that is made now
	begin   ledger.Prepared
	request request
	claim   *store.Claim // nil for a repeat: the key is claimed already
	guard   func(*ledger.Book) error
	order   bool   // the order is to be locked: a create
	local   bool   // the provider was never told, so nobody has to be now
	note    string // for the timeline, if the order has other payments
	reason  string // of a refund

	written    bool              // the attempt's rows are durable
	lease      time.Time         // until when the attempt is ours
	begun      func()            // told so: a swap may come again
	blocked    func(book string) // told which other payment of the order is in doubt
	resequence func(int)         // told what the sequence of a key made of the order id should have been
}

var _ host.Journal = (*attempt)(nil)

// run carries out the attempt and writes down how it ended. The error is errMoved,
// or what the caller is to be told.
func (a *attempt) run(ctx context.Context) (*ledger.Book, error) {
	// Whoever asked may go away; what was begun is brought to its end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.engine.config.CallTimeout+time.Second)
	defer cancel()
	op := a.op
	result, err := host.Result{Result: pay.Result{Outcome: pay.OutcomeApplied}}, error(nil)
	if !a.local {
		result, err = a.engine.send(ctx, a.conn, a.book, &op, a.request, a.reason, a)
	}
	a.observe(result, err)
	if !a.written {
		if errors.Is(err, errMoved) {
			return nil, errMoved
		}
		if result.Outcome == pay.OutcomeNotApplied { // nothing was asked and nothing sent: leave no trace
			return nil, err
		}
	}
	return a.finish(ctx, a.outcome(&result, err))
}

func (a *attempt) observe(result host.Result, err error) {
	class := ""
	if err != nil {
		class = pay.ClassOf(err).String()
	}
	a.engine.config.Observe.Operation(a.conn.Name(), result.Revision, a.op.Op.String(), result.Outcome.String(), class, result.Took)
	log := a.engine.log.With("operation", a.op.Op.String(), "operation_id", a.op.ID, "attempt", a.op.Attempt,
		"connection", a.conn.Name(), "request_id", a.call.RequestID)
	for _, x := range result.Calls {
		log.Debug("provider call", "call", x.String())
	}
	log.Info("operation ended", "outcome", result.Outcome.String(), "class", class,
		"wire", result.Evidence.Wire.String(), "took", result.Took)
}

// Before implements host.Journal.
func (a *attempt) Before(ctx context.Context, call host.Outbound) error {
	var bodies []ledger.Body
	switch {
	case call.Money:
		bodies = append(bodies, ledger.Sending{
			Operation: a.op.ID, Attempt: a.op.Attempt, Call: call.Number, Method: call.Method, URL: call.URL,
		})
	case a.written:
		return nil // reading needs no line of its own
	}
	a.engine.config.Fault(a.op.Op.String() + ".before_write")
	if err := a.write(ctx, bodies...); err != nil {
		return err
	}
	a.engine.config.Fault(a.op.Op.String() + ".after_write")
	if call.Money && !a.engine.now().Before(a.lease) {
		return errLate // somebody may have drawn conclusions meanwhile
	}
	return nil
}

// After implements host.Journal. What the wire has shown comes with the result.
func (a *attempt) After(context.Context, host.Outbound, *egress.Exchange) {
	a.engine.config.Fault(a.op.Op.String() + ".after_call")
}

// outcome is the ledger's line about how the attempt ended.
func (a *attempt) outcome(r *host.Result, err error) ledger.Outcome {
	o := ledger.Outcome{
		Operation: a.op.ID, Attempt: a.op.Attempt, Outcome: r.Outcome, Evidence: ledger.EvidenceOf(r.Evidence),
		Error: ledger.ErrorOf(err), ProviderRef: r.ProviderRef, PayerHint: r.PayerHint, ExpiresAt: r.ExpiresAt,
		Revision: r.Revision, TookUS: r.Took.Microseconds(),
	}
	if n := r.Next; n.Type != 0 {
		o.Next = &ledger.Next{Type: n.Type, URL: n.URL, QRPayload: n.QRPayload, QRPNG: n.QRPNG, ExpiresAt: n.ExpiresAt}
	}
	for _, seen := range r.Observations {
		o.Seen = append(o.Seen, ledger.ObservationOf(seen))
	}
	for _, x := range r.Calls {
		o.Calls = append(o.Calls, callOf(x))
	}
	return o
}

func callOf(x *egress.Exchange) ledger.Call {
	c := ledger.Call{
		Method: x.Method, URL: x.URL, Money: x.Effect == egress.Money, Evidence: x.Evidence.String(), Status: x.Status,
		Attempts: len(x.Attempts), TookMS: x.Took.Milliseconds(),
	}
	for _, t := range x.Attempts {
		c.BytesOut, c.BytesIn = c.BytesOut+t.BytesOut, c.BytesIn+t.BytesIn
		if t.Failure != "" {
			c.Failure = string(t.Failure)
		}
	}
	return c
}
