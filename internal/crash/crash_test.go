package crash_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/internal/rig"
)

var (
	long = flag.Bool("long", false, "kill at every boundary on both stores, and at random ones for longer")
	seed = flag.Uint64("seed", 1, "of the random kills")
)

// life is a provider's story as the shop lives it. Orders are numbered, so that
// lives can follow each other in one world.
type life struct {
	name  string
	live  func(s *shop, order string)
	paths []string // of the provider's writing calls in it
}

func lives() []life {
	return []life{
		{rig.Rahmet, liveRahmet, []string{"/orders/v1/preorder/create", "/orders/v1/preorder/refund"}},
		{rig.YenilToleg, liveYenilToleg, []string{"/api/v1/payment/register", "/api/v1/payment/refund"}},
		{rig.YenilToleg + " canceled", cancelYenilToleg, []string{"/api/v1/payment/cancel"}},
		{rig.SmartPay, liveSmartPay, []string{
			"/v1/purchase/code/commit", "/v1/purchase/release", "/v1/purchase/kassa/status", "/v1/purchase/fiscal",
			"/v1/purchase/refund", "/v1/purchase/refund/kassa/status",
		}},
	}
}

type object = map[string]any

func money(value, currency string) object { return object{"value": value, "currency": currency} }

func liveRahmet(s *shop, order string) {
	p := s.do("/v1/payments", object{
		"connection": rig.Rahmet, "order_id": order, "amount": money("250000", "KZT"), "return_url": "https://shop.example/",
	})
	s.move(rig.Rahmet, order, "payer_pays")
	s.world.Rahmet.WaitDeliveries() // the provider calls payhost: a boundary, too, also if nobody is there
	path := "/v1/payments/" + p.ID
	s.until(path, "succeeded")
	r := s.do(path+"/refunds", object{"amount": money("100000", "KZT"), "reason": "one pizza less"})
	for _, o := range s.world.Rahmet.Objects() {
		if o.Kind == "refund" {
			s.move(rig.Rahmet, o.ID, "settled")
		}
	}
	s.until(path+"/refunds/"+r.ID, "succeeded")
	s.effects(rig.Rahmet, order, 250000, 100000)
}

func liveYenilToleg(s *shop, order string) {
	p := s.do("/v1/payments", yenilPayment(order))
	path := "/v1/payments/" + p.ID
	p = s.until(path, "pending")
	s.move(rig.YenilToleg, p.ProviderRef, "Succeeded")
	s.until(path, "succeeded")
	r := s.do(path+"/refunds", object{"amount": money("3545", "TMT")})
	s.until(path+"/refunds/"+r.ID, "succeeded")
	s.effects(rig.YenilToleg, order, 3545, 3545)
}

func cancelYenilToleg(s *shop, order string) {
	p := s.do("/v1/payments", yenilPayment(order))
	path := "/v1/payments/" + p.ID
	s.do(path+"/cancel", nil)
	// A cancel whose request was lost is only known to be lost when the provider's own
	// session is over; then there is nothing left to cancel.
	s.until(path, "canceled", "failed", "expired")
	s.effects(rig.YenilToleg, order, 0, 0)
}

func yenilPayment(order string) object {
	return object{
		"connection": rig.YenilToleg, "order_id": order, "amount": money("3545", "TMT"),
		"return_url": "https://shop.example/", "customer": object{"name": "Test Person"},
	}
}

func liveSmartPay(s *shop, order string) {
	p := s.do("/v1/payments", object{"connection": rig.SmartPay, "order_id": order})
	path := "/v1/payments/" + p.ID
	code, err := s.world.SmartPay.PresentFlawed("user-"+order, "")
	if err != nil {
		s.t.Fatal(err)
	}
	s.do(path+"/bind", object{"code": code})
	p = s.do(path+"/release", object{"amount": money("5000", "RUB")})
	s.until(path, "authorized")
	s.do(path+"/confirm", nil)
	s.until(path, "succeeded")
	s.do(path+"/receipts", object{"register_number": "0000000001012345", "fiscal_sign": "2718281828"})
	r := s.do(path+"/refunds", object{"amount": money("2000", "RUB")})
	s.until(path+"/refunds/"+r.ID, "succeeded")
	s.do(path+"/refunds/"+r.ID+"/confirm", nil)
	s.effects(rig.SmartPay, p.ProviderRef, 5000, 2000)
}

// move plays the payer.
func (s *shop) move(connection, id, outcome string) {
	s.t.Helper()
	if err := s.world.Kits()[connection].Move(id, outcome); err != nil {
		s.t.Fatal(err)
	}
}

// effects holds the provider's own ledger against what was meant: each intent moved
// its money once.
func (s *shop) effects(connection, object string, charged, refunded int64) {
	s.t.Helper()
	got := map[string]int64{}
	times := map[string]int{}
	for _, e := range s.world.Kits()[connection].Effects() {
		if e.Object == object || e.Ref == object || strings.HasPrefix(e.Ref, object+"-") {
			got[e.Kind] += e.Amount
			times[e.Kind]++
		}
	}
	want := map[string]int64{simkit.Charge: charged, simkit.Refund: refunded}
	for kind, amount := range want {
		if got[kind] != amount || times[kind] > 1 {
			s.t.Errorf("%s %s: %d of %s in %d effects, want %d in one", connection, object, got[kind], kind, times[kind], amount)
		}
	}
}

// TestKillMatrix kills payhost at every boundary of every operation of every
// provider, once each, and lets the shop live on.
func TestKillMatrix(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"sqlite", "postgres"} {
		for _, l := range lives() {
			t.Run(kind+"/"+l.name, func(t *testing.T) {
				t.Parallel()
				killEverywhere(t, kind, l)
			})
		}
	}
}

func newOrders(t *testing.T, kind string) orders {
	t.Helper()
	if kind == "postgres" {
		return orders{Postgres: pgtest.Database(t)}
	}
	return orders{Dir: t.TempDir()}
}

func killEverywhere(t *testing.T, kind string, l life) {
	w := rig.NewWorld(t)
	s := newShop(t, w, newOrders(t, kind))
	s.start()
	l.live(s, "dry")
	var seen map[string]int
	if err := s.raw(http.MethodGet, "/_points", "", nil, &seen); err != nil {
		t.Fatal(err)
	}
	if s.died > 0 || len(seen) < 8 {
		t.Fatalf("a life without a kill: died %d times, boundaries %v", s.died, seen)
	}
	points := slices.Sorted(maps.Keys(seen))
	if !*long && kind == "postgres" { // the engine is the same: some of them will do
		r := rand.New(rand.NewPCG(*seed, 7))
		r.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
		points = points[:min(8, len(points))]
	}
	for i, point := range points {
		s.orders.KillAt, s.orders.KillNth = point, 1
		s.again()
		l.live(s, fmt.Sprintf("k%d", i))
		if s.died == 0 {
			t.Errorf("payhost was to die at %s and lived", point)
		}
	}
	t.Logf("killed at %d boundaries: %s", len(points), strings.Join(points, ", "))
}

// again starts payhost anew, with new orders.
func (s *shop) again() {
	s.t.Helper()
	s.stop()
	s.died = 0
	s.start()
}

// TestKillOnTheWire kills payhost while the provider has its request: before it acts
// on it, and after.
func TestKillOnTheWire(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"sqlite", "postgres"} {
		for _, l := range lives() {
			t.Run(kind+"/"+l.name, func(t *testing.T) {
				t.Parallel()
				killOnTheWire(t, kind, l)
			})
		}
	}
}

func killOnTheWire(t *testing.T, kind string, l life) {
	w := rig.NewWorld(t)
	s := newShop(t, w, newOrders(t, kind))
	connection, _, _ := strings.Cut(l.name, " ")
	kit := w.Kits()[connection]
	n := 0
	for _, path := range l.paths {
		for _, fault := range []simkit.Fault{
			{Kind: simkit.CutBefore, DelayMS: 400}, {Kind: simkit.Slow, DelayMS: 400},
		} {
			n++
			fault.Path, fault.Count = path, 1
			if err := kit.Fault(fault); err != nil {
				t.Fatal(err)
			}
			s.again()
			hit := make(chan struct{})
			go func(cmd interface{ Kill() error }) {
				defer close(hit)
				for end := time.Now().Add(20 * time.Second); len(kit.Faults()) > 0 && time.Now().Before(end); {
					time.Sleep(2 * time.Millisecond)
				}
				time.Sleep(20 * time.Millisecond)
				if len(kit.Faults()) == 0 {
					_ = cmd.Kill()
				}
			}(s.cmd.Process)
			l.live(s, fmt.Sprintf("w%d", n))
			kit.ClearFaults()
			<-hit
		}
	}
}
