package payments

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// mostNamed is how many connections a refusal names for each thing that is missing.
const mostNamed = 3

// mostAsking bounds one look at what is under way: at the last one nothing can begin.
const mostAsking = 5 * time.Second

// missed counts what is under way, by what it needs and by connection.
type missed map[string]map[string]int

// Unneeded returns the question for [host.Host.SwapIf] about the plugin of a name:
// whether anything under way needs what would be lost. It is refused with class
// state_conflict if so, host_fault if the store can't tell. What ended is no reason
// to refuse, so that old payments hold up no swap. What begins in this process is
// counted up to the switch; what begins in other processes on the store before they
// follow is not, and they say so when they do.
func (p *Plugins) Unneeded(ctx context.Context, name string) func(host.Losses) error {
	return func(lost host.Losses) error {
		_, err := p.needed(ctx, name, lost)
		return err
	}
}

// needed is [Plugins.Unneeded], and what is needed in words: "" if nothing is.
func (p *Plugins) needed(ctx context.Context, name string, lost host.Losses) (string, error) {
	if lost.None() {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, mostAsking)
	defer cancel()
	m, err := p.missing(ctx, name, lost)
	switch {
	case err != nil:
		return "not known: the store is not available", storeFault(err)
	case len(m) == 0:
		return "", nil
	}
	return m.String(), conflict(pay.AdviceOperator, "what is under way needs what the revision lacks: "+m.String()+
		"; let it end first, take a revision that has it, or insist with force")
}

// agreed is Unneeded for an activation that is to be recorded: it is told what is lost
// and, with force, what was needed of that.
func (p *Plugins) agreed(ctx context.Context, a *store.Activation, force bool) func(host.Losses) error {
	return func(lost host.Losses) error {
		a.Lost = lost.Names()
		needed, err := p.needed(ctx, a.Plugin, lost)
		if err == nil || !force {
			return err
		}
		a.Forced, a.Needed = true, needed
		p.log.Warn("revision is put in place by force", "plugin", a.Plugin, "by", a.By, "lost", lost.String(), "needed", needed)
		return nil
	}
}

// missing asks the store. Connections that are not made, such as all of them at a
// start, have their books counted by the provider.
func (p *Plugins) missing(ctx context.Context, name string, lost host.Losses) (missed, error) {
	rev, ok := p.host.Revision(name)
	if !ok {
		return nil, errClosed()
	}
	provider := rev.Manifest().ID
	due, err := p.store.NextDue(ctx)
	if err != nil {
		return nil, err
	}
	m, now := missed{}, p.now()
	for connection := range due {
		if c, ok := p.host.Connection(connection); ok && c.Plugin() != name {
			continue
		}
		if err := p.store.Unfinished(ctx, connection, func(b *ledger.Book) {
			if b.Provider == provider {
				m.add(connection, needs(b, lost, now))
			}
		}); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m missed) add(connection string, needed []string) {
	for _, what := range needed {
		if m[what] == nil {
			m[what] = map[string]int{}
		}
		m[what][connection]++
	}
}

// String is such as "confirm (12 of kassa-1, 3 of kassa-2), refund_status (1 of kassa-1)".
func (m missed) String() string {
	var list []string
	for _, what := range slices.Sorted(maps.Keys(m)) {
		var where []string
		names := slices.Sorted(maps.Keys(m[what]))
		for _, name := range names[:min(len(names), mostNamed)] {
			where = append(where, fmt.Sprintf("%d of %s", m[what][name], name))
		}
		if more := len(names) - mostNamed; more > 0 {
			where = append(where, fmt.Sprintf("and of %d other connections", more))
		}
		list = append(list, what+" ("+strings.Join(where, ", ")+")")
	}
	return strings.Join(list, ", ")
}

// needs returns the names of what a book can't be finished without, of what would be
// lost. A book at rest needs nothing: what may yet be asked for, such as a refund of
// what was paid last year, would keep an operation for ever.
func needs(b *ledger.Book, lost host.Losses, now time.Time) []string {
	pending := paymentNeeds(b)
	ops := append(pending, openNeeds(b)...)
	if len(ops) == 0 {
		return nil
	}
	var n host.Losses
	for _, op := range lost.Operations {
		if slices.Contains(ops, op) {
			n.Operations = append(n.Operations, op)
		}
	}
	for _, flow := range lost.Flows {
		if b.Flow == flow.String() {
			n.Flows = append(n.Flows, flow)
		}
	}
	for _, c := range lost.Currencies {
		if b.Amount.Currency == c || b.Paid.Currency == c {
			n.Currencies = append(n.Currencies, c)
		}
	}
	for _, c := range lost.Amounts {
		if needsAmount(b, pending, c) {
			n.Amounts = append(n.Amounts, c)
		}
	}
	for _, c := range lost.Repeats {
		if needsRepeat(b, c, now) {
			n.Repeats = append(n.Repeats, c)
		}
	}
	return n.Names()
}

// paymentNeeds is what a payment that has not ended may still come to. Whether its
// provider will want a confirm nobody knows before, so each may need one. Nil if it
// has ended.
func paymentNeeds(b *ledger.Book) []pay.Operation {
	if b.Receipt || b.Status.Final() {
		return nil
	}
	ops := []pay.Operation{pay.OpConfirm}
	if !untold(b) {
		ops = append(ops, pay.OpCancel) // else it is withdrawn without the provider
	}
	if b.Flow != pay.FlowTill.String() {
		return ops
	}
	if b.ProviderRef == "" {
		ops = append(ops, pay.OpBind)
	}
	released := b.Last(pay.OpRelease)
	if released == nil || released.Outcome != pay.OutcomeApplied && released.Outcome != pay.OutcomeAccepted {
		ops = append(ops, pay.OpRelease)
	}
	return ops
}

// openNeeds is what operations and refunds need that are not done, nil if all are.
// The doubt about an operation that is never sent again ends by status, and all have that.
func openNeeds(b *ledger.Book) []pay.Operation {
	var ops []pay.Operation
	for i := range b.Operations {
		o := &b.Operations[i]
		again := o.Idempotency == pay.IdempotencyNative || o.Idempotency == pay.IdempotencyNatural
		switch {
		case o.Running(), o.Repeatable(), !o.DoubtSince.IsZero() && again:
			ops = append(ops, o.Op)
		case !o.DoubtSince.IsZero():
			ops = append(ops, pay.OpStatus)
		}
	}
	for i := range b.Refunds {
		if b.Refunds[i].Status == pay.RefundPending {
			ops = append(ops, pay.OpRefundStatus, pay.OpConfirmRefund, pay.OpCancelRefund)
		}
	}
	return ops
}
