package broken

// ofLoading are the plugins that break a check of L0.
func ofLoading() []Plugin { return nil }
