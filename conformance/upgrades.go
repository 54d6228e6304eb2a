package conformance

// upgrades are the checks of L4.
func upgrades() []check { return nil }
