package crash_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/internal/rig"
)

const registerPath = "/api/v1/payment/register"

// refused wants a create to be answered 503, with nothing asked of the provider.
func refused(t *testing.T, s *shop, order string) {
	t.Helper()
	before := len(s.world.YenilToleg.Requests())
	var a answer
	code, err := s.request(http.MethodPost, "/v1/payments", "key-"+order, yenilPayment(order), &a)
	if err != nil || code != http.StatusServiceUnavailable || a.Class != "host_fault" {
		t.Errorf("with no database: %d %+v, error %v", code, a, err)
	}
	if after := len(s.world.YenilToleg.Requests()); after != before {
		t.Errorf("with no database the provider was called %d times", after-before)
	}
}

// ready wants payhost to say whether it can take payments.
func ready(t *testing.T, s *shop, want int) {
	t.Helper()
	if code, err := s.request(http.MethodGet, "/readyz", "", nil, nil); err != nil || code != want {
		t.Errorf("/readyz answers %d, %v, want %d", code, err, want)
	}
}

// taken wants the same create to succeed under the same key, as soon as it can.
func taken(t *testing.T, s *shop, order string) answer {
	t.Helper()
	var a answer
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		a = answer{}
		code, err := s.request(http.MethodPost, "/v1/payments", "key-"+order, yenilPayment(order), &a)
		if err == nil && code == http.StatusCreated {
			return a
		}
	}
	t.Errorf("with the database back: %+v", a)
	return a
}

// registered counts the register calls that came for an order.
func registered(s *shop) int {
	n := 0
	for _, r := range s.world.YenilToleg.Requests() {
		if r.Path == registerPath {
			n++
		}
	}
	return n
}

// TestFullDisk takes the disk away from SQLite: nothing is sent that can't be
// written down, and all goes on when there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := newShop(t, rig.NewWorld(t), orders{Dir: t.TempDir()})
	s.start()
	taken(t, s, "before")
	if err := s.raw(http.MethodPost, "/_disk/4096", "", nil, nil); err != nil {
		t.Fatal(err)
	}
	refused(t, s, "full")
	refused(t, s, "full")
	ready(t, s, http.StatusServiceUnavailable)
	if err := s.raw(http.MethodPost, "/_disk/0", "", nil, nil); err != nil {
		t.Fatal(err)
	}
	ready(t, s, http.StatusOK)
	taken(t, s, "full")
	if n := registered(s); n != 2 {
		t.Errorf("two payments were registered %d times", n)
	}
}

// TestLostPostgres takes PostgreSQL away, before an operation and in the middle of
// one, and brings it back.
func TestLostPostgres(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t)
	s := newShop(t, rig.NewWorld(t), orders{Postgres: server.Database()})
	s.start()
	taken(t, s, "before")
	server.Stop()
	refused(t, s, "lost")
	server.Start()
	taken(t, s, "lost")

	if err := s.world.YenilToleg.Fault(simkit.Fault{Path: registerPath, Kind: simkit.Slow, DelayMS: 700, Count: 1}); err != nil {
		t.Fatal(err)
	}
	done := make(chan answer, 1)
	go func() {
		var a answer
		_, _ = s.request(http.MethodPost, "/v1/payments", "key-middle", yenilPayment("middle"), &a)
		done <- a
	}()
	for len(s.world.YenilToleg.Faults()) > 0 { // until the provider has the request
		time.Sleep(time.Millisecond)
	}
	server.Crash()
	if a := <-done; a.Class != "host_fault" || a.Advice != "retry_same_key" {
		t.Errorf("the outcome could not be written down, and the answer is %+v", a)
	}
	server.Start()
	if a := taken(t, s, "middle"); a.ProviderRef == "" || a.InDoubt != nil {
		t.Errorf("after it: %+v", a)
	}
	if n := registered(s); n != 3 {
		t.Errorf("three payments were registered %d times", n)
	}
}
