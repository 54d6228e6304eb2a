// Package payments is the durable engine: it takes a merchant's intents, writes
// them down, lets a plugin carry them out, and keeps the truth about them until
// every doubt has ended.
//
//	engine, err := payments.New(payments.Config{Host: h, Store: s})
//	err = engine.Start(ctx)
//	answer, err := engine.Create(ctx, payments.Call{Caller: "shop", Key: "order-17"}, payments.NewPayment{
//		Connection: "rahmet-main", OrderID: "17", Amount: pay.New(250000, pay.KZT),
//	})
//
// # How an operation runs
//
// Everything that can be checked is checked first, by the book and by the plugin;
// an operation that is refused so leaves no trace. When the plugin makes its first
// call, and before it leaves, one transaction writes down the idempotency key, the
// operation with its provider key, and that it is being sent. When the plugin is
// done, a second one writes down the outcome on the host's evidence, what was
// observed, and the events that follow. No provider is called inside a
// transaction, and none without its durable row.
//
// # How a doubt ends
//
// A book that is open has a due time, written with it. When it has come, a job
// takes the book: it asks the provider, sends again what the plugin's declaration
// makes safe to send again, expires what is proven to be over, and sets the next
// due time by the probe clock. A doubt ends by what the provider shows, by a resend
// that the provider recognizes, by absence that two probes beyond the visibility
// horizon agree on, or by an operator's recorded proof; never by time alone.
//
// # Errors
//
// Every error of the methods of [Engine] is a *pay.Error: invalid_request with the
// field; not_found; unsupported; state_conflict, in_doubt, in_progress and
// key_reused for what the book does not allow; host_fault when the store is not
// available; and what the host reports of an operation. An operation that is in
// doubt is no error: the [Answer] says so.
package payments
