package broken

// ofUpgrades are the plugins that break a check of L4.
func ofUpgrades() []Plugin { return nil }
