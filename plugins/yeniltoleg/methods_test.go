package yeniltoleg_test

import (
	"reflect"
	"testing"

	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
)

// TestMethods holds the methods that the module registers against those that the
// provider has.
func TestMethods(t *testing.T) {
	t.Parallel()
	got, want := reflect.ValueOf(yeniltoleg.Methods()), reflect.ValueOf(sdk.MethodsOf(yeniltoleg.New()))
	for i := range want.NumField() {
		if got.Field(i).IsNil() != want.Field(i).IsNil() {
			t.Errorf("%s: registered %v, there %v", want.Type().Field(i).Name, !got.Field(i).IsNil(), !want.Field(i).IsNil())
		}
	}
}
