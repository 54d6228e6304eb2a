package providers

import "github.com/payhost/payhost/conformance"

func smartpayCases() []conformance.Case { return nil }
