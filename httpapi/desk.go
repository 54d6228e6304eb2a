package httpapi

import (
	"context"
	"net/http"

	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

const tagDesk = "In-doubt desk"

type operationPath struct {
	ID string `path:"id" doc:"Id of the operation" example:"op_01jd5x3v8c0000000000000000_2"`
}

type pageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" maxLength:"512" doc:"next_cursor of the page before"`
}

func (a *API) serveDesk() {
	read(a, route{
		id: "list-in-doubt", method: http.MethodGet, path: "/v1/in-doubt", tag: tagDesk, scope: ScopePayments,
		summary: "List what is in doubt",
		about:   "Every operation that may or may not have happened, oldest first, with the evidence and what happens next.",
	}, a.listInDoubt)
	write(a, route{
		id: "probe-operation", method: http.MethodPost, path: "/v1/operations/{id}/probe", tag: tagDesk, scope: ScopePayments,
		optional: true, fails: []int{402, 404, 409, 502}, summary: "Ask the provider now",
		about: "Asks about the operation's payment, and sends again what the plugin declares safe to send again. " +
			"Answers the payment, or the receipt that stands alone. The body may be left out.",
	}, a.probe)
	write(a, route{
		id: "resolve-operation", method: http.MethodPost, path: "/v1/operations/{id}/resolve", tag: tagDesk, scope: ScopeAdmin,
		fails: []int{404, 409}, summary: "End a doubt by proof",
		about: "Records what a person has found out; it can't be taken back. The operation must be in doubt or accepted. " +
			"Answers the payment, or the receipt that stands alone.",
		example: map[string]any{"outcome": "not_applied", "evidence": "statement of 2026-03-01, ticket 4711: no such charge"},
	}, a.resolve)
	write(a, route{
		id: "acknowledge-alerts", method: http.MethodPost, path: "/v1/payments/{id}/acknowledge", tag: tagDesk, scope: ScopeAdmin,
		fails: []int{404, 409}, summary: "End a payment's alerts",
		about:   "Records that a person has looked at what the provider contradicts, and what came of it. It changes no status.",
		example: map[string]any{"evidence": "asked the provider: a test of theirs, ticket 4711"},
	}, a.acknowledge)
}

func (a *API) acknowledge(ctx context.Context, x *exchange, in *paymentPath, body *finding) (*found[payments.PaymentView], error) {
	if !isID(in.ID, "pay_") {
		return nil, notFound("no such payment")
	}
	b, err := a.config.Engine.Acknowledge(ctx, x.caller, in.ID, body.Evidence)
	if err != nil {
		return nil, err
	}
	return &found[payments.PaymentView]{payments.ViewPayment(b)}, nil
}

func (a *API) listInDoubt(ctx context.Context, _ *exchange, in *pageQuery) (*found[doubtList], error) {
	list, next, err := a.config.Engine.InDoubt(ctx, in.Limit, in.Cursor)
	if err != nil {
		return nil, err
	}
	out := doubtList{InDoubt: make([]doubtRow, 0, len(list)), NextCursor: text(next)}
	now := a.config.Now()
	for _, d := range list {
		out.InDoubt = append(out.InDoubt, viewDoubtful(d, now))
	}
	return &found[doubtList]{out}, nil
}

func (a *API) probe(ctx context.Context, _ *exchange, in *operationPath, _ *nothing) (*found[subject], error) {
	return onOperation(in.ID, func() (*ledger.Book, error) { return a.config.Engine.Probe(ctx, in.ID) })
}

func (a *API) resolve(ctx context.Context, x *exchange, in *operationPath, body *resolution) (*found[subject], error) {
	proof := payments.Proof{Evidence: body.Evidence}
	switch body.Outcome {
	case pay.OutcomeApplied.String():
		proof.Outcome = pay.OutcomeApplied
	case pay.OutcomeDeclined.String():
		proof.Outcome = pay.OutcomeDeclined
	default: // the schema has three
		proof.Outcome = pay.OutcomeNotApplied
	}
	return onOperation(in.ID, func() (*ledger.Book, error) { return a.config.Engine.Resolve(ctx, x.caller, in.ID, proof) })
}

func onOperation(id string, run func() (*ledger.Book, error)) (*found[subject], error) {
	if !isID(id, "op_") {
		return nil, notFound("no such operation")
	}
	b, err := run()
	if err != nil {
		return nil, err
	}
	return &found[subject]{viewSubject(b)}, nil
}
