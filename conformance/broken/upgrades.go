package broken

import (
	"strings"
	"sync"

	"github.com/payhost/payhost/examples/aurora"
	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// ofUpgrades are the plugins that break a check of L4.
func ofUpgrades() []Plugin {
	return []Plugin{
		{
			Name: "in_memory", Does: "remembers in memory which payments it has made", Provider: "yeniltoleg",
			Fails: []string{"L4.forward", "L4.back", "L4.doubt", "L4.under_way"},
			New:   func() sdk.Provider { return newForgetful() }, Next: func() sdk.Provider { return newForgetful() },
		},
		{
			Name: "no_way_back", Does: "has a next revision whose stored state this one can't read", Provider: "aurora",
			Fails: []string{"L4.fits"},
			New:   func() sdk.Provider { return storing{state: pay.StateSchema{Writes: 1, Reads: []int{1}}} },
			Next:  func() sdk.Provider { return storing{state: pay.StateSchema{Writes: 2, Reads: []int{1, 2}}} },
		},
		{
			Name: "refunds_dropped", Does: "has a next revision that gives nothing back any more", Provider: "aurora",
			Fails: []string{"L4.fits", "L4.forward", "L4.under_way"},
			New:   func() sdk.Provider { return aurora.New() }, Next: func() sdk.Provider { return unrefunding{aurora.New()} },
		},
		{
			Name: "field_forgotten", Does: "has a next revision that names a refund's payment by another id", Provider: "aurora",
			Fails: []string{"L4.forward", "L4.back", "L4.doubt", "L4.under_way"},
			New:   func() sdk.Provider { return aurora.New() }, Next: func() sdk.Provider { return misnaming{} },
		},
		{
			Name: "other_format", Does: "has a next revision that stores in a format which this one can't read, and says nothing of it",
			Provider: "yeniltoleg", Fails: []string{"L4.back", "L4.doubt", "L4.state"},
			New: func() sdk.Provider { return keeping{yeniltoleg.New(), "1"} }, Next: func() sdk.Provider { return keeping{yeniltoleg.New(), "2"} },
		},
	}
}

// forgetful is Yenil-Toleg's plugin with a memory of its own.
type forgetful struct {
	*yeniltoleg.Provider
	mu   *sync.Mutex
	made map[string]bool
}

func newForgetful() forgetful {
	return forgetful{Provider: yeniltoleg.New(), mu: &sync.Mutex{}, made: map[string]bool{}}
}

// Create remembers what it has made.
func (p forgetful) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	p.mu.Lock()
	p.made[r.PaymentID] = true
	p.mu.Unlock()
	return p.Provider.Create(h, r)
}

// Status asks after what it remembers.
func (p forgetful) Status(h *sdk.Host, payments []pay.Ref) ([]pay.StatusItem, error) {
	var known []pay.Ref
	p.mu.Lock()
	for _, ref := range payments {
		if p.made[ref.ID] {
			known = append(known, ref)
		}
	}
	p.mu.Unlock()
	if len(known) == 0 {
		return nil, nil
	}
	return p.Provider.Status(h, known)
}

// storing is Aurora's plugin with a state schema.
type storing struct {
	aurora.Provider
	state pay.StateSchema
}

// Manifest is Aurora's, with the schema.
func (p storing) Manifest() pay.Manifest {
	m := p.Provider.Manifest()
	m.Version, m.Storage, m.State = "1.1.0", true, p.state
	return m
}

// unrefunding is Aurora's plugin without refunds.
type unrefunding struct{ right aurora.Provider }

// Manifest declares all but the refund.
func (p unrefunding) Manifest() pay.Manifest {
	m := p.right.Manifest()
	var kept []pay.OperationSpec
	for _, spec := range m.Operations {
		if spec.Operation != pay.OpRefund {
			kept = append(kept, spec)
		}
	}
	m.Version, m.Operations = "2.0.0", kept
	return m
}

// CheckConfig is Aurora's, like the rest.
func (p unrefunding) CheckConfig(h *sdk.Host) []pay.Problem { return p.right.CheckConfig(h) }

// Create is Aurora's.
func (p unrefunding) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	return p.right.Create(h, r)
}

// Status is Aurora's.
func (p unrefunding) Status(h *sdk.Host, payments []pay.Ref) ([]pay.StatusItem, error) {
	return p.right.Status(h, payments)
}

// Notification is Aurora's.
func (p unrefunding) Notification(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
	return p.right.Notification(h, r)
}

// misnaming is Aurora's plugin with a refund of the wrong payment.
type misnaming struct{ aurora.Provider }

// Refund names the payment by our id.
func (p misnaming) Refund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	wrong := *r
	wrong.Payment.ProviderRef = r.Payment.ID
	return p.Provider.Refund(h, &wrong)
}

// keeping is Yenil-Toleg's plugin, which keeps what it has made, in the format of its
// revision. The second reads the first's format too.
type keeping struct {
	*yeniltoleg.Provider
	format string
}

// Manifest is Yenil-Toleg's, with storage.
func (p keeping) Manifest() pay.Manifest {
	m := p.Provider.Manifest()
	m.Storage, m.State = true, pay.StateSchema{Writes: 1, Reads: []int{1}}
	return m
}

// Create keeps that it has made a payment.
func (p keeping) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	if _, err := h.Put("made/"+r.PaymentID, []byte(p.format+":"+r.OrderID), 0, -1); err != nil {
		return nil, err
	}
	return p.Provider.Create(h, r)
}

// Status looks at what was kept first.
func (p keeping) Status(h *sdk.Host, payments []pay.Ref) ([]pay.StatusItem, error) {
	for _, ref := range payments {
		kept, _, err := h.Get("made/" + ref.ID)
		if err == nil && p.format == "1" && !strings.HasPrefix(string(kept), "1:") {
			return nil, &pay.Error{Class: pay.ClassProtocol, Message: "stored payment is in no format that is known"}
		}
	}
	return p.Provider.Status(h, payments)
}
