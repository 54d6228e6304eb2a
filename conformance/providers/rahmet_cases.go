package providers

import "github.com/payhost/payhost/conformance"

func rahmetCases() []conformance.Case { return nil }
