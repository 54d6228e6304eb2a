package httpapi

import (
	"context"

	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// Engine is the durable engine as the API uses it: [payments.Engine], or a fake of
// it. Its methods return errors of type *pay.Error; others are taken for
// host_fault and their texts kept from clients.
type Engine interface {
	Create(ctx context.Context, call payments.Call, p payments.NewPayment) (payments.Answer, error)
	Bind(ctx context.Context, call payments.Call, payment, code string) (payments.Answer, error)
	Release(ctx context.Context, call payments.Call, payment string, amount pay.Money) (payments.Answer, error)
	Confirm(ctx context.Context, call payments.Call, payment string) (payments.Answer, error)
	Cancel(ctx context.Context, call payments.Call, payment string) (payments.Answer, error)
	Refund(ctx context.Context, call payments.Call, payment string, r payments.NewRefund) (payments.Answer, error)
	ConfirmRefund(ctx context.Context, call payments.Call, payment, refund string) (payments.Answer, error)
	CancelRefund(ctx context.Context, call payments.Call, payment, refund string) (payments.Answer, error)
	Receipt(ctx context.Context, call payments.Call, payment string, r payments.NewReceipt) (payments.Answer, error)

	Payment(ctx context.Context, payment string, refresh bool) (*ledger.Book, error)
	Payments(ctx context.Context, f payments.Filter) (payments.Page, error)
	ReceiptBook(ctx context.Context, receipt string) (*ledger.Book, error)
	Timeline(ctx context.Context, id string) ([]ledger.Entry, error)

	Acknowledge(ctx context.Context, by, payment, evidence string) (*ledger.Book, error)
	InDoubt(ctx context.Context, limit int, cursor string) ([]payments.Doubtful, string, error)
	Probe(ctx context.Context, operation string) (*ledger.Book, error)
	Resolve(ctx context.Context, by, operation string, p payments.Proof) (*ledger.Book, error)

	Notify(ctx context.Context, connection, nonce string, r pay.NotificationRequest) (pay.Ack, error)

	Events(ctx context.Context, after string, limit int) ([]store.Event, string, error)
	DeadLetters(ctx context.Context, before int64, limit int) ([]store.Delivery, error)
	Redeliver(ctx context.Context, event, endpoint string) error

	Connections() []payments.ConnectionInfo
	Ready(ctx context.Context) error
}

// Plugins is the plugins' revisions as the API uses them: [payments.Plugins], or a
// fake of it.
type Plugins interface {
	List() []payments.PluginInfo
	Push(ctx context.Context, by, name string, binary []byte) (store.Revision, error)
	Revisions(ctx context.Context, name string) ([]store.Revision, error)
	Activations(ctx context.Context, name string) ([]store.Activation, error)
	Activate(ctx context.Context, by, name, digest string, force bool) (store.Activation, error)
	Canary(ctx context.Context, by, name, digest string, percent int, force bool) (store.Activation, error)
	Rollback(ctx context.Context, by, name string, force bool) (store.Activation, error)
}

var (
	_ Engine  = (*payments.Engine)(nil)
	_ Plugins = (*payments.Plugins)(nil)
)
