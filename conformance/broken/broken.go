// Package broken holds plugins that must fail: each breaks the contract in one way,
// and names the checks of the conformance suite that catch it. They are what the
// suite is tested with: a check that no plugin fails proves nothing.
//
// Most are the plugin of a provider with one thing changed, wrapped from outside:
// the wrapper changes what goes in or what comes out, as an author's mistake would.
package broken

import (
	"slices"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/providers"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk"
)

// Plugin is a plugin that must fail.
type Plugin struct {
	// Name says what is broken: "false_declined".
	Name string
	// Does says it in a sentence.
	Does string
	// Provider is the name of the provider that it is of.
	Provider string
	// Fails are the ids of the checks that it fails, all of them; the others pass.
	Fails []string
	// New returns the plugin.
	New func() sdk.Provider
	// Next, if not nil, is the revision that L4 upgrades to.
	Next func() sdk.Provider
}

// List returns every broken plugin.
func List() []Plugin {
	return slices.Concat(ofLoading(), ofLifecycle(), ofMatrix(), ofNotifications(), ofUpgrades(), ofRahmet(), ofYenilToleg(), ofSmartPay())
}

// Target returns what to hold against the suite.
func (p *Plugin) Target() conformance.Target {
	provider, ok := providers.ByName(p.Provider)
	if !ok {
		panic("broken: no provider " + p.Provider)
	}
	t := conformance.Target{Plugin: host.Source{Native: sdk.Native(p.New())}, Provider: provider}
	if p.Next != nil {
		t.Next = host.Source{Native: sdk.Native(p.Next())}
	}
	return t
}
