// Package broken holds plugins that must fail: each breaks the contract in one way,
// and names the checks of the conformance suite that catch it. They are what the
// suite is tested with: a check that no plugin fails proves nothing.
//
// Most are the plugin of a provider with one thing changed, wrapped from outside:
// the wrapper changes what goes in or what comes out, as an author's mistake would.
package broken

import (
	"encoding/json"
	"slices"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/providers"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
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
	// With are more checks that the short run needs: a check that is watched in every
	// life fails in theirs.
	With []string
	// Alone has it lived with in one life at a time: it mixes up lives that are lived
	// side by side.
	Alone bool
	// New returns the plugin.
	New func() sdk.Provider
	// Next, if not nil, is the revision that L4 upgrades to.
	Next func() sdk.Provider
	// Module, in the place of New, makes a module in a directory and returns its path:
	// for what only a sandbox survives. The same directory is given to all of them.
	Module func(dir string) (string, error)
	// Settings, if not empty, are the connection's, in the place of the provider's.
	Settings string
}

// List returns every broken plugin.
func List() []Plugin {
	return slices.Concat(
		ofLoading(), ofLifecycle(), ofMatrix(), ofSame(), ofNotifications(), ofUpgrades(),
		ofRahmet(), ofYenilToleg(), ofSmartPay(),
	)
}

// Target returns what to hold against the suite. Modules are made in dir, once.
func (p *Plugin) Target(dir string) (conformance.Target, error) {
	provider, ok := providers.ByName(p.Provider)
	if !ok {
		panic("broken: no provider " + p.Provider)
	}
	t := conformance.Target{Provider: provider}
	if p.Settings != "" {
		t.Provider.Connect = func(s conformance.Simulator, baseURL, dir string) (host.ConnectionConfig, error) {
			c, err := provider.Connect(s, baseURL, dir)
			c.Settings = json.RawMessage(p.Settings)
			return c, err
		}
	}
	if p.Module != nil {
		path, err := p.Module(dir)
		t.Plugin = host.Source{Path: path}
		return t, err
	}
	t.Plugin = source(p.New())
	if p.Next != nil {
		t.Next = source(p.Next())
	}
	return t, nil
}

// source is a plugin to run in-process, with its ear if it has one.
func source(p sdk.Provider) host.Source {
	guest := sdk.Native(p)
	listener, ok := p.(interface{ listens() *ear })
	if !ok || listener.listens() == nil {
		return host.Source{Native: guest}
	}
	e := listener.listens()
	return host.Source{Native: func(imports abi.Imports, op, inputLen int32) int32 {
		return guest(e.wrap(imports), op, inputLen)
	}}
}
