package broken

// ofNotifications are the plugins that break a check of L3.
func ofNotifications() []Plugin { return nil }
