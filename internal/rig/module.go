package rig

import (
	"testing"

	"github.com/payhost/payhost/internal/prebuilt"
)

// Module returns the plugin whose main package is in a folder, packed, with its machine
// code in [Cache]. Further flags for the linker, such as another -buildid, make another
// module of the same code.
func Module(tb testing.TB, source string, ldflags ...string) []byte {
	tb.Helper()
	module, err := maker(tb).Plugin(tb.Context(), source, ldflags...)
	if err != nil {
		tb.Fatal(err)
	}
	return module
}

// Cache is a folder for compiled plugins, which all tests share.
func Cache(tb testing.TB) string {
	tb.Helper()
	return maker(tb).Cache()
}

func maker(tb testing.TB) *prebuilt.Maker {
	tb.Helper()
	m, err := prebuilt.Open(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return m
}
