package rahmet

import (
	"slices"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The outcomes that make something happen without setting a state.
const (
	payerPays           = "payer_pays"
	callPost            = "postlink"
	callPostOther       = "postlink_other_amount"
	callFailed          = "failed_postlink"
	oneTenge      int64 = 100
)

func orderOutcomes() []string {
	return []string{
		unpaid, paid, declined, expired, partiallyRefunded, refunded,
		payerPays, callPost, callPostOther, callFailed,
	}
}

func refundOutcomes() []string {
	return []string{refundPending, refundPartial, refundSettled, refundFailed}
}

// Move brings an order or a refund to an outcome, whatever its state is.
func (b *book) Move(id, outcome string) error {
	o, r := b.lookup(id)
	switch {
	case o != nil && !slices.Contains(orderOutcomes(), outcome):
		return simkit.UnknownOutcome(outcome, orderOutcomes())
	case o != nil && outcome == payerPays:
		b.payerPays(o)
	case o != nil:
		b.mu.Lock()
		defer b.mu.Unlock()
		b.moveOrder(o, outcome)
	case r != nil && !slices.Contains(refundOutcomes(), outcome):
		return simkit.UnknownOutcome(outcome, refundOutcomes())
	case r != nil:
		b.mu.Lock()
		defer b.mu.Unlock()
		b.moveRefund(r, outcome)
	default:
		return simkit.ErrNoObject
	}
	return nil
}

func (b *book) lookup(id string) (*order, *refund) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.orders {
		if formatID(o.id) == id {
			return o, nil
		}
	}
	for _, r := range b.refunds {
		if formatID(r.id) == id {
			return nil, r
		}
	}
	return nil, nil
}

// moveOrder needs the lock.
func (b *book) moveOrder(o *order, outcome string) {
	switch outcome {
	case paid:
		b.returnRefunds(o)
		b.charge(o)
	case partiallyRefunded:
		b.returnRefunds(o)
		b.charge(o)
		b.refundAtOnce(o, o.amount/2)
	case refunded:
		b.charge(o)
		b.refundAtOnce(o, o.rest())
	case unpaid, declined, expired:
		b.unwind(o, outcome)
	case callPost:
		b.callPostlink(o, o.amount)
	case callPostOther:
		b.callPostlink(o, o.amount+oneTenge)
	case callFailed:
		b.callFailedPostlink(o)
	}
}

// charge takes the payer's money, once, and calls postlink. It needs the lock.
func (b *book) charge(o *order) {
	if o.paid {
		return
	}
	o.paid = true
	o.balance = wholeTenge(o.amount, b.server.PercentSetting(balanceSetting))
	o.cashback = wholeTenge(o.amount, b.server.PercentSetting(cashbackSetting))
	b.record(o, simkit.Charge, o.amount, "")
	for range b.server.PercentSetting(postlinkCopiesSetting) {
		b.callPostlink(o, o.amount)
	}
}

// unwind makes an order unpaid in one of three ways. It needs the lock.
func (b *book) unwind(o *order, outcome string) {
	b.returnRefunds(o)
	if o.paid {
		b.record(o, simkit.Reversal, o.amount, "")
	}
	o.paid, o.balance, o.cashback = false, 0, 0
	o.declined = outcome == declined
	now := b.server.Now()
	switch {
	case outcome == expired:
		o.expires = now
	case !now.Before(o.expires):
		o.expires = now.Add(defaultTimeout)
	}
	if outcome == declined {
		b.callFailedPostlink(o)
	}
}

// returnRefunds fails every refund of an order, so that nothing is refunded. It needs the lock.
func (b *book) returnRefunds(o *order) {
	for _, r := range o.refunds {
		b.moveRefund(r, refundFailed)
	}
}

// refundAtOnce gives money back without anybody asking. It needs the lock.
func (b *book) refundAtOnce(o *order, amount int64) {
	for _, r := range o.refunds {
		if r.state != refundFailed {
			b.moveRefund(r, refundSettled)
		}
	}
	if amount > 0 {
		b.moveRefund(b.open(o, amount, amount, ""), refundSettled)
	}
}

// moveRefund books the difference that a new state makes. It needs the lock.
func (b *book) moveRefund(r *refund, state string) {
	change := r.target(state) - r.settled
	r.state, r.settled = state, r.target(state)
	switch {
	case change > 0:
		b.record(r.order, simkit.Refund, change, r.key)
	case change < 0:
		b.record(r.order, simkit.RefundReturned, -change, r.key)
	}
}

// open starts a refund that is due never. It needs the lock.
func (b *book) open(o *order, requested, amount int64, key string) *refund {
	r := &refund{
		id: firstRefundID + int64(len(b.refunds)), order: o, key: key,
		requested: requested, amount: amount, state: refundPending,
	}
	b.refunds = append(b.refunds, r)
	o.refunds = append(o.refunds, r)
	return r
}

func (b *book) record(o *order, kind string, amount int64, key string) {
	b.server.Record(simkit.Effect{
		Kind: kind, Object: formatID(o.id), Ref: o.merchantID, Amount: amount, Key: key,
	})
}
