package broken

import (
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/examples/aurora"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// reads is how a notification is read.
type reads func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error)

// auroraCalls is Aurora's plugin with another way to read its calls.
type auroraCalls struct {
	aurora.Provider
	read    func(right reads) reads
	storage bool
}

// Manifest is Aurora's, with storage if the mistake needs one.
func (p auroraCalls) Manifest() pay.Manifest {
	m := p.Provider.Manifest()
	if p.storage {
		m.Storage, m.State = true, pay.StateSchema{Writes: 1, Reads: []int{1}}
	}
	return m
}

// Notification makes the mistake.
func (p auroraCalls) Notification(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
	return p.read(p.Provider.Notification)(h, r)
}

// auroraReads is a broken plugin of Aurora's.
func auroraReads(name, does string, read func(right reads) reads, fails ...string) Plugin {
	return Plugin{
		Name: name, Does: does, Provider: "aurora", Fails: fails,
		New: func() sdk.Provider { return auroraCalls{read: read} },
	}
}

// auroraKeeps is one that keeps something in storage.
func auroraKeeps(name, does string, read func(right reads) reads, fails ...string) Plugin {
	return Plugin{
		Name: name, Does: does, Provider: "aurora", Fails: fails,
		New: func() sdk.Provider { return auroraCalls{read: read, storage: true} },
	}
}

// ofNotifications are the plugins that break a check of L3.
func ofNotifications() []Plugin {
	return slices.Concat(ofProof(), ofRepeats(), ofNoise(), ofHints())
}

// ofProof are those that believe too much, or too little.
func ofProof() []Plugin {
	return []Plugin{
		auroraReads("any_signature", "believes every call that has a signature, whichever", anySignature,
			"L3.forged", "L3.altered"),
		auroraReads("no_signature_needed", "checks a signature only if there is one", noSignatureNeeded,
			"L3.forged"),
		auroraReads("amounts_unread", "does not read the amounts of a call", edited(func(o *pay.Observation) {
			o.Amount, o.AmountPaid = pay.Money{}, pay.Money{}
		}), "L3.amount"),
		auroraReads("whose_call", "does not read which order a call is about", func(right reads) reads {
			return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
				note, err := right(h, r)
				if err == nil {
					note.ProviderRef = ""
					for i := range note.Observations {
						note.Observations[i].ProviderRef = ""
					}
				}
				return note, err
			}
		}, "L3.foreign"),
		auroraReads("nothing_read", "acknowledges calls, and reads nothing of them", func(right reads) reads {
			return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
				note, err := right(h, r)
				if err == nil {
					note.Observations = nil
				}
				return note, err
			}
		}, "L3.genuine", "L3.altered", "L3.replayed", "L3.reordered", "L3.late", "L3.killed", "L3.unwritten", "L3.amount"),
	}
}

// anySignature looks for the header and not at it.
func anySignature(right reads) reads {
	return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
		order, err := json.Parse(r.Body)
		if err != nil || headerOf(r, "X-Aurora-Signature") == "" {
			return right(h, r)
		}
		return believed(order)
	}
}

func noSignatureNeeded(right reads) reads {
	return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
		order, err := json.Parse(r.Body)
		if err != nil || headerOf(r, "X-Aurora-Signature") != "" || order.Get("paid").Raw() == nil {
			return right(h, r)
		}
		return believed(order)
	}
}

// believed is what a call says, taken for proven.
func believed(order json.Value) (*pay.Notification, error) {
	amount := func(name string) pay.Money {
		text, _ := order.Get(name).Decimal()
		m, err := pay.ParseMoney(text, pay.Currency(order.Get("currency").Str()))
		if err != nil {
			return pay.Money{}
		}
		return m
	}
	o := pay.Observation{
		Subject: pay.SubjectPayment, ProviderRef: order.Get("id").Str(), ProviderState: order.Get("state").Str(),
		Amount: amount("amount"), AmountPaid: amount("paid"), AmountRefunded: amount("refunded"),
	}
	switch o.ProviderState {
	case "paid":
		o.Payment = pay.PaymentSucceeded
	case "failed":
		o.Payment = pay.PaymentFailed
	case "expired":
		o.Payment = pay.PaymentExpired
	}
	return &pay.Notification{
		Authenticity: pay.AuthenticityStrong, ProviderRef: o.ProviderRef, Observations: []pay.Observation{o},
		Ack: pay.Ack{Status: 204},
	}, nil
}

func headerOf(r *pay.NotificationRequest, name string) string {
	for _, f := range r.Header {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// edited changes what was read.
func edited(edit func(o *pay.Observation)) func(right reads) reads {
	return func(right reads) reads {
		return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
			note, err := right(h, r)
			if err == nil {
				for i := range note.Observations {
					edit(&note.Observations[i])
				}
			}
			return note, err
		}
	}
}

// ofRepeats are those that are wrong about when a call comes.
func ofRepeats() []Plugin {
	return []Plugin{
		auroraKeeps("repeat_refused", "refuses a call that it has read before", repeatRefused,
			"L3.replayed", "L3.unwritten", "L3.killed"),
		auroraKeeps("order_expected", "refuses a call that tells of less than one before it", orderExpected,
			"L3.replayed", "L3.reordered"),
		auroraReads("old_refused", "refuses a call that it did not get to read within half a minute", func(right reads) reads {
			return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
				if h.Now().Sub(r.ReceivedAt) > 30*time.Second {
					return refused(410), nil
				}
				return right(h, r)
			}
		}, "L3.killed"),
		auroraReads("early_refused", "refuses calls about a payment whose id at the provider it has not seen", func(right reads) reads {
			return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
				if r.Payment.ID != "" && r.Payment.ProviderRef == "" {
					return refused(404), nil
				}
				return right(h, r)
			}
		}, "L3.early"),
		{
			Name: "late_refused", Does: "refuses calls about a payment that it has seen at an end", Provider: "aurora",
			Fails: []string{"L3.late"}, New: func() sdk.Provider { return lateRefused{auroraCalls{storage: true}} },
		},
	}
}

// refused is the answer to a call that is not taken.
func refused(status int) *pay.Notification {
	return &pay.Notification{Authenticity: pay.AuthenticityNone, Ack: pay.Ack{Status: status}}
}

func repeatRefused(right reads) reads {
	return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
		note, err := right(h, r)
		if err != nil || note.Authenticity != pay.AuthenticityStrong {
			return note, err
		}
		if n, err := h.Incr("seen/"+headerOf(r, "X-Aurora-Signature"), 1, 0); err == nil && n > 1 {
			return refused(409), nil
		}
		return note, nil
	}
}

// orderExpected keeps what was last given back of an order.
func orderExpected(right reads) reads {
	return func(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
		note, err := right(h, r)
		if err != nil || len(note.Observations) == 0 {
			return note, err
		}
		key, now := "back/"+note.ProviderRef, note.Observations[0].AmountRefunded.Minor
		before, err := h.Incr(key, 0, 0)
		if err == nil && before > now {
			return refused(409), nil
		}
		_, err = h.Incr(key, now-before, 0)
		return note, err
	}
}

// lateRefused is Aurora's plugin with a memory for ends.
type lateRefused struct{ auroraCalls }

// Status keeps what has ended.
func (p lateRefused) Status(h *sdk.Host, payments []pay.Ref) ([]pay.StatusItem, error) {
	items, err := p.Provider.Status(h, payments)
	for _, item := range items {
		for _, o := range item.Observations {
			if o.Payment == pay.PaymentExpired || o.Payment == pay.PaymentFailed {
				_, _ = h.Incr("ended/"+o.ProviderRef, 1, 0)
			}
		}
	}
	return items, err
}

// Notification takes no call about what has ended.
func (p lateRefused) Notification(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
	note, err := p.Provider.Notification(h, r)
	if err != nil || note.Authenticity != pay.AuthenticityStrong {
		return note, err
	}
	if n, err := h.Incr("ended/"+note.ProviderRef, 0, 0); err == nil && n > 0 {
		return refused(410), nil
	}
	return note, nil
}
