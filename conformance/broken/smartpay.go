package broken

// ofSmartPay are the plugins that break one of the provider's own cases.
func ofSmartPay() []Plugin { return nil }
