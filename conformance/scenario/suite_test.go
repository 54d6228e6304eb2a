package scenario_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/providers"
	"github.com/payhost/payhost/examples/aurora"
	"github.com/payhost/payhost/sdk"
)

// TestVerdictsAreTheSame runs a part of the suite against the simulators that are
// written in Go, and against those that are described.
func TestVerdictsAreTheSame(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it lives many lives")
	}
	for name, plugin := range map[string]sdk.Provider{"aurora": aurora.New()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			built, ok := providers.ByName(name)
			if !ok {
				t.Fatal("there is no such provider")
			}
			verdicts := func(p conformance.Provider) map[string]conformance.Status {
				target := conformance.Target{Plugin: native(plugin), Provider: p}
				options := conformance.Options{
					Level: conformance.L3, Checks: []string{"L0.*", "L1.pay", "L1.refunds", "L2.cut_after", "L3.*"},
				}
				report, err := conformance.Examine(t.Context(), target, options)
				if err != nil {
					t.Fatal(err)
				}
				all := map[string]conformance.Status{}
				for _, r := range report.Results {
					if r.ID != "L3.amount" { // it signs calls of its own, which a described provider can't be asked for
						all[r.ID] = r.Status
					}
				}
				return all
			}
			want, got := verdicts(built), verdicts(load(t, name))
			if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
				t.Errorf("written in Go (-), described (+):\n%s", diff)
			}
		})
	}
}
