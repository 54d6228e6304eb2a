package providers

import (
	"slices"

	"github.com/payhost/payhost/conformance"
)

// rahmetCases are RahmetPay's own: what its document leaves open or contradicts, and
// what a payment must come to whichever way it is.
func rahmetCases() []conformance.Case {
	return slices.Concat(rahmetCallCases(), rahmetOrderCases(), rahmetStateCases(), rahmetRefundCases(), rahmetLinkCases())
}
