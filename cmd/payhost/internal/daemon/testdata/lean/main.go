// Command lean is the Yenil-Toleg plugin without cancel: a revision that can do less.
package main

import (
	"slices"

	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

func init() {
	methods := yeniltoleg.Methods()
	whole := methods.Manifest
	methods.Manifest = func() pay.Manifest {
		m := whole()
		m.Operations = slices.DeleteFunc(m.Operations, func(spec pay.OperationSpec) bool { return spec.Operation == pay.OpCancel })
		return m
	}
	sdk.RegisterMethods(methods)
}

func main() {}
