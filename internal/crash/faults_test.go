package crash_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
)

// statusPaths are where the providers are asked.
func statusPaths() map[string]string {
	return map[string]string{
		rig.Rahmet: "/orders/v1/preorder/status", rig.YenilToleg: "/api/v1/payment/getPaymentStatus/*",
		rig.SmartPay: "/v1/purchase/status",
	}
}

// TestFaultSchedule lives lives under two or three faults at once, drawn from a
// seed: answers lost before and after the effect, server errors with and without
// one, pages of HTML, slow answers, refused sessions, and now and then a kill. The
// provider is well again after them, and then everything must end as it was meant.
func TestFaultSchedule(t *testing.T) {
	t.Parallel()
	rounds := 4
	if *long {
		rounds = 100
	}
	for _, kind := range []string{"sqlite", "postgres"} {
		for i, l := range lives() {
			t.Run(kind+"/"+l.name, func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(*seed, uint64(i)))
				w := rig.NewWorld(t)
				s := newShop(t, w, newOrders(t, kind))
				for round := range rounds {
					plan := draw(r, l)
					t.Logf("round %d: %+v, killed at %q", round, plan.faults, plan.killAt)
					s.orders.KillAt, s.orders.KillNth = plan.killAt, plan.killNth
					s.again()
					connection, _, _ := strings.Cut(l.name, " ")
					kit := w.Kits()[connection]
					for _, f := range plan.faults {
						if err := kit.Fault(f); err != nil {
							t.Fatal(err)
						}
					}
					l.live(s, fmt.Sprintf("f%d", round))
					kit.ClearFaults()
				}
			})
		}
	}
}

// plan is what goes wrong in one life.
type plan struct {
	faults  []simkit.Fault
	killAt  string
	killNth int
}

func draw(r *rand.Rand, l life) plan {
	kinds := []simkit.Fault{
		{Kind: simkit.CutBefore},
		{Kind: simkit.CutAfter},
		{Kind: simkit.Status, Status: 500},
		{Kind: simkit.Status, Status: 500, After: true},
		{Kind: simkit.HTML},
		{Kind: simkit.HTML, After: true},
		{Kind: simkit.Truncate},
		{Kind: simkit.Empty, After: true},
		{Kind: simkit.Status, Status: 429},
		{Kind: simkit.Slow, DelayMS: 2500},
		{Kind: simkit.WrongType},
	}
	connection, _, _ := strings.Cut(l.name, " ")
	paths := append([]string{statusPaths()[connection]}, l.paths...)
	var p plan
	for range 2 + r.IntN(2) {
		f := kinds[r.IntN(len(kinds))]
		f.Path, f.Count = paths[r.IntN(len(paths))], 1+r.IntN(2)
		p.faults = append(p.faults, f)
	}
	if r.IntN(2) == 0 {
		points := []string{"create", "refund", "cancel", "bind", "release", "confirm"}
		sides := []string{"before_write", "after_write", "after_call", "before_outcome", "after_outcome"}
		p.killAt, p.killNth = points[r.IntN(len(points))]+"."+sides[r.IntN(len(sides))], 1+r.IntN(2)
	}
	return p
}
