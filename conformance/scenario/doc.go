// Package scenario reads a [conformance.Provider] from a YAML file, for authors of
// plugins who don't write Go. docs/scenarios.md describes the format; the folder
// examples holds two whole providers.
//
// A file says what a merchant asks of the provider, how to connect to it, which
// objects it has and what their states mean for the money, and what it answers to
// which call. Whatever can be seen to be wrong is refused when the file is read:
// an unknown field, a template that names what is not there, an amount that is no
// number, a state that does not exist. So a simulator never fails at work: it
// answers what the file says.
//
// The simulator stands on package simkit: a ledger of money, a clock that can be
// advanced, and the control API come with it. Amounts are whole numbers of minor
// units from end to end; no float is involved.
package scenario
