// Package providers describes to the conformance suite the providers that payhost
// has simulators of: how to start one, how to connect to it, what to ask of it, and
// the cases that are its own.
package providers

import (
	"slices"

	"github.com/payhost/payhost/conformance"
)

// all are the providers, by the id of their plugin's manifest.
func all() map[string]func() conformance.Provider {
	return map[string]func() conformance.Provider{
		"rahmet": Rahmet, "yeniltoleg": YenilToleg, "smartpay": SmartPay, "aurora": Aurora,
	}
}

// ByName returns a provider by the id of its plugin, and false if there is no
// simulator of it.
func ByName(name string) (conformance.Provider, bool) {
	make, ok := all()[name]
	if !ok {
		return conformance.Provider{}, false
	}
	return make(), true
}

// Names returns the names that ByName knows, sorted.
func Names() []string {
	names := make([]string, 0, len(all()))
	for name := range all() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
