// Command lean is the SmartPay plugin without some operations, which the linker names: a revision that can do less.
package main

import (
	"slices"
	"strings"

	"github.com/payhost/payhost/plugins/smartpay"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

var without string // names of operations with commas between them

func init() {
	methods := smartpay.Methods()
	whole := methods.Manifest
	methods.Manifest = func() pay.Manifest {
		m := whole()
		m.Operations = slices.DeleteFunc(m.Operations, func(spec pay.OperationSpec) bool {
			return slices.Contains(strings.Split(without, ","), spec.Operation.String())
		})
		return m
	}
	sdk.RegisterMethods(methods)
}

func main() {}
