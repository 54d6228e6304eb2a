package rahmet

import (
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// Status asks after payments by every order id ever sent for them, all in one call.
// A payment is paid if one of its orders is. What the provider says nothing of has
// no item: it has no word for "unknown id", so nothing is ever reported not found.
// It has no word for failed or expired either: unpaid is pending, however old.
func (*Provider) Status(h *sdk.Host, payments []pay.Ref) ([]pay.StatusItem, error) {
	keys := keysOf(payments)
	if len(keys) == 0 {
		return nil, nil
	}
	found, err := ask(h, keys)
	if err != nil {
		return nil, err
	}
	var items []pay.StatusItem
	for i := range payments {
		if item := found.item(h, &payments[i]); item.Found != pay.FoundNothing || item.Err != nil {
			items = append(items, item)
		}
	}
	return items, nil
}

// answers is what status said: an order that is not in the map was not mentioned,
// one that is nil can't be read. failed has the orders whose own question failed.
type answers struct {
	orders map[string]*order
	failed map[string]*pay.Error
}

// ask asks after orders in one call. How the provider answers an id it does not
// know is not documented; if it refuses the list, each order is asked for by itself,
// so that a strange one hides none of the others.
func ask(h *sdk.Host, keys []string) (*answers, error) {
	a, err := send(h, sdk.PostForm(pathStatus, statusForm(keys), sdk.Read))
	if err != nil {
		return nil, err
	}
	switch {
	case !a.refused():
		orders, err := a.orders()
		if err != nil {
			return nil, err
		}
		return &answers{orders: orders}, nil
	case len(keys) == 1:
		return &answers{failed: map[string]*pay.Error{keys[0]: a.failure()}}, nil
	}
	h.Log(sdk.Warn, "status: list refused, asking one by one", "code", a.code)
	out := &answers{orders: map[string]*order{}, failed: map[string]*pay.Error{}}
	for i, key := range keys {
		one, err := ask(h, keys[i:i+1])
		if err != nil { // the next would fare no better
			for _, rest := range keys[i:] {
				out.failed[rest] = pay.AsError(err)
			}
			return out, nil
		}
		if e := one.failed[key]; e != nil {
			out.failed[key] = e
		}
		if o, known := one.orders[key]; known {
			out.orders[key] = o
		}
	}
	return out, nil
}

// orders reads a successful answer.
func (a *answer) orders() (map[string]*order, error) {
	if e := a.failure(); e != nil {
		return nil, e
	}
	orders, ok := parseOrders(a.data)
	if !ok {
		return nil, wrongField(fieldData)
	}
	return orders, nil
}

// item folds what is known of a payment's orders into one answer.
func (s *answers) item(h *sdk.Host, ref *pay.Ref) pay.StatusItem {
	item := pay.StatusItem{ID: ref.ID}
	best, bestKey := (*order)(nil), ""
	var twice *pay.Error
	for _, key := range ref.Keys {
		o, known := s.orders[key]
		switch {
		case !known:
			if e := s.failed[key]; e != nil {
				item.Err = e
			}
		case o == nil:
			h.Log(sdk.Warn, "status: entry can't be read", "order", key)
			item.Err = unreadable()
		case best == nil || !best.tookMoney():
			best, bestKey = o, key
		case o.tookMoney() && key != bestKey:
			h.Log(sdk.Warn, "status: two orders of one payment are paid", "order", bestKey, "other", key)
			twice = paidTwice(bestKey, best, key, o)
			if o.keepsMore(best) {
				best, bestKey = o, key
			}
		}
	}
	if best == nil {
		return item
	}
	// What one order says is good, whatever is wrong with another of the payment.
	return pay.StatusItem{
		ID: ref.ID, Found: pay.FoundObserved, Observations: []pay.Observation{best.observe(bestKey, ref.Amount)}, Err: twice,
	}
}

// paidTwice is the alarm about two orders of a payment that took money, as long as none
// of it went back.
func paidTwice(key string, o *order, otherKey string, other *order) *pay.Error {
	if o.refunded.Minor > 0 || other.refunded.Minor > 0 {
		return nil
	}
	return &pay.Error{
		Class: pay.ClassIntegrity, Advice: pay.AdviceOperator,
		Message: "orders " + key + " and " + otherKey + " of this payment are both paid: one must be given back",
	}
}

// keepsMore reports whether more of an order's money is still here than of another's.
func (o *order) keepsMore(other *order) bool {
	if o.refunded.Minor != other.refunded.Minor {
		return o.refunded.Minor < other.refunded.Minor
	}
	return o.amount.Minor > other.amount.Minor
}

// observe turns an order into an observation. The amount goes into AmountPaid alone:
// it is what was taken, and the host holds it against what was asked for.
func (o *order) observe(key string, asked pay.Money) pay.Observation {
	seen := pay.Observation{
		Subject: pay.SubjectPayment, Payment: pay.PaymentPending, ProviderRef: o.reference,
		ProviderKey: key, ProviderState: o.word, AmountRefunded: o.refunded,
	}
	if o.paid {
		seen.Payment, seen.AmountPaid = pay.PaymentSucceeded, o.gross(asked)
	}
	return seen
}

// gross is what was taken before refunds. Whether the provider's amount is before or
// after them is not documented, so both readings are held against what was asked
// for; an amount that fits neither stays as it is, for the host to judge.
func (o *order) gross(asked pay.Money) pay.Money {
	if o.amount.IsZero() || asked.IsZero() || o.amount == asked || o.refunded.IsZero() {
		return o.amount
	}
	if sum, err := o.amount.Add(o.refunded); err == nil && sum == asked {
		return asked
	}
	return o.amount
}

func unreadable() *pay.Error {
	return &pay.Error{Class: pay.ClassProtocol, Message: "status has an entry that can't be read"}
}

// keysOf lists the order ids of payments, each once.
func keysOf(payments []pay.Ref) []string {
	var keys []string
	seen := map[string]bool{"": true}
	for i := range payments {
		for _, key := range payments[i].Keys {
			if !seen[key] {
				seen[key] = true
				keys = append(keys, key)
			}
		}
	}
	return keys
}
