package conformance_test

import (
	"flag"
	"strings"
	"testing"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/providers"
	auroraplugin "github.com/payhost/payhost/examples/aurora"
	"github.com/payhost/payhost/host"
	rahmetplugin "github.com/payhost/payhost/plugins/rahmet"
	smartpayplugin "github.com/payhost/payhost/plugins/smartpay"
	yeniltolegplugin "github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
)

var checks = flag.String("checks", "", "patterns of the checks to run, with commas")

func native() map[string]sdk.Provider {
	return map[string]sdk.Provider{
		"rahmet": rahmetplugin.New(), "yeniltoleg": yeniltolegplugin.New(), "smartpay": smartpayplugin.New(),
		"aurora": auroraplugin.New(),
	}
}

func TestOwnPlugins(t *testing.T) {
	for _, name := range providers.Names() {
		t.Run(name, func(t *testing.T) {
			p, _ := providers.ByName(name)
			var patterns []string
			if *checks != "" {
				patterns = strings.Split(*checks, ",")
			}
			r, err := conformance.Examine(t.Context(), conformance.Target{
				Plugin: host.Source{Native: sdk.Native(native()[name])}, Provider: p,
			}, conformance.Options{Level: conformance.L4, Checks: patterns})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range r.Results {
				t.Logf("%s %s lives %d took %s %s", x.Status, x.ID, x.Lives, x.Took, x.Reason)
				for _, f := range x.Failures {
					t.Errorf("%s: %s\n%s\n%s", x.ID, f.Message, f.Where, strings.Join(append(append(append(f.Timeline, f.Wire...), f.Effects...), f.Log...), "\n"))
				}
				if x.More > 0 {
					t.Errorf("%s: %d more", x.ID, x.More)
				}
			}
			t.Logf("%d lives in %s", r.Lives, r.Took)
		})
	}
}
