package conformance

// upgraded is what was found of the next revision.
type upgraded struct{}

// upgrades are the checks of L4.
func upgrades() []check { return nil }
