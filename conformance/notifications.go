package conformance

// notifications are the checks of L3.
func notifications() []check { return nil }
