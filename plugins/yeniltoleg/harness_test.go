package yeniltoleg_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk/pay"
	"github.com/payhost/payhost/sdk/sdktest"
)

// asked is the amount of every payment here: the document's example, which no
// binary fraction holds exactly.
var asked = pay.New(3545, pay.TMT)

func plugin(t testing.TB) *sdktest.Plugin {
	t.Helper()
	return sdktest.New(t, yeniltoleg.New(), sdktest.Config{Secrets: []string{"access_token"}})
}

// createRequest has what the provider requires.
func createRequest() pay.CreateRequest {
	return pay.CreateRequest{
		PaymentID: "pay_1", OrderID: "100500", Amount: asked, ReturnURL: "https://shop.example/done",
		Customer: pay.Customer{Name: "Test Testov Testovic"},
	}
}

func ref() pay.Ref {
	return pay.Ref{ID: "pay_1", OrderID: "100500", ProviderRef: "p-1", Amount: asked}
}

// earlier is the intent of an operation whose first send got no answer.
func earlier() pay.Intent {
	return pay.Intent{Attempt: 2, Earlier: pay.Evidence{Wire: pay.WireUnknown, Calls: 1, BytesOut: 300}}
}

// outcome is what a writing operation answers.
type outcome struct {
	result *pay.Result
	err    *pay.Error
}

func (want outcome) check(t *testing.T, result *pay.Result, err error) {
	t.Helper()
	if diff := cmp.Diff(want.result, result); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.err, pay.AsError(err)); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

// complete fails if a file has a section that no test of the table uses, or the
// other way round.
func complete[T any](t *testing.T, file string, tests map[string]T) {
	t.Helper()
	for _, section := range sdktest.Sections(t, file) {
		name := section[len(file)+1:]
		if _, ok := tests[name]; !ok {
			t.Errorf("%s is not tested", section)
		}
	}
}

func at(hour, minute, second int) time.Time {
	return time.Date(2026, time.January, 15, hour, minute, second, 0, time.UTC)
}
