package broken

// ofLifecycle are the plugins that break a check of L1.
func ofLifecycle() []Plugin { return nil }
