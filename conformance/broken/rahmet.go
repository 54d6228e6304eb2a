package broken

// ofRahmet are the plugins that break one of the provider's own cases.
func ofRahmet() []Plugin { return nil }
