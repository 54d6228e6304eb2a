package soak_test

import (
	"context"
	"fmt"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/sdk/pay"
)

// troubles are what a provider that is having a bad day does to a create.
var troubles = []simkit.Fault{
	{Kind: simkit.Status, Status: 429, Headers: map[string]string{"Retry-After": "1"}},
	{Kind: simkit.CutBefore},
	{Kind: simkit.CutAfter},
	{Kind: simkit.Slow, DelayMS: 150},
	{Kind: simkit.Truncate},
	{Kind: simkit.Status, Status: 500},
	{Kind: simkit.HTML},
	{Kind: simkit.Empty},
	{Kind: simkit.BOM},
	{Kind: simkit.WrongType},
	{Kind: simkit.GzipBomb},
}

// endure makes one create at a provider that fails in the given way. How it ends is
// the provider's doing; it may not be the plugin's fault, nor the host's.
func (m *merchant) endure(ctx context.Context, trouble simkit.Fault) error {
	s := m.world.stations[m.name]
	s.kit.ClearFaults()
	trouble.Path, trouble.Count = "/*", 2 // Rahmet asks for a token first
	if err := s.kit.Fault(trouble); err != nil {
		return err
	}
	n := fmt.Sprint(m.orders.Add(1))
	_, err := m.create(ctx, n)
	switch class := pay.ClassOf(err); class {
	case pay.ClassPluginFault, pay.ClassHostFault, pay.ClassConfig, pay.ClassLimit:
		return fmt.Errorf("%s: %s ends as %s: %w", m.name, trouble.Kind, class, err)
	default:
		m.tally.add("trouble")
		return nil
	}
}

// troubled are merchants of the broken connections.
func troubled(w *world, t *tally) []*merchant {
	list := merchants(w, t)[:2]
	for _, m := range list {
		m.name += "-broken"
	}
	return list
}
