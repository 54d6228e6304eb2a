package scenario_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/providers"
	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// verdicts are the checks of which a described provider must come to the same end as
// one that is written in Go.
func verdicts(t *testing.T, p conformance.Provider, plugin sdk.Provider, checks ...string) map[string]conformance.Status {
	t.Helper()
	report, err := conformance.Examine(t.Context(), conformance.Target{Plugin: native(plugin), Provider: p}, conformance.Options{
		Level: conformance.L2, Checks: checks, Parallel: 8,
	})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]conformance.Status{}
	for i := range report.Results {
		r := &report.Results[i]
		all[r.ID] = r.Status
		for _, f := range r.Failures {
			t.Logf("%s: %s (%s)", r.ID, f.Message, f.Where)
		}
	}
	return all
}

// falseNo takes an answer that it can't read for a no: it ends well unless something
// goes wrong.
type falseNo struct{ *yeniltoleg.Provider }

// Create declines what it can't read.
func (p falseNo) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	result, err := p.Provider.Create(h, r)
	if e := pay.AsError(err); e != nil && e.Class == pay.ClassProtocol {
		return nil, &pay.Error{Class: pay.ClassDeclined, Reason: pay.DeclinedOther}
	}
	return result, err
}

// tooMuch rounds up where nothing is to be rounded.
type tooMuch struct{ *yeniltoleg.Provider }

// Create sends a tenge more.
func (p tooMuch) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	r.Amount.Minor++
	return p.Provider.Create(h, r)
}

// TestFaultsHaveTheSameVerdicts holds a good plugin and two bad ones against both
// simulators of Yenil-Toleg, under faults of every kind: the bad ones are caught by
// the same checks.
func TestFaultsHaveTheSameVerdicts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it lives many lives")
	}
	built, ok := providers.ByName("yeniltoleg")
	if !ok {
		t.Fatal("there is no such provider")
	}
	described := load(t, "yeniltoleg")
	faults := []string{"L1.*", "L2.cut_after"}
	for _, c := range []struct {
		name   string
		plugin sdk.Provider
		checks []string
		fails  []string // some of what must catch it
	}{
		{"good", yeniltoleg.New(), faults, nil},
		{"false no", falseNo{yeniltoleg.New()}, []string{"L1.pay", "L2.half", "L2.nulls"}, []string{"L2.half"}},
		{"amount too large", tooMuch{yeniltoleg.New()}, []string{"L1.*"}, []string{"L1.pay"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want, got := verdicts(t, built, c.plugin, c.checks...), verdicts(t, described, c.plugin, c.checks...)
			if diff := cmp.Diff(want, got); diff != "" || len(got) < len(c.checks) {
				t.Errorf("written in Go (-), described (+):\n%s", diff)
			}
			failed := func(id string) bool { return got[id] == conformance.Failed }
			for _, id := range c.fails {
				if !failed(id) {
					t.Errorf("%s does not catch it", id)
				}
			}
			if len(c.fails) == 0 && slices.ContainsFunc(slices.Collect(maps.Keys(got)), failed) {
				t.Errorf("a good plugin fails: %v", got)
			}
		})
	}
}
