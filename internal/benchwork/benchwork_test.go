package benchwork_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/internal/benchwork"
	"github.com/payhost/payhost/internal/benchwork/plugin"
	"github.com/payhost/payhost/internal/benchwork/stubhost"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// TestSizes holds the work to what its documents say of it.
func TestSizes(t *testing.T) {
	t.Parallel()
	request, err := json.Marshal(benchwork.Sample())
	if err != nil {
		t.Fatal(err)
	}
	typed := stubhost.New().Begin(benchwork.CreateRequest(benchwork.Sample()))
	form, result := sent(t), benchwork.Want()
	t.Logf("request %d bytes typed, %d as JSON; form %d bytes, %d keys; answer %d bytes",
		typed, len(request), len(form.Encode()), len(form), len(benchwork.Answer))
	if typed < 620 || typed > 680 || len(form) != 25 || len(benchwork.Answer) < 280 || len(benchwork.Answer) > 330 {
		t.Error("the work has other sizes than the documents say")
	}
	text, err := json.Marshal(result)
	if err != nil || len(text) < 150 || len(text) > 300 {
		t.Errorf("result of %d bytes, error %v", len(text), err)
	}
}

// TestSame runs the work both ways in-process: the same form goes out, and the same
// result comes back.
func TestSame(t *testing.T) {
	t.Parallel()
	result, err := benchwork.Create(benchwork.Sample(), benchwork.Stub)
	if err != nil || result != benchwork.Want() {
		t.Errorf("result %+v, error %v", result, err)
	}
	host := stubhost.New()
	input := host.Begin(benchwork.CreateRequest(benchwork.Sample()))
	sdk.Native(plugin.Provider{})(host, int32(pay.OpCreate), int32(input))
	result, err = host.Result()
	if err != nil || result != benchwork.Want() {
		t.Errorf("the plugin's result: %+v, error %v", result, err)
	}
	form, err := url.ParseQuery(string(host.Sent()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent(t), form); diff != "" {
		t.Errorf("the plugin's form (-native +plugin):\n%s", diff)
	}
}

// sent returns the form that the native work sends.
func sent(t *testing.T) url.Values {
	t.Helper()
	var form url.Values
	_, err := benchwork.Create(benchwork.Sample(), func(r *benchwork.HTTPRequest) (benchwork.HTTPResponse, error) {
		var err error
		if form, err = url.ParseQuery(string(r.Body)); err != nil {
			t.Error(err)
		}
		return benchwork.Stub(r)
	})
	if err != nil {
		t.Fatal(err)
	}
	return form
}
