package rahmet

import (
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The states of an order. The provider itself only tells paid from unpaid.
const (
	unpaid            = "unpaid"
	paid              = "paid"
	declined          = "declined"
	expired           = "expired"
	refunded          = "refunded"
	partiallyRefunded = "partially_refunded"
)

// defaultTimeout is the life of an order without a timeout, from the one example that shows both of its
// times.
const defaultTimeout = 30 * time.Minute

// order is one preorder. Amounts are in tiyn. It is guarded by its book.
type order struct {
	id         int64
	merchantID string
	hash       string
	amount     int64
	links      links
	created    time.Time
	expires    time.Time

	// paid and declined are facts; the state is worked out from them and the time.
	paid     bool
	declined bool
	cashback int64
	balance  int64
	refunds  []*refund
}

// links are where the merchant wants to be called.
type links struct {
	back, post, failed, check string
	failedOnCheck             bool
}

// state is where the order stands at this time.
func (o *order) state(now time.Time) string {
	switch settled := o.settled(); {
	case o.paid && settled >= o.amount:
		return refunded
	case o.paid && settled > 0:
		return partiallyRefunded
	case o.paid:
		return paid
	case !now.Before(o.expires):
		return expired
	case o.declined:
		return declined
	default:
		return unpaid
	}
}

// settled is what status shows as refunded.
func (o *order) settled() int64 {
	var sum int64
	for _, r := range o.refunds {
		sum += r.settled
	}
	return sum
}

// rest is what may still be asked back.
func (o *order) rest() int64 {
	rest := o.amount
	for _, r := range o.refunds {
		if r.state != refundFailed {
			rest -= r.requested
		}
	}
	return rest
}

// The states of a refund.
const (
	refundPending = "pending"
	refundPartial = "partial"
	refundSettled = "settled"
	refundFailed  = "failed"
)

// refund is an accepted request for money back. Amounts are in tiyn.
type refund struct {
	id        int64
	order     *order
	key       string
	requested int64
	amount    int64
	state     string
	settled   int64
	// due is when it settles by itself; zero is never.
	due time.Time
}

// target is how much of the refund is settled in a state.
func (r *refund) target(state string) int64 {
	switch state {
	case refundSettled:
		return r.amount
	case refundPartial:
		return r.amount / 2
	default:
		return 0
	}
}

// wholeTenge is this percentage of an amount, rounded down.
func wholeTenge(tiyn, percent int64) int64 { return tiyn * percent / 100 / 100 * 100 }

// orderDetails is what the control API tells of an order beyond the object itself.
type orderDetails struct {
	PaymentURL string    `json:"payment_path"`
	Created    time.Time `json:"created"`
	Expires    time.Time `json:"expires"`
	Refunded   int64     `json:"refunded"`
	Backlink   string    `json:"backlink,omitempty"`
	Postlink   string    `json:"postlink,omitempty"`
	Failed     string    `json:"failed_postlink,omitempty"`
	Checklink  string    `json:"checklink,omitempty"`
}

func (o *order) object(now time.Time) simkit.Object {
	return simkit.Object{
		ID: formatID(o.id), Ref: o.merchantID, Kind: "order", State: o.state(now), Amount: o.amount,
		Outcomes: orderOutcomes(),
		Details: orderDetails{
			PaymentURL: o.path(), Created: o.created, Expires: o.expires, Refunded: o.settled(),
			Backlink: o.links.back, Postlink: o.links.post, Failed: o.links.failed, Checklink: o.links.check,
		},
	}
}

// refundDetails is what the control API tells of a refund beyond the object itself.
type refundDetails struct {
	Order     string `json:"order"`
	Key       string `json:"key,omitempty"`
	Requested int64  `json:"requested"`
	Settled   int64  `json:"settled"`
}

func (r *refund) object() simkit.Object {
	return simkit.Object{
		ID: formatID(r.id), Kind: "refund", State: r.state, Amount: r.amount, Outcomes: refundOutcomes(),
		Details: refundDetails{
			Order: formatID(r.order.id), Key: r.key, Requested: r.requested, Settled: r.settled,
		},
	}
}

// path is the payment page's address at the simulator.
func (o *order) path() string { return "/pay?id=" + o.hash }
