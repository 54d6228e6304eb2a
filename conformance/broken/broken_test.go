package broken_test

import (
	"flag"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/broken"
	"github.com/payhost/payhost/conformance/providers"
)

var long = flag.Bool("long", false, "hold every broken plugin against every check")

// TestEachFailsAsItShould holds broken plugins against the checks that they must fail;
// with -long all of them against all, and then they must fail no other.
func TestEachFailsAsItShould(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() // of the modules
	for _, p := range chosen() {
		t.Run(p.Provider+"/"+p.Name, func(t *testing.T) {
			t.Parallel()
			target, err := p.Target(dir)
			if err != nil {
				t.Fatal(err)
			}
			o := conformance.Options{Level: conformance.L4, Checks: against(&p), Parallel: 4, CacheDir: dir}
			switch {
			case p.Alone:
				o.Parallel = 1
			case p.Module != nil:
				o.Parallel = 2
			}
			r, err := conformance.Examine(t.Context(), target, o)
			if err != nil {
				t.Fatal(err)
			}
			var failed []string
			for i := range r.Results {
				if r.Results[i].Status == conformance.Failed {
					failed = append(failed, r.Results[i].ID)
				}
			}
			want := slices.Sorted(slices.Values(mustFail(&p)))
			slices.Sort(failed)
			if diff := cmp.Diff(want, failed); diff != "" {
				t.Errorf("it %s; failed checks (-want +got):\n%s", p.Does, diff)
				for i := range r.Results {
					for _, f := range r.Results[i].Failures {
						t.Logf("%s: %s (%s)", r.Results[i].ID, f.Message, f.Where)
					}
				}
			}
		})
	}
}

// chosen are the plugins of this run: all of them or, in the short one, for every check
// the plugin that fails the fewest others.
func chosen() []broken.Plugin {
	all := broken.List()
	if *long {
		return all
	}
	best := map[string]int{}
	for i := range all {
		for _, id := range all[i].Fails {
			if was, ok := best[id]; !ok || len(all[i].Fails) < len(all[was].Fails) {
				best[id] = i
			}
		}
	}
	kept := map[int]bool{}
	for _, i := range best {
		kept[i] = true
	}
	var list []broken.Plugin
	for i := range all {
		if kept[i] {
			list = append(list, all[i])
		}
	}
	return list
}

// against are the checks that a plugin is held against; nil for all.
func against(p *broken.Plugin) []string {
	if *long {
		return nil
	}
	// What is watched in every life needs one.
	return slices.Concat([]string{"L0.asked", "L1.pay"}, mustFail(p), p.With)
}

// mustFail are the checks that a plugin is to fail in this run: the short one leaves
// those out that take long and say what others have said.
func mustFail(p *broken.Plugin) []string {
	slow := []string{"L2.drawn", "L2.outage", "L2.killed", "L2.killed_sending", "L4.doubt"}
	quick := slices.DeleteFunc(slices.Clone(p.Fails), func(id string) bool { return slices.Contains(slow, id) })
	if *long || len(quick) == 0 {
		return p.Fails
	}
	if len(quick) < len(p.Fails) && slices.Equal(quick, []string{"L1.key"}) {
		return p.Fails // the key is another only in the lives that take long
	}
	return quick
}

// TestEveryCheckIsBroken fails for a check that no broken plugin fails.
func TestEveryCheckIsBroken(t *testing.T) {
	t.Parallel()
	caught := map[string]bool{
		"L1.undeclared": true, // the host answers before the plugin is asked: no plugin can break it
	}
	for _, p := range broken.List() {
		for _, id := range p.Fails {
			caught[id] = true
		}
	}
	for _, name := range providers.Names() {
		p, _ := providers.ByName(name)
		for _, c := range conformance.Checks(p) {
			if !caught[c.ID] {
				t.Errorf("%s (%s) has no plugin that it catches", c.ID, c.Sentence)
			}
		}
	}
}
