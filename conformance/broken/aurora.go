package broken

import (
	"github.com/payhost/payhost/examples/aurora"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// auroraWith is Aurora's plugin with something done otherwise: each field that is set
// stands in a method's place, and is given the true method to call.
type auroraWith struct {
	aurora.Provider
	manifest    func(m *pay.Manifest)
	checkConfig func(h *sdk.Host) []pay.Problem
	create      func(h *sdk.Host, r *pay.CreateRequest, create createCall) (*pay.Result, error)
	refund      func(h *sdk.Host, r *pay.RefundRequest, refund refundCall) (*pay.Result, error)
	status      func(h *sdk.Host, payments []pay.Ref, status statusCall) ([]pay.StatusItem, error)
	note        func(h *sdk.Host, note *pay.Notification)
	seen        func(o *pay.Observation) // by status, or by a call
	ear         ear
}

type (
	createCall func(*sdk.Host, *pay.CreateRequest) (*pay.Result, error)
	statusCall func(*sdk.Host, []pay.Ref) ([]pay.StatusItem, error)
)

// brokenAurora lists a plugin of Aurora's. A new one is made for each use: some keep
// things in memory.
func brokenAurora(name, does string, make func() *auroraWith, fails ...string) Plugin {
	return Plugin{
		Name: name, Does: does, Provider: "aurora", Fails: fails,
		New: func() sdk.Provider { return make() },
	}
}

// stateless is for one that keeps nothing.
func stateless(p auroraWith) func() *auroraWith { return func() *auroraWith { return &p } }

func (p *auroraWith) listens() *ear {
	if p.ear.says == nil && p.ear.hears == nil {
		return nil
	}
	return &p.ear
}

// Manifest is the plugin's, changed.
func (p *auroraWith) Manifest() pay.Manifest {
	m := p.Provider.Manifest()
	if p.manifest != nil {
		p.manifest(&m)
	}
	return m
}

// CheckConfig is the plugin's, or another.
func (p *auroraWith) CheckConfig(h *sdk.Host) []pay.Problem {
	if p.checkConfig != nil {
		return p.checkConfig(h)
	}
	return p.Provider.CheckConfig(h)
}

// Create is the plugin's, or another.
func (p *auroraWith) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	if p.create != nil {
		return p.create(h, r, p.Provider.Create)
	}
	return p.Provider.Create(h, r)
}

// Refund is the plugin's, or another.
func (p *auroraWith) Refund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	if p.refund != nil {
		return p.refund(h, r, p.Provider.Refund)
	}
	return p.Provider.Refund(h, r)
}

// Status is the plugin's, or another.
func (p *auroraWith) Status(h *sdk.Host, payments []pay.Ref) ([]pay.StatusItem, error) {
	status := p.Provider.Status
	if p.status != nil {
		return p.status(h, payments, status)
	}
	items, err := status(h, payments)
	for i := range items {
		p.see(items[i].Observations)
	}
	return items, err
}

// Notification is the plugin's, read otherwise.
func (p *auroraWith) Notification(h *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
	note, err := p.Provider.Notification(h, r)
	if err != nil {
		return note, err
	}
	p.see(note.Observations)
	if p.note != nil {
		p.note(h, note)
	}
	return note, nil
}

func (p *auroraWith) see(list []pay.Observation) {
	for i := range list {
		if p.seen != nil {
			p.seen(&list[i])
		}
	}
}

// auroraPinged is one with a ping, which Aurora's plugin has not.
type auroraPinged struct {
	*auroraWith
	ping func(h *sdk.Host) error
}

// Ping is the mistake.
func (p auroraPinged) Ping(h *sdk.Host) error { return p.ping(h) }

// with adds an operation to a manifest.
func with(op pay.Operation) func(m *pay.Manifest) {
	return func(m *pay.Manifest) { m.Operations = append(m.Operations, pay.OperationSpec{Operation: op}) }
}

// stores lets the plugin keep things at the host.
func stores(m *pay.Manifest) { m.Storage, m.State = true, pay.StateSchema{Writes: 1, Reads: []int{1}} }
