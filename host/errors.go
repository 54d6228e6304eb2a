package host

import (
	"errors"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/sdk/pay"
)

func configError(field, message string) *pay.Error {
	return (&pay.Error{Class: pay.ClassConfig, Effect: pay.EffectNone, Field: field, Message: message}).Fill()
}

func pluginError(message string) *pay.Error {
	return (&pay.Error{Class: pay.ClassPluginFault, Effect: pay.EffectNone, Message: message}).Fill()
}

func errClosed() *pay.Error {
	return (&pay.Error{Class: pay.ClassHostFault, Effect: pay.EffectNone, Message: "host is closed"}).Fill()
}

// loadError turns an error of the engine into one for callers. The engine's own
// text stays behind: it holds paths and stacks.
func loadError(err error) *pay.Error {
	var load *wasm.LoadError
	var call *wasm.CallError
	switch {
	case errors.As(err, &load):
		return pluginError(load.Reason)
	case errors.As(err, &call):
		return pluginError("initialization: " + call.Error())
	case errors.Is(err, wasm.ErrNoManifest):
		return pluginError(err.Error())
	}
	return (&pay.Error{Class: pay.ClassHostFault, Effect: pay.EffectNone, Message: "plugin can't be loaded", Err: err}).Fill()
}
