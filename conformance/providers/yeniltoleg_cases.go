package providers

import "github.com/payhost/payhost/conformance"

func yeniltolegCases() []conformance.Case { return nil }
