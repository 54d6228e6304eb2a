package soak_test

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/payhost/payhost/conformance/sim/aurora"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// merchant takes payments through their lives on one connection. Every method
// returns the first thing that was not as it must be.
type merchant struct {
	name   string // of the connection
	world  *world
	amount pay.Money
	paid   string // the provider's word for it
	tally  *tally
	orders *atomic.Int64
}

// merchants are those of the good connections.
func merchants(w *world, t *tally) []*merchant {
	orders := new(atomic.Int64)
	orders.Store(time.Now().Unix() << 16)
	list := []*merchant{
		{name: "rahmet", amount: pay.New(250000, pay.KZT), paid: "paid"},
		{name: "aurora", amount: pay.New(1230, "EUR"), paid: "paid"},
		{name: "yeniltoleg", amount: pay.New(3545, "TMT"), paid: "Succeeded"},
		{name: "smartpay", amount: pay.New(5000, "RUB")},
	}
	for _, m := range list {
		m.world, m.tally, m.orders = w, t, orders
	}
	return list
}

// conn is the merchant's connection for calls about a payment.
func (m *merchant) conn(payment string) *host.Connection {
	return m.world.stations[m.name].conn.Of(payment)
}

// life is one payment from its beginning to its end.
func (m *merchant) life(ctx context.Context) error {
	n := strconv.FormatInt(m.orders.Add(1), 10)
	if m.name == "smartpay" {
		return m.tillLife(ctx, n)
	}
	s := m.world.stations[m.name]
	ref, err := m.create(ctx, n)
	if err != nil {
		return err
	}
	if err := m.is(ctx, ref, pay.PaymentPending); err != nil {
		return err
	}
	if err := s.kit.Move(ref.ProviderRef, m.paid); err != nil {
		return fmt.Errorf("payer: %w", err)
	}
	if err := m.is(ctx, ref, pay.PaymentSucceeded); err != nil {
		return err
	}
	if err := m.notified(ctx, ref); err != nil {
		return err
	}
	return m.refund(ctx, ref)
}

// tillLife is one sale at a till.
func (m *merchant) tillLife(ctx context.Context, n string) error {
	ref := pay.Ref{ID: "pay_" + n, OrderID: n, CreatedAt: time.Now()}
	conn := m.conn(ref.ID)
	_, err := m.counted(pay.OpCreate)(conn.Create(ctx, pay.CreateRequest{
		Intent: pay.Intent{Key: "create-" + n}, PaymentID: ref.ID, OrderID: n,
	}))
	if err != nil {
		return err
	}
	code, err := m.world.till.PresentCode("payer-1")
	if err != nil {
		return err
	}
	bound, err := m.counted(pay.OpBind)(conn.Bind(ctx, pay.BindRequest{
		Intent: pay.Intent{Key: "bind-" + n}, Payment: ref, Code: code,
	}))
	if err != nil {
		return err
	}
	ref.ProviderRef, ref.Keys, ref.Amount = bound.ProviderRef, []string{bound.ProviderKey}, m.amount
	request := func(step string) pay.PaymentRequest {
		return pay.PaymentRequest{Intent: pay.Intent{Key: step + "-" + n}, Payment: ref, Amount: m.amount}
	}
	if _, err := m.counted(pay.OpRelease)(conn.Release(ctx, request("release"))); err != nil {
		return err
	}
	for asked := 0; ; asked++ { // the payer's bank takes its time
		status, err := m.status(ctx, ref)
		if err != nil {
			return err
		}
		if status == pay.PaymentAuthorized {
			break
		}
		if asked == 100 {
			return fmt.Errorf("payment stays %s", status)
		}
	}
	if _, err := m.counted(pay.OpConfirm)(conn.Confirm(ctx, request("confirm"))); err != nil {
		return err
	}
	return m.refund(ctx, ref)
}

func (m *merchant) create(ctx context.Context, n string) (pay.Ref, error) {
	result, err := m.counted(pay.OpCreate)(m.conn("pay_"+n).Create(ctx, pay.CreateRequest{
		Intent: pay.Intent{Key: "create-" + n}, PaymentID: "pay_" + n, OrderID: n, Amount: m.amount, Description: "Order " + n,
		ReturnURL: "https://shop.example.com/return", Customer: pay.Customer{Name: "Ada Lovelace"},
	}))
	if err == nil && result.ProviderRef == "" {
		err = fmt.Errorf("%s: create names no payment: %+v", m.name, result.Result)
	}
	return pay.Ref{
		ID: "pay_" + n, OrderID: n, ProviderRef: result.ProviderRef, Keys: []string{result.ProviderKey},
		Amount: m.amount, CreatedAt: time.Now(),
	}, err
}

// counted counts an operation that went through, and names one that did not.
func (m *merchant) counted(op pay.Operation) func(host.Result, error) (host.Result, error) {
	return func(r host.Result, err error) (host.Result, error) {
		if err == nil && r.Outcome != pay.OutcomeApplied && r.Outcome != pay.OutcomeAccepted {
			err = fmt.Errorf("outcome is %s", r.Outcome)
		}
		return r, m.done(op, err)
	}
}

func (m *merchant) done(op pay.Operation, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %s: %w", m.name, op, err)
	}
	m.tally.add(op.String())
	return nil
}

// status is how a payment stands.
func (m *merchant) status(ctx context.Context, ref pay.Ref) (pay.PaymentStatus, error) {
	items, err := m.conn(ref.ID).Status(ctx, ref)
	if err == nil && (len(items) != 1 || items[0].Err != nil || len(items[0].Observations) == 0) {
		err = fmt.Errorf("nothing was observed: %+v", items)
	}
	if err := m.done(pay.OpStatus, err); err != nil {
		return 0, err
	}
	return items[0].Observations[0].Payment, nil
}

func (m *merchant) is(ctx context.Context, ref pay.Ref, want pay.PaymentStatus) error {
	if got, err := m.status(ctx, ref); err != nil || got != want {
		return fmt.Errorf("%s: payment is %s, want %s: %w", m.name, got, want, err)
	}
	return nil
}

// notified hands in what the provider would call with, if it calls.
func (m *merchant) notified(ctx context.Context, ref pay.Ref) error {
	r := pay.NotificationRequest{Payment: ref, ReceivedAt: time.Now()}
	switch m.name {
	case "rahmet":
		r.Method, r.Query = "GET", "event=paid&reference=1&amount=2500"
	case "aurora":
		r.Method = "POST"
		r.Body = fmt.Appendf(nil, `{"id":%q,"order":%q,"state":"paid","amount":12.30,"paid":12.30,"refunded":0.00,"currency":"EUR"}`,
			ref.ProviderRef, ref.OrderID)
		r.Header = []pay.Field{{Name: "X-Aurora-Signature", Value: aurora.Sign(r.Body)}}
	default:
		return nil
	}
	note, err := m.conn(ref.ID).Notification(ctx, r)
	if err == nil && (note.Authenticity == pay.AuthenticityNone || note.ProviderRef != ref.ProviderRef || len(note.Observations) != 1) {
		err = fmt.Errorf("it was read as %+v", note)
	}
	return m.done(pay.OpNotification, err)
}

func (m *merchant) refund(ctx context.Context, ref pay.Ref) error {
	_, err := m.counted(pay.OpRefund)(m.conn(ref.ID).Refund(ctx, pay.RefundRequest{
		Intent: pay.Intent{Key: "refund-" + ref.OrderID}, Payment: ref, Amount: m.amount, Paid: m.amount,
		Refund: pay.Ref{ID: "ref_" + ref.OrderID, Amount: m.amount, CreatedAt: time.Now()}, Reason: "changed mind",
	}))
	return err
}
