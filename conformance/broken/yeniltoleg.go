package broken

// ofYenilToleg are the plugins that break one of the provider's own cases.
func ofYenilToleg() []Plugin { return nil }
