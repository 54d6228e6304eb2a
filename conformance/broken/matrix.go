package broken

// ofMatrix are the plugins that break a check of L2.
func ofMatrix() []Plugin { return nil }
