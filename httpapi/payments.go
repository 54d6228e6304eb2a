package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

const tagPayments = "Payments"

type paymentPath struct {
	ID string `path:"id" doc:"Id of the payment" example:"pay_01jd5x3v8c0000000000000000"`
}

type paymentQuery struct {
	ID      string `path:"id" doc:"Id of the payment" example:"pay_01jd5x3v8c0000000000000000"`
	Refresh bool   `query:"refresh" doc:"Ask the provider first, if anything is open; that it can't be reached is no error then"`
}

type paymentFilter struct {
	OrderID    string `query:"order_id" maxLength:"128"`
	Connection string `query:"connection" maxLength:"128"`
	Status     string `query:"status" enum:"created,pending,processing,authorized,succeeded,failed,canceled,expired"`
	InDoubt    string `query:"in_doubt" enum:"true,false"`
	Alerts     bool   `query:"alerts" doc:"Only payments with alerts: contradictions that nobody has acknowledged"`
	Limit      int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor     string `query:"cursor" maxLength:"512" doc:"next_cursor of the page before"`
}

func (a *API) servePayments() {
	write(a, route{
		id: "create-payment", method: http.MethodPost, path: "/v1/payments", tag: tagPayments, scope: ScopePayments,
		status: http.StatusCreated, keyed: true, doubt: true, fails: operationFails(),
		summary: "Start a payment", about: aboutCreate, example: exampleCreate(),
	}, a.createPayment)
	read(a, route{
		id: "get-payment", method: http.MethodGet, path: "/v1/payments/{id}", tag: tagPayments, scope: ScopePayments,
		fails: []int{404}, summary: "Get a payment",
	}, a.getPayment)
	read(a, route{
		id: "list-payments", method: http.MethodGet, path: "/v1/payments", tag: tagPayments, scope: ScopePayments,
		summary: "List payments", about: "Newest first. Follow `next_cursor` until it is null; a page may be short before that.",
	}, a.listPayments)
	read(a, route{
		id: "get-timeline", method: http.MethodGet, path: "/v1/payments/{id}/timeline", tag: tagPayments, scope: ScopePayments,
		fails: []int{404}, summary: "Get a payment's timeline",
		about: "The ledger: operations, observations and outbound calls (masked), who caused each and which plugin revision.",
	}, a.paymentTimeline)
	a.serveSteps()
}

// serveSteps registers what is done to a payment after it was created.
func (a *API) serveSteps() {
	step := func(name, summary, about string, example any) route {
		return route{
			id: name + "-payment", method: http.MethodPost, path: "/v1/payments/{id}/" + name, tag: tagPayments,
			scope: ScopePayments, keyed: true, doubt: true, fails: operationFails(), summary: summary, about: about, example: example,
		}
	}
	write(a, step("bind", "Submit the payer's code",
		"At the till: what the payer's app showed. Bind at once, before the amount is known: codes are short-lived.",
		map[string]any{"code": "{\"id_loyalty\":\"…\",\"encrypted\":\"…\",\"sign\":\"…\"}"}),
		func(ctx context.Context, x *exchange, in *paymentPath, body *binding) (*done[payments.PaymentView], error) {
			return onPayment(in.ID, x, func(id string) (payments.Answer, error) {
				return a.config.Engine.Bind(ctx, x.call(), id, body.Code)
			})
		})
	write(a, step("release", "Send the amount for a bound code", "", map[string]any{"amount": exampleAmount("129900", "RUB")}),
		func(ctx context.Context, x *exchange, in *paymentPath, body *release) (*done[payments.PaymentView], error) {
			return onPayment(in.ID, x, func(id string) (payments.Answer, error) {
				return a.config.Engine.Release(ctx, x.call(), id, body.Amount.money())
			})
		})
	confirm := step("confirm", "Finish an authorized payment", "Confirming a succeeded payment does nothing. The body may be left out.", nil)
	confirm.optional = true
	write(a, confirm,
		func(ctx context.Context, x *exchange, in *paymentPath, _ *nothing) (*done[payments.PaymentView], error) {
			return onPayment(in.ID, x, func(id string) (payments.Answer, error) {
				return a.config.Engine.Confirm(ctx, x.call(), id)
			})
		})
	cancel := step("cancel", "Void, unbind or withdraw a payment", "Canceling a canceled payment does nothing. The body may be left out.", nil)
	cancel.optional = true
	write(a, cancel,
		func(ctx context.Context, x *exchange, in *paymentPath, _ *nothing) (*done[payments.PaymentView], error) {
			return onPayment(in.ID, x, func(id string) (payments.Answer, error) {
				return a.config.Engine.Cancel(ctx, x.call(), id)
			})
		})
}

func (a *API) createPayment(
	ctx context.Context, x *exchange, _ *struct{}, body *newPayment,
) (*done[payments.PaymentView], error) {
	answer, err := a.config.Engine.Create(ctx, x.call(), body.engine())
	out, err := answerPayment(answer, err, http.StatusCreated)
	if out != nil {
		out.Location = "/v1/payments/" + out.Body.ID
	}
	return out, err
}

func (a *API) getPayment(ctx context.Context, _ *exchange, in *paymentQuery) (*found[payments.PaymentView], error) {
	b, err := a.payment(ctx, in.ID, in.Refresh)
	if err != nil {
		return nil, err
	}
	return &found[payments.PaymentView]{payments.ViewPayment(b)}, nil
}

// payment reads a payment's book. What is no id of a payment does not reach the
// engine.
func (a *API) payment(ctx context.Context, id string, refresh bool) (*ledger.Book, error) {
	if !isID(id, "pay_") {
		return nil, notFound("no such payment")
	}
	return a.config.Engine.Payment(ctx, id, refresh)
}

func (a *API) listPayments(ctx context.Context, _ *exchange, in *paymentFilter) (*found[paymentList], error) {
	f := payments.Filter{OrderID: in.OrderID, Connection: in.Connection, Alerts: in.Alerts, Limit: in.Limit, Cursor: in.Cursor}
	if in.Status != "" {
		if err := f.Status.UnmarshalText([]byte(in.Status)); err != nil {
			return nil, err
		}
	}
	if in.InDoubt != "" {
		yes := in.InDoubt == "true"
		f.InDoubt = &yes
	}
	page, err := a.config.Engine.Payments(ctx, f)
	if err != nil {
		return nil, err
	}
	out := paymentList{Payments: make([]payments.PaymentView, 0, len(page.Books)), NextCursor: text(page.Next)}
	for _, b := range page.Books {
		out.Payments = append(out.Payments, payments.ViewPayment(b))
	}
	return &found[paymentList]{out}, nil
}

func (a *API) paymentTimeline(ctx context.Context, _ *exchange, in *paymentPath) (*found[timelineOut], error) {
	if !isID(in.ID, "pay_") {
		return nil, notFound("no such payment")
	}
	entries, err := a.config.Engine.Timeline(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &found[timelineOut]{viewTimeline(entries)}, nil
}

// onPayment runs an operation on a payment.
func onPayment(id string, _ *exchange, run func(id string) (payments.Answer, error)) (*done[payments.PaymentView], error) {
	if !isID(id, "pay_") {
		return nil, notFound("no such payment")
	}
	answer, err := run(id)
	return answerPayment(answer, err, http.StatusOK)
}

func answerPayment(answer payments.Answer, err error, status int) (*done[payments.PaymentView], error) {
	return answered(answer, err, status, func(b *ledger.Book) (payments.PaymentView, bool) {
		return payments.ViewPayment(b), true
	})
}

// answered makes the answer of an operation: 202 while it is in doubt.
func answered[T any](answer payments.Answer, err error, status int, view func(*ledger.Book) (T, bool)) (*done[T], error) {
	if err != nil {
		return nil, failed{answer, err}
	}
	if answer.Book == nil {
		return nil, &pay.Error{Class: pay.ClassHostFault, Effect: pay.EffectMaybe, Message: "engine answered without a book"}
	}
	body, ok := view(answer.Book)
	if !ok {
		return nil, &pay.Error{Class: pay.ClassHostFault, Effect: pay.EffectMaybe, Message: "book has not what was made"}
	}
	out := &done[T]{Status: status, Body: body}
	if answer.InDoubt {
		out.Status = http.StatusAccepted
	}
	if answer.Replayed {
		out.Replayed = "true"
	}
	return out, nil
}

// failed is an operation that ended with an error, and what it left behind.
type failed struct {
	answer payments.Answer
	error
}

// Unwrap returns the engine's error.
func (f failed) Unwrap() error { return f.error }

// isID reports whether a text has the form of an id of a kind.
func isID(id, prefix string) bool {
	_, ok := ledger.BookOf(id)
	return ok && strings.HasPrefix(id, prefix)
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
